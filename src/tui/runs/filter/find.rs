//! Where words and letters stand in names, whatever their size.

use std::ops::Range;

use crate::tui::fuzzy;

/// Where `word`, which is in small letters, stands in `text`.
pub fn word(text: &str, word: &str) -> Option<Range<usize>> {
    let starts = text.char_indices().map(|(start, _)| start);
    starts.filter_map(|start| Some(start..start + length_at(&text[start..], word)?)).next()
}

/// Whether `word`, which is in small letters, stands in `text`.
pub fn has(text: &str, word: &str) -> bool {
    self::word(text, word).is_some()
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

/// The letters of `pattern` in their order in `text`, each as a range of its bytes.
pub fn letters(text: &str, pattern: &str) -> Vec<Range<usize>> {
    let places = fuzzy::matched(pattern, text).map_or_else(Vec::new, |found| found.places);
    let letters = text.char_indices().enumerate().filter(|(place, _)| places.binary_search(place).is_ok());
    letters.map(|(_, (at, letter))| at..at + letter.len_utf8()).collect()
}
