//! `--set train.batch_size=64`: keys replaced from the command line, as if they had been typed so in the file.

use std::fmt;
use std::str::FromStr;

use super::mistakes::{Finding, Findings, quoted};
use super::place::{Place, Source};
use super::tree::{self, Entry, Kind, Node};

/// What stands before an override where it is shown.
const FLAG: &str = "--set ";

/// One key and the YAML value that it gets. Keys are dotted; an item of a list is named by its number from 0, as in
/// `train.phases.0.epochs=3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    text: String,
    equals: usize,
}

/// A text that is no override.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected KEY=VALUE with a dotted key, as in train.batch_size=64")]
pub struct NotAnOverride;

impl FromStr for Override {
    type Err = NotAnOverride;

    fn from_str(text: &str) -> Result<Self, NotAnOverride> {
        let equals = text.find('=').ok_or(NotAnOverride)?;
        let is_key = text[..equals].split('.').all(|part| !part.trim().is_empty());
        is_key.then(|| Override { text: text.to_owned(), equals }).ok_or(NotAnOverride)
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Override {
    /// How it is shown in messages; places count from its start.
    pub(super) fn source(&self) -> Source {
        Source::new(None, format!("{FLAG}{}", self.text))
    }

    /// Sets its key in `root`; `source` is its number in places.
    pub(super) fn apply(&self, root: &mut Node, source: usize, findings: &Findings) {
        let value_start = FLAG.len() + self.equals + 1;
        match tree::read(&self.text[self.equals + 1..], source, value_start, findings) {
            Ok(value) => {
                if let Err(finding) = set(root, &self.parts(source), value) {
                    findings.push(finding);
                }
            }
            Err(finding) => findings.push(finding),
        }
    }

    fn parts(&self, source: usize) -> Vec<(&str, Place)> {
        let mut start = FLAG.len();
        let key = &self.text[..self.equals];
        key.split('.')
            .map(|part| {
                let place = Place { source, start, end: start + part.len() };
                start = place.end + 1;
                (part.trim(), place)
            })
            .collect()
    }
}

/// Puts `value` at the end of the way `parts` from `node`. What stands in the way gives way: `optimizer: adam` becomes a
/// map for `optimizer.adam.lr`.
fn set(node: &mut Node, parts: &[(&str, Place)], value: Node) -> Result<(), Finding> {
    let Some((&(part, place), rest)) = parts.split_first() else {
        *node = value;
        return Ok(());
    };
    match &mut node.kind {
        Kind::List(items) => set(item(items, part, place)?, rest, value),
        Kind::Map(entries) => set(entry(entries, part, place), rest, value),
        Kind::Null | Kind::Scalar(_) => {
            let mut entries = Vec::new();
            let done = set(entry(&mut entries, part, place), rest, value);
            *node = Node { place, kind: Kind::Map(entries) };
            done
        }
    }
}

fn entry<'a>(entries: &'a mut Vec<Entry>, key: &str, key_place: Place) -> &'a mut Node {
    let empty = Node { place: key_place, kind: Kind::Null };
    let at = entries.iter().position(|entry| entry.key == key).unwrap_or(entries.len());
    if at == entries.len() {
        entries.push(Entry { key: key.to_owned(), key_place, value: empty });
    }
    &mut entries[at].value
}

fn item<'a>(items: &'a mut [Node], part: &str, place: Place) -> Result<&'a mut Node, Finding> {
    let count = items.len();
    let found = part.parse().ok().and_then(|index: usize| items.get_mut(index));
    found.ok_or_else(|| {
        let finding = Finding::new(place, format!("{} is no item of this list", quoted(part)));
        finding.hint(match count {
            0 => "the list is empty".to_owned(),
            1 => "its only item is 0".to_owned(),
            _ => format!("its items are 0 to {}", count - 1),
        })
    })
}
