//! The runs of a store, kept up to date: all in short, and whole those that are live or asked for.
//!
//! Invariants: what is said to be new is what differs from what was said before; a run whose logs look as they did is not
//! read; one that cannot be read stays as it was.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

pub(super) use self::source::Source;
pub use self::source::{load, load_life};
use super::error::Error;
use super::listing::{self, Entry};
use super::run_dir::RunDir;
use super::runner_log::RunnerLog;
use super::seen::Seen;
use super::state::RunState;
use super::store::{Listed, Store};
use super::summary::Row;
use super::watch::Changes;
use crate::base::id::RunId;

/// Of the runs that are over only the runner tells when they change; for what else may change them, so many are looked at in
/// turn with each tick, and the newest with every one.
const IN_TURN: usize = 80;
const NEWEST: usize = 40;

/// The runs of a store.
#[derive(Debug)]
pub struct StoreView {
    store: Store,
    /// All runs.
    pub rows: BTreeMap<RunId, Arc<Row>>,
    /// Those that are live or asked for. Shared with whoever shows them; what goes on meanwhile goes on in a copy, which
    /// shares all that grows.
    pub whole: BTreeMap<RunId, Arc<RunState>>,
    /// Why the store could not be listed, if it could not.
    pub problem: Option<Error>,
    folders: Folders,
    told: RunnerLog,
    /// Of those that are whole.
    sources: BTreeMap<RunId, Source>,
    wanted: BTreeSet<RunId>,
    /// Those that a worker may be writing to.
    live: BTreeSet<RunId>,
}

/// The runs' folders, and which of them may change.
#[derive(Debug)]
struct Folders {
    /// When the store's folder was listed; None before it was.
    listed: Option<Listed>,
    /// With what `run.jsonl` looked like when it was read.
    known: BTreeMap<RunId, (RunDir, Option<Seen>)>,
    /// Those of runs that are not over or asked for.
    restless: BTreeSet<RunId>,
    /// The run up to which the others were looked at in their turn.
    turn: RunId,
    /// Whether these are others than when they were told last.
    are_others: bool,
}

impl Default for Folders {
    fn default() -> Self {
        let (listed, known, restless, turn) = (None, BTreeMap::new(), BTreeSet::new(), RunId(0));
        Folders { listed, known, restless, turn, are_others: false }
    }
}

impl Folders {
    /// Those that may change, the newest, and of the others the next in turn: looking at ten thousand at once would be all that a
    /// dashboard does while nothing runs.
    fn next_in_turn(&mut self) -> BTreeSet<RunId> {
        let after = self.known.range((Bound::Excluded(self.turn), Bound::Unbounded)).take(IN_TURN);
        let mut ids: BTreeSet<RunId> = after.map(|(&id, _)| id).collect();
        self.turn = ids.last().copied().filter(|_| ids.len() == IN_TURN).unwrap_or(RunId(0));
        ids.extend(self.known.keys().rev().take(NEWEST));
        ids.extend(&self.restless);
        ids
    }
}

/// What is new in a store since it was looked at last.
#[derive(Debug, Clone, Default)]
pub struct Delta {
    /// Runs that are new or changed, in short; where one is there twice, the last counts.
    pub rows: Vec<Arc<Row>>,
    /// Runs that are no longer there.
    pub gone: Vec<RunId>,
    /// Of those that are read whole, the ones that are new or changed. One that ended and is not asked for comes a last
    /// time here, and is read whole no longer.
    pub whole: Vec<Arc<RunState>>,
    /// That the store can be listed again, or why it cannot be any more, where that is the news.
    pub listed: Option<Result<(), String>>,
}

impl Delta {
    /// Whether nothing is new.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.gone.is_empty() && self.whole.is_empty() && self.listed.is_none()
    }
}

impl StoreView {
    /// A view of `store` that has read nothing yet.
    pub fn new(store: Store) -> Self {
        StoreView {
            told: RunnerLog::from_now(store.runner_log()),
            store,
            rows: BTreeMap::new(),
            whole: BTreeMap::new(),
            problem: None,
            folders: Folders::default(),
            sources: BTreeMap::new(),
            wanted: BTreeSet::new(),
            live: BTreeSet::new(),
        }
    }

    /// The store that is viewed.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The folder of a run.
    pub fn dir(&self, id: RunId) -> Option<&RunDir> {
        self.folders.known.get(&id).map(|(dir, _)| dir)
    }

    /// From the next refresh on, reads these runs whole, and besides them the live ones alone.
    pub fn want(&mut self, ids: BTreeSet<RunId>) {
        let others: Vec<RunId> = self.wanted.symmetric_difference(&ids).copied().collect();
        self.wanted = ids;
        others.into_iter().for_each(|id| self.settle(id));
    }

    /// The folders in which something may still change by itself, or is asked for; None where they are the same as when
    /// they were asked for last.
    pub fn restless(&mut self) -> Option<Vec<PathBuf>> {
        let folders = &mut self.folders;
        let dir = |id| folders.known.get(id).map(|(dir, _): &(RunDir, _)| dir.path().to_owned());
        std::mem::take(&mut folders.are_others).then(|| folders.restless.iter().filter_map(dir).collect())
    }

    /// Reads what may have changed, and what is new or asked for; what differs from before.
    pub fn refresh(&mut self, changes: &Changes) -> Delta {
        let mut delta = Delta::default();
        if let Err(problem) = self.list(&mut delta) {
            let is_news = self.problem.is_none();
            delta.listed = is_news.then(|| Err(problem.to_string()));
            self.problem = Some(problem);
            return delta;
        }
        delta.listed = self.problem.take().map(|_| Ok(()));
        self.look(changes, &mut delta);
        self.make_whole(&mut delta);
        delta
    }

    /// Takes up new folders and forgets those that are gone, where the store's folder changed.
    fn list(&mut self, delta: &mut Delta) -> Result<(), Error> {
        if self.folders.listed.as_ref().is_some_and(|listed| listed.is_still(self.store.root())) {
            return Ok(());
        }
        let listed = Listed::now(self.store.root());
        let new = if self.folders.listed.is_none() {
            listing::entries(&self.store)?
        } else {
            let dirs = self.store.runs()?;
            self.forget_all_but(&dirs, delta);
            let is_new = |dir: &RunDir| !self.folders.known.contains_key(&dir.id());
            dirs.into_par_iter().filter(is_new).map(listing::read).collect()
        };
        new.into_iter().for_each(|entry| self.take(entry, delta));
        self.folders.listed = Some(listed);
        Ok(())
    }

    fn forget_all_but(&mut self, dirs: &[RunDir], delta: &mut Delta) {
        let is_there = |known: &RunDir| {
            let at = dirs.binary_search_by_key(&known.id(), |dir| dir.id());
            at.is_ok_and(|at| dirs[at] == *known)
        };
        let known = self.folders.known.iter();
        let gone: Vec<RunId> = known.filter(|(_, (dir, _))| !is_there(dir)).map(|(&id, _)| id).collect();
        for &id in &gone {
            self.folders.known.remove(&id);
            self.rows.remove(&id);
            self.whole.remove(&id);
            self.sources.remove(&id);
            self.settle(id);
        }
        delta.gone.extend(gone);
    }

    /// Reads those of the runs that may have changed whose logs look otherwise than before.
    fn look(&mut self, changes: &Changes, delta: &mut Delta) {
        let mut changes = changes.clone();
        changes.add(self.told.news());
        let in_turn = if let Changes::Tick(_) = changes { self.folders.next_in_turn() } else { BTreeSet::new() };
        let ids: Vec<RunId> = match &changes {
            Changes::All => self.folders.known.keys().copied().collect(),
            Changes::Runs(ids) | Changes::Tick(ids) => {
                ids.union(&in_turn).copied().filter(|id| self.folders.known.contains_key(id)).collect()
            }
        };
        let (whole, short): (Vec<RunId>, Vec<RunId>) = ids.into_iter().partition(|id| self.sources.contains_key(id));
        for id in whole {
            let (Some(source), Some(run)) = (self.sources.get_mut(&id), self.whole.get_mut(&id)) else { continue };
            if source.read_into(run) {
                delta.whole.push(Arc::clone(run));
                let (row, [life, _]) = (Row::new(run, source.dir().path()), source.seen());
                self.put(row, life, delta);
            }
        }
        if short.is_empty() {
            return;
        }
        let Ok(root) = File::open(self.store.root()) else { return };
        let is_other = |id: &RunId| {
            let known = self.folders.known.get(id);
            let known = known.filter(|(dir, seen)| Seen::below(&root, dir.below_store(&dir.run_log())) != *seen);
            known.map(|(dir, _)| dir.clone())
        };
        let others: Vec<RunDir> = short.iter().filter_map(is_other).collect();
        let read: Vec<Entry> = others.into_par_iter().map(listing::read).collect();
        read.into_iter().for_each(|entry| self.take(entry, delta));
    }

    /// Reads those whole that are to be and are not, and lets go of the others.
    fn make_whole(&mut self, delta: &mut Delta) {
        let is_asked = |id: &RunId| self.live.contains(id) || self.wanted.contains(id);
        self.sources.retain(|id, _| is_asked(id));
        self.whole.retain(|id, _| is_asked(id));
        let missing = self.live.union(&self.wanted).filter(|id| !self.sources.contains_key(id));
        let dirs: Vec<RunDir> = missing.filter_map(|&id| self.dir(id).cloned()).collect();
        let read: Vec<_> = dirs.into_par_iter().map(Source::read).collect();
        for (source, run) in read {
            self.put(Row::new(&run, source.dir().path()), source.seen()[0], delta);
            self.add(source, run, delta);
        }
    }

    /// Takes a run that was read for its row.
    fn take(&mut self, entry: Entry, delta: &mut Delta) {
        let Entry { dir, row, life, whole } = entry;
        let id = dir.id();
        self.folders.known.insert(id, (dir, life));
        self.put(row, life, delta);
        if let Some((source, run)) = whole.filter(|_| self.live.contains(&id)) {
            self.add(source, run, delta);
        }
    }

    fn add(&mut self, source: Source, run: Arc<RunState>, delta: &mut Delta) {
        delta.whole.push(Arc::clone(&run));
        self.sources.insert(run.id, source);
        self.whole.insert(run.id, run);
    }

    /// Takes a run's row, made of a life that looked so.
    fn put(&mut self, row: Row, life: Option<Seen>, delta: &mut Delta) {
        let id = row.id;
        if let Some((_, seen)) = self.folders.known.get_mut(&id) {
            *seen = life;
        }
        if self.rows.get(&id).is_some_and(|before| **before == row) {
            return;
        }
        let row = Arc::new(row);
        delta.rows.push(Arc::clone(&row));
        self.rows.insert(id, row);
        self.settle(id);
    }

    /// Puts a run among those that are live and those that may change, or takes it from there.
    fn settle(&mut self, id: RunId) {
        let row = self.rows.get(&id);
        if row.is_some_and(|row| listing::has_worker(row.state)) {
            self.live.insert(id);
        } else {
            self.live.remove(&id);
        }
        let is_restless = row.is_some_and(|row| !row.state.is_over() || self.wanted.contains(&id));
        let folders = &mut self.folders;
        folders.are_others |= if is_restless { folders.restless.insert(id) } else { folders.restless.remove(&id) };
    }
}

#[cfg(test)]
mod tests;
