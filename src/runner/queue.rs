//! Which run is next: a pure core without files, clock or processes.
//!
//! Invariants: a run that is not over is in exactly one place: it waits, is paused or is live. No more runs are started
//! than there are slots. A run is started only while it waits, after all that it waits for finished well, and with a share
//! of the machine that nobody else has ([`capacity`]). Among those that may start, the one of the highest priority goes
//! first, then the smallest order, then the oldest.
//!
//! A run that waits for memory is overtaken by none behind it, or small runs would keep a large one waiting for ever; it
//! starts when enough has ended, at the latest when it is alone. One that waits for a GPU is overtaken by those that want
//! none: they cannot take what it waits for.
//!
//! Every step costs the logarithm of the number of runs: what may start is kept in order ([`line`]), never sorted.

pub mod capacity;
mod line;
#[cfg(test)]
mod model;
mod placing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use self::capacity::{Capacity, Share, Shares};
use self::line::{Line, Rank, Spot};
use crate::base::clock::Timestamp;
use crate::base::id::RunId;
use crate::record::life::Needs;
use crate::record::state::{Life, Status};

/// How often to try again to write down an end, on a disk that is full.
const WRITE_AGAIN: Duration = Duration::from_secs(5);

/// Where a run is that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Ready as soon as there is room for it, but not before this moment.
    Waiting { not_before: Option<Timestamp> },
    /// Not to be started until a person says so.
    Paused,
    /// It has a worker, and takes a slot.
    Live,
}

/// A run's claim to be next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    pub priority: i32,
    /// Place among equals; smaller is sooner.
    pub order: i64,
}

/// A run that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub claim: Claim,
    pub stage: Stage,
    pub needs: Needs,
    /// It starts when all of these have finished well.
    pub after: Vec<RunId>,
}

impl Entry {
    /// The run of this life, at this stage. One that was started once waits for nobody any more.
    pub fn of(life: &Life, stage: Stage) -> Self {
        let claim = Claim { priority: life.priority, order: life.order };
        let after = if life.attempts == 0 { life.after.clone() } else { Vec::new() };
        Entry { claim, stage, needs: life.needs, after }
    }
}

/// The runs that are not over, and the machine that they share.
#[derive(Debug, Clone)]
pub struct Queue {
    capacity: Capacity,
    entries: BTreeMap<RunId, Entry>,
    line: Line,
    shares: Shares,
    /// Those that finished well, of all runs that were ever told of.
    finished: BTreeSet<RunId>,
    /// The time that was last told.
    clock: Option<Timestamp>,
}

impl Queue {
    /// An empty queue.
    pub fn new(capacity: Capacity) -> Self {
        let (entries, line, shares) = Default::default();
        Queue { capacity, entries, line, shares, finished: BTreeSet::new(), clock: None }
    }

    /// What the machine has for runs.
    pub fn capacity(&self) -> &Capacity {
        &self.capacity
    }

    /// Changes the number of slots, at least one; runs that are live stay so, with the threads they have.
    pub fn set_slots(&mut self, slots: usize) {
        self.capacity.slots = slots.max(1);
    }

    /// Adds a run that waits or is paused, or puts a known one where `entry` says.
    pub fn put(&mut self, id: RunId, entry: Entry) {
        self.finished.remove(&id);
        self.take_out(id);
        self.shares.take_back(id);
        self.put_in(id, entry);
        self.look_again_after(id);
    }

    /// Takes up a run where its record says that it is. Those that it waits for come before it.
    pub fn take_up(&mut self, id: RunId, life: &Life) {
        match life.status {
            Status::Queued => self.put(id, Entry::of(life, Stage::Waiting { not_before: life.retry_at })),
            Status::Paused => self.put(id, Entry::of(life, Stage::Paused)),
            // A lost one is about to be tried again, or to have failed.
            Status::Starting | Status::Running | Status::Lost => {
                self.adopt(id, Entry::of(life, Stage::Live), life.gpu.clone());
            }
            Status::Finished => self.finished(id),
            Status::Failed | Status::Cancelled => self.remove(id),
        }
    }

    /// Adds a run that has a worker already, from another runner, and the GPU that it was given then.
    pub fn adopt(&mut self, id: RunId, entry: Entry, gpu: Option<String>) {
        let share = Share { threads: self.capacity.threads(), gpu, memory: entry.needs.memory };
        self.put(id, Entry { stage: Stage::Live, after: Vec::new(), ..entry });
        self.shares.give(id, share);
    }

    /// Forgets a run that finished well; those that wait for it may start.
    pub fn finished(&mut self, id: RunId) {
        self.remove(id);
        self.finished.insert(id);
        self.look_again_after(id);
    }

    /// Forgets a run that ended otherwise or was removed; those that wait for it never start ([`Queue::orphan`]).
    pub fn remove(&mut self, id: RunId) {
        self.take_out(id);
        self.shares.take_back(id);
        self.finished.remove(&id);
        self.look_again_after(id);
    }

    /// Where a run is; None when it is over or was never there.
    pub fn stage(&self, id: RunId) -> Option<Stage> {
        self.entries.get(&id).map(|entry| entry.stage)
    }

    /// A run that is not over.
    pub fn entry(&self, id: RunId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// What a live run has of the machine.
    pub fn share(&self, id: RunId) -> Option<&Share> {
        self.shares.of(id)
    }

    /// Moves a known run to another stage; one that is live gives back what it has.
    pub fn set_stage(&mut self, id: RunId, stage: Stage) {
        self.shares.take_back(id);
        self.change(id, |entry| entry.stage = stage);
    }

    /// Changes a known run's claim.
    pub fn set_claim(&mut self, id: RunId, claim: Claim) {
        self.change(id, |entry| entry.claim = claim);
    }

    /// Changes what a known run will need when it is started next.
    pub fn set_needs(&mut self, id: RunId, needs: Needs) {
        self.change(id, |entry| entry.needs = needs);
    }

    /// Takes the run that is to start now, if there is one and room for it; it is live from then on, with its share.
    pub fn take_next(&mut self, now: Timestamp) -> Option<(RunId, Share)> {
        self.tell(now);
        if self.shares.runs().len() >= self.capacity.slots {
            return None;
        }
        let (_, _, id) = self.line.first(self.shares.has_gpu(&self.capacity))?;
        let share = self.shares.offer(self.entries.get(&id)?.needs, &self.capacity)?;
        self.change(id, |entry| {
            entry.stage = Stage::Live;
            entry.after.clear();
        });
        self.shares.give(id, share.clone());
        Some((id, share))
    }

    /// Takes note of the time: whoever waited for a moment that has come is ready. A clock that was set back sets back the
    /// moments that are waited for, or a pause of seconds would become one of hours.
    fn tell(&mut self, now: Timestamp) {
        if let Some(back) = self.clock.map(|before| before.since(now)).filter(|back| !back.is_zero()) {
            for (time, id) in self.line.delayed() {
                let millis = i64::try_from(back.as_millis()).unwrap_or(i64::MAX);
                let earlier = Timestamp::from_millis(time.as_millis().saturating_sub(millis));
                self.change(id, |entry| entry.stage = Stage::Waiting { not_before: Some(earlier) });
            }
        }
        self.clock = Some(now);
        while let Some(id) = self.line.due(now) {
            self.change(id, |entry| entry.stage = Stage::Waiting { not_before: None });
        }
    }

    /// The next moment at which there may be something to do by itself: a waiting run becomes ready, or the end of an
    /// orphan, which could not be written down, is tried again.
    pub fn next_ready(&self, now: Timestamp) -> Option<Timestamp> {
        let again = self.line.orphan().map(|_| now.plus(WRITE_AGAIN));
        self.line.next_due().filter(|&time| time > now).into_iter().chain(again).min()
    }

    /// A run that can never start because one that it waits for did not finish well, and that one. It stays until it is
    /// removed, when those that wait for it follow.
    pub fn orphan(&self) -> Option<(RunId, RunId)> {
        let id = self.line.orphan()?;
        let lost = self.entries.get(&id)?.after.iter().find(|&&awaited| self.is_lost(awaited))?;
        Some((id, *lost))
    }

    /// The runs that have not started and wait for `id`, or waited until it finished.
    pub fn dependants(&self, id: RunId) -> Vec<RunId> {
        self.line.dependants(id)
    }

    /// Whether none will start by itself as long as none is live.
    pub fn is_at_rest(&self) -> bool {
        self.line.is_at_rest()
    }

    /// The waiting runs, the next one first.
    pub fn waiting(&self) -> Vec<RunId> {
        self.in_line(|stage| matches!(stage, Stage::Waiting { .. }))
    }

    /// The paused runs, in the order in which they would wait.
    pub fn paused(&self) -> Vec<RunId> {
        self.in_line(|stage| stage == Stage::Paused)
    }

    /// The runs that have a worker, by number.
    pub fn live(&self) -> impl ExactSizeIterator<Item = RunId> {
        self.shares.runs()
    }

    /// Bytes of main memory that are kept for the live runs together.
    pub fn memory_kept(&self) -> u64 {
        self.shares.memory()
    }

    fn in_line(&self, is_meant: impl Fn(Stage) -> bool) -> Vec<RunId> {
        self.line.all().filter(|&id| self.stage(id).is_some_and(&is_meant)).collect()
    }

    fn change(&mut self, id: RunId, act: impl FnOnce(&mut Entry)) {
        if let Some(mut entry) = self.take_out(id) {
            act(&mut entry);
            self.put_in(id, entry);
        }
    }

    fn put_in(&mut self, id: RunId, entry: Entry) {
        self.line.put(rank(id, &entry), self.spot(&entry), &entry);
        self.entries.insert(id, entry);
    }

    fn take_out(&mut self, id: RunId) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        self.line.remove(rank(id, &entry), &entry);
        Some(entry)
    }

    /// Those that wait for `id` may have become ready, or have nothing to wait for any more.
    fn look_again_after(&mut self, id: RunId) {
        for dependant in self.line.dependants(id) {
            self.change(dependant, |_| {});
        }
    }

    fn spot(&self, entry: &Entry) -> Spot {
        match entry.stage {
            Stage::Live => Spot::Live,
            _ if entry.after.iter().any(|&awaited| self.is_lost(awaited)) => Spot::Orphaned,
            Stage::Paused => Spot::Resting,
            Stage::Waiting { .. } if !entry.after.iter().all(|awaited| self.finished.contains(awaited)) => {
                Spot::Resting
            }
            Stage::Waiting { not_before: Some(time) } => Spot::Delayed(time),
            Stage::Waiting { not_before: None } => Spot::Ready,
        }
    }

    /// Whether a run will not finish: it did not, and is not here to do so.
    fn is_lost(&self, id: RunId) -> bool {
        !self.finished.contains(&id) && !self.entries.contains_key(&id)
    }
}

fn rank(id: RunId, entry: &Entry) -> Rank {
    (std::cmp::Reverse(entry.claim.priority), entry.claim.order, id)
}
