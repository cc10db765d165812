//! How the log looks.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Log, Sheet};
use crate::tui::app::App;
use crate::tui::log::{ansi, shown};
use crate::tui::paint::{Row, frame};
use crate::tui::search;
use crate::tui::theme::{Role, Theme};

/// The columns for lines where the frame has so many inside: before them stands what was found, behind them a space.
pub fn columns(inside: u16) -> usize {
    usize::from(inside.saturating_sub(2))
}

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, focused: bool) {
    let log = &app.log;
    let state = state(log, theme);
    let mut title = vec![("Log", theme.style(Role::Strong))];
    title.extend(state.iter().map(|(text, role)| (text.as_str(), theme.style(*role))));
    let inner = frame(buf, area, &title, focused, theme);
    let Some(window) = log.window.as_ref().filter(|window| window.lines() > 0) else {
        Row::new(buf, inner, 0).gap(1).put("the worker has not said anything yet", theme.style(Role::Dim));
        return;
    };
    let sheet = Sheet::new(window, columns(inner.width), log.cut);
    let (first, mut skipped) = sheet.top(log.top, usize::from(inner.height));
    let mut row = 0;
    for line in first..window.lines() {
        if row >= inner.height {
            return;
        }
        row += put_line(theme, inner, buf, log, window.offset(line), window.line(line), (row, skipped));
        skipped = 0;
    }
}

/// Where the log stands, for the title.
fn state(log: &Log, theme: &Theme) -> Vec<(String, Role)> {
    let Some(window) = &log.window else { return Vec::new() };
    let mut state = Vec::new();
    match log.top {
        None => state.push((" follows".into(), Role::Live)),
        Some(top) => {
            let percent = top.offset.saturating_mul(100) / window.length.max(1);
            state.push((format!(" {percent}%"), Role::Dim));
        }
    }
    if log.cut {
        state.push((" cut".into(), Role::Dim));
    }
    if log.shift > 0 {
        state.push((format!(" {}{}", theme.pick("→", ">"), log.shift), Role::Dim));
    }
    match (log.search.under_way, &log.search.pattern) {
        (Some(percent), _) => state.push((format!(" searching {percent}%, Esc ends it"), Role::Warning)),
        (None, Some(pattern)) => state.push((format!(" /{}", pattern.typed()), Role::Accent)),
        (None, None) => {}
    }
    state
}

/// Writes a line from `row` on, without the rows of it that are `skipped`, and gives the rows that this took.
fn put_line(
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
    log: &Log,
    offset: u64,
    bytes: &[u8],
    (row, skipped): (u16, usize),
) -> u16 {
    let mut line = ansi::decode(bytes).restyled(|style| shown(style, theme.colors));
    let is_hit = log.search.hit == Some(offset);
    if let Some(pattern) = &log.search.pattern {
        let places = pattern.matches(line.text());
        line.mark(&places, search::style(theme, is_hit));
    }
    if log.cut {
        let mut row = gutter(theme, area, buf, row, is_hit);
        line.put_cut(&mut row, log.shift, theme);
        return 1;
    }
    let rows = line.rows(columns(area.width));
    let seen = rows.into_iter().skip(skipped).take(usize::from(area.height - row));
    (row..)
        .zip(seen)
        .map(|(row, range)| line.put(&mut gutter(theme, area, buf, row, is_hit), range))
        .count()
        .try_into()
        .unwrap_or(u16::MAX)
}

/// A row whose first column says whether its line was found.
fn gutter<'b>(theme: &Theme, area: Rect, buf: &'b mut Buffer, row: u16, is_hit: bool) -> Row<'b> {
    let mut row = Row::new(buf, area, row);
    row.put(if is_hit { theme.pick("▸", ">") } else { " " }, theme.style(Role::Warning));
    row
}
