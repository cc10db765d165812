//! The state of a live runner: its queue, and the supervisors of its live runs.
//!
//! Invariants: what a request changes is on the disk before it is in the queue; a run that is live in the queue has a
//! supervisor.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};

use super::chores::Chores;
use super::dirs::Dirs;
use super::log::Log;
use super::options::Rules;
use super::outcome::Wish;
use super::queue::capacity::{Capacity, Share};
use super::queue::{Queue, Stage};
use super::supervisor::{Next, Supervisor};
use crate::base::clock::{self, Timestamp};
use crate::base::durable;
use crate::base::id::RunId;
use crate::record::life::{ExecutorKind, Outcome, ProcessId};
use crate::record::{RunDir, Store, view};

/// A runner at work.
#[derive(Debug)]
pub struct Daemon {
    pub(super) store: Store,
    pub(super) queue: Queue,
    pub(super) dirs: Dirs,
    pub(super) log: Log,
    pub(super) since: Timestamp,
    /// No run is started any more; the runner ends when none is live.
    pub(super) stopping: bool,
    rules: Arc<Rules>,
    live: BTreeMap<RunId, Live>,
    supervisors: JoinSet<Next>,
    pub(super) chores: Chores,
}

/// A run with a supervisor.
#[derive(Debug)]
struct Live {
    dir: RunDir,
    wish: watch::Sender<Wish>,
    task: Id,
    /// Its folder goes when it has ended.
    is_doomed: bool,
}

impl Daemon {
    /// A runner of `store` that knows of no run yet.
    pub fn new(store: Store, capacity: Capacity, rules: Rules, log: Log) -> Self {
        Daemon {
            store,
            queue: Queue::new(capacity),
            dirs: Dirs::default(),
            log,
            since: clock::now(),
            stopping: false,
            rules: Arc::new(rules),
            live: BTreeMap::new(),
            supervisors: JoinSet::new(),
            chores: Chores::default(),
        }
    }

    /// Starts what may start now, and ends what never can.
    pub fn start_ready(&mut self) {
        while !self.stopping {
            self.end_orphans();
            let Some((id, share)) = self.queue.take_next(clock::now()) else { return };
            match self.dir(id) {
                Some(dir) => self.start(dir, share),
                None => {
                    self.log.line(&format!("run {id} is gone"));
                    self.queue.remove(id);
                }
            }
        }
    }

    fn start(&mut self, dir: RunDir, share: Share) {
        let attempt = view::load_life(&dir).life.attempts.saturating_add(1);
        self.log.line(&format!("{}: attempt {attempt}", dir.folder_name()));
        self.supervise(dir, attempt, Wish::Run, |supervisor| supervisor.start(share));
    }

    /// Takes over a run that was live under another runner.
    pub(super) fn adopt(&mut self, dir: RunDir, attempt: u32, known: Option<ProcessId>, wish: Wish) {
        self.log.line(&format!("{}: attempt {attempt} taken over", dir.folder_name()));
        self.supervise(dir, attempt, wish, |supervisor| supervisor.adopt(known));
    }

    fn supervise<F>(&mut self, dir: RunDir, attempt: u32, wish: Wish, work: impl FnOnce(Supervisor) -> F)
    where
        F: Future<Output = Next> + Send + 'static,
    {
        let (sender, receiver) = watch::channel(wish);
        let (rules, log) = (self.rules.clone(), self.log.clone());
        let executor = Some(ExecutorKind::Local);
        let supervisor = Supervisor { dir: dir.clone(), attempt, executor, rules, wish: receiver, log };
        let task = self.supervisors.spawn(work(supervisor)).id();
        self.live.insert(dir.id(), Live { dir, wish: sender, task, is_doomed: false });
    }

    /// Waits until a supervisor is done, and puts its run where it belongs. Never returns while there is none.
    pub async fn one_ended(&mut self) {
        match self.supervisors.join_next_with_id().await {
            Some(Ok((task, next))) => self.ended(task, Ok(next)),
            Some(Err(error)) => self.ended(error.id(), Err(error)),
            None => std::future::pending().await,
        }
    }

    fn ended(&mut self, task: Id, next: Result<Next, JoinError>) {
        let Some(id) = self.live.iter().find(|(_, live)| live.task == task).map(|(&id, _)| id) else { return };
        let Some(live) = self.live.remove(&id) else { return };
        if live.is_doomed {
            self.queue.remove(id);
            return self.remove_files(&live.dir);
        }
        match next {
            Ok(Next::Over(outcome)) => {
                match outcome {
                    Outcome::Finished => self.queue.finished(id),
                    _ => self.queue.remove(id),
                }
                self.chores.keep_summary(live.dir, self.log.clone());
            }
            Ok(Next::Again(time)) => self.queue.set_stage(id, Stage::Waiting { not_before: Some(time) }),
            Ok(Next::Paused) => self.queue.set_stage(id, Stage::Paused),
            Err(error) => {
                self.log.line(&format!("run {id}: its supervisor failed: {error}"));
                self.queue.remove(id);
            }
        }
    }

    fn remove_files(&mut self, dir: &RunDir) {
        self.dirs.forget(dir.id());
        if let Err(error) = durable::remove_dir_all(dir.path()) {
            self.log.line(&error.to_string());
        }
    }

    /// Keeps what the record of a run that is over amounts to.
    pub(super) fn keep_summary(&mut self, dir: &RunDir) {
        self.chores.keep_summary(dir.clone(), self.log.clone());
    }

    /// What is wished of a live run.
    pub(super) fn wished(&self, id: RunId) -> Option<Wish> {
        self.live.get(&id).map(|live| *live.wish.borrow())
    }

    /// Makes a live run's wish at least `wish`.
    pub(super) fn wish(&self, id: RunId, wish: Wish) {
        if let Some(live) = self.live.get(&id) {
            live.wish.send_if_modified(|current| {
                let is_more = wish > *current;
                *current = wish.max(*current);
                is_more
            });
        }
    }

    /// Makes a live run's files go when it has ended.
    pub(super) fn doom(&mut self, id: RunId) {
        if let Some(live) = self.live.get_mut(&id) {
            live.is_doomed = true;
        }
    }

    /// Starts no more; with `now`, the live runs are stopped at a checkpoint.
    pub fn stop_runs(&mut self, now: bool) {
        self.stopping = true;
        if now {
            self.live.keys().for_each(|&id| self.wish(id, Wish::Stop));
        }
    }

    /// Whether it was asked to end, and nothing is left that it waits for.
    pub fn is_done(&self) -> bool {
        self.stopping && self.live.is_empty()
    }

    /// Whether there is nothing to do, now or later, unless somebody asks.
    pub fn is_idle(&self) -> bool {
        self.live.is_empty() && self.queue.is_at_rest()
    }

    /// The folder of a run.
    pub(super) fn dir(&mut self, id: RunId) -> Option<RunDir> {
        self.dirs.find(id, &self.store)
    }
}
