//! The choice of an experiment file, with what it would do or what is wrong with it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::app::Picker;
use crate::tui::layout::first_row;
use crate::tui::library::Check;
use crate::tui::paint::{Row, popup, wrapped};
use crate::tui::theme::{Role, Theme};

pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, picker: &Picker) {
    let size = (area.width.saturating_sub(8).min(110), area.height.saturating_sub(4).min(30));
    let inner = popup(buf, area, size, "Add an experiment", theme);
    let Some(files) = &picker.files else {
        Row::new(buf, inner, 0).put("looking for experiment files", theme.style(Role::Dim));
        return;
    };
    if files.is_empty() {
        let text = "there is no .yaml file in this folder or in the folders in it";
        Row::new(buf, inner, 0).put(text, theme.style(Role::Dim));
        return;
    }
    let (list, about) = parts(inner);
    draw_list(theme, list, buf, picker);
    draw_about(theme, about, buf, picker);
}

/// Side by side where there is room, else one above the other.
fn parts(inner: Rect) -> (Rect, Rect) {
    if inner.width >= 70 {
        let width = inner.width * 2 / 5;
        let about = Rect { x: inner.x + width + 2, width: inner.width - width - 2, ..inner };
        (Rect { width, ..inner }, about)
    } else {
        let height = inner.height / 2;
        (Rect { height, ..inner }, Rect { y: inner.y + height, height: inner.height - height, ..inner })
    }
}

fn draw_list(theme: &Theme, area: Rect, buf: &mut Buffer, picker: &Picker) {
    let files = picker.files.as_deref().unwrap_or_default();
    let first = first_row(files.len(), picker.place, usize::from(area.height));
    for (row, (index, file)) in (0..area.height).zip(files.iter().enumerate().skip(first)) {
        let (glyph, role) = match picker.checks.get(file) {
            None => (" ", Role::Dim),
            Some(Check::Good(_)) => (theme.pick("✓", "+"), Role::Good),
            Some(Check::Mistaken(_)) => (theme.pick("✗", "x"), Role::Bad),
        };
        let mut row = Row::new(buf, area, row);
        row.put(glyph, theme.style(role)).gap(1).put(&file.display().to_string(), theme.style(Role::Plain));
        if index == picker.place {
            row.over(theme.selected());
        }
    }
}

fn draw_about(theme: &Theme, area: Rect, buf: &mut Buffer, picker: &Picker) {
    let (lines, role) = match picker.check() {
        None => return,
        Some(Check::Good(lines)) => (lines, Role::Plain),
        Some(Check::Mistaken(lines)) => (lines, Role::Bad),
    };
    let lines = lines.iter().flat_map(|line| wrapped(line, usize::from(area.width)));
    for (row, line) in (0..area.height).zip(lines) {
        Row::new(buf, area, row).put(&line, theme.style(role));
    }
}
