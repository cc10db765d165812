//! Where something was typed: a stretch of the file or of an override.
//!
//! Invariant: a [`Place`] lies within its source, on character borders.

use crate::base::text::printable;

/// Bytes `start..end` of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    /// 0 is the file, n the n-th override.
    pub source: usize,
    pub start: usize,
    pub end: usize,
}

impl Place {
    /// The start of the file, for what the whole file lacks.
    pub const FILE: Place = Place { source: 0, start: 0, end: 0 };

    /// From the start of `self` to the end of `last`.
    pub fn to(self, last: Place) -> Place {
        Place { end: last.end.max(self.end), ..self }
    }
}

/// What was typed, and what it is called in messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// The file's path as the user wrote it; none for an override, which is shown whole.
    pub path: Option<String>,
    text: String,
    /// Bytes at which each line starts.
    lines: Vec<usize>,
}

/// A stretch of one line, ready to be drawn.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// The first line of the place, made safe, and cut around the place where it is very long.
    pub text: String,
    /// Bytes of `text`.
    pub span: std::ops::Range<usize>,
}

/// A line is shown up to this many bytes before and after a place.
const AROUND: usize = 200;

impl Source {
    /// A file's text, called `path`, or an override as it is shown.
    pub fn new(path: Option<String>, text: String) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Source { path, text, lines }
    }

    /// The stretch of `place` on its first line.
    pub fn stretch(&self, place: Place) -> Stretch {
        let line = self.lines.partition_point(|&at| at <= place.start).max(1);
        let line_start = self.lines[line - 1];
        let line_end = self.lines.get(line).copied().unwrap_or(self.text.len());
        let line_text = self.text[line_start..line_end].trim_end_matches(['\n', '\r']);
        let start = floor(line_text, place.start - line_start);
        let end = floor(line_text, place.end.saturating_sub(line_start)).max(start);
        let cut = floor(line_text, start.saturating_sub(AROUND))..floor(line_text, end.min(start + AROUND) + AROUND);
        let safe = |range: std::ops::Range<usize>| printable(&line_text[range]);
        Stretch {
            line,
            column: line_text[..start].chars().count() + 1,
            span: safe(cut.start..start).len()..safe(cut.start..end.min(cut.end)).len(),
            text: safe(cut),
        }
    }
}

/// The largest character border of `text` that is not beyond `index`.
fn floor(text: &str, index: usize) -> usize {
    text.floor_char_boundary(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(text: &str, start: usize, end: usize) -> Stretch {
        Source::new(None, text.into()).stretch(Place { source: 0, start, end })
    }

    #[test]
    fn a_place_is_shown_on_its_first_line() {
        let shown = stretch("a: 1\nbé: [x,\n  y]\n", 10, 17);
        assert_eq!((shown.line, shown.column, &*shown.text, shown.span), (2, 5, "bé: [x,", 5..8));
        let at_end = stretch("a: 1\n", 5, 5);
        assert_eq!((at_end.line, at_end.column, &*at_end.text, at_end.span), (2, 1, "", 0..0));
        let windows = stretch("a: 1\r\nb: 2\r\n", 9, 10);
        assert_eq!((windows.line, windows.column, &*windows.text, windows.span), (2, 4, "b: 2", 3..4));
    }

    #[test]
    fn a_shown_line_is_safe_and_short() {
        let hostile = stretch("a\u{202E}\t: \u{7f}x", 9, 10);
        assert_eq!((&*hostile.text, hostile.span), ("a\u{FFFD}    : \u{FFFD}x", 13..14));
        let long = format!("{}needle{}", "é".repeat(5_000), "x".repeat(5_000));
        let shown = stretch(&long, 10_000, 10_006);
        assert_eq!(&shown.text[shown.span.clone()], "needle");
        assert!(shown.text.len() <= 2 * AROUND + 6 && shown.column == 5_001);
    }
}
