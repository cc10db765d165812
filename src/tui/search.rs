//! What a person looks for in lines of text: letters as they stand, in any case unless a capital was typed.

use std::ops::Range;

use ratatui::style::{Modifier, Style};

use super::theme::{Role, Theme};

/// Something to look for; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    typed: String,
    /// The letters to find; small ones where any case will do.
    letters: Vec<char>,
    any_case: bool,
}

/// Which way to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Forward,
    Backward,
}

impl Pattern {
    /// What was typed; none where nothing was.
    pub fn new(typed: &str) -> Option<Pattern> {
        let any_case = !typed.chars().any(char::is_uppercase);
        let letters: Vec<char> = typed.chars().map(|letter| if any_case { small(letter) } else { letter }).collect();
        (!letters.is_empty()).then(|| Pattern { typed: typed.to_owned(), letters, any_case })
    }

    /// As it was typed.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// The places in `line`, in bytes, from left to right; they do not overlap.
    pub fn matches(&self, line: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(range) = self.first(line, from) {
            from = range.end;
            found.push(range);
        }
        found
    }

    /// Whether it is anywhere in `line`.
    pub fn is_in(&self, line: &str) -> bool {
        self.first(line, 0).is_some()
    }

    fn first(&self, line: &str, from: usize) -> Option<Range<usize>> {
        if !self.any_case {
            let at = from + line[from..].find(&self.typed)?;
            return Some(at..at + self.typed.len());
        }
        let mut starts = line[from..].char_indices().map(|(at, _)| from + at);
        starts.find_map(|at| self.length_at(&line[at..]).map(|length| at..at + length))
    }

    /// Bytes that it takes at the beginning of `text`, where it is there.
    fn length_at(&self, text: &str) -> Option<usize> {
        let mut letters = text.char_indices();
        for &wanted in &self.letters {
            let (_, letter) = letters.next()?;
            if letter != wanted && small(letter) != wanted {
                return None;
            }
        }
        Some(text.len() - letters.as_str().len())
    }
}

/// The small letter, where it is a single one.
fn small(letter: char) -> char {
    if letter.is_ascii() {
        return letter.to_ascii_lowercase();
    }
    let mut letters = letter.to_lowercase();
    match (letters.next(), letters.next()) {
        (Some(small), None) => small,
        _ => letter,
    }
}

/// All of `lines` in the order in which they are searched: after `from` (from the first on where there is none), going
/// round once.
pub fn order(lines: usize, from: Option<usize>, way: Way) -> impl Iterator<Item = usize> {
    (0..lines).map(move |n| match (way, from) {
        (Way::Forward, Some(from)) => (from + 1 + n) % lines,
        (Way::Forward, None) => n,
        (Way::Backward, Some(from)) => (from + 2 * lines - 1 - n) % lines,
        (Way::Backward, None) => lines - 1 - n,
    })
}

/// The first of `lines` in their [`order`] that is looked for; `line` gives the text of each.
pub fn next(
    pattern: &Pattern,
    lines: usize,
    from: Option<usize>,
    way: Way,
    line: impl Fn(usize) -> String,
) -> Option<usize> {
    order(lines, from, way).find(|&at| pattern.is_in(&line(at)))
}

/// How a place that was found looks, and one in the line that the person was led to.
pub fn style(theme: &Theme, is_here: bool) -> Style {
    let style = theme.style(Role::Warning).add_modifier(Modifier::REVERSED);
    if is_here { style.add_modifier(Modifier::BOLD) } else { style }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // Some are in one place.
    #[allow(clippy::single_range_in_vec_init)]
    #[test]
    fn capitals_count_only_where_one_is_typed() {
        for (typed, line, places) in [
            ("loss", "val_loss Loss LOSS", vec![4..8, 9..13, 14..18]),
            ("Loss", "val_loss Loss LOSS", vec![9..13]),
            ("aa", "aaaaa", vec![0..2, 2..4]),
            ("ß", "Straße", vec![4..6]),
            ("é", "É é", vec![0..2, 3..5]),
            ("a.c", "abc a.c", vec![4..7]),
            ("x", "", vec![]),
        ] {
            assert_eq!(Pattern::new(typed).unwrap().matches(line), places, "{typed} in {line}");
        }
        assert_eq!(Pattern::new(""), None);
    }

    #[test]
    fn the_search_goes_round_once_in_both_ways() {
        let lines = ["a", "b", "a", "c"];
        let next = |typed: &str, from, way| {
            next(&Pattern::new(typed).unwrap(), lines.len(), from, way, |at| lines[at].to_owned())
        };
        for (typed, from, way, found) in [
            ("a", None, Way::Forward, Some(0)),
            ("a", Some(0), Way::Forward, Some(2)),
            ("a", Some(2), Way::Forward, Some(0)),
            ("a", Some(0), Way::Backward, Some(2)),
            ("c", Some(3), Way::Backward, Some(3)),
            ("b", None, Way::Backward, Some(1)),
            ("x", Some(1), Way::Forward, None),
        ] {
            assert_eq!(next(typed, from, way), found, "{typed} from {from:?} {way:?}");
        }
        assert_eq!(super::next(&Pattern::new("a").unwrap(), 0, None, Way::Forward, |_| String::new()), None);
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_was_looked_for(typed in "[aAéß ]{1,3}", line in "[aAbéÉß\u{130} ]{0,30}") {
            let pattern = Pattern::new(&typed).unwrap();
            let mut end = 0;
            for range in pattern.matches(&line) {
                prop_assert!(range.start >= end);
                prop_assert_eq!(line[range.clone()].to_lowercase(), typed.to_lowercase());
                end = range.end;
            }
        }
    }
}
