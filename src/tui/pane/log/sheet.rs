//! The rows that lines of a log take, and ways among them.

use super::Spot;
use crate::tui::log::ansi;
use crate::tui::log::window::Window;

/// Lines as they lie on a pane. A place is a line of the window and a row of it; what lies outside of the window cannot be
/// reached.
pub struct Sheet<'a> {
    pub window: &'a Window,
    columns: usize,
    cut: bool,
}

/// A line of the window, and a row of it.
type At = (usize, usize);

impl<'a> Sheet<'a> {
    /// Lines in so many columns, where longer ones are `cut` or else wrapped.
    pub fn new(window: &'a Window, columns: usize, cut: bool) -> Self {
        Sheet { window, columns, cut }
    }

    fn rows(&self, line: usize) -> usize {
        if self.cut { 1 } else { ansi::decode(self.window.line(line)).rows(self.columns).len() }
    }

    /// So many rows further up.
    pub fn up(&self, (mut line, mut row): At, mut rows: usize) -> At {
        while rows > row && line > 0 {
            rows -= row + 1;
            line -= 1;
            row = self.rows(line) - 1;
        }
        (line, row.saturating_sub(rows))
    }

    /// So many rows further down, at most to the last one.
    pub fn down(&self, (mut line, mut row): At, mut rows: usize) -> At {
        loop {
            let left = self.rows(line) - 1 - row.min(self.rows(line) - 1);
            if rows <= left || line + 1 >= self.window.lines() {
                return (line, row + rows.min(left));
            }
            rows -= left + 1;
            (line, row) = (line + 1, 0);
        }
    }

    /// The first row of the last so many.
    pub fn last(&self, height: usize) -> At {
        let line = self.window.lines().saturating_sub(1);
        self.up((line, self.rows(line) - 1), height.saturating_sub(1))
    }

    /// The first row to show, so that no row below stays empty that need not.
    pub fn top(&self, wanted: Option<Spot>, height: usize) -> At {
        let last = self.last(height);
        let line = |spot: Spot| self.window.line_at(spot.offset);
        match wanted.and_then(|spot| Some((line(spot)?, spot.row))) {
            Some((line, row)) => (line, row.min(self.rows(line) - 1)).min(last),
            None => last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn window(text: &str) -> Window {
        Window::of(text.as_bytes().to_vec(), 0, text.len() as u64)
    }

    #[test]
    fn ways_count_rows() {
        let window = window("a\nlong line\nb\n");
        let wrapped = Sheet::new(&window, 5, false);
        for (from, rows, up, down) in [
            ((0, 0), 1, (0, 0), (1, 0)),
            ((1, 0), 1, (0, 0), (1, 1)),
            ((1, 1), 1, (1, 0), (2, 0)),
            ((2, 0), 2, (1, 0), (2, 0)),
            ((0, 0), 9, (0, 0), (2, 0)),
        ] {
            assert_eq!((wrapped.up(from, rows), wrapped.down(from, rows)), (up, down), "{from:?} {rows}");
        }
        assert_eq!((wrapped.last(2), wrapped.last(9), Sheet::new(&window, 5, true).last(2)), ((1, 1), (0, 0), (1, 0)));
    }

    proptest! {
        #[test]
        fn there_and_back(text in "([a-z ]{0,30}\n){1,12}", columns in 1usize..9, rows in 0usize..9, start in 0usize..40) {
            let window = window(&text);
            let sheet = Sheet::new(&window, columns, false);
            let from = sheet.down((0, 0), start);
            let up = sheet.up(from, rows);
            let moved = if up == (0, 0) { None } else { Some(sheet.down(up, rows)) };
            prop_assert!(moved.is_none_or(|to| to == from));
        }
    }
}
