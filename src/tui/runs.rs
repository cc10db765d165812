//! The table of runs: what is shown of the store in which order, which entry is chosen, which runs are marked.
//!
//! Invariants: the chosen entry is one of those shown, and there is one whenever any is shown; marked are only runs that
//! are in the store.

pub mod filter;
pub mod groups;
mod known;
mod marks;
pub mod run;
pub mod sort;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::filter::Filter;
use self::groups::Group;
use self::known::Known;
use self::marks::Marks;
use self::run::{Rank, Run};
use self::sort::{Column, Sort};
use self::table::Table;
use super::action::Motion;
use crate::base::id::RunId;
use crate::record::state::{RunState, Status};
use crate::record::summary::Row;
pub use crate::record::view::Delta;

/// An entry of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    Run(RunId),
    /// The head of a group, by its name.
    Group(String),
}

/// The table.
#[derive(Debug, Default)]
pub struct Runs {
    known: Known,
    table: Table,
    choice: Option<Choice>,
    /// Where the choice is among the entries.
    place: usize,
    marks: Marks,
}

/// How many runs are in which state.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    pub running: usize,
    pub queued: usize,
    pub paused: usize,
    pub done: usize,
    pub failed: usize,
    pub cancelled: usize,
}

impl Totals {
    fn of(&mut self, state: Status) -> &mut usize {
        match state {
            Status::Starting | Status::Running => &mut self.running,
            Status::Queued | Status::Lost => &mut self.queued,
            Status::Paused => &mut self.paused,
            Status::Finished => &mut self.done,
            Status::Failed => &mut self.failed,
            Status::Cancelled => &mut self.cancelled,
        }
    }

    fn add(&mut self, state: Status) {
        *self.of(state) += 1;
    }

    fn take(&mut self, state: Status) {
        let count = self.of(state);
        *count = count.saturating_sub(1);
    }

    /// Those that are not over.
    pub fn left(&self) -> usize {
        self.running + self.queued + self.paused
    }

    /// All of them.
    pub fn all(&self) -> usize {
        self.left() + self.done + self.failed + self.cancelled
    }
}

impl Runs {
    /// Takes what is new in the store.
    pub fn take(&mut self, delta: Delta) {
        let group = self.chosen_group().map(str::to_owned);
        let was_empty = self.known.rows().is_empty();
        let changed = self.known.take(delta);
        if was_empty && !self.filter().is_empty() {
            // Which of its words have to be taken loosely is known only now.
            self.table.filter = self.read_filter(self.filter());
        }
        if changed.structure {
            self.marks.keep(|id| self.known.rows().contains_key(&id));
        }
        if self.table.take(&changed, &self.known) {
            self.stay_in(group);
            self.settle();
        }
    }

    /// The group whose unfolded members the chosen run is among.
    fn chosen_group(&self) -> Option<&str> {
        let Some(Choice::Run(id)) = &self.choice else { return None };
        let (name, group) = self.known.group_of(self.row(*id)?)?;
        self.table.folds.is_open(name, group).then_some(name)
    }

    /// A group that folds by itself, because it ended, does not do so while a member is chosen.
    fn stay_in(&mut self, group: Option<String>) {
        let Some((name, group)) = group.and_then(|name| Some((name.clone(), self.known.group(&name)?))) else { return };
        if !self.table.folds.is_open(&name, group) && matches!(self.choice, Some(Choice::Run(id)) if self.matches(id)) {
            self.table.folds.set(&name, true);
            self.table.arrange(&self.known);
        }
    }

    /// Finds the choice again among other entries; where it is not among them, the head of its group or what stands in
    /// its place is chosen.
    fn settle(&mut self) {
        let shown = self.table.shown();
        let find = |choice: &Choice| shown.iter().position(|other| other == choice);
        let head = || match &self.choice {
            Some(Choice::Run(id)) => {
                let (name, _) = self.known.group_of(self.known.rows().get(id)?)?;
                find(&Choice::Group(name.to_owned()))
            }
            _ => None,
        };
        let found = self.choice.as_ref().filter(|&choice| shown.get(self.place) != Some(choice)).map(&find);
        self.place = match found {
            None => self.place,
            Some(found) => found.or_else(head).unwrap_or(self.place),
        }
        .min(shown.len().saturating_sub(1));
        self.choice = shown.get(self.place).cloned();
    }

    /// Shows only runs that match `filter`; see [`filter`].
    pub fn set_filter(&mut self, filter: String) {
        if filter != self.filter() {
            self.table.filter = self.read_filter(&filter);
            self.table.folds.filter(!filter.trim().is_empty());
            self.begin();
        }
    }

    fn read_filter(&self, text: &str) -> Filter {
        Filter::new(text, self.known.rows().values().map(|row| &**row))
    }

    /// Sorts in another way; the choice stays.
    pub fn set_sort(&mut self, sort: Sort) {
        if sort != self.table.sort {
            self.table.sort = sort;
            self.begin();
        }
    }

    fn begin(&mut self) {
        self.table.begin(&self.known);
        self.settle();
    }

    /// The filter as it was typed.
    pub fn filter(&self) -> &str {
        self.table.filter.text()
    }

    /// The filter as it was understood.
    pub fn parsed_filter(&self) -> &Filter {
        &self.table.filter
    }

    /// How the table is sorted.
    pub fn sort(&self) -> &Sort {
        &self.table.sort
    }

    /// What it can be sorted by: what all runs have, and every figure that some have.
    pub fn columns(&self) -> Vec<Column> {
        let figures: std::collections::BTreeSet<&str> =
            self.known.rows().values().flat_map(|row| run::figures(row)).collect();
        let figures = figures.into_iter().map(|name| Column::Figure(name.to_owned()));
        Column::ALL.into_iter().chain(figures).collect()
    }

    /// The chosen entry.
    pub fn choice(&self) -> Option<&Choice> {
        self.choice.as_ref()
    }

    /// The chosen run; of a chosen group the one that stands for all.
    pub fn chosen(&self) -> Option<RunId> {
        match self.choice.as_ref()? {
            Choice::Run(id) => Some(*id),
            Choice::Group(name) => self.known.group(name)?.face,
        }
    }

    /// A run in short.
    pub fn row(&self, id: RunId) -> Option<&Arc<Row>> {
        self.known.rows().get(&id)
    }

    /// The newest run of that name.
    pub fn named(&self, name: &str) -> Option<RunId> {
        self.known.rows().values().rev().find(|row| row.name == name).map(|row| row.id)
    }

    /// A run as far as it was read whole.
    pub fn whole(&self, id: RunId) -> Option<&Arc<RunState>> {
        self.known.whole(id)
    }

    /// A run as the table shows it.
    pub fn run(&self, id: RunId) -> Option<Run<'_>> {
        self.known.run(id)
    }

    /// A group by its name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.known.group(name)
    }

    /// The runs of a group, whatever is shown, in the order of their numbers.
    pub fn members(&self, group: &str) -> impl Iterator<Item = RunId> {
        self.known.group(group).into_iter().flat_map(|group| group.members.iter().copied())
    }

    /// Whether a run stands below the head of its group.
    pub fn is_member(&self, id: RunId) -> bool {
        self.row(id).is_some_and(|row| self.known.group_of(row).is_some())
    }

    /// Whether the members of a group are shown.
    pub fn is_open(&self, name: &str) -> bool {
        self.known.group(name).is_some_and(|group| self.table.folds.is_open(name, group))
    }

    /// Whether a run matches the filter.
    pub fn matches(&self, id: RunId) -> bool {
        self.table.matches(id)
    }

    /// How many runs match the filter.
    pub fn matching(&self) -> usize {
        self.table.matching().len()
    }

    /// Those that are not started yet, the next one first.
    pub fn queue(&self) -> impl DoubleEndedIterator<Item = Rank> {
        self.known.queue().iter().copied()
    }

    /// The number of a run in the queue, from 1; none for one that is held back.
    pub fn number_of(&self, id: RunId) -> Option<usize> {
        self.known.number_of(id)
    }

    /// Chooses a run, if it matches the filter; a group that it is folded into is unfolded.
    pub fn choose(&mut self, id: RunId) {
        if !self.matches(id) {
            return;
        }
        let folded = self.row(id).and_then(|row| self.known.group_of(row)).map(|(name, _)| name.to_owned());
        if let Some(name) = folded.filter(|name| !self.is_open(name)) {
            self.table.folds.set(&name, true);
            self.table.arrange(&self.known);
        }
        self.choice = Some(Choice::Run(id));
        self.settle();
    }

    /// Chooses an entry that was chosen before, if it is shown; whether what it is of is there at all.
    pub fn choose_again(&mut self, entry: &Choice) -> bool {
        match entry {
            Choice::Run(id) => {
                self.choose(*id);
                self.row(*id).is_some()
            }
            Choice::Group(name) => {
                let place = self.shown().iter().position(|shown| shown == entry);
                place.is_some_and(|place| self.go_to(place)) || self.group(name).is_some()
            }
        }
    }

    /// The entries, from the first row to the last.
    pub fn shown(&self) -> &[Choice] {
        self.table.shown()
    }

    /// The choice's place among the entries.
    pub fn place(&self) -> usize {
        self.place
    }

    /// Chooses another of the entries; `page` rows make a page.
    pub fn go(&mut self, motion: Motion, page: usize) {
        self.go_to(motion.from(self.place, self.shown().len(), page));
    }

    /// Chooses the entry in this row, if there is one.
    pub fn go_to(&mut self, place: usize) -> bool {
        let found = self.shown().get(place).cloned();
        let is_there = found.is_some();
        if is_there {
            (self.place, self.choice) = (place, found);
        }
        is_there
    }

    /// Whether any worker may be alive.
    pub fn any_live(&self) -> bool {
        self.known.totals.running > 0
    }

    /// How many runs are in which state.
    pub fn totals(&self) -> Totals {
        self.known.totals
    }

    /// Time until the queue will have been worked off by so many at once, about.
    pub fn time_left(&self, slots: usize) -> Option<Duration> {
        self.known.time_left(slots)
    }

    /// The groups that were folded (false) or unfolded by hand.
    pub fn folds(&self) -> &BTreeMap<String, bool> {
        self.table.folds.said()
    }

    /// Folds and unfolds them so again.
    pub fn set_folds(&mut self, said: BTreeMap<String, bool>) {
        self.table.folds.say(said);
        self.begin();
    }

    /// Folds or unfolds the group that is chosen or whose member is; whether there is one. A group that is folded is
    /// chosen then.
    pub fn fold(&mut self, open: bool) -> bool {
        let name = match &self.choice {
            Some(Choice::Group(name)) => Some(name.clone()),
            Some(Choice::Run(id)) => self.row(*id).and_then(|row| self.known.group_of(row)).map(|(n, _)| n.to_owned()),
            None => None,
        };
        let Some(name) = name else { return false };
        self.table.folds.set(&name, open);
        self.table.arrange(&self.known);
        if !open {
            self.choice = Some(Choice::Group(name));
        }
        self.settle();
        true
    }
}

#[cfg(test)]
mod tests;
