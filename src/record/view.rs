//! All runs of a store, folded and kept up to date.
//!
//! Invariant: a run's life is read before its training, and the runner writes an end after the worker's last line; so
//! a run that is over here was read to its end, and only its life is looked at from then on.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::error::Error;
use super::event::Event;
use super::life::LifeEvent;
use super::run_dir::RunDir;
use super::seen::Seen;
use super::state::{RunState, Training};
use super::store::Store;
use super::summary::Row;
use super::tail::Tail;
use crate::base::id::RunId;

/// The runs of a store. [`StoreView::refresh`] reads what was added since, at one `stat` or two for each run.
#[derive(Debug)]
pub struct StoreView {
    store: Store,
    /// Shared with whoever shows them; a run that goes on while it is shown is copied first.
    pub runs: BTreeMap<RunId, Arc<RunState>>,
    sources: BTreeMap<RunId, Source>,
    /// Why the store could not be listed, if it could not.
    pub problem: Option<Error>,
}

/// What is new in a store since it was looked at last.
#[derive(Debug, Clone, Default)]
pub struct Delta {
    /// Runs that are new or changed, in short.
    pub rows: Vec<Arc<Row>>,
    /// Runs that are no longer there.
    pub gone: Vec<RunId>,
    /// Of those that are read whole, the ones that changed.
    pub whole: Vec<Arc<RunState>>,
    /// Why the store could not be listed, where that is the news.
    pub problem: Option<String>,
}

impl StoreView {
    /// A view of `store` that has read all there is.
    pub fn open(store: Store) -> Self {
        let mut view = StoreView { store, runs: BTreeMap::new(), sources: BTreeMap::new(), problem: None };
        view.refresh();
        view
    }

    /// The store that is viewed.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The folder of a run.
    pub fn dir(&self, id: RunId) -> Option<&RunDir> {
        self.sources.get(&id).map(|source| &source.dir)
    }

    /// Reads what was added; whether anything changed. A run that cannot be read stays as it was.
    pub fn refresh(&mut self) -> bool {
        let dirs = match self.store.runs() {
            Ok(dirs) => dirs,
            Err(problem) => return self.problem.replace(problem).is_none(),
        };
        let mut changed = self.problem.take().is_some() | self.forget_all_but(&dirs);
        for (id, source) in &mut self.sources {
            changed |= self.runs.get_mut(id).is_some_and(|state| source.read_into(state));
        }
        let new = dirs.into_iter().filter(|dir| !self.sources.contains_key(&dir.id()));
        // Each is read on its own: ten thousand are, when a store is opened.
        let read: Vec<_> = new.collect::<Vec<_>>().into_par_iter().map(Source::read).collect();
        changed |= !read.is_empty();
        for (source, state) in read {
            self.runs.insert(state.id, state);
            self.sources.insert(source.dir.id(), source);
        }
        changed
    }

    fn forget_all_but(&mut self, dirs: &[RunDir]) -> bool {
        let before = self.sources.len();
        let is_there = |source: &Source| {
            let at = dirs.binary_search_by_key(&source.dir.id(), |dir| dir.id());
            at.is_ok_and(|at| dirs[at] == source.dir)
        };
        self.sources.retain(|_, source| is_there(source));
        self.runs.retain(|id, _| self.sources.contains_key(id));
        self.sources.len() != before
    }
}

/// Reads the life of a run alone, which is short, and nothing of its training.
pub fn load_life(dir: &RunDir) -> RunState {
    let mut state = Arc::new(RunState::new(dir.id(), dir.name().to_owned()));
    Source::new(dir.clone()).read_life(&mut state);
    Arc::unwrap_or_clone(state)
}

/// Reads one run as it stands.
pub fn load(dir: &RunDir) -> RunState {
    load_seen(dir).run
}

/// A run, and what its logs looked like when it was read.
#[derive(Debug)]
pub struct Read {
    pub run: RunState,
    pub life: Option<Seen>,
    pub training: Option<Seen>,
}

/// Reads one run as it stands, and remembers of what.
pub fn load_seen(dir: &RunDir) -> Read {
    let (source, state) = Source::read(dir.clone());
    Read { run: Arc::unwrap_or_clone(state), life: source.life.seen(), training: source.training.seen() }
}

/// The two logs of a run, each at its place.
#[derive(Debug)]
struct Source {
    dir: RunDir,
    life: Tail<LifeEvent>,
    training: Tail<Event>,
    is_complete: bool,
}

impl Source {
    fn new(dir: RunDir) -> Self {
        let (life, training) = (Tail::new(dir.run_log()), Tail::new(dir.events()));
        Source { dir, life, training, is_complete: false }
    }

    /// A run as it stands, and the places in its logs.
    fn read(dir: RunDir) -> (Source, Arc<RunState>) {
        let mut state = Arc::new(RunState::new(dir.id(), dir.name().to_owned()));
        let mut source = Source::new(dir);
        source.read_into(&mut state);
        (source, state)
    }

    /// Folds what is new into `state`; whether anything was.
    fn read_into(&mut self, state: &mut Arc<RunState>) -> bool {
        let life_changed = self.read_life(state);
        if self.is_complete && !life_changed {
            return false;
        }
        let training_changed = self.read_training(state);
        self.is_complete = state.life.status.is_over();
        life_changed | training_changed
    }

    fn read_life(&mut self, state: &mut Arc<RunState>) -> bool {
        let Ok(news) = self.life.read() else { return false };
        if news.is_empty() {
            return false;
        }
        let state = Arc::make_mut(state);
        if news.restarted {
            let training = std::mem::take(&mut state.training);
            *state = RunState { training, ..RunState::new(self.dir.id(), self.dir.name().to_owned()) };
        }
        news.lines.into_iter().for_each(|line| state.life(line));
        true
    }

    fn read_training(&mut self, state: &mut Arc<RunState>) -> bool {
        let Ok(news) = self.training.read() else { return false };
        if news.is_empty() {
            return false;
        }
        let state = Arc::make_mut(state);
        if news.restarted {
            state.training = Training::default();
        }
        news.lines.into_iter().for_each(|line| state.training.take(line));
        true
    }
}

#[cfg(test)]
mod tests;
