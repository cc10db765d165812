//! The end of the worker's output, the newest line at the bottom.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::id::RunId;
use crate::tui::action::{Effect, Motion};
use crate::tui::app::App;
use crate::tui::keymap::Binding;
use crate::tui::paint::{Row, frame};
use crate::tui::theme::{Role, Theme};

/// The end of the log of the run that is followed.
#[derive(Debug, Default)]
pub struct Log {
    /// Lines hidden below the last one seen.
    pub scroll: usize,
    pub lines: Option<(RunId, Arc<Vec<String>>)>,
    /// The run whose log is being read.
    followed: Option<RunId>,
}

/// What is heard of a log.
#[derive(Debug)]
pub struct News {
    pub id: RunId,
    pub lines: Arc<Vec<String>>,
}

/// What it alone understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {}

/// Its keys.
pub const KEYS: &[Binding] = &[];

/// Does what it alone understands.
pub fn update(_app: &mut App, action: Action) -> Vec<Effect> {
    match action {}
}

/// Takes what is new in the log.
pub fn hear(app: &mut App, news: News) -> Vec<Effect> {
    app.log.lines = Some((news.id, news.lines));
    Vec::new()
}

/// Scrolls.
pub fn go(app: &mut App, motion: Motion, page: usize) -> Vec<Effect> {
    let rows = app.log.lines.as_ref().map_or(0, |(_, lines)| lines.len());
    let last = rows.saturating_sub(page);
    let place = motion.from(last.saturating_sub(app.log.scroll), last + 1, page);
    app.log.scroll = last - place.min(last);
    Vec::new()
}

/// Another run is chosen, or another tab: its log is followed where it is shown.
pub fn chosen(app: &mut App) -> Vec<Effect> {
    app.log.scroll = 0;
    let is_shown = app.screen.tab == super::Tab::Log;
    let wanted = app.runs.chosen().filter(|_| is_shown);
    if wanted == app.log.followed {
        return Vec::new();
    }
    app.log.followed = wanted;
    vec![Effect::Follow(wanted)]
}

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, focused: bool) {
    let scroll = app.log.scroll;
    let chosen = app.runs.chosen();
    let lines = app.log.lines.as_ref().filter(|(id, _)| Some(*id) == chosen).map(|(_, lines)| lines.as_slice());
    let place = match scroll {
        0 => String::new(),
        n => format!(" {n} lines further down"),
    };
    let title = [("Log", theme.style(Role::Strong)), (place.as_str(), theme.style(Role::Dim))];
    let inner = frame(buf, area, &title, focused, theme);
    let lines = match lines {
        None | Some([]) => {
            Row::new(buf, inner, 0).gap(1).put("the worker has not said anything yet", theme.style(Role::Dim));
            return;
        }
        Some(lines) => lines,
    };
    let end = lines.len().saturating_sub(scroll);
    let first = end.saturating_sub(usize::from(inner.height));
    for (row, line) in (0..inner.height).zip(&lines[first..end]) {
        Row::new(buf, inner, row).gap(1).put(line, theme.style(Role::Plain));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::action;
    use crate::tui::fixtures::{self, press};
    use crate::tui::layout::Focus;
    use crate::tui::update::hear;

    #[test]
    fn it_follows_the_chosen_run_while_it_is_shown() {
        let mut app = fixtures::app((120, 40), fixtures::store());
        let first = app.runs.chosen();
        assert_eq!(press(&mut app, "l"), vec![Effect::Follow(first)]);
        press(&mut app, "<Esc>");
        let effects = press(&mut app, "j");
        assert_eq!(effects, vec![Effect::Follow(app.runs.chosen())]);
        assert_eq!(press(&mut app, "e"), vec![Effect::Follow(None)]);
    }

    #[test]
    fn it_scrolls_from_its_end_and_not_beyond_its_beginning() {
        let mut app = fixtures::app((120, 40), fixtures::store());
        let id = app.runs.chosen().unwrap();
        press(&mut app, "l");
        let lines = Arc::new((0..500).map(|n| n.to_string()).collect());
        hear(&mut app, action::News::Log(News { id, lines }));
        press(&mut app, "kkk");
        assert_eq!(app.log.scroll, 3);
        press(&mut app, "j");
        assert_eq!(app.log.scroll, 2);
        press(&mut app, "g");
        let rows = app.layout().rows(Focus::Bottom);
        assert_eq!(app.log.scroll, 500 - rows);
        press(&mut app, "G");
        assert_eq!(app.log.scroll, 0);
    }
}
