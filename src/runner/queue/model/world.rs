//! The world in which the queue's core is tried: what a daemon, its supervisors and their workers do, without any of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::*;
use super::{End, Step};
use crate::record::RunState;
use crate::record::event::Line;
use crate::record::life::{Cause, ExecutorKind, Exited, LifeEvent, Outcome};
use crate::record::state::Status;
use crate::record::state::tests::assert_legal;

/// What is wished of a live run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Pause,
    Cancel,
}

/// The world: what would be on the disk, and what lives.
pub(super) struct World {
    pub queue: Queue,
    pub record: BTreeMap<RunId, RunState>,
    pub workers: BTreeMap<RunId, Option<Wish>>,
    attempts: BTreeSet<(RunId, u32)>,
    next_id: u32,
    /// The wall clock, which may be set, in milliseconds.
    wall: i64,
    /// Time that really passed, in milliseconds, and until when a run may be made to wait at the latest.
    pub passed: u64,
    pub due: BTreeMap<RunId, u64>,
}

pub(super) fn capacity(runs_per_gpu: usize) -> Capacity {
    Capacity { memory: Some(10), gpus: vec!["0".into(), "1".into()], runs_per_gpu, ..Capacity::new(3, 8) }
}

impl World {
    pub fn new(runs_per_gpu: usize) -> Self {
        let (record, workers, attempts, due) = Default::default();
        World {
            queue: Queue::new(capacity(runs_per_gpu)),
            record,
            workers,
            attempts,
            next_id: 1,
            wall: 1 << 40,
            passed: 0,
            due,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.wall)
    }

    pub fn life(&self, id: RunId) -> &Life {
        &self.record[&id].life
    }

    /// Appends to a run's record; the fold of every prefix must be a legal state.
    fn write(&mut self, id: RunId, events: impl IntoIterator<Item = LifeEvent>) {
        let time = self.now();
        let run = self.record.get_mut(&id).expect("a run of the store");
        for event in events {
            run.life(Line { seq: 0, time, event });
            assert_legal(run);
        }
    }

    fn exited(&self, id: RunId, outcome: Outcome, cause: Cause) -> LifeEvent {
        let attempt = self.life(id).attempts;
        LifeEvent::Exited(Exited { attempt, outcome, cause, exit_code: None, signal: None, message: None })
    }

    fn run(&self, index: usize) -> Option<RunId> {
        self.record.keys().copied().nth(index % self.record.len().max(1))
    }

    pub fn take(&mut self, step: Step) {
        match step {
            Step::Add { priority, needs, after, paused } => self.add(priority, needs, &after, paused),
            Step::Slots(slots) => self.queue.set_slots(slots),
            Step::RunnerDies => self.another_runner(),
            Step::TimePasses(seconds) => {
                self.passed += seconds * 1000;
                self.wall += seconds as i64 * 1000;
            }
            Step::ClockJumps(seconds) => self.wall += seconds * 1000,
            Step::WorkerEnds(index, end) => {
                let live: Vec<RunId> = self.workers.keys().copied().collect();
                if let Some(&id) = live.get(index % live.len().max(1)) {
                    self.worker_ends(id, end);
                }
            }
            Step::Cancel(index) => self.with(index, World::cancel),
            Step::Pause(index) => self.with(index, World::pause),
            Step::Resume(index) => self.with(index, World::resume),
            Step::Retry(index) => self.with(index, World::retry),
            Step::Remove(index) => self.with(index, World::remove),
            Step::Priority(index, priority) => self.with(index, |world, id| world.prioritize(id, priority)),
            Step::Move(index, before) => {
                let before = before.and_then(|index| self.run(index));
                self.with(index, |world, id| world.place(id, before));
            }
            Step::Edit(index, needs) => self.with(index, |world, id| world.edit(id, needs)),
        }
    }

    fn with(&mut self, index: usize, act: impl FnOnce(&mut World, RunId)) {
        if let Some(id) = self.run(index) {
            act(self, id);
        }
    }

    fn add(&mut self, priority: i32, needs: Needs, after: &[usize], paused: bool) {
        let wanted = after.iter().filter_map(|&index| self.run(index));
        let can_come = |id: &RunId| !matches!(self.life(*id).status, Status::Failed | Status::Cancelled);
        let after: Vec<RunId> = wanted.filter(can_come).collect();
        let id = RunId(self.next_id);
        self.next_id += 1;
        self.record.insert(id, RunState::new(id, "x".into()));
        let queued = LifeEvent::Queued { name: "x".into(), priority, group: None, after, needs };
        self.write(id, std::iter::once(queued).chain(paused.then_some(LifeEvent::Paused)));
        let life = self.record[&id].life.clone();
        self.queue.take_up(id, &life);
    }

    fn cancel(&mut self, id: RunId) {
        match self.queue.stage(id) {
            Some(Stage::Live) => {
                self.write(id, [LifeEvent::CancelRequested]);
                self.workers.insert(id, Some(Wish::Cancel));
            }
            Some(_) => {
                let exited = self.exited(id, Outcome::Cancelled, Cause::User);
                self.write(id, [LifeEvent::CancelRequested, exited]);
                self.queue.remove(id);
            }
            None => {}
        }
    }

    fn pause(&mut self, id: RunId) {
        match self.queue.stage(id) {
            Some(Stage::Live) if self.workers[&id].is_none() => {
                self.write(id, [LifeEvent::PauseRequested]);
                self.workers.insert(id, Some(Wish::Pause));
            }
            Some(Stage::Waiting { .. }) => {
                self.write(id, [LifeEvent::Paused]);
                self.queue.set_stage(id, Stage::Paused);
            }
            _ => {}
        }
    }

    fn resume(&mut self, id: RunId) {
        if self.queue.stage(id) == Some(Stage::Paused) {
            self.write(id, [LifeEvent::Resumed]);
            self.queue.set_stage(id, Stage::Waiting { not_before: None });
            self.due.remove(&id);
        }
    }

    fn retry(&mut self, id: RunId) {
        let can_wait = |other: &RunId| {
            self.queue.entry(*other).is_some()
                || self.record.get(other).is_some_and(|run| run.life.status == Status::Finished)
        };
        let entry = Entry::of(self.life(id), Stage::Waiting { not_before: None });
        let is_open = match (self.queue.stage(id), self.life(id).status) {
            (Some(Stage::Waiting { not_before }), _) => not_before.is_some(),
            (None, Status::Failed | Status::Cancelled) => entry.after.iter().all(can_wait),
            _ => false,
        };
        if is_open {
            self.write(id, [LifeEvent::Resumed]);
            self.queue.put(id, entry);
            self.due.remove(&id);
        }
    }

    fn remove(&mut self, id: RunId) {
        if self.queue.stage(id) != Some(Stage::Live) {
            self.record.remove(&id);
            self.queue.remove(id);
        }
    }

    fn prioritize(&mut self, id: RunId, priority: i32) {
        if let Some(claim) = self.queue.entry(id).map(|entry| entry.claim) {
            self.write(id, [LifeEvent::Prioritized { priority }]);
            self.queue.set_claim(id, Claim { priority, ..claim });
        }
    }

    fn place(&mut self, id: RunId, before: Option<RunId>) {
        for (id, order) in self.queue.orders_before(id, before) {
            let claim = self.queue.entry(id).expect("it is in line").claim;
            self.write(id, [LifeEvent::Moved { order }]);
            self.queue.set_claim(id, Claim { order, ..claim });
        }
    }

    fn edit(&mut self, id: RunId, needs: Needs) {
        if matches!(self.queue.stage(id), Some(Stage::Waiting { .. } | Stage::Paused)) {
            self.write(id, [LifeEvent::Edited { needs }]);
            self.queue.set_needs(id, needs);
        }
    }

    /// What a supervisor writes and says of its worker's end.
    fn worker_ends(&mut self, id: RunId, end: End) {
        let wish = self.workers.remove(&id).expect("a worker");
        let again = |seconds| LifeEvent::RetryScheduled { attempt: self.life(id).attempts + 1, after_s: seconds };
        let (outcome, cause, after) = match (end, wish) {
            (End::Finished, _) => (Outcome::Finished, Cause::Completed, None),
            (_, Some(Wish::Cancel)) => (Outcome::Cancelled, Cause::User, None),
            (End::Failed, _) => (Outcome::Failed, Cause::Diverged, None),
            (_, Some(Wish::Pause)) => (Outcome::Paused, Cause::User, None),
            (End::Crashed(after), None) => (Outcome::Failed, Cause::Crashed, Some(after)),
            (End::Lost(after), None) => (Outcome::Lost, Cause::WorkerGone, Some(after)),
        };
        let exited = self.exited(id, outcome, cause);
        let events: Vec<_> = std::iter::once(exited).chain(after.map(again)).collect();
        self.write(id, events);
        match (outcome, after) {
            (_, Some(seconds)) => {
                let time = self.now().plus(Duration::from_secs(seconds));
                self.queue.set_stage(id, Stage::Waiting { not_before: Some(time) });
                self.due.insert(id, self.passed + seconds * 1000);
            }
            (Outcome::Paused, _) => self.queue.set_stage(id, Stage::Paused),
            (Outcome::Finished, _) => self.queue.finished(id),
            _ => self.queue.remove(id),
        }
    }

    /// A runner that has nothing but the record; the workers live on.
    fn another_runner(&mut self) {
        self.queue = Queue::new(self.queue.capacity().clone());
        self.record.iter().for_each(|(&id, run)| self.queue.take_up(id, &run.life));
        // What it knows of time is what is written down.
        for (id, due) in &mut self.due {
            let at = self.record.get(id).and_then(|run| run.life.retry_at);
            let left = at.map_or(Duration::ZERO, |at| at.since(Timestamp::from_millis(self.wall)));
            *due = self.passed + left.as_millis() as u64;
        }
    }

    /// What the runner does after everything that happens.
    pub fn settle(&mut self) {
        while let Some((id, lost)) = self.queue.orphan() {
            assert!(self.life(id).after.contains(&lost) && !self.has_finished(lost));
            let exited = self.exited(id, Outcome::Cancelled, Cause::Dependency);
            self.write(id, [exited]);
            self.queue.remove(id);
        }
        loop {
            let before = self.queue.clone();
            let Some((id, share)) = self.queue.take_next(self.now()) else { return };
            self.start(&before, id, &share);
        }
    }

    pub fn has_finished(&self, id: RunId) -> bool {
        self.record.get(&id).is_some_and(|run| run.life.status == Status::Finished)
    }

    fn start(&mut self, before: &Queue, id: RunId, share: &Share) {
        let capacity = before.capacity();
        assert!(before.live().len() < capacity.slots, "more than there are slots");
        assert!(share.threads * capacity.slots <= capacity.cores.max(capacity.slots));
        let life = self.life(id).clone();
        assert_eq!(life.status, Status::Queued);
        assert!(life.attempts > 0 || life.after.iter().all(|&other| self.has_finished(other)), "{id} starts early");
        assert_eq!(share.memory, life.needs.memory);
        assert!(before.live().len() == 0 || before.memory_kept() + share.memory <= 10, "memory is overbooked");
        assert_eq!(share.gpu.is_some(), life.needs.gpu);
        let attempt = life.attempts + 1;
        assert!(self.attempts.insert((id, attempt)), "attempt {attempt} at {id} is started twice");
        assert!(self.workers.insert(id, None).is_none(), "{id} has a worker already");
        let (executor, host) = (ExecutorKind::Local, String::new());
        let gpu = share.gpu.clone();
        self.write(id, [LifeEvent::Started { attempt, executor, process: None, job_id: None, host, gpu }]);
        self.due.remove(&id);
    }
}
