//! Maps from names, which are not keys, to numbers.

use std::collections::BTreeMap;
use std::ops::Bound::{Included, Unbounded};

use crate::experiment::keys::Takes;
use crate::experiment::mistakes::{Finding, quoted};
use crate::experiment::number;
use crate::experiment::section::{Given, Section};
use crate::experiment::tree::{Entry, Kind, ScalarValue};

/// What a value of such a map is.
const VALUE: Takes = Takes::Number(Included(0.0), Unbounded);

/// One of the words of the key, or what was typed instead.
pub(super) enum Numbers {
    Word,
    Map(BTreeMap<String, f64>),
}

/// The map or the word under `name`; None where it is not given or wrong. `check` looks at each name of the map.
pub(super) fn numbers(section: &Section, name: &str, check: impl Fn(&Entry) -> Option<Finding>) -> Option<Numbers> {
    let given = section.given(name)?;
    let Takes::Numbers(words) = given.key.takes else { return None };
    match &given.node.kind {
        Kind::Map(entries) => Some(Numbers::Map(map(section, given, entries, check))),
        Kind::Scalar(scalar) if scalar.value == ScalarValue::Text && words.contains(&&*scalar.typed) => {
            Some(Numbers::Word)
        }
        _ => {
            section.wrong(given);
            None
        }
    }
}

fn map(
    section: &Section,
    given: Given,
    entries: &[Entry],
    check: impl Fn(&Entry) -> Option<Finding>,
) -> BTreeMap<String, f64> {
    if entries.is_empty() {
        let message = format!("`{}` is empty, expected {}", given.key.name(), given.key.expected());
        section.found(Finding::new(given.place, message));
    }
    entries.iter().filter_map(|entry| value(section, entry, &check)).collect()
}

fn value(section: &Section, entry: &Entry, check: &impl Fn(&Entry) -> Option<Finding>) -> Option<(String, f64)> {
    if let Some(finding) = check(entry) {
        section.found(finding);
        return None;
    }
    let number = match &entry.value.kind {
        Kind::Scalar(scalar) => number::real(&VALUE, &scalar.value),
        _ => None,
    };
    let Some(number) = number else {
        let (name, is) = (quoted(&entry.key), entry.value.described());
        let place = if entry.value.kind == Kind::Null { entry.key_place } else { entry.value.place };
        section.found(Finding::new(place, format!("{name} is {is}, expected a number of at least 0")));
        return None;
    };
    Some((entry.key.clone(), number))
}
