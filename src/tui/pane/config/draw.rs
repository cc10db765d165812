//! How the configuration looks.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::page::{Difference, Page};
use super::texts::Meaning;
use super::{Against, Config, Show, yaml};
use crate::tui::app::App;
use crate::tui::paint::{Row, frame};
use crate::tui::search;
use crate::tui::styled::Styled;
use crate::tui::theme::{Role, Theme};

/// Columns inside of the frame from which two values stand beside each other.
const WIDE: u16 = 76;

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, focused: bool) {
    let config = &app.config;
    let title = title(config, theme, app);
    let title: Vec<(&str, Style)> = title.iter().map(|(text, role)| (text.as_str(), theme.style(*role))).collect();
    let inner = frame(buf, area, &title, focused, theme);
    if let Some((text, role)) = instead(config) {
        Row::new(buf, inner, 0).gap(1).put(&text, theme.style(role));
        return;
    }
    let Some(page) = config.page() else { return };
    let mut row = 0;
    for at in config.view.top.min(page.rows().saturating_sub(1))..page.rows() {
        if row >= inner.height {
            return;
        }
        row += match &page {
            Page::Differences(differences) => {
                differences.get(at).map_or(0, |it| put_difference(theme, inner, buf, config, it, (row, at)))
            }
            page => put_line(theme, Row::new(buf, inner, row), config, page, at),
        };
    }
}

fn title(config: &Config, theme: &Theme, app: &App) -> Vec<(String, Role)> {
    let mut title = vec![("Config".to_owned(), Role::Strong)];
    let mark = theme.pick("●", "*");
    match (&config.against, config.show) {
        (Some(against), _) => {
            title.push((format!(" {}", against_words(against, config, app)), Role::Plain));
        }
        (None, Show::Typed) => title.push((" as typed".into(), Role::Plain)),
        (None, Show::Resolved) => {
            title.push((format!(" {}", if config.only_marked { "only " } else { "" }), Role::Dim));
            title.push((mark.into(), Role::Warning));
            title.push((" not the default ".into(), Role::Dim));
            title.push((theme.pick("·", ".").into(), Role::Accent));
            title.push((" typed".into(), Role::Dim));
        }
    }
    if config.view.shift > 0 {
        title.push((format!(" {}{}", theme.pick("→", ">"), config.view.shift), Role::Dim));
    }
    title.extend(config.view.pattern.iter().map(|pattern| (format!(" /{}", pattern.typed()), Role::Accent)));
    title
}

fn against_words(against: &Against, config: &Config, app: &App) -> String {
    let name = |id| app.runs.row(id).map_or_else(String::new, |row| format!(" {}", row.name));
    let own = config.run.map_or_else(String::new, |id| format!("{id}{}", name(id)));
    format!("{own} against {}{}", against.id, name(against.id))
}

/// What is said where there is nothing to show.
fn instead(config: &Config) -> Option<(String, Role)> {
    let reading = || Some(("reading it".to_owned(), Role::Dim));
    if config.run.is_none() {
        return Some(("no run is chosen".into(), Role::Dim));
    }
    if let Some(against) = &config.against {
        match &against.differences {
            None => return reading(),
            Some(Err(error)) => return Some((error.clone(), Role::Bad)),
            Some(Ok(differences)) if differences.is_empty() => {
                return Some(("the two runs differ in nothing".into(), Role::Good));
            }
            Some(Ok(_)) => return None,
        }
    }
    match &config.texts {
        None => reading(),
        Some(Err(error)) => Some((error.clone(), Role::Bad)),
        Some(Ok(texts)) if config.show == Show::Typed && texts.typed.is_empty() => {
            Some(("what was typed was not kept".into(), Role::Dim))
        }
        Some(Ok(_)) => None,
    }
}

/// Writes a line of a file, and gives the rows that this took.
fn put_line(theme: &Theme, mut row: Row, config: &Config, page: &Page, at: usize) -> u16 {
    let view = &config.view;
    let is_hit = view.hit == Some(at);
    let (mark, note) = match page.line(at).map(|line| &line.meaning) {
        Some(Meaning::Differs(default)) => ((theme.pick("●", "*"), Role::Warning), *default),
        Some(Meaning::Typed) => ((theme.pick("·", "."), Role::Accent), None),
        Some(Meaning::Default | Meaning::Holds) | None => ((" ", Role::Dim), None),
    };
    let mut line = yaml::colored(&page.text(at), theme);
    if let Some(pattern) = &view.pattern {
        let places = pattern.matches(line.text());
        line.mark(&places, search::style(theme, is_hit));
    }
    if let Some(default) = note {
        line.push(&format!("   default {default}"), theme.style(Role::Dim));
    }
    row.put(if is_hit { theme.pick("▸", ">") } else { " " }, theme.style(Role::Warning));
    row.put(mark.0, theme.style(mark.1)).gap(1);
    line.put_cut(&mut row, view.shift, theme);
    1
}

/// Writes a key with two values, beside each other or below, and gives the rows that this took.
fn put_difference(
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
    config: &Config,
    difference: &Difference,
    (row, at): (u16, usize),
) -> u16 {
    let view = &config.view;
    let is_hit = view.hit == Some(at);
    let styled = |text: &str, role: Role| {
        let mut line = Styled::plain(text, theme.style(role));
        if let Some(pattern) = &view.pattern {
            let places = pattern.matches(line.text());
            line.mark(&places, search::style(theme, is_hit));
        }
        line
    };
    let none = theme.pick("–", "-");
    let value = |value: &Option<String>, role| match value {
        Some(value) => styled(value, role),
        None => styled(none, Role::Dim),
    };
    let key = styled(&difference.key, Role::Accent);
    let (own, other) = (value(&difference.own, Role::Good), value(&difference.other, Role::Warning));
    let begin = |buf, row| {
        let mut row = Row::new(buf, area, row);
        row.put(if is_hit { theme.pick("▸", ">") } else { " " }, theme.style(Role::Warning));
        row
    };
    if area.width < WIDE {
        key.put_cut(&mut begin(buf, row), 0, theme);
        for (further, sign, line) in [(1, "+ ", own), (2, "- ", other)] {
            let mut row = begin_value(buf, area, row + further);
            row.put(sign, theme.style(Role::Dim));
            line.put_cut(&mut row, view.shift, theme);
        }
        return 3;
    }
    let third = area.width.saturating_sub(2) / 3;
    for (number, line) in [(0, key), (1, own), (2, other)] {
        let place = Rect { x: area.x + 1 + third * number, width: third, ..area };
        line.put_cut(&mut Row::new(buf, place, row), if number == 0 { 0 } else { view.shift }, theme);
    }
    begin(buf, row);
    1
}

fn begin_value(buf: &mut Buffer, area: Rect, row: u16) -> Row<'_> {
    let mut row = Row::new(buf, area, row);
    row.gap(3);
    row
}
