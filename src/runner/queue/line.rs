//! The order of those that are not live, kept in sets so that nothing has to be sorted.
//!
//! Invariant: a run is in `all` and in at most one of the other sets, as its spot says; one that is live is in none.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::Entry;
use crate::base::clock::Timestamp;
use crate::base::id::RunId;

/// What decides who is next: the smallest is.
pub(super) type Rank = (Reverse<i32>, i64, RunId);

/// What keeps a run from starting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// Nothing but room.
    Ready,
    /// The time.
    Delayed(Timestamp),
    /// Somebody: who paused it, or the run that it waits for.
    Resting,
    /// A run that it waits for did not finish well.
    Orphaned,
    /// It has started.
    Live,
}

/// The runs that are not live, by what may happen to them next.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    all: BTreeSet<Rank>,
    ready: BTreeSet<Rank>,
    /// Ready ones that want a GPU.
    ready_for_gpu: BTreeSet<Rank>,
    delayed: BTreeSet<(Timestamp, RunId)>,
    orphaned: BTreeSet<RunId>,
    /// Who is waited for, and by whom.
    awaited: BTreeSet<(RunId, RunId)>,
}

impl Line {
    /// Adds a run of this rank at its spot.
    pub fn put(&mut self, rank: Rank, spot: Spot, entry: &Entry) {
        let id = rank.2;
        match spot {
            Spot::Live => return,
            Spot::Ready if entry.needs.gpu => drop(self.ready_for_gpu.insert(rank)),
            Spot::Ready => drop(self.ready.insert(rank)),
            Spot::Delayed(time) => drop(self.delayed.insert((time, id))),
            Spot::Orphaned => drop(self.orphaned.insert(id)),
            Spot::Resting => {}
        }
        self.all.insert(rank);
        self.awaited.extend(entry.after.iter().map(|&awaited| (awaited, id)));
    }

    /// Removes a run from wherever it is.
    pub fn remove(&mut self, rank: Rank, entry: &Entry) {
        let id = rank.2;
        self.all.remove(&rank);
        self.ready.remove(&rank);
        self.ready_for_gpu.remove(&rank);
        self.orphaned.remove(&id);
        if let super::Stage::Waiting { not_before: Some(time) } = entry.stage {
            self.delayed.remove(&(time, id));
        }
        for &awaited in &entry.after {
            self.awaited.remove(&(awaited, id));
        }
    }

    /// Whether nobody is ready, becomes so in time, or has to be taken away.
    pub fn is_at_rest(&self) -> bool {
        self.ready.is_empty() && self.ready_for_gpu.is_empty() && self.delayed.is_empty() && self.orphaned.is_empty()
    }

    /// The first that is ready; those that want a GPU only if there is one for it.
    pub fn first(&self, has_gpu: bool) -> Option<Rank> {
        let on_gpu = if has_gpu { self.ready_for_gpu.first() } else { None };
        self.ready.first().into_iter().chain(on_gpu).min().copied()
    }

    /// One whose moment has come.
    pub fn due(&self, now: Timestamp) -> Option<RunId> {
        self.delayed.first().filter(|(time, _)| *time <= now).map(|&(_, id)| id)
    }

    /// The first moment that somebody waits for.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.delayed.first().map(|&(time, _)| time)
    }

    /// Whoever waits for a moment, and for which.
    pub fn delayed(&self) -> Vec<(Timestamp, RunId)> {
        self.delayed.iter().copied().collect()
    }

    /// One that can never start.
    pub fn orphan(&self) -> Option<RunId> {
        self.orphaned.first().copied()
    }

    /// Who waits for `id`.
    pub fn dependants(&self, id: RunId) -> Vec<RunId> {
        self.awaited.range((id, RunId(0))..=(id, RunId(u32::MAX))).map(|&(_, dependant)| dependant).collect()
    }

    /// All of them, the next one first.
    pub fn all(&self) -> impl Iterator<Item = RunId> {
        self.all.iter().map(|&(_, _, id)| id)
    }

    /// Those of one priority, the next one first.
    pub fn peers(&self, priority: i32) -> impl DoubleEndedIterator<Item = Rank> {
        let (first, last) = ((i64::MIN, RunId(0)), (i64::MAX, RunId(u32::MAX)));
        let priority = Reverse(priority);
        self.all.range((priority, first.0, first.1)..=(priority, last.0, last.1)).copied()
    }

    /// Those of the rank's priority before it, the nearest first.
    pub fn before(&self, rank: Rank) -> impl Iterator<Item = Rank> {
        self.all.range((rank.0, i64::MIN, RunId(0))..rank).rev().copied()
    }

    /// Those of the rank's priority behind it, the nearest first.
    pub fn behind(&self, rank: Rank) -> impl Iterator<Item = Rank> {
        use std::ops::Bound::{Excluded, Included};
        let last = (rank.0, i64::MAX, RunId(u32::MAX));
        self.all.range((Excluded(rank), Included(last))).copied()
    }
}
