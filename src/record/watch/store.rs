//! Tells which runs of a store may have changed, where there are ten thousand of them.
//!
//! Invariants: the kernel watches the store's folder and those of runs that may change, one by one; where it refuses, and
//! for what a network file system does not tell, there are ticks. What is said to have changed may not have.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use super::{POLL, TICK, is_change};
use crate::base::clock::Stopwatch;
use crate::base::id::RunId;
use crate::record::new_run::adding_from;
use crate::record::run_dir::RunDir;

/// What may have changed in a store, besides which folders there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// Only these.
    Runs(BTreeSet<RunId>),
    /// These, and now and then one of which nothing is told: it is time to look at some of those.
    Tick(BTreeSet<RunId>),
    /// Nobody knows.
    All,
}

impl Default for Changes {
    fn default() -> Self {
        Changes::Runs(BTreeSet::new())
    }
}

impl Changes {
    /// These besides.
    pub fn add(&mut self, others: Changes) {
        match (&mut *self, others) {
            (Changes::All, _) => {}
            (_, Changes::All) => *self = Changes::All,
            (Changes::Runs(runs), Changes::Tick(mut others)) => {
                others.append(runs);
                *self = Changes::Tick(others);
            }
            (Changes::Runs(runs) | Changes::Tick(runs), Changes::Runs(mut others))
            | (Changes::Tick(runs), Changes::Tick(mut others)) => runs.append(&mut others),
        }
    }
}

type Say = Arc<dyn Fn(Changes) + Send + Sync>;

/// Watches a store until it is dropped. Nothing that it is asked for is waited for.
pub struct StoreWatcher {
    folders: Sender<Vec<PathBuf>>,
}

impl StoreWatcher {
    /// Calls `say` with what may have changed in the store at `root`, on other threads.
    pub fn start(root: &Path, say: impl Fn(Changes) + Send + Sync + 'static) -> StoreWatcher {
        let (folders, asked) = mpsc::channel();
        let (root, say): (PathBuf, Say) = (root.to_owned(), Arc::new(say));
        std::thread::spawn(move || live(&root, &say, &asked));
        StoreWatcher { folders }
    }

    /// Watches these folders of runs from now on, and no others.
    pub fn watch(&self, folders: Vec<PathBuf>) {
        let _ = self.folders.send(folders);
    }
}

fn live(root: &Path, say: &Say, asked: &Receiver<Vec<PathBuf>>) {
    let mut kernel = Kernel::new(root, say);
    let (mut since_poll, mut since_tick) = (Stopwatch::start(), Stopwatch::start());
    loop {
        let to_tick = TICK.saturating_sub(since_tick.elapsed());
        let to_poll = if kernel.refused.is_empty() { to_tick } else { POLL.saturating_sub(since_poll.elapsed()) };
        match asked.recv_timeout(to_tick.min(to_poll)) {
            Ok(folders) => {
                let new = kernel.watch(asked.try_iter().last().unwrap_or(folders));
                // What happened before they were watched was not told.
                if !new.is_empty() {
                    say(Changes::Runs(new));
                }
            }
            Err(RecvTimeoutError::Timeout) if since_tick.elapsed() >= TICK => {
                since_tick = Stopwatch::start();
                say(Changes::Tick(BTreeSet::new()));
            }
            Err(RecvTimeoutError::Timeout) => {
                since_poll = Stopwatch::start();
                say(Changes::Runs(kernel.refused.clone()));
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// What the kernel watches.
struct Kernel {
    /// None where it gives no notices at all.
    notices: Option<RecommendedWatcher>,
    watched: BTreeMap<RunId, PathBuf>,
    /// Those that it does not watch, for want of means.
    refused: BTreeSet<RunId>,
}

impl Kernel {
    fn new(root: &Path, say: &Say) -> Kernel {
        let (below, say) = (root.to_owned(), Arc::clone(say));
        let told = move |event: notify::Result<notify::Event>| match event {
            Ok(event) => changes(&event, &below).into_iter().for_each(|changes| say(changes)),
            Err(_) => say(Changes::All),
        };
        let mut notices = notify::recommended_watcher(told).ok();
        let is_watched = |notices: &mut RecommendedWatcher| notices.watch(root, RecursiveMode::NonRecursive).is_ok();
        notices.take_if(|notices| !is_watched(notices));
        Kernel { notices, watched: BTreeMap::new(), refused: BTreeSet::new() }
    }

    /// Watches these and no others; those that it did not before.
    fn watch(&mut self, folders: Vec<PathBuf>) -> BTreeSet<RunId> {
        let wanted: BTreeMap<RunId, PathBuf> =
            folders.into_iter().filter_map(|path| Some((RunDir::at(&path)?.id(), path))).collect();
        let watched = std::mem::take(&mut self.watched);
        let (kept, left): (BTreeMap<_, _>, BTreeMap<_, _>) =
            watched.into_iter().partition(|(id, path)| wanted.get(id) == Some(path));
        self.watched = kept;
        self.refused.clear();
        if let Some(notices) = &mut self.notices {
            // One that was removed is no longer watched anyway.
            left.values().for_each(|path| drop(notices.unwatch(path)));
        }
        let mut new = BTreeSet::new();
        for (id, path) in wanted.into_iter().filter(|(id, _)| !self.watched.contains_key(id)).collect::<Vec<_>>() {
            let watch = |notices: &mut RecommendedWatcher| notices.watch(&path, RecursiveMode::NonRecursive).is_ok();
            if self.notices.as_mut().is_some_and(watch) {
                self.watched.insert(id, path);
                new.insert(id);
            } else {
                self.refused.insert(id);
            }
        }
        new
    }
}

/// What a notice about the store at `root` says; None where it is about nothing that is shown.
fn changes(event: &notify::Event, root: &Path) -> Option<Changes> {
    if event.need_rescan() {
        return Some(Changes::All);
    }
    if !is_change(event.kind) {
        return None;
    }
    let mut about = event.paths.iter().filter_map(|path| run_of(path, root)).peekable();
    about.peek()?;
    Some(Changes::Runs(about.flatten().collect()))
}

/// The run that a path is about; Some(None) where the list of them may have changed, None where nothing is.
fn run_of(path: &Path, root: &Path) -> Option<Option<RunId>> {
    let mut names = path.strip_prefix(root).ok()?.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name),
        _ => None,
    });
    match (names.next(), names.next(), names.next()) {
        (None, ..) => Some(None),
        // What changed, it tells itself.
        (Some(file), None, _) if file == "runner.log" => Some(None),
        (Some(folder), None, _) => {
            let run = RunDir::at(&root.join(folder)).map(|run| Some(run.id()));
            run.or_else(|| folder.to_str().and_then(adding_from).map(|_| None))
        }
        (Some(folder), Some(file), None) if is_record(file) => RunDir::at(&root.join(folder)).map(|run| Some(run.id())),
        _ => None,
    }
}

/// Whether a file of a run's folder is one of its two logs.
fn is_record(file: &OsStr) -> bool {
    ["run.jsonl", "events.jsonl"].iter().any(|name| file == *name)
}

#[cfg(test)]
mod tests;
