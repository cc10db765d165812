//! A line of text with its styles, which can be searched, wrapped and cut by columns.
//!
//! Invariant: its text holds nothing that a terminal obeys, so that places in it are places on the screen.

use std::ops::Range;

use ratatui::style::Style;
use unicode_width::UnicodeWidthChar;

use super::paint::Row;
use super::theme::{Role, Theme};
use crate::base::text::printable;

/// A line of text with its styles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Styled {
    text: String,
    /// Where each style ends, in bytes.
    runs: Vec<(usize, Style)>,
}

impl Styled {
    /// A line in one style.
    pub fn plain(text: &str, style: Style) -> Styled {
        let mut line = Styled::default();
        line.push(text, style);
        line
    }

    /// Adds `text`, made printable.
    pub fn push(&mut self, text: &str, style: Style) -> &mut Styled {
        self.push_safe(&printable(text), style);
        self
    }

    /// Adds a text that is printable.
    pub(super) fn push_safe(&mut self, text: &str, style: Style) {
        self.text.push_str(text);
        match self.runs.last_mut() {
            _ if text.is_empty() => {}
            Some((end, last)) if *last == style => *end = self.text.len(),
            _ => self.runs.push((self.text.len(), style)),
        }
    }

    /// Takes the last letter away.
    pub(super) fn pop(&mut self) -> Option<char> {
        let letter = self.text.pop()?;
        while self.runs.len() > 1 && self.runs[self.runs.len() - 2].0 >= self.text.len() {
            self.runs.pop();
        }
        if let Some((end, _)) = self.runs.last_mut() {
            *end = self.text.len();
        }
        Some(letter)
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.runs.clear();
    }

    /// The same in other styles.
    pub fn restyled(mut self, change: impl Fn(Style) -> Style) -> Styled {
        self.runs.iter_mut().for_each(|(_, style)| *style = change(*style));
        self
    }

    /// What it says.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its stretches of one style.
    #[cfg(test)]
    pub fn parts(&self) -> impl Iterator<Item = (&str, Style)> {
        let starts = std::iter::once(0).chain(self.runs.iter().map(|run| run.0));
        starts.zip(&self.runs).map(|(start, &(end, style))| (&self.text[start..end], style))
    }

    /// Puts `style` over the bytes in `places`, which are in order.
    pub fn mark(&mut self, places: &[Range<usize>], style: Style) {
        if places.is_empty() {
            return;
        }
        let mut marked = Styled::default();
        let mut places = places.iter().peekable();
        let mut at = 0;
        for &(end, base) in &self.runs {
            while at < end {
                while places.next_if(|place| place.end <= at).is_some() {}
                let (next, style) = match places.peek() {
                    Some(place) if place.start <= at => (place.end, base.patch(style)),
                    Some(place) => (place.start, base),
                    None => (end, base),
                };
                let next = next.min(end);
                marked.push_safe(&self.text[at..next], style);
                at = next;
            }
        }
        *self = marked;
    }

    /// The rows that it takes in `columns` columns, at least one: broken at spaces where that leaves no row half empty.
    pub fn rows(&self, columns: usize) -> Vec<Range<usize>> {
        let mut rows = Vec::new();
        let (mut start, mut used) = (0, 0);
        // Behind the last space of the row, and the columns up to there.
        let mut gap = (0, 0);
        for (at, letter, wide) in letters(&self.text) {
            if used + wide > columns && at > start {
                if letter == ' ' {
                    rows.push(start..at);
                    (start, used, gap) = (at + 1, 0, (at + 1, 0));
                    continue;
                }
                let (end, before) = if gap.1 * 2 > columns { gap } else { (at, used) };
                rows.push(start..end);
                (start, used, gap) = (end, used - before, (end, 0));
            }
            used += wide;
            if letter == ' ' {
                gap = (at + 1, used);
            }
        }
        rows.push(start.min(self.text.len())..self.text.len());
        rows
    }

    /// The bytes that are seen in `columns` columns when the first `hidden` ones are scrolled out.
    pub fn window(&self, hidden: usize, columns: usize) -> Range<usize> {
        let (mut start, mut used) = (None, 0);
        for (at, _, wide) in letters(&self.text) {
            if start.is_none() && used >= hidden {
                start = Some(at);
            }
            used += wide;
            if start.is_some() && used > hidden + columns {
                return start.unwrap_or(at)..at;
            }
        }
        start.unwrap_or(self.text.len())..self.text.len()
    }

    /// Writes the bytes of `range`.
    pub fn put(&self, row: &mut Row, range: Range<usize>) {
        let mut at = range.start;
        for &(end, style) in &self.runs {
            let end = end.min(range.end);
            if at < end {
                row.put(&self.text[at..end], style);
                at = end;
            }
        }
    }
}

impl Styled {
    /// Writes what is seen of it when the first `hidden` columns are scrolled out, but for the last column of the row, with
    /// a sign where there is more.
    pub fn put_cut(&self, row: &mut Row, hidden: usize, theme: &Theme) {
        let (dim, more) = (theme.style(Role::Dim), theme.pick("…", "~"));
        let mut hidden = hidden;
        if hidden > 0 && !self.text.is_empty() {
            row.put(more, dim);
            hidden += 1;
        }
        let columns = usize::from(row.left().saturating_sub(1));
        let all = self.window(hidden, columns);
        if all.end < self.text.len() {
            self.put(row, self.window(hidden, columns.saturating_sub(1)));
            row.put(more, dim);
        } else {
            self.put(row, all);
        }
    }
}

/// The letters of `text`, where each begins, and its columns: never less than the terminal takes.
fn letters(text: &str) -> impl Iterator<Item = (usize, char, usize)> + '_ {
    // What asks for a picture makes a narrow sign a wide one.
    let wide = |letter: char| if letter == '\u{FE0F}' { 1 } else { letter.width().unwrap_or(0) };
    text.char_indices().map(move |(at, letter)| (at, letter, wide(letter)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::text::width;
    use proptest::prelude::*;
    use ratatui::style::Modifier;

    fn rows(text: &str, columns: usize) -> Vec<String> {
        let line = Styled::plain(text, Style::new());
        line.rows(columns).into_iter().map(|row| line.text()[row].to_owned()).collect()
    }

    #[test]
    fn lines_are_broken_at_spaces_that_are_near() {
        for (text, columns, broken) in [
            ("try a lower rate", 12, vec!["try a lower ", "rate"]),
            ("exactly here", 7, vec!["exactly", "here"]),
            ("a /very/long/path", 10, vec!["a /very/lo", "ng/path"]),
            ("🍎🍎🍎", 4, vec!["🍎🍎", "🍎"]),
            ("🍎", 1, vec!["🍎"]),
            ("", 5, vec![""]),
            ("ab", 0, vec!["a", "b"]),
        ] {
            assert_eq!(rows(text, columns), broken, "{text} in {columns}");
        }
    }

    #[test]
    fn it_is_scrolled_by_columns() {
        let line = Styled::plain("ab🍎cd", Style::new());
        for (hidden, columns, seen) in [(0, 3, "ab"), (0, 4, "ab🍎"), (2, 9, "🍎cd"), (3, 9, "cd"), (9, 9, "")] {
            assert_eq!(&line.text()[line.window(hidden, columns)], seen, "{hidden} {columns}");
        }
    }

    #[test]
    fn marks_lie_over_the_styles_below() {
        let (bold, dim) = (Style::new().add_modifier(Modifier::BOLD), Style::new().add_modifier(Modifier::DIM));
        let reversed = Style::new().add_modifier(Modifier::REVERSED);
        let mut line = Styled::plain("abc", bold);
        line.push("def", dim);
        line.mark(&[1..2, 2..4], reversed);
        let runs = [(1, bold), (3, bold.patch(reversed)), (4, dim.patch(reversed)), (6, dim)];
        assert_eq!((line.text(), &*line.runs), ("abcdef", &runs[..]));
        line.pop();
        line.pop();
        line.pop();
        assert_eq!((line.text(), line.runs.len()), ("abc", 2));
    }

    proptest! {
        #[test]
        fn no_row_is_too_wide_and_no_letter_is_lost(text in "[a🍎\u{301}é\u{FE0F}☀ ]{0,40}", columns in 2usize..12) {
            let rows = rows(&text, columns);
            for row in &rows {
                prop_assert!(width(row) <= columns, "{row:?}");
            }
            let letters = |text: &str| text.replace(' ', "");
            prop_assert_eq!(letters(&rows.concat()), letters(&text));
        }

        #[test]
        fn marking_leaves_the_text_alone(text in "[aé🍎]{0,20}", at in 0usize..10, length in 1usize..9) {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let (from, to) = (at.min(places.len() - 1), (at + length).min(places.len() - 1));
            let mut line = Styled::plain(&text, Style::new());
            line.mark(std::slice::from_ref(&(places[from]..places[to])), Style::new().add_modifier(Modifier::BOLD));
            prop_assert_eq!(line.text(), &*text);
            prop_assert_eq!(line.runs.last().map_or(0, |run| run.0), text.len());
        }
    }
}
