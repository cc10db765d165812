//! All keys, from the very table that they work by.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::app::App;
use crate::tui::keymap::{Bound, Keymap, Scope};
use crate::tui::paint::{Row, popup};
use crate::tui::theme::{Role, Theme};

/// A line of the page.
enum Line<'k> {
    Head(&'static str),
    Key(&'k Bound),
    Gap,
}

/// `scroll` lines are hidden above.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, scroll: usize) {
    let lines = lines(&app.keymap);
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let inner = popup(buf, area, (72, height.min(area.height.saturating_sub(2))), "Keys", theme);
    let last = lines.len().saturating_sub(usize::from(inner.height));
    let scroll = scroll.min(last);
    for (row, line) in (0..inner.height).zip(&lines[scroll..]) {
        draw_line(theme, &mut Row::new(buf, inner, row), line);
    }
    if scroll < last {
        let row = inner.height.saturating_sub(1);
        Row::new(buf, inner, row).right(theme.pick("▼ more", "more below"), theme.style(Role::Accent));
    }
}

fn draw_line(theme: &Theme, row: &mut Row, line: &Line) {
    match line {
        Line::Head(text) => {
            row.put(text, theme.style(Role::Strong));
        }
        Line::Key(bound) => {
            row.put(&format!("  {:<20}", bound.keys()), theme.style(Role::Accent));
            row.put(bound.binding.help, theme.style(Role::Plain));
        }
        Line::Gap => {}
    }
}

/// How many lines the page has.
pub fn length(app: &App) -> usize {
    lines(&app.keymap).len()
}

fn lines(keymap: &Keymap) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for scope in Scope::ALL.into_iter().filter(|&scope| keymap.of(scope).next().is_some()) {
        if !lines.is_empty() {
            lines.push(Line::Gap);
        }
        lines.push(Line::Head(scope.title()));
        lines.extend(keymap.of(scope).map(Line::Key));
    }
    lines
}
