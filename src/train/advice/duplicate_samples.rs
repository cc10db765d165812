//! The same picture or text on both sides: what is validated on was learned by heart.
//!
//! Pictures are the same where the bytes of their files are (SHA-256; only files whose length both sides have are read, and
//! at most 2 GiB of them). Texts are the same where they are so without regard to case and white space. One is enough to be
//! told; from a hundredth of the validation samples on it is a warning.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{flow, warning};
use crate::data::{Dataset, Picture, Samples};
use crate::experiment::Experiment;
use crate::record::event::{Advice, Severity};

/// Bytes of files that are read.
const MOST_BYTES: u64 = 2 << 30;
/// Share of the validation samples from which it is a warning.
const MANY: f64 = 0.01;
/// Pairs that the evidence shows.
const SHOWN: usize = 5;

/// What was looked for.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// Pairs (validation sample, training sample), each validation sample once.
    Pairs(Vec<(usize, usize)>),
    /// Nothing: so many bytes are too many to read.
    TooLarge(u64),
}

/// Compares the sides. Once `stop` is set, nothing more is read.
pub(super) fn duplicates(data: &Dataset, stop: &AtomicBool) -> Found {
    match (&data.train, &data.val) {
        (Samples::Pictures(train), Samples::Pictures(val)) => of_pictures(train, val, stop),
        (Samples::Texts(train), Samples::Texts(val)) => {
            let texts = |side: &[crate::data::Text]| side.iter().map(|text| Some(normalized(&text.text))).collect();
            Found::Pairs(pairs(texts(train), texts(val)))
        }
        _ => Found::Pairs(Vec::new()),
    }
}

fn of_pictures(train: &[Picture], val: &[Picture], stop: &AtomicBool) -> Found {
    let lengths = |side: &[Picture]| -> Vec<u64> {
        side.par_iter().map(|picture| fs::metadata(&picture.source).map_or(0, |metadata| metadata.len())).collect()
    };
    let (of_train, of_val) = (lengths(train), lengths(val));
    let [in_train, in_val] = [&of_train, &of_val].map(|lengths| lengths.iter().copied().collect::<HashSet<u64>>());
    let both: HashSet<u64> = in_train.intersection(&in_val).copied().collect();
    let bytes = of_train.iter().chain(&of_val).filter(|length| both.contains(length)).sum();
    if bytes > MOST_BYTES {
        return Found::TooLarge(bytes);
    }
    let hashes = |side: &[Picture], lengths: &[u64]| -> Vec<Option<[u8; 32]>> {
        let of_file = |(picture, length): (&Picture, &u64)| {
            if both.contains(length) && !stop.load(Ordering::Relaxed) { hash(&picture.source) } else { None }
        };
        side.par_iter().zip(lengths).map(of_file).collect()
    };
    Found::Pairs(pairs(hashes(train, &of_train), hashes(val, &of_val)))
}

fn hash(path: &Path) -> Option<[u8; 32]> {
    fs::read(path).ok().map(|bytes| Sha256::digest(bytes).into())
}

fn normalized(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Where the sides have the same content; none is like nothing.
fn pairs<C: Eq + std::hash::Hash>(train: Vec<Option<C>>, val: Vec<Option<C>>) -> Vec<(usize, usize)> {
    let numbered = train.into_iter().enumerate().rev();
    let known: HashMap<C, usize> = numbered.filter_map(|(at, content)| Some((content?, at))).collect();
    let numbered = val.into_iter().enumerate();
    numbered.filter_map(|(at, content)| Some((at, *known.get(&content?)?))).collect()
}

/// What to say of such pairs.
pub(super) fn duplicate_samples(experiment: &Experiment, data: &Dataset, pairs: &[(usize, usize)]) -> Option<Advice> {
    let &(val, train) = pairs.first()?;
    let (val, train) = (data.val.source(val), data.train.source(train));
    let such = if val == train { val } else { format!("{val} and {train}") };
    let message = format!(
        "{} of {} validation samples are among the training samples too, as {such}: take out one of each",
        pairs.len(),
        data.val.len()
    );
    let shown = pairs.iter().take(SHOWN).map(|&(val, train)| [data.val.source(val), data.train.source(train)]);
    let shown: Vec<_> = shown.collect();
    let evidence = [("duplicates", json!(pairs.len())), ("val_samples", json!(data.val.len())), ("some", json!(shown))];
    let advice = warning("duplicate_samples", message, evidence, suggestion(experiment));
    let is_many = pairs.len() as f64 >= MANY * data.val.len() as f64;
    Some(if is_many { advice } else { Advice { severity: Severity::Info, ..advice } })
}

/// Another split: the training samples alone, or validation samples of their own. `val` and `val_split` exclude each other,
/// so the whole of `data` is given, but for what is as it is by default.
fn suggestion(experiment: &Experiment) -> String {
    let mut data = experiment.data.clone();
    (data.val, data.val_split) = match data.val {
        Some(_) => (None, Some(0.2)),
        None => (Some(data.train.with_file_name("val")), None),
    };
    format!("data: {}", flow::without_defaults("data", &data))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{experiment, is_accepted};
    use super::*;

    /// Files with these contents as pictures; they are compared as they are, not looked at.
    fn pictures(folder: &Path, side: &str, contents: &[&str]) -> Samples {
        let picture = |(number, content): (usize, &&str)| {
            let path = folder.join(format!("{side}{number}.png"));
            crate::base::durable::write(&path, content.as_bytes()).unwrap();
            Picture::at(path, 0)
        };
        Samples::Pictures(contents.iter().enumerate().map(picture).collect())
    }

    fn texts(texts: &[&str]) -> Samples {
        let text = |text: &&str| crate::data::Text {
            source: format!("{text:?}"),
            label: 0,
            text: (*text).into(),
            tokens: Box::default(),
        };
        Samples::Texts(texts.iter().map(text).collect())
    }

    fn data(train: Samples, val: Samples) -> Dataset {
        Dataset { classes: vec!["a".into(), "b".into()], train, val, skipped: Vec::new() }
    }

    fn found(data: &Dataset) -> Vec<(usize, usize)> {
        match duplicates(data, &AtomicBool::new(false)) {
            Found::Pairs(pairs) => pairs,
            Found::TooLarge(bytes) => panic!("{bytes}"),
        }
    }

    #[test]
    fn files_of_the_same_bytes_are_found_and_told() {
        let folder = tempfile::tempdir().unwrap();
        let train = pictures(folder.path(), "t", &["one", "two", "three", "two"]);
        let val = pictures(folder.path(), "v", &["six", "two", "four"]);
        let data = data(train, val);
        assert_eq!(found(&data), [(1, 1)], "six is as long as two");
        let advice = duplicate_samples(&experiment(""), &data, &found(&data)).unwrap();
        assert!(advice.message.starts_with("1 of 3 validation samples are among the training samples too, as "));
        assert_eq!(advice.severity, Severity::Warning);
        assert!(advice.suggestion.contains("val_split: 0.2"), "{}", advice.suggestion);
        is_accepted(&advice, "");
        let split = experiment("data={ train: t, val_split: 0.1 }");
        let advice = duplicate_samples(&split, &data, &found(&data)).unwrap();
        assert!(advice.suggestion.contains("val: /val"), "{}", advice.suggestion);
        assert_eq!(duplicates(&data, &AtomicBool::new(true)), Found::Pairs(Vec::new()), "stopped");
    }

    #[test]
    fn texts_are_compared_without_case_and_white_space() {
        let data = data(texts(&["Fresh  bread", "a ship"]), texts(&["fresh bread\n", "A ship!", "bread"]));
        assert_eq!(found(&data), [(0, 0)]);
    }

    #[test]
    fn nothing_is_said_of_none_and_little_of_few() {
        let many: Vec<String> = (0..200).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let few = data(texts(&["7", "x"]), texts(&many));
        let advice = duplicate_samples(&experiment(""), &few, &found(&few)).unwrap();
        assert_eq!(advice.severity, Severity::Info);
        let none = data(texts(&["y", "x"]), texts(&many));
        assert_eq!(duplicate_samples(&experiment(""), &none, &found(&none)), None);
    }
}
