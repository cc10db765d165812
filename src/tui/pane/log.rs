//! The end of the worker's output, the newest line at the bottom.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::paint::{Row, frame};
use crate::tui::theme::{Role, Theme};

/// `scroll` is the number of lines hidden below the last one seen.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, lines: Option<&[String]>, scroll: usize, focused: bool) {
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
