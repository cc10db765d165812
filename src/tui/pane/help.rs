//! All keys, from the very table that they work by, what a filter can say, and what the glyphs mean.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::record::state::Status;
use crate::tui::app::App;
use crate::tui::keymap::{Bound, Keymap, Scope};
use crate::tui::paint::{Row, columns, popup};
use crate::tui::theme::{Role, Theme};

/// A line of the page.
enum Line<'k> {
    Head(&'static str),
    Key(&'k Bound),
    Pair(&'static str, &'static str),
    /// A state, and whether it is the early stop of a finished run.
    State(Status, bool, &'static str),
    Gap,
}

/// What a filter can say.
const FILTER: [(&str, &str); 5] = [
    ("word", "in the name or number, or letters in that order"),
    ("state:failed", "queued, running, paused, finished, failed, cancelled"),
    ("tag:x", "has the tag"),
    ("best.val_loss<0.3", "a figure of the best epoch: < <= > >="),
    ("two words", "both of them"),
];

/// The states, in the order of the queue.
const STATES: [(Status, bool, &str); 8] = [
    (Status::Running, false, "is trained"),
    (Status::Queued, false, "waits for a free slot"),
    (Status::Paused, false, "is kept back until it is resumed"),
    (Status::Lost, false, "nobody knows where its worker is"),
    (Status::Finished, false, "all epochs were trained"),
    (Status::Finished, true, "stopped early: no epoch was better for a while"),
    (Status::Failed, false, "ended by a mistake; Events say why"),
    (Status::Cancelled, false, "was cancelled"),
];

const MOUSE: [(&str, &str); 4] = [
    ("click", "a pane, a row, the name of a tab"),
    ("wheel", "scrolls what is under it"),
    ("drag a border", "moves it"),
    ("Shift with these", "selects text, as the terminal does it"),
];

/// `scroll` lines are hidden above.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, scroll: usize) {
    let lines = lines(&app.keymap);
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let size = (area.width.saturating_sub(2).min(84), height.min(area.height.saturating_sub(2)));
    let inner = popup(buf, area, size, "Help", theme);
    let last = lines.len().saturating_sub(usize::from(inner.height));
    let scroll = scroll.min(last);
    let more = if scroll < last { theme.pick("▼ more", "more below") } else { "" };
    let lowest = inner.height.saturating_sub(1);
    for (row, line) in (0..inner.height).zip(&lines[scroll..]) {
        let reserved = if row == lowest && scroll < last { columns(more) + 1 } else { 0 };
        draw_line(theme, &mut Row::new(buf, inner, row), line, reserved);
    }
    Row::new(buf, inner, lowest).right(more, theme.style(Role::Accent));
}

/// `reserved` columns at the right are free.
fn draw_line(theme: &Theme, row: &mut Row, line: &Line, reserved: u16) {
    let (left, style, right) = match line {
        Line::Gap => return,
        Line::Head(text) => {
            row.put(text, theme.style(Role::Strong));
            return;
        }
        Line::Key(bound) if bound.keys.is_empty() => ("no key".to_owned(), Role::Dim, bound.binding.help),
        Line::Key(bound) => (bound.keys(), Role::Accent, bound.binding.help),
        Line::Pair(left, right) => ((*left).to_owned(), Role::Accent, *right),
        Line::State(state, early, text) => {
            let (glyph, role) = theme.status(*state, *early);
            (format!("{glyph} {}", state.name()), role, *text)
        }
    };
    let room = 20.min(row.left() / 3);
    row.gap(2).put_within(&left, room, theme.style(style));
    row.gap(room.saturating_sub(columns(&left)) + 1);
    row.put_within(right, row.left().saturating_sub(reserved), theme.style(Role::Plain));
}

/// How many lines the page has.
pub fn length(app: &App) -> usize {
    lines(&app.keymap).len()
}

fn lines(keymap: &Keymap) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for scope in Scope::ALL.into_iter().filter(|&scope| keymap.of(scope).next().is_some()) {
        lines.push(Line::Head(scope.title()));
        lines.extend(keymap.of(scope).map(Line::Key));
        lines.push(Line::Gap);
    }
    lines.push(Line::Head("What a filter can say"));
    lines.extend(FILTER.map(|(left, right)| Line::Pair(left, right)));
    lines.extend([Line::Gap, Line::Head("States")]);
    lines.extend(STATES.map(|(state, early, text)| Line::State(state, early, text)));
    lines.extend([Line::Gap, Line::Head("The mouse")]);
    lines.extend(MOUSE.map(|(left, right)| Line::Pair(left, right)));
    lines
}

#[cfg(test)]
mod tests {
    use crate::tui::fixtures::{self, ASCII, UNICODE, frame, press, text};

    #[test]
    fn every_key_and_every_state_is_on_the_page() {
        let mut app = fixtures::app((100, 400), fixtures::store());
        assert!(app.keymap.bind("redraw", vec![crate::tui::keymap::key::ctrl('y')]));
        press(&mut app, "?");
        let page = text(&frame(&app, &UNICODE));
        for row in app.keymap.rows() {
            let help: String = row.binding.help.chars().take(36).collect();
            assert!(page.contains(help.trim_end()), "{}\n{page}", row.name);
        }
        for needed in ["Ctrl-y", "state:failed", "stopped early", "drag a border"] {
            assert!(page.contains(needed), "{needed}\n{page}");
        }
        assert!(!page.contains("Ctrl-l"), "the key was changed:\n{page}");
    }

    #[test]
    fn it_scrolls_to_its_end_where_there_is_little_room() {
        let mut app = fixtures::app((60, 15), fixtures::store());
        press(&mut app, "?");
        assert!(text(&frame(&app, &ASCII)).contains("more below"));
        press(&mut app, "G");
        let end = text(&frame(&app, &ASCII));
        assert!(end.contains("drag a border") && !end.contains("more below"), "{end}");
        press(&mut app, "<Esc>");
        assert_eq!(app.overlay, None);
    }
}
