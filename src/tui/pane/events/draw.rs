//! How the events look, and what is where.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::happening::{Happening, Kind};
use super::{Events, Kinds};
use crate::record::state::RunState;
use crate::tui::app::App;
use crate::tui::paint::{Row, columns, frame};
use crate::tui::search;
use crate::tui::styled::Styled;
use crate::tui::theme::{Role, Theme};

/// Columns inside of the frame below which there is no time before the words.
const NARROW: u16 = 50;

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, focused: bool) {
    let events = &app.events;
    let title = title(events, theme, area, focused);
    let title: Vec<(&str, Style)> = title.iter().map(|(text, style)| (text.as_str(), *style)).collect();
    let inner = frame(buf, area, &title, focused, theme);
    let Some(run) = app.run() else { return };
    if events.feed.len() == 0 {
        Row::new(buf, inner, 0).gap(1).put("no event of these kinds", theme.style(Role::Dim));
    }
    let mut row = 0;
    for at in seen(events, run, inner, focused) {
        let Some(line) = events.feed.get(run, at) else { continue };
        let is_chosen = focused && at == events.at();
        let words = words(&line, events, theme, is_chosen);
        for (number, range) in rows(&words, events, inner, is_chosen).into_iter().enumerate() {
            let mut line_row = Row::new(buf, inner, row);
            if is_chosen {
                line_row.over(theme.selected());
            }
            head(&mut line_row, &line, theme, inner, number == 0);
            if is_chosen || events.wrapped {
                words.put(&mut line_row, range);
            } else {
                words.put_cut(&mut line_row, 0, theme);
            }
            row = row.saturating_add(1);
        }
    }
}

/// Time and kind, or the room that they take.
fn head(row: &mut Row, line: &Happening, theme: &Theme, inner: Rect, is_first: bool) {
    if !is_first {
        row.gap(indent(inner));
        return;
    }
    row.gap(1);
    let (label, role) = line.label(theme);
    if inner.width >= NARROW {
        row.put(&line.time().local_time(), theme.style(Role::Dim)).gap(1);
    }
    row.put(&format!("{label:<6}"), theme.style(role)).gap(1);
}

/// Columns before the words: a space, the time, the kind; no time where there is little room.
fn indent(inner: Rect) -> u16 {
    if inner.width >= NARROW { 17 } else { 8 }
}

/// The columns that there are for words.
fn room(inner: Rect) -> usize {
    usize::from(inner.width.saturating_sub(indent(inner) + 1))
}

fn words(line: &Happening, events: &Events, theme: &Theme, is_chosen: bool) -> Styled {
    let mut words = Styled::plain(&line.words(), theme.style(line.role(theme)));
    if let Some(pattern) = &events.pattern {
        let places = pattern.matches(words.text());
        words.mark(&places, search::style(theme, is_chosen));
    }
    words
}

/// The rows of a line: all that it takes where it is chosen or lines are wrapped, else one.
fn rows(words: &Styled, events: &Events, inner: Rect, is_chosen: bool) -> Vec<std::ops::Range<usize>> {
    if is_chosen || events.wrapped { words.rows(room(inner)) } else { vec![words.window(0, room(inner))] }
}

/// The lines that are seen, from the top, such that the chosen one is among them, near the middle.
fn seen(events: &Events, run: &RunState, inner: Rect, focused: bool) -> Vec<usize> {
    let (count, chosen, height) = (events.feed.len(), events.at(), usize::from(inner.height));
    if count == 0 || height == 0 {
        return Vec::new();
    }
    let tall = |at: usize| {
        let is_chosen = focused && at == chosen;
        if !is_chosen && !events.wrapped {
            return 1;
        }
        let words = events.feed.get(run, at).map_or_else(String::new, |line| line.words());
        rows(&Styled::plain(&words, Style::new()), events, inner, is_chosen).len()
    };
    // Older lines below the chosen one, to the bottom of the pane; then newer ones above it, first up to the middle.
    let own = tall(chosen);
    let older = fitting((0..chosen).rev(), height.saturating_sub(own), tall);
    let most_above = height.saturating_sub(own + older.1.min(height.saturating_sub(own) / 2));
    let newer = fitting(chosen + 1..count, most_above, tall);
    let below = fitting((0..chosen).rev(), height.saturating_sub(own + newer.1), tall);
    let first = chosen + newer.0;
    let last = chosen - below.0;
    // One more is begun at the bottom, as far as there is room.
    (last.saturating_sub(1)..=first).rev().collect()
}

/// How many of `lines` have room in so many rows, and the rows that they take.
fn fitting(lines: impl Iterator<Item = usize>, rows: usize, tall: impl Fn(usize) -> usize) -> (usize, usize) {
    let mut taken = (0, 0);
    for line in lines {
        let more = tall(line);
        if taken.1 + more > rows {
            break;
        }
        taken = (taken.0 + 1, taken.1 + more);
    }
    taken
}

/// The line at row `y` of the screen, where the pane has the focus and fills `area`.
pub fn line_at(app: &App, area: Rect, y: u16) -> Option<usize> {
    let inner = inside(area);
    let run = app.run()?;
    let wanted = usize::from(y.checked_sub(inner.y)?);
    let mut row = 0;
    seen(&app.events, run, inner, true).into_iter().find(|&at| {
        let is_chosen = at == app.events.at();
        let words = app.events.feed.get(run, at).map_or_else(String::new, |line| line.words());
        row += rows(&Styled::plain(&words, Style::new()), &app.events, inner, is_chosen).len();
        wanted < row
    })
}

/// The kind that stands at column `x` of the title, as its place in [`Kind::ALL`].
pub fn kind_at(app: &App, area: Rect, x: u16) -> Option<usize> {
    // As `frame` puts it: the corner, and a space.
    let mut at = area.x + 2;
    let theme = Theme { colors: crate::tui::theme::Colors::None, ascii: false, palette: Default::default() };
    for (number, (text, _)) in title(&app.events, &theme, area, true).iter().enumerate() {
        let end = at + columns(text);
        if (at..end).contains(&x) {
            let is_kind = number > 0 && has_room(area);
            return is_kind.then(|| number - 1);
        }
        at = end;
    }
    None
}

fn inside(area: Rect) -> Rect {
    if area.width < 3 || area.height < 2 {
        return area;
    }
    Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
}

/// Whether the title has room for all kinds.
fn has_room(area: Rect) -> bool {
    let kinds: usize = Kind::ALL.iter().map(|kind| kind.name().len() + 2).sum();
    usize::from(area.width) >= kinds + 16
}

/// The name, then each kind with a sign whether it is shown; where there is no room the one that keys turn.
fn title(events: &Events, theme: &Theme, area: Rect, focused: bool) -> Vec<(String, Style)> {
    let mut title = vec![("Events".to_owned(), theme.style(Role::Strong))];
    let chip = |number: usize, kind: Kind| {
        let is_on = events.kinds.has(kind);
        let sign = if is_on { theme.pick("●", "+") } else { theme.pick("○", "-") };
        let mut style = theme.style(if is_on { Role::Plain } else { Role::Dim });
        if focused && number == events.kind {
            style = style.add_modifier(Modifier::REVERSED);
        }
        (format!(" {sign}{}", kind.name()), style)
    };
    let kinds = Kind::ALL.into_iter().enumerate();
    if has_room(area) {
        title.extend(kinds.map(|(number, kind)| chip(number, kind)));
    } else if focused {
        title.extend(kinds.skip(events.kind).take(1).map(|(number, kind)| chip(number, kind)));
    }
    if events.kinds != Kinds::default() && !has_room(area) {
        let shown = Kind::ALL.iter().filter(|&&kind| events.kinds.has(kind)).count();
        title.push((format!(" {shown} of {} kinds", Kind::ALL.len()), theme.style(Role::Dim)));
    }
    title.extend(events.pattern.iter().map(|pattern| (format!(" /{}", pattern.typed()), theme.style(Role::Accent))));
    title
}
