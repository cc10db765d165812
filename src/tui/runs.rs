//! The list of runs: its order, what the filter leaves of it, which one is chosen.
//!
//! Invariant: the chosen run is one of those shown, and there is one whenever any is shown.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::action::Motion;
use crate::base::id::RunId;
use crate::record::state::{RunState, Status};
use crate::record::summary::Row;
pub use crate::record::view::Delta;

/// The runs and a place among them.
#[derive(Debug, Default)]
pub struct Runs {
    rows: BTreeMap<RunId, Arc<Row>>,
    whole: BTreeMap<RunId, Arc<RunState>>,
    shown: Vec<RunId>,
    chosen: Option<RunId>,
    filter: String,
}

/// How many runs are in which state.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    pub running: usize,
    pub queued: usize,
    pub done: usize,
    pub failed: usize,
}

impl Runs {
    /// Takes what is new in the store.
    pub fn take(&mut self, delta: Delta) {
        for id in delta.gone {
            self.rows.remove(&id);
            self.whole.remove(&id);
        }
        self.rows.extend(delta.rows.into_iter().map(|row| (row.id, row)));
        self.whole.extend(delta.whole.into_iter().map(|run| (run.id, run)));
        self.arrange();
    }

    /// Shows only runs that have every word of `filter` in their id or name; `state:failed` asks for a state.
    pub fn set_filter(&mut self, filter: String) {
        if filter != self.filter {
            self.filter = filter;
            self.arrange();
        }
    }

    /// The filter as it was typed.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// The chosen run.
    pub fn chosen(&self) -> Option<RunId> {
        self.chosen
    }

    /// A run in short.
    pub fn row(&self, id: RunId) -> Option<&Arc<Row>> {
        self.rows.get(&id)
    }

    /// A run as far as it was read whole.
    pub fn whole(&self, id: RunId) -> Option<&Arc<RunState>> {
        self.whole.get(&id)
    }

    /// Chooses a run, if it is shown.
    pub fn choose(&mut self, id: RunId) {
        if self.shown.contains(&id) {
            self.chosen = Some(id);
        }
    }

    /// The runs shown, in order.
    pub fn shown(&self) -> impl ExactSizeIterator<Item = &Arc<Row>> {
        self.shown.iter().map(|id| &self.rows[id])
    }

    /// The chosen run's place among those shown.
    pub fn place(&self) -> usize {
        self.shown.iter().position(|&id| Some(id) == self.chosen).unwrap_or(0)
    }

    /// Chooses another of the runs shown; `page` rows make a page.
    pub fn go(&mut self, motion: Motion, page: usize) {
        let place = motion.from(self.place(), self.shown.len(), page);
        self.chosen = self.shown.get(place).copied();
    }

    /// Chooses the run in this row of those shown, if there is one.
    pub fn go_to(&mut self, place: usize) -> bool {
        let found = self.shown.get(place).copied();
        self.chosen = found.or(self.chosen);
        found.is_some()
    }

    /// Whether any worker may be alive.
    pub fn any_live(&self) -> bool {
        self.rows.values().any(|run| run.state.is_live())
    }

    /// How many runs are in which state.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for run in self.rows.values() {
            match run.state {
                Status::Starting | Status::Running => totals.running += 1,
                Status::Queued | Status::Paused | Status::Lost => totals.queued += 1,
                Status::Finished | Status::Cancelled => totals.done += 1,
                Status::Failed => totals.failed += 1,
            }
        }
        totals
    }

    fn arrange(&mut self) {
        let place = self.place();
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let matching = self.rows.values().filter(|run| words.iter().all(|word| matches(run, word)));
        let mut shown: Vec<&Arc<Row>> = matching.collect();
        shown.sort_by_key(|run| order(run));
        self.shown = shown.into_iter().map(|run| run.id).collect();
        if !self.chosen.is_some_and(|chosen| self.shown.contains(&chosen)) {
            self.chosen = self.shown.get(place.min(self.shown.len().saturating_sub(1))).copied();
        }
    }
}

fn matches(run: &Row, word: &str) -> bool {
    match word.strip_prefix("state:") {
        Some(state) => run.state.name().starts_with(state),
        None => run.name.to_lowercase().contains(word) || run.id.to_string().contains(word),
    }
}

/// Running ones first, then the queue as it will be worked off, then what is over, newest first.
fn order(run: &Row) -> (u8, Reverse<i32>, i64, Reverse<RunId>) {
    match run.state {
        Status::Running | Status::Starting => (0, Reverse(0), i64::from(run.id.0), Reverse(run.id)),
        Status::Queued | Status::Paused | Status::Lost => {
            (1, Reverse(run.place.priority), run.place.order, Reverse(run.id))
        }
        Status::Finished | Status::Failed | Status::Cancelled => (2, Reverse(0), 0, Reverse(run.id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    fn shown(runs: &Runs) -> Vec<u32> {
        runs.shown().map(|run| run.id.0).collect()
    }

    fn runs() -> Runs {
        let mut runs = Runs::default();
        runs.take(fixtures::store());
        runs
    }

    #[test]
    fn running_then_queued_then_ended() {
        let runs = runs();
        assert_eq!(shown(&runs), [15, 16, 17, 14, 13, 12, 11]);
        assert_eq!(runs.totals(), Totals { running: 1, queued: 2, done: 3, failed: 1 });
        assert!(runs.any_live());
    }

    #[test]
    fn a_filter_narrows_by_words_and_state() {
        for (filter, ids) in [
            ("", &[15, 16, 17, 14, 13, 12, 11][..]),
            ("state:failed", &[12]),
            ("state:q", &[16, 17]),
            ("SQUEEZE", &[15]),
            ("001 vgg", &[14, 12]),
            ("nothing", &[]),
        ] {
            let mut runs = runs();
            runs.set_filter(filter.to_owned());
            assert_eq!(shown(&runs), ids, "{filter}");
            assert_eq!(runs.chosen().map(|id| id.0), ids.first().copied(), "{filter}");
        }
    }

    #[test]
    fn the_choice_stays_with_its_run_and_else_with_its_place() {
        let mut runs = runs();
        runs.choose(RunId(17));
        runs.take(fixtures::store());
        assert_eq!(runs.place(), 2);
        runs.take(Delta { gone: vec![RunId(17)], ..Delta::default() });
        assert_eq!(runs.chosen(), Some(RunId(14)));
        runs.take(Delta { gone: (0..20).map(RunId).collect(), ..Delta::default() });
        assert!(runs.chosen().is_none());
        runs.go(Motion::Down, 5);
        assert!(runs.chosen().is_none());
    }
}
