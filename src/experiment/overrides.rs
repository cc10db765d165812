//! `--set train.batch_size=64`: keys replaced from the command line, as if they had been typed so in the file.

use std::fmt;
use std::str::FromStr;

use super::dotted::Dotted;
use super::mistakes::{Finding, Findings};
use super::place::{Place, Source};
use super::tree::{self, Node};

/// What stands before an override where it is shown.
const FLAG: &str = "--set ";

/// One key and the YAML value that it gets. Keys are dotted; an item of a list is named by its number from 0, as in
/// `train.phases.0.epochs=3`; what stands after `matrix.` is one key, as in `matrix.train.batch_size=[16, 32]`.
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

    /// Sets its key in `root`, unless that is no key to be set; `source` is its number in places. The key that it names.
    pub(super) fn apply(&self, root: &mut Node, source: usize, findings: &Findings) -> Option<Dotted> {
        let value_start = FLAG.len() + self.equals + 1;
        let done = tree::read(&self.text[self.equals + 1..], source, value_start, findings).and_then(|value| {
            let key = self.key(source)?;
            key.set(root, value)?;
            Ok(key)
        });
        done.map_err(|finding| findings.push(finding)).ok()
    }

    fn key(&self, source: usize) -> Result<Dotted, Finding> {
        let place = Place { source, start: FLAG.len(), end: FLAG.len() + self.equals };
        let text = &self.text[..self.equals];
        let key = match text.split_once('.') {
            // What the matrix varies is itself a dotted key.
            Some(("matrix", varied)) => {
                let middle = place.start + "matrix".len();
                let matrix = ("matrix".to_owned(), Place { end: middle, ..place });
                Dotted::of(vec![matrix, (varied.trim().to_owned(), Place { start: middle + 1, ..place })], place)
            }
            _ => Dotted::new(text, place),
        };
        match key {
            Some(key) if key.parts().next() == Some("extends") => {
                let finding = Finding::new(place, "`extends` is followed before keys are set, expected it in a file");
                Err(finding.hint("write a file that has `extends`"))
            }
            Some(key) => Ok(key),
            None => Err(Finding::new(place, NotAnOverride.to_string())),
        }
    }
}
