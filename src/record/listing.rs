//! All runs of a store in a line each: quick also where there are ten thousand, because of a cache, `.listing`.
//!
//! Invariant: a run's line in the cache counts only while its `run.jsonl` looks as it did when the line was made, and that
//! of a run with a worker only while its `events.jsonl` does too. For the others `run.jsonl` is enough, since a worker's
//! start is written there, and an end only after the worker's last line. What does not count is folded anew, so that the
//! cache may be removed, damaged or out of date at any time.

use std::collections::HashMap;
use std::path::PathBuf;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::event::Best;
use super::life::Cause;
use super::run_dir::RunDir;
use super::seen::Seen;
use super::state::Status;
use super::store::Store;
use super::summary::{self, Place, Progress, Row, Times};
use super::view;
use crate::base::clock::{self, Timestamp};
use crate::base::durable;
use crate::base::id::RunId;

/// A line of the cache.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    folder: String,
    life: Option<Seen>,
    /// None too where it does not count.
    training: Option<Seen>,
    row: Cached,
}

/// A [`Row`] without what is known of the folder and the clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cached(
    String,
    Status,
    Option<Cause>,
    Option<Best>,
    Progress,
    [Option<Timestamp>; 3],
    (Option<String>, i32, i64, Vec<String>),
    u32,
);

/// The runs of `store` by number.
pub fn rows(store: &Store) -> Result<Vec<Row>, Error> {
    let dirs = store.runs()?;
    let cache = Cache::read(store);
    let now = clock::now();
    let listed: Vec<(Entry, bool)> = dirs.par_iter().map(|dir| cache.entry(dir)).collect();
    let is_worth_it = |(entry, is_new): &(Entry, bool)| *is_new && !entry.has_worker();
    if listed.iter().any(is_worth_it) {
        // A store that cannot be written is listed all the same.
        let _ = durable::write_cache(&cache_file(store), &lines(&listed));
    }
    Ok(listed.into_iter().zip(dirs).map(|((entry, _), dir)| entry.into_row(dir, now)).collect())
}

fn cache_file(store: &Store) -> PathBuf {
    store.root().join(".listing")
}

/// The first line: another version writes other lines.
fn head() -> String {
    format!("finetop {} listing 1\n", env!("CARGO_PKG_VERSION"))
}

fn lines(listed: &[(Entry, bool)]) -> Vec<u8> {
    let line = |(entry, _): &(Entry, bool)| serde_json::to_vec(entry).unwrap_or_default();
    let lines: Vec<Vec<u8>> = listed.par_iter().map(line).collect();
    let mut bytes = head().into_bytes();
    for line in lines {
        bytes.extend_from_slice(&line);
        bytes.push(b'\n');
    }
    bytes
}

/// What was known of each folder.
struct Cache(HashMap<String, Entry>);

impl Cache {
    fn read(store: &Store) -> Cache {
        let bytes = durable::read(&cache_file(store)).unwrap_or_default();
        let Some(lines) = bytes.strip_prefix(head().as_bytes()) else { return Cache(HashMap::new()) };
        let lines: Vec<&[u8]> = lines.split(|&b| b == b'\n').collect();
        let entries = lines.par_iter().filter_map(|line| serde_json::from_slice::<Entry>(line).ok());
        let entries: Vec<Entry> = entries.collect();
        Cache(entries.into_iter().map(|entry| (entry.folder.clone(), entry)).collect())
    }

    /// What is known of the run, and whether it had to be read.
    fn entry(&self, dir: &RunDir) -> (Entry, bool) {
        match self.0.get(&dir.folder_name()) {
            Some(entry) if entry.counts(dir) => (entry.clone(), false),
            _ => (Entry::read(dir), true),
        }
    }
}

impl Entry {
    fn counts(&self, dir: &RunDir) -> bool {
        self.life == Seen::at(&dir.run_log()) && (!self.has_worker() || self.training == Seen::at(&dir.events()))
    }

    /// Whether a worker may be writing.
    fn has_worker(&self) -> bool {
        self.row.1.is_live() || self.row.1 == Status::Lost
    }

    fn read(dir: &RunDir) -> Entry {
        let life = Seen::at(&dir.run_log());
        if let Some(row) = summary::load_row(dir) {
            // Looked at before and after, so that it is of this very log.
            if life == Seen::at(&dir.run_log()) {
                return Entry { folder: dir.folder_name(), life, training: None, row: Cached::of(row) };
            }
        }
        let read = view::load_seen(dir);
        let _ = summary::keep(dir, &read);
        let row = Cached::of(Row::new(&read.run, dir.path()));
        let entry = Entry { folder: dir.folder_name(), life: read.life, training: None, row };
        if entry.has_worker() { Entry { training: read.training, ..entry } } else { entry }
    }

    fn into_row(self, dir: RunDir, now: Timestamp) -> Row {
        let Cached(name, state, reason, best, progress, [queued, started, ended], place, attempts) = self.row;
        let (group, priority, order, tags) = place;
        Row {
            id: dir.id(),
            name,
            state,
            reason,
            best,
            progress,
            times: Times::new(queued, started, ended, state.is_live().then_some(now)),
            place: Place { path: dir.path().to_owned(), group, priority, order, tags },
            attempts,
        }
    }
}

impl Cached {
    fn of(row: Row) -> Cached {
        let Row { id: RunId(_), name, state, reason, best, progress, times, place, attempts } = row;
        let times = [times.queued, times.started, times.ended];
        let place = (place.group, place.priority, place.order, place.tags);
        Cached(name, state, reason, best, progress, times, place, attempts)
    }
}

#[cfg(test)]
mod tests;
