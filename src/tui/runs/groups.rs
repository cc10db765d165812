//! Groups of runs (sweeps), each of which can stand as one row.

use std::collections::{BTreeMap, BTreeSet};

use super::Totals;
use super::known::Known;
use crate::base::id::RunId;

/// Members up to which a group with something left to do is shown unfolded.
const FEW: usize = 12;

/// A group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    pub members: BTreeSet<RunId>,
    pub totals: Totals,
    /// The member with the best figure.
    pub best: Option<RunId>,
    /// The member that stands for all: one that is live, else the best, else the first.
    pub face: Option<RunId>,
}

impl Group {
    /// What the members amount to.
    pub fn of(members: BTreeSet<RunId>, known: &Known) -> Group {
        let runs = || members.iter().filter_map(|&id| known.run(id));
        let mut totals = Totals::default();
        runs().for_each(|run| totals.add(run.row.state));
        let monitor = runs().find_map(|run| run.best()).map(|(monitor, _, _)| monitor);
        let figures = runs().filter_map(|run| {
            let (_, value, less) = run.best().filter(|(name, value, _)| Some(*name) == monitor && value.is_finite())?;
            Some((if less { value } else { -value }, run.row.id))
        });
        let best = figures.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, id)| id);
        let live = runs().find(|run| run.row.state.is_live()).map(|run| run.row.id);
        let face = live.or(best).or_else(|| members.first().copied());
        Group { totals, best, face, members }
    }

    /// Whether it stands as a row of its own: one run alone needs none.
    pub fn has_head(&self) -> bool {
        self.members.len() > 1
    }

    /// Whether its members are shown as long as nobody says otherwise.
    fn is_open(&self) -> bool {
        self.members.len() <= FEW && self.totals.left() > 0
    }
}

/// Which groups are unfolded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folds {
    /// What a person said.
    said: BTreeMap<String, bool>,
    /// The same while a filter narrows the runs; without a word all are open then, so that what matches is seen.
    said_filtered: BTreeMap<String, bool>,
    filtered: bool,
}

impl Folds {
    /// Whether the members of a group are shown.
    pub fn is_open(&self, name: &str, group: &Group) -> bool {
        let said = if self.filtered { &self.said_filtered } else { &self.said };
        said.get(name).copied().unwrap_or_else(|| self.filtered || group.is_open())
    }

    /// What a person said, while no filter narrows the runs.
    pub fn said(&self) -> &BTreeMap<String, bool> {
        &self.said
    }

    /// A person said this before.
    pub fn say(&mut self, said: BTreeMap<String, bool>) {
        self.said = said;
    }

    /// Folds or unfolds a group.
    pub fn set(&mut self, name: &str, open: bool) {
        let said = if self.filtered { &mut self.said_filtered } else { &mut self.said };
        said.insert(name.to_owned(), open);
    }

    /// The filter changed: what was said about what another one left counts no more.
    pub fn filter(&mut self, filtered: bool) {
        self.filtered = filtered;
        self.said_filtered.clear();
    }
}
