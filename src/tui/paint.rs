//! The only place that puts text on the screen.
//!
//! Invariants: whatever a text holds, nothing of it is obeyed by the terminal; nothing is written outside of the area.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::border;
use ratatui::widgets::{Block, Widget};

use super::theme::{Role, Theme};
use crate::base::text::{printable, truncated, width};

/// A line of an area that is filled from the left.
pub struct Row<'b> {
    buf: &'b mut Buffer,
    area: Rect,
    /// Columns from the left of the area.
    at: u16,
}

impl<'b> Row<'b> {
    /// Line `row` of `area`; one that lies outside takes nothing.
    pub fn new(buf: &'b mut Buffer, area: Rect, row: u16) -> Self {
        let line = Rect { y: area.y.saturating_add(row), height: 1, ..area };
        let area = if row < area.height { line.intersection(area) } else { Rect::ZERO };
        let area = area.intersection(buf.area);
        Row { buf, area, at: 0 }
    }

    /// Columns that are left.
    pub fn left(&self) -> u16 {
        self.area.width.saturating_sub(self.at)
    }

    /// Writes `text`; what does not fit is cut, with an ellipsis.
    pub fn put(&mut self, text: &str, style: Style) -> &mut Self {
        if is_plain(text) && text.len() <= usize::from(self.left()) {
            return self.put_plain(text, style);
        }
        let text = truncated(&printable(text), usize::from(self.left()));
        if !text.is_empty() {
            self.buf.set_stringn(self.area.x + self.at, self.area.y, &text, usize::from(self.left()), style);
            self.at += u16::try_from(width(&text)).unwrap_or(u16::MAX).min(self.left());
        }
        self
    }

    /// Writes letters of one column each, for which there is room: most of a frame is that, and it need be neither cut nor
    /// measured.
    fn put_plain(&mut self, text: &str, style: Style) -> &mut Self {
        for letter in text.chars() {
            if let Some(cell) = self.buf.cell_mut((self.area.x + self.at, self.area.y)) {
                cell.set_char(letter).set_style(style);
            }
            self.at += 1;
        }
        self
    }

    /// Writes `text` into at most `columns` columns.
    pub fn put_within(&mut self, text: &str, columns: u16, style: Style) -> &mut Self {
        self.put(&truncated(&printable(text), usize::from(columns)), style)
    }

    /// Writes `text` into at most `columns` columns, and the parts of it that `hits` has, as ranges of its bytes, in
    /// another style.
    pub fn put_marked(
        &mut self,
        text: &str,
        columns: u16,
        hits: &[Range<usize>],
        style: Style,
        hit: Style,
    ) -> &mut Self {
        let (start, row) = (self.area.x + self.at, self.area.y);
        self.put_within(text, columns, style);
        let end = self.area.x + self.at;
        for range in hits {
            let place = |at: usize| text.get(..at).map_or(end, |before| start.saturating_add(self::columns(before)));
            let (from, to) = (place(range.start).min(end), place(range.end).min(end));
            self.buf.set_style(Rect::new(from, row, to.saturating_sub(from), 1).intersection(self.area), hit);
        }
        self
    }

    /// Columns of the whole line.
    pub fn width(&self) -> u16 {
        self.area.width
    }

    /// Writes `text` so that it ends `columns` before the line does, if there is room for it; what comes after it is
    /// written behind it.
    pub fn right_but(&mut self, text: &str, columns: u16, style: Style) {
        let width = self::columns(text).saturating_add(columns);
        if width <= self.left() {
            self.at = self.area.width - width;
            self.put(text, style);
        }
    }

    /// Leaves columns empty.
    pub fn gap(&mut self, columns: u16) -> &mut Self {
        self.at = self.at.saturating_add(columns).min(self.area.width);
        self
    }

    /// Writes `text` so that it ends with the line, if there is room for all of it after what stands there.
    pub fn right(&mut self, text: &str, style: Style) {
        let text = printable(text);
        let columns = u16::try_from(width(&text)).unwrap_or(u16::MAX);
        if columns <= self.left() {
            self.at = self.area.width - columns;
            self.put(&text, style);
        }
    }

    /// Puts `style` over the whole line.
    pub fn over(&mut self, style: Style) {
        if !self.area.is_empty() {
            self.buf.set_style(self.area, style);
        }
    }
}

/// Whether every letter takes one column, and is none that a terminal would obey.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|letter| matches!(letter, b' '..=b'~'))
}

/// Columns that `text` takes when it is put on the screen.
pub fn columns(text: &str) -> u16 {
    let columns = if is_plain(text) { text.len() } else { width(&printable(text)) };
    u16::try_from(columns).unwrap_or(u16::MAX)
}

/// Breaks `text` at spaces into lines of at most `columns` columns; a longer word is cut.
pub fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in printable(text).split(' ') {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if width(line) + 1 + width(word) <= columns {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Draws a frame with its title and gives the area inside; too small an area gets no frame.
pub fn frame(buf: &mut Buffer, area: Rect, title: &[(&str, Style)], focused: bool, theme: &Theme) -> Rect {
    let area = area.intersection(buf.area);
    if area.width < 3 || area.height < 2 {
        return area;
    }
    let role = if focused { Role::Focus } else { Role::Border };
    let block = Block::bordered().border_set(borders(theme, focused)).border_style(theme.style(role));
    let inner = block.inner(area);
    block.render(area, buf);
    let mut row = Row::new(buf, Rect { x: area.x + 1, width: area.width - 2, ..area }, 0);
    if row.left() >= 4 && !title.is_empty() {
        row.area.width -= 1;
        row.put(" ", Style::new());
        for (text, style) in title {
            row.put(text, *style);
        }
        row.area.width += 1;
        row.put(" ", Style::new());
    }
    inner
}

/// The focused frame is thick, so that it is told apart without colour.
fn borders(theme: &Theme, focused: bool) -> border::Set<'static> {
    const ASCII: border::Set<'static> = border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    };
    const ASCII_FOCUSED: border::Set<'static> = border::Set { horizontal_top: "=", horizontal_bottom: "=", ..ASCII };
    match (theme.ascii, focused) {
        (true, false) => ASCII,
        (true, true) => ASCII_FOCUSED,
        (false, false) => border::PLAIN,
        (false, true) => border::THICK,
    }
}

/// A frame of `width` by `height` in the middle of `area`, emptied.
pub fn popup(buf: &mut Buffer, area: Rect, (width, height): (u16, u16), title: &str, theme: &Theme) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    ratatui::widgets::Clear.render(place, buf);
    let inner = frame(buf, place, &[(title, theme.style(Role::Strong))], true, theme);
    Rect { x: inner.x + 1.min(inner.width), width: inner.width.saturating_sub(2), ..inner }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(buf: &Buffer, row: u16) -> String {
        (0..buf.area.width).map(|x| buf[(x, row)].symbol().to_owned()).collect::<String>().trim_end().to_owned()
    }

    #[test]
    fn a_row_is_cut_and_aligned() {
        let area = Rect::new(0, 0, 12, 2);
        let mut buf = Buffer::empty(area);
        Row::new(&mut buf, area, 0).put("abc", Style::new()).gap(1).right("62%", Style::new());
        Row::new(&mut buf, area, 1).put("a longer text", Style::new()).right("62%", Style::new());
        Row::new(&mut buf, area, 2).put("outside", Style::new());
        assert_eq!(line(&buf, 0), "abc      62%");
        assert_eq!(line(&buf, 1), "a longer te…");
    }

    // Some have one part.
    #[allow(clippy::single_range_in_vec_init)]
    #[test]
    fn marked_parts_have_a_style_of_their_own() {
        let area = Rect::new(0, 0, 12, 1);
        for (text, columns, hits, marked) in [
            ("vgg-head", 12, &[0..3, 4..5][..], &[0, 1, 2, 4][..]),
            ("🍎🍎ab", 12, &[4..9], &[2, 3, 4]),
            ("a\tb", 12, &[2..3], &[5]),
            ("abcdef", 3, &[1..6], &[1, 2]),
            ("ab", 12, &[7..9], &[]),
        ] {
            let mut buf = Buffer::empty(area);
            let hit = Style::new().fg(ratatui::style::Color::Red);
            Row::new(&mut buf, area, 0).put_marked(text, columns, hits, Style::new(), hit);
            let found: Vec<u16> = (0..12).filter(|&x| buf[(x, 0)].fg == ratatui::style::Color::Red).collect();
            assert_eq!(found, marked, "{text}");
        }
    }

    #[test]
    fn what_needs_no_measuring_looks_as_if_it_were_measured() {
        let area = Rect::new(1, 0, 5, 1);
        for text in ["", "a", " a ", "abcde", "abcdef", "a\tb", "é", "\u{7f}", "~"] {
            let (mut buf, mut measured) = (Buffer::empty(Rect::new(0, 0, 7, 2)), Buffer::empty(Rect::new(0, 0, 7, 2)));
            Row::new(&mut buf, area, 0).put(text, Style::new().bold());
            measured.set_string(1, 0, truncated(&printable(text), 5), Style::new().bold());
            assert_eq!(buf, measured, "{text:?}");
            assert_eq!(usize::from(columns(text)), width(&printable(text)), "{text:?}");
        }
    }

    #[test]
    fn nothing_is_obeyed() {
        let area = Rect::new(0, 0, 20, 1);
        let mut buf = Buffer::empty(area);
        Row::new(&mut buf, area, 0).put("a\x1b[2J\u{9b}31m\r\nb", Style::new());
        assert!(buf.content().iter().all(|cell| !cell.symbol().contains(char::is_control)));
        assert!(line(&buf, 0).starts_with("a\u{FFFD}[2J"));
    }

    #[test]
    fn wide_characters_never_leave_the_area() {
        for columns in 0..8 {
            let mut buf = Buffer::empty(Rect::new(0, 0, 10, 1));
            Row::new(&mut buf, Rect::new(0, 0, columns, 1), 0).put("🍎🍎🍎🍎", Style::new()).put("é", Style::new());
            assert!((columns..10).all(|x| buf[(x, 0)].symbol() == " "), "{columns}");
        }
    }

    #[test]
    fn text_is_wrapped_at_spaces() {
        assert_eq!(wrapped("try a lower learning rate", 12), ["try a lower", "learning", "rate"]);
        assert_eq!(wrapped("", 5), [""]);
    }
}
