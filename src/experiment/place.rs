//! Where something was typed: a stretch of the file or of an override.
//!
//! Invariant: a [`Place`] lies within its source, on character borders.

use std::ops::Range;

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

/// A line, ready to be drawn.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ShownLine {
    /// From 1.
    pub line: usize,
    /// Of the first place, in characters, from 1.
    pub column: usize,
    /// The line made safe, and cut around the places where it is very long.
    pub text: String,
    /// The places as bytes of `text`; what goes on beyond the line ends with it.
    pub spans: Vec<Range<usize>>,
}

/// A line is shown up to this many bytes before and after a place.
const AROUND: usize = 200;

impl Source {
    /// A file's text, called `path`, or an override as it is shown.
    pub fn new(path: Option<String>, text: String) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Source { path, text, lines }
    }

    /// The line of `place`, from 1.
    pub fn line(&self, place: Place) -> usize {
        self.lines.partition_point(|&at| at <= place.start).max(1)
    }

    /// The line of `first`, with `others` that start on it.
    pub fn shown(&self, first: Place, others: &[Place]) -> ShownLine {
        let line = self.line(first);
        let line_start = self.lines[line - 1];
        let line_end = self.lines.get(line).copied().unwrap_or(self.text.len());
        let text = self.text[line_start..line_end].trim_end_matches(['\n', '\r']);
        let within = |at: usize| text.floor_char_boundary(at.saturating_sub(line_start));
        let safe = |range: Range<usize>| printable(&text[range]);

        let places = || std::iter::once(&first).chain(others);
        let ends = places().map(|place| place.end.min(place.start + AROUND));
        let cut_start = within(places().map(|place| place.start).min().unwrap_or(0).saturating_sub(AROUND));
        let cut_end = within(ends.max().unwrap_or(0) + AROUND);
        let shown_at = |at: usize| safe(cut_start..within(at).clamp(cut_start, cut_end)).len();
        ShownLine {
            line,
            column: text[..within(first.start)].chars().count() + 1,
            spans: places().map(|place| shown_at(place.start)..shown_at(place.end)).collect(),
            text: safe(cut_start..cut_end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, start: usize, end: usize) -> (usize, usize, String, Range<usize>) {
        let mut shown = Source::new(None, text.into()).shown(Place { source: 0, start, end }, &[]);
        (shown.line, shown.column, shown.text, shown.spans.remove(0))
    }

    #[test]
    fn a_place_is_shown_on_its_first_line() {
        assert_eq!(shown("a: 1\nbé: [x,\n  y]\n", 10, 17), (2, 5, "bé: [x,".into(), 5..8));
        assert_eq!(shown("a: 1\n", 5, 5), (2, 1, String::new(), 0..0));
        assert_eq!(shown("a: 1\r\nb: 2\r\n", 9, 10), (2, 4, "b: 2".into(), 3..4));
    }

    #[test]
    fn places_of_one_line_are_shown_on_it_together() {
        let place = |start, end| Place { source: 0, start, end };
        let shown = Source::new(None, "{ a: 1, b: 2, a: 3 }".into()).shown(place(14, 15), &[place(2, 3)]);
        assert_eq!((shown.column, shown.spans), (15, vec![14..15, 2..3]));
    }

    #[test]
    fn a_shown_line_is_safe_and_short() {
        assert_eq!(shown("a\u{202E}\t: \u{7f}x", 8, 9), (1, 7, "a\u{FFFD}    : \u{FFFD}x".into(), 13..14));
        let long = format!("{}needle{}", "é".repeat(5_000), "x".repeat(5_000));
        let (_, column, text, span) = shown(&long, 10_000, 10_006);
        assert_eq!((&text[span], column), ("needle", 5_001));
        assert!(text.len() <= 2 * AROUND + 6);
    }
}
