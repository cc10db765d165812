//! What the pane shows, row by row.

use super::texts::{Line, Texts};
use crate::record::settings::{self, Settings};

/// A key with two values; none where a run has no such key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub key: String,
    pub own: Option<String>,
    pub other: Option<String>,
}

/// The keys in which two runs differ, in their order.
pub fn differences(own: &Settings, other: &Settings) -> Vec<Difference> {
    let value = |settings: &Settings, key: &str| settings.get(key).map(settings::shown);
    let keys = settings::differing(&[own, other]).into_iter();
    keys.map(|key| Difference { own: value(own, &key), other: value(other, &key), key }).collect()
}

/// What is shown.
pub enum Page<'a> {
    /// What was run; where these lines of it are given, only they.
    Resolved(&'a Texts, Option<Vec<usize>>),
    Typed(&'a [String]),
    Differences(&'a [Difference]),
}

impl Page<'_> {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        match self {
            Page::Resolved(texts, None) => texts.resolved.len(),
            Page::Resolved(_, Some(lines)) => lines.len(),
            Page::Typed(lines) => lines.len(),
            Page::Differences(differences) => differences.len(),
        }
    }

    /// A line of what was run.
    pub fn line(&self, row: usize) -> Option<&Line> {
        match self {
            Page::Resolved(texts, None) => texts.resolved.get(row),
            Page::Resolved(texts, Some(lines)) => texts.resolved.get(*lines.get(row)?),
            Page::Typed(_) | Page::Differences(_) => None,
        }
    }

    /// What a row says; nothing where there is none.
    pub fn text(&self, row: usize) -> String {
        match self {
            Page::Resolved(..) => self.line(row).map_or_else(String::new, |line| line.text.clone()),
            Page::Typed(lines) => lines.get(row).cloned().unwrap_or_default(),
            Page::Differences(differences) => differences.get(row).map_or_else(String::new, Difference::text),
        }
    }
}

impl Difference {
    fn text(&self) -> String {
        let value = |value: &Option<String>| value.clone().unwrap_or_default();
        format!("{} {} {}", self.key, value(&self.own), value(&self.other))
    }
}
