//! All runs of the store, whatever is shown of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::groups::Group;
use super::run::{Rank, Run};
use super::{Delta, Totals};
use crate::base::id::RunId;
use crate::record::state::{RunState, Status};
use crate::record::summary::Row;

/// The runs, and what follows from them.
#[derive(Debug, Default)]
pub struct Known {
    rows: BTreeMap<RunId, Arc<Row>>,
    whole: BTreeMap<RunId, Arc<RunState>>,
    groups: BTreeMap<String, Group>,
    pub totals: Totals,
    /// Those that are not started yet, the next one first.
    queue: BTreeSet<Rank>,
    /// Their numbers in it, from 1, of those that are not held back.
    numbers: HashMap<RunId, usize>,
    /// Those that a worker may train.
    live: BTreeSet<RunId>,
    /// How many finished, and the seconds that they took together.
    finished: (usize, f64),
}

/// Seconds of a run that finished.
fn finished_in(row: &Row) -> Option<f64> {
    row.times.seconds.filter(|seconds| row.state == Status::Finished && seconds.is_finite())
}

/// What a delta changed.
#[derive(Debug, Default)]
pub struct Changed {
    pub runs: BTreeSet<RunId>,
    /// Whether a run came, went, or has another state or group.
    pub structure: bool,
}

impl Known {
    /// Takes what is new, and says what that changed.
    pub fn take(&mut self, delta: Delta) -> Changed {
        let mut changed = Changed::default();
        let mut groups = BTreeSet::new();
        let mut queue_changed = false;
        for id in delta.gone {
            self.whole.remove(&id);
            if let Some(old) = self.rows.remove(&id) {
                queue_changed |= self.forget(&old);
                groups.extend(old.place.group.clone());
                changed.structure = true;
            }
            changed.runs.insert(id);
        }
        for row in delta.rows {
            let old = self.rows.insert(row.id, Arc::clone(&row));
            let same = |same: fn(&Row, &Row) -> bool| old.as_ref().is_some_and(|old| same(old, &row));
            if !same(|a, b| a.state == b.state && a.place == b.place && a.best == b.best) {
                groups.extend(old.iter().chain([&row]).filter_map(|row| row.place.group.clone()));
            }
            if !same(|a, b| a.state == b.state && Rank::of(a) == Rank::of(b) && a.place.group == b.place.group) {
                changed.structure = true;
                queue_changed |= old.is_some_and(|old| self.forget(&old)) | self.count(&row);
            }
            changed.runs.insert(row.id);
        }
        for run in delta.whole {
            changed.runs.insert(run.id);
            self.whole.insert(run.id, run);
        }
        self.regroup(groups);
        if queue_changed {
            self.number();
        }
        changed
    }

    /// Counts a run in; whether the queue changed.
    fn count(&mut self, row: &Row) -> bool {
        self.totals.add(row.state);
        if row.state.is_live() {
            self.live.insert(row.id);
        }
        if let Some(seconds) = finished_in(row) {
            self.finished = (self.finished.0 + 1, self.finished.1 + seconds);
        }
        let rank = Rank::of(row);
        rank.waits() && self.queue.insert(rank)
    }

    /// Counts a run out; whether the queue changed.
    fn forget(&mut self, row: &Row) -> bool {
        self.totals.take(row.state);
        self.live.remove(&row.id);
        if let Some(seconds) = finished_in(row) {
            self.finished = (self.finished.0.saturating_sub(1), self.finished.1 - seconds);
        }
        self.queue.remove(&Rank::of(row))
    }

    fn number(&mut self) {
        let starts = |rank: &&Rank| self.rows.get(&rank.id).is_some_and(|row| row.state == Status::Queued);
        self.numbers = self.queue.iter().filter(starts).zip(1..).map(|(rank, number)| (rank.id, number)).collect();
    }

    fn regroup(&mut self, names: BTreeSet<String>) {
        if names.is_empty() {
            return;
        }
        let mut members: BTreeMap<&str, BTreeSet<RunId>> = BTreeMap::new();
        for row in self.rows.values() {
            if let Some(name) = row.place.group.as_deref().filter(|name| names.contains(*name)) {
                members.entry(name).or_default().insert(row.id);
            }
        }
        let found: Vec<(String, Group)> =
            members.into_iter().map(|(name, members)| (name.to_owned(), Group::of(members, self))).collect();
        names.iter().for_each(|name| drop(self.groups.remove(name)));
        self.groups.extend(found);
    }

    /// A run.
    pub fn run(&self, id: RunId) -> Option<Run<'_>> {
        let whole = self.whole.get(&id).map(|run| &**run);
        self.rows.get(&id).map(|row| Run::new(row, whole))
    }

    /// Time until the queue will have been worked off by so many at once, if those that wait take as long as those that
    /// finished took, or as the live ones will have taken; None where nothing is left, or nothing is known.
    pub fn time_left(&self, slots: usize) -> Option<Duration> {
        let live: Vec<Run> = self.live.iter().filter_map(|&id| self.run(id)).collect();
        let etas: Vec<f64> = live.iter().filter_map(|run| Some(run.eta()?.as_secs_f64())).collect();
        let waiting = self.numbers.len();
        if waiting == 0 && etas.is_empty() {
            return None;
        }
        let each = match self.finished {
            (0, _) => {
                let whole = live.iter().filter_map(|run| Some((run.elapsed(None)? + run.eta()?).as_secs_f64()));
                let whole: Vec<f64> = whole.collect();
                (!whole.is_empty()).then(|| whole.iter().sum::<f64>() / whole.len() as f64)
            }
            (count, seconds) => Some(seconds / count as f64),
        };
        let queued = if waiting == 0 { 0.0 } else { each? * waiting as f64 };
        let shared = (queued + etas.iter().sum::<f64>()) / slots.max(1).max(live.len()) as f64;
        Duration::try_from_secs_f64(etas.into_iter().fold(shared, f64::max)).ok()
    }

    /// All runs, by their numbers.
    pub fn rows(&self) -> &BTreeMap<RunId, Arc<Row>> {
        &self.rows
    }

    /// A run as far as it was read whole.
    pub fn whole(&self, id: RunId) -> Option<&Arc<RunState>> {
        self.whole.get(&id)
    }

    /// A group.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name)
    }

    /// The name of the group that a run is shown in.
    pub fn group_of(&self, row: &Row) -> Option<(&str, &Group)> {
        let (name, group) = self.groups.get_key_value(row.place.group.as_ref()?)?;
        group.has_head().then_some((name.as_str(), group))
    }

    /// Those that are not started yet, the next one first.
    pub fn queue(&self) -> &BTreeSet<Rank> {
        &self.queue
    }

    /// The number of a run in the queue, from 1; none for one that is held back.
    pub fn number_of(&self, id: RunId) -> Option<usize> {
        self.numbers.get(&id).copied()
    }
}
