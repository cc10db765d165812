//! A part of a log, cut into lines.
//!
//! Where lines begin can be told from the bytes just before, wherever one starts to read: at the beginning of the file,
//! behind a newline, and at a multiple of [`BLOCK`] that has none in the block before it. So a line without an end comes
//! in pieces, and nobody ever holds more than two blocks of it.

use std::sync::Arc;

/// Bytes after which a line may be cut, where it has not ended.
pub const BLOCK: u64 = 16 * 1024;

/// Whole lines that follow on each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    bytes: Arc<[u8]>,
    /// Where `bytes` lie in the file.
    offset: u64,
    /// Where lines begin in `bytes`, and where the last one ends.
    cuts: Vec<usize>,
    /// Of the file when this was read.
    pub length: u64,
}

impl Window {
    /// The lines in `bytes`, which begin at `offset`, a multiple of [`BLOCK`], of a file with so many bytes; what may go on
    /// beyond them is no line of these.
    pub fn of(bytes: Vec<u8>, offset: u64, length: u64) -> Window {
        let mut cuts = Vec::new();
        if offset == 0 && !bytes.is_empty() {
            cuts.push(0);
        }
        let block = usize::try_from(BLOCK).unwrap_or(usize::MAX);
        for (number, part) in bytes.chunks(block).enumerate() {
            let begin = number * block;
            let newlines = part.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
            let before = cuts.len();
            cuts.extend(newlines.map(|(at, _)| begin + at + 1));
            let is_whole = part.len() == block;
            if is_whole && cuts.len() == before {
                cuts.push(begin + block);
            }
        }
        let reaches_end = offset + bytes.len() as u64 >= length;
        if reaches_end && cuts.last().is_some_and(|&last| last < bytes.len()) {
            cuts.push(bytes.len());
        }
        // A file without a byte has no line; one whose first is not known neither.
        if cuts.len() < 2 {
            cuts.clear();
        }
        Window { bytes: bytes.into(), offset, cuts, length }
    }

    /// How many lines there are.
    pub fn lines(&self) -> usize {
        self.cuts.len().saturating_sub(1)
    }

    /// The bytes of a line without its end; none of one that is not there.
    pub fn line(&self, at: usize) -> &[u8] {
        match self.cuts.get(at..at + 2) {
            Some(&[from, to]) => self.bytes[from..to].strip_suffix(b"\n").unwrap_or(&self.bytes[from..to]),
            _ => &[],
        }
    }

    /// Where a line begins in the file; behind the last one where it is not there.
    pub fn offset(&self, at: usize) -> u64 {
        let cut = self.cuts.get(at).or(self.cuts.last());
        self.offset + cut.map_or(0, |&cut| cut as u64)
    }

    /// Where the last line ends in the file.
    pub fn end(&self) -> u64 {
        self.offset(self.lines())
    }

    /// The line that has the byte at `offset` of the file.
    pub fn line_at(&self, offset: u64) -> Option<usize> {
        let inside = usize::try_from(offset.checked_sub(self.offset)?).ok()?;
        let after = self.cuts.partition_point(|&cut| cut <= inside);
        (after > 0 && after < self.cuts.len()).then(|| after - 1)
    }

    /// Whether it has the first line of the file.
    pub fn has_first(&self) -> bool {
        self.offset == 0
    }

    /// Whether it has the last line of the file, as it was when this was read.
    pub fn has_last(&self) -> bool {
        self.end() >= self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(window: &Window) -> Vec<String> {
        (0..window.lines()).map(|at| String::from_utf8_lossy(window.line(at)).into_owned()).collect()
    }

    #[test]
    fn a_text_is_cut_at_its_newlines() {
        for (text, cut) in
            [("", vec![]), ("a", vec!["a"]), ("a\n", vec!["a"]), ("a\n\nb", vec!["a", "", "b"]), ("\n", vec![""])]
        {
            let window = Window::of(text.as_bytes().to_vec(), 0, text.len() as u64);
            assert_eq!(lines(&window), cut, "{text:?}");
            assert!(window.has_first() && window.has_last());
        }
    }

    #[test]
    fn a_line_that_may_go_on_is_left_out() {
        let window = Window::of(b"a\nb\nhal".to_vec(), 0, 100);
        assert_eq!((lines(&window), window.end(), window.has_last()), (vec!["a".into(), "b".into()], 4, false));
        assert_eq!([0, 1, 2, 3, 4, 99].map(|at| window.line_at(at)), [Some(0), Some(0), Some(1), Some(1), None, None]);
    }

    proptest! {
        /// Whoever begins to read at whatever block finds lines where all others find them.
        #[test]
        fn lines_begin_where_they_begin(lengths in proptest::collection::vec(0usize..60_000, 0..12), from in 0usize..20) {
            let text: Vec<u8> = lengths.iter().flat_map(|&length| [vec![b'x'; length], vec![b'\n']].concat()).collect();
            let block = BLOCK as usize;
            let from = (from * block).min(text.len() / block * block);
            let whole = Window::of(text.clone(), 0, text.len() as u64);
            let part = Window::of(text[from..].to_vec(), from as u64, text.len() as u64);
            let starts = |window: &Window| (0..window.lines()).map(|at| window.offset(at)).collect::<Vec<_>>();
            let first = part.offset(0);
            let known = |start: &u64| part.lines() > 0 && *start >= first;
            let expected: Vec<u64> = starts(&whole).into_iter().filter(known).collect();
            prop_assert_eq!(starts(&part), expected);
            prop_assert!(part.lines() > 0 || text.len() - from <= 2 * block);
            for at in 0..whole.lines() {
                prop_assert!(whole.line(at).len() <= 2 * block);
                prop_assert_eq!(whole.line_at(whole.offset(at)), Some(at));
            }
        }
    }
}
