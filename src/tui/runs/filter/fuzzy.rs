//! Finding words in names, whatever the size of the letters; and letters in their order.

use std::ops::Range;

/// Letters that were found in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// More is better: letters beside each other and at the beginning of words count more, gaps less.
    pub score: i64,
    /// Each as a range of bytes.
    pub letters: Vec<Range<usize>>,
}

/// Where `word`, which is in small letters, stands in `text`.
pub fn find(text: &str, word: &str) -> Option<Range<usize>> {
    let starts = text.char_indices().map(|(start, _)| start);
    starts.filter_map(|start| Some(start..start + length_at(&text[start..], word)?)).next()
}

/// Whether `word`, which is in small letters, stands in `text`.
pub fn has(text: &str, word: &str) -> bool {
    find(text, word).is_some()
}

/// Bytes of the beginning of `text` that are `word`.
fn length_at(text: &str, word: &str) -> Option<usize> {
    let mut wanted = word.chars().peekable();
    for (at, letter) in text.char_indices() {
        if wanted.peek().is_none() {
            return Some(at);
        }
        for small in letter.to_lowercase() {
            if wanted.next() != Some(small) {
                return None;
            }
        }
    }
    wanted.peek().is_none().then_some(text.len())
}

/// The letters of `pattern`, which are small, in their order in `text`, as near to each other as a search from the end of
/// the first match finds them.
pub fn letters(text: &str, pattern: &str) -> Option<Found> {
    let all: Vec<(usize, char)> = text.char_indices().collect();
    let is = |at: usize, wanted: char| all[at].1.to_lowercase().eq(std::iter::once(wanted));
    let mut from = 0;
    for wanted in pattern.chars() {
        from += all[from..].iter().zip(from..).position(|(_, at)| is(at, wanted))? + 1;
    }
    let mut places = Vec::new();
    let mut end = from;
    for wanted in pattern.chars().rev() {
        end = (0..end).rev().find(|&at| is(at, wanted))?;
        places.push(end);
    }
    places.reverse();
    let score = places.iter().enumerate().map(|(n, &at)| {
        let begins = at == 0 || !all[at - 1].1.is_alphanumeric();
        let gap = if n == 0 { at.min(3) } else { at - places[n - 1] - 1 };
        i64::from(begins) * 4 + if n > 0 && gap == 0 { 6 } else { -(gap.min(8) as i64) }
    });
    let score = score.sum();
    let letters = places.iter().map(|&at| all[at].0..all[at].0 + all[at].1.len_utf8()).collect();
    Some(Found { score, letters })
}
