//! How well a typed pattern matches a text: its letters in order, better the nearer to each other and to the beginnings of
//! words.
//!
//! Invariants: case does not matter; every word of the pattern must match; an empty pattern matches everything equally.

/// For a letter that matches.
const LETTER: i32 = 4;
/// For one that begins a word, or the text.
const WORD_START: i32 = 8;
/// For one right after the letter before it.
const IN_A_ROW: i32 = 6;
/// For each letter that is left out in between.
const GAP: i32 = -1;

/// How a pattern matches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Match {
    /// The more, the better.
    pub score: i32,
    /// The characters of the text that were matched, in order.
    pub places: Vec<usize>,
}

/// How `pattern` matches `text`; None where it does not.
pub fn matched(pattern: &str, text: &str) -> Option<Match> {
    let letters: Vec<char> = text.chars().collect();
    let mut whole = Match { score: 0, places: Vec::new() };
    for word in pattern.split_whitespace() {
        let word: Vec<char> = word.chars().map(lower).collect();
        let found = word_in(&word, &letters)?;
        whole.score += found.score;
        whole.places.extend(found.places);
    }
    // The shorter of two texts that match alike is the nearer one.
    if !whole.places.is_empty() {
        whole.score = whole.score * 8 - i32::try_from(letters.len().min(64)).unwrap_or(64) / 8;
    }
    whole.places.sort_unstable();
    whole.places.dedup();
    Some(whole)
}

/// Those of `all` that match, the best first; equal ones stay in their order.
pub fn ranked<'a, T>(pattern: &str, all: &'a [T], text: impl Fn(&T) -> String) -> Vec<(&'a T, Match)> {
    let mut found: Vec<(&T, Match)> = all.iter().filter_map(|one| Some((one, matched(pattern, &text(one))?))).collect();
    found.sort_by_key(|(_, found)| std::cmp::Reverse(found.score));
    found
}

/// One letter for one letter, so that places stay places.
fn lower(letter: char) -> char {
    // Asked for each letter of ten thousand names: most need no table.
    if letter.is_ascii() {
        return letter.to_ascii_lowercase();
    }
    letter.to_lowercase().next().unwrap_or(letter)
}

/// The best way to find the letters of `word` in this order in `text`.
fn word_in(word: &[char], text: &[char]) -> Option<Match> {
    let mut rest = text.iter().map(|&letter| lower(letter));
    if !word.iter().all(|&wanted| rest.any(|letter| letter == wanted)) {
        return None;
    }
    // For each letter of the word and each place: the best score that ends there, and the place of the letter before.
    let mut table: Vec<Vec<Option<(i32, usize)>>> = Vec::with_capacity(word.len());
    for (row, &wanted) in word.iter().enumerate() {
        let mut carried: Option<(i32, usize)> = None;
        let line = (0..text.len()).map(|place| {
            let before = place.checked_sub(1).and_then(|last| Some((table.get(row.checked_sub(1)?)?[last]?.0, last)));
            carried = carried.map(|(score, from)| (score + GAP, from));
            let best = [before.map(|(score, from)| (score + IN_A_ROW, from)), carried].into_iter().flatten().max();
            carried = [carried, before].into_iter().flatten().max();
            let (score, from) = if row == 0 { (0, place) } else { best? };
            (lower(text[place]) == wanted).then(|| (score + LETTER + start(text, place), from))
        });
        let line = line.collect();
        table.push(line);
    }
    let last = table.last()?;
    let (mut place, score) = (0..text.len())
        .filter_map(|place| Some((place, last[place]?.0)))
        .max_by_key(|&(place, score)| (score, std::cmp::Reverse(place)))?;
    let mut places = Vec::with_capacity(word.len());
    for line in table.iter().rev() {
        places.push(place);
        place = line[place]?.1;
    }
    places.reverse();
    Some(Match { score, places })
}

fn start(text: &[char], place: usize) -> i32 {
    let begins = match place.checked_sub(1).map(|before| text[before]) {
        None => true,
        Some(before) => !before.is_alphanumeric() || (before.is_lowercase() && text[place].is_uppercase()),
    };
    if begins { WORD_START } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn letters_in_order_match() {
        for (pattern, text, places) in [
            ("", "anything", Some(&[][..])),
            ("can", "cancel", Some(&[0, 1, 2])),
            ("CAN", "Cancel", Some(&[0, 1, 2])),
            ("lr", "log: resume", Some(&[0, 5])),
            ("lr", "resnet-lr3e-4", Some(&[7, 8])),
            ("run log", "log of the run", Some(&[0, 1, 2, 11, 12, 13])),
            ("nac", "cancel", None),
            ("ü", "grün", Some(&[2])),
            ("x", "", None),
        ] {
            assert_eq!(matched(pattern, text).map(|found| found.places).as_deref(), places, "{pattern} in {text}");
        }
    }

    #[test]
    fn the_nearer_match_is_first() {
        for (pattern, best, other) in [
            ("re", "retry", "queue a run"),
            ("res", "resnet18", "features"),
            ("lo", "log", "logarithmic scale of the curves"),
            ("cr", "cancel-run", "across"),
        ] {
            let all = [other, best];
            let ranked = ranked(pattern, &all, |text| (*text).to_owned());
            assert_eq!(*ranked[0].0, best, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn places_are_those_of_the_pattern(pattern in "[a-cü ]{0,5}", text in "[a-cÜ -]{0,20}") {
            let letters: Vec<char> = text.chars().collect();
            let is_subsequence = |word: &str| {
                let mut rest = letters.iter().map(|&letter| lower(letter));
                word.chars().all(|wanted| rest.any(|letter| letter == wanted))
            };
            let found = matched(&pattern, &text);
            prop_assert_eq!(found.is_some(), pattern.split_whitespace().all(is_subsequence));
            if let Some(found) = found {
                prop_assert!(found.places.windows(2).all(|pair| pair[0] < pair[1]));
                prop_assert!(found.places.iter().all(|&place| pattern.contains(lower(letters[place]))));
            }
        }
    }
}
