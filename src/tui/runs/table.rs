//! Which entries are shown, and in which order.
//!
//! Invariants: `line` has the runs that match the filter, each once, where the order has it; every one of them is shown,
//! or is a member of a folded group whose head is. What a change cannot matter to is not looked at again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Choice;
use super::filter::Filter;
use super::groups::Folds;
use super::known::{Changed, Known};
use super::sort::{Sort, Spot};
use crate::base::id::RunId;

/// The entries of the table.
#[derive(Debug, Default)]
pub struct Table {
    pub filter: Filter,
    pub sort: Sort,
    pub folds: Folds,
    spots: HashMap<RunId, Spot>,
    line: BTreeSet<Spot>,
    shown: Vec<Choice>,
}

impl Table {
    /// Takes over what changed in the store; whether other entries are shown now, or in another order.
    pub fn take(&mut self, changed: &Changed, known: &Known) -> bool {
        let mut moved = changed.structure;
        for &id in &changed.runs {
            let spot = known.run(id).and_then(|run| Some(self.sort.spot(&run, self.filter.takes(&run)?)));
            moved |= self.place(id, spot);
        }
        moved && {
            self.arrange(known);
            true
        }
    }

    /// Puts a run where it belongs; whether that is another place than it had.
    fn place(&mut self, id: RunId, spot: Option<Spot>) -> bool {
        if self.spots.get(&id) == spot.as_ref() {
            return false;
        }
        if let Some(old) = self.spots.remove(&id) {
            self.line.remove(&old);
        }
        if let Some(spot) = spot {
            self.line.insert(spot.clone());
            self.spots.insert(id, spot);
        }
        true
    }

    /// Begins anew, with another filter or order.
    pub fn begin(&mut self, known: &Known) {
        let spot = |id: RunId| {
            let run = known.run(id)?;
            Some((id, self.sort.spot(&run, self.filter.takes(&run)?)))
        };
        self.spots = known.rows().keys().filter_map(|&id| spot(id)).collect();
        let mut line: Vec<Spot> = self.spots.values().cloned().collect();
        line.sort_unstable();
        self.line = line.into_iter().collect();
        self.arrange(known);
    }

    /// Lists the entries; a group stands where the first of its members does.
    pub fn arrange(&mut self, known: &Known) {
        let group_of = |id: RunId| known.rows().get(&id).and_then(|row| known.group_of(row));
        let mut members: BTreeMap<&str, Vec<RunId>> = BTreeMap::new();
        for id in self.line.iter().map(|spot| spot.rank.id) {
            if let Some((name, _)) = group_of(id) {
                members.entry(name).or_default().push(id);
            }
        }
        let mut shown = Vec::with_capacity(self.line.len());
        for id in self.line.iter().map(|spot| spot.rank.id) {
            let Some((name, group)) = group_of(id) else {
                shown.push(Choice::Run(id));
                continue;
            };
            let Some(members) = members.remove(name) else { continue };
            shown.push(Choice::Group(name.to_owned()));
            if self.folds.is_open(name, group) {
                shown.extend(members.into_iter().map(Choice::Run));
            }
        }
        self.shown = shown;
    }

    /// The entries, from the first row to the last.
    pub fn shown(&self) -> &[Choice] {
        &self.shown
    }

    /// Whether a run matches the filter.
    pub fn matches(&self, id: RunId) -> bool {
        self.spots.contains_key(&id)
    }

    /// The runs that match the filter, in order, also those in folded groups.
    pub fn matching(&self) -> impl ExactSizeIterator<Item = RunId> {
        self.line.iter().map(|spot| spot.rank.id)
    }
}
