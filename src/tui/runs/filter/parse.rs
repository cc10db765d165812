//! From a filter as it was typed to what it means.

use globset::GlobBuilder;

use super::compare::Comparison;
use super::{Term, Test, states};
use crate::record::state::Status;

/// The terms that mean something, and what is wrong with the first that does not.
pub fn terms(text: &str) -> (Vec<Term>, Option<String>) {
    let mut problem = None;
    let mut terms = Vec::new();
    for (word, is_quoted) in words(text) {
        for part in parts(&word, is_quoted) {
            match term(part, is_quoted) {
                Ok(term) => terms.extend(term),
                Err(wrong) => problem = problem.or(Some(wrong)),
            }
        }
    }
    (terms, problem)
}

/// The words between spaces; quotes keep spaces in one.
fn words(text: &str) -> Vec<(String, bool)> {
    let mut words = Vec::new();
    for (n, piece) in text.split('"').enumerate() {
        if n % 2 == 1 {
            words.extend((!piece.is_empty()).then(|| (piece.to_owned(), true)));
        } else {
            words.extend(piece.split_whitespace().map(|word| (word.to_owned(), false)));
        }
    }
    words
}

/// Conditions can be joined by commas, as on the command line; in a name a comma is a letter.
fn parts(word: &str, is_quoted: bool) -> Vec<&str> {
    match word.split_once(',') {
        Some((first, _)) if !is_quoted && first.contains(':') => word.split(',').filter(|p| !p.is_empty()).collect(),
        _ => vec![word],
    }
}

/// What a part means; None for one that is still to be typed.
fn term(part: &str, is_quoted: bool) -> Result<Option<Term>, String> {
    let make = |negated, test| Some(Term { negated, test, loose: false });
    if is_quoted {
        return Ok(make(false, Test::Word(part.to_lowercase())));
    }
    let (negated, rest) = match part.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, part),
    };
    match rest {
        "" | "~" => Ok(None),
        _ => Ok(make(negated, test(rest)?)),
    }
}

fn test(text: &str) -> Result<Test, String> {
    if let Some(letters) = text.strip_prefix('~') {
        return Ok(Test::Fuzzy(letters.to_lowercase()));
    }
    if let Some((key, value)) = text.split_once(':')
        && let Some(test) = keyed(key, value)
    {
        return test;
    }
    match Comparison::parse(text) {
        Some(comparison) => comparison.map(Test::Compare),
        None => Ok(Test::Word(text.to_lowercase())),
    }
}

/// What `key:value` means; None where the key is none of ours, as in a name with a colon.
fn keyed(key: &str, value: &str) -> Option<Result<Test, String>> {
    if !matches!(key, "state" | "tag" | "group" | "name") {
        return None;
    }
    if value.is_empty() {
        return Some(Err(format!("nothing comes after {key}:")));
    }
    Some(match key {
        "state" => state(value),
        "tag" => Ok(Test::Tag(value.to_owned())),
        "group" => Ok(Test::Group(value.to_owned())),
        _ => GlobBuilder::new(value)
            .literal_separator(false)
            .case_insensitive(true)
            .build()
            .map(|glob| Test::Name(glob.compile_matcher()))
            .map_err(|error| error.kind().to_string()),
    })
}

fn state(value: &str) -> Result<Test, String> {
    let value = value.to_lowercase();
    if Status::ALL.into_iter().any(|status| states(status).any(|name| name.starts_with(&value))) {
        return Ok(Test::State(value));
    }
    let names: Vec<&str> = Status::ALL.into_iter().map(Status::name).collect();
    Err(format!("there is no state {value}, only {}, live and over", names.join(", ")))
}
