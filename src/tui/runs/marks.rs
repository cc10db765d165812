//! Runs that are marked for an order.

use std::collections::BTreeSet;

use super::{Choice, Runs};
use crate::base::id::RunId;

/// The marked runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    ids: BTreeSet<RunId>,
    /// What was marked last, from where a range begins.
    last: Option<Choice>,
}

impl Marks {
    /// Keeps those of which `is_there` is true.
    pub fn keep(&mut self, is_there: impl Fn(RunId) -> bool) {
        self.ids.retain(|&id| is_there(id));
    }

    /// Marks all of these; where all are marked already, none of them any more.
    fn turn(&mut self, ids: &[RunId]) {
        if ids.iter().all(|id| self.ids.contains(id)) {
            for id in ids {
                self.ids.remove(id);
            }
        } else {
            self.ids.extend(ids);
        }
    }
}

impl Runs {
    /// The marked runs.
    pub fn marked(&self) -> &BTreeSet<RunId> {
        &self.marks.ids
    }

    /// The runs that an entry stands for: of a group those that match the filter.
    pub fn runs_of(&self, entry: &Choice) -> Vec<RunId> {
        match entry {
            Choice::Run(id) => vec![*id],
            Choice::Group(name) => self.members(name).filter(|&id| self.matches(id)).collect(),
        }
    }

    /// Marks the chosen entry, or marks it no more.
    pub fn mark(&mut self) {
        let Some(choice) = self.choice.clone() else { return };
        let ids = self.runs_of(&choice);
        self.marks.turn(&ids);
        self.marks.last = Some(choice);
    }

    /// Marks all from what was marked last to the chosen entry.
    pub fn mark_range(&mut self) {
        let Some(choice) = self.choice.clone() else { return };
        let last = self.marks.last.as_ref().and_then(|last| self.shown().iter().position(|entry| entry == last));
        let from = last.unwrap_or(self.place);
        let range = from.min(self.place)..=from.max(self.place);
        let is_open = |entry: &&Choice| matches!(entry, Choice::Group(name) if self.is_open(name));
        // The members below an unfolded head are in the range themselves, or are not.
        let entries = self.shown().get(range).unwrap_or_default().iter().filter(|entry| !is_open(entry));
        let ids: Vec<RunId> = entries.flat_map(|entry| self.runs_of(entry)).collect();
        self.marks.ids.extend(ids);
        self.marks.last = Some(choice);
    }

    /// Marks all that match the filter; where all are marked already, none of them any more.
    pub fn mark_all(&mut self) {
        let all: Vec<RunId> = self.table.matching().collect();
        self.marks.turn(&all);
    }

    /// Marks nothing any more; whether anything was.
    pub fn clear_marks(&mut self) -> bool {
        let any = !self.marks.ids.is_empty();
        self.marks = Marks::default();
        any
    }
}
