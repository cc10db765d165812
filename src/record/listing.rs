//! All runs of a store in a line each: quick also where there are ten thousand, because of a cache, `.listing`.
//!
//! Invariant: a run's line in the cache counts only while its `run.jsonl` looks as it did when the line was made, and that
//! of a run with a worker only while its `events.jsonl` does too. For the others `run.jsonl` is enough, since a worker's
//! start is written there, and an end only after the worker's last line. What does not count is folded anew, so that the
//! cache may be removed, damaged or out of date at any time.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::event::Best;
use super::life::Cause;
use super::run_dir::RunDir;
use super::seen::Seen;
use super::state::{Asked, RunState, Status};
use super::store::Store;
use super::summary::{self, Place, Progress, Row, Times};
use super::view::Source;
use crate::base::clock::{self, Timestamp};
use crate::base::durable;
use crate::experiment::Metric;

/// The runs of `store` by number.
pub fn rows(store: &Store) -> Result<Vec<Row>, Error> {
    Ok(entries(store)?.into_iter().map(|entry| entry.row).collect())
}

/// A run and its row.
pub(super) struct Entry {
    pub dir: RunDir,
    pub row: Row,
    /// What `run.jsonl` looked like when the row was made.
    pub life: Option<Seen>,
    /// The run itself, where its logs had to be read.
    pub whole: Option<(Source, Arc<RunState>)>,
}

/// The runs of `store` by number, with what was read for their rows of those that may have a worker.
pub(super) fn entries(store: &Store) -> Result<Vec<Entry>, Error> {
    let root = File::open(store.root()).map_err(Error::read("list the store", store.root()))?;
    let bytes = durable::read(&cache_file(store)).unwrap_or_default();
    let cache = lines_by_folder(&bytes);
    let now = clock::now();
    let listed: Vec<Listed> = store.runs()?.into_par_iter().map(|dir| Listed::of(dir, &root, &cache, now)).collect();
    if listed.iter().any(Listed::is_worth_keeping) {
        // A store that cannot be written is listed all the same.
        let _ = durable::write_cache(&cache_file(store), &text(&listed));
    }
    Ok(listed.into_iter().map(|listed| listed.entry).collect())
}

/// Reads one run for its row; the cache is left alone.
pub(super) fn read(dir: RunDir) -> Entry {
    let (known, whole) = Known::read(&dir);
    known.into_entry(dir, clock::now(), whole)
}

fn cache_file(store: &Store) -> PathBuf {
    store.root().join(".listing")
}

/// The first line: another version writes other lines.
fn head() -> String {
    format!("finetop {} listing 2\n", env!("CARGO_PKG_VERSION"))
}

/// What the cache says of each folder: `FOLDER<tab>JSON` on a line.
fn lines_by_folder(bytes: &[u8]) -> HashMap<&str, &[u8]> {
    let lines = bytes.strip_prefix(head().as_bytes()).unwrap_or_default().split(|&b| b == b'\n');
    let parted = lines.filter_map(|line| {
        let tab = line.iter().position(|&b| b == b'\t')?;
        Some((std::str::from_utf8(&line[..tab]).ok()?, &line[tab + 1..]))
    });
    parted.collect()
}

fn text(listed: &[Listed]) -> Vec<u8> {
    let mut bytes = head().into_bytes();
    for listed in listed {
        // A folder of such a name is read each time.
        let folder = listed.folder().filter(|folder| !folder.contains(['\t', '\n']));
        if let Some(folder) = folder {
            bytes.extend_from_slice(folder.as_bytes());
            bytes.push(b'\t');
            bytes.extend_from_slice(&listed.line);
            bytes.push(b'\n');
        }
    }
    bytes
}

/// A run, and its line of the cache, which is a new one where it had to be read.
struct Listed<'a> {
    entry: Entry,
    line: Cow<'a, [u8]>,
}

impl<'a> Listed<'a> {
    fn of(dir: RunDir, root: &File, cache: &HashMap<&str, &'a [u8]>, now: Timestamp) -> Self {
        let line = dir.path().file_name().and_then(|name| name.to_str()).and_then(|name| cache.get(name)).copied();
        let known = line.and_then(|line| Some((line, serde_json::from_slice::<Known>(line).ok()?)));
        match known {
            Some((line, known)) if known.counts(&dir, root) => {
                Listed { entry: known.into_entry(dir, now, None), line: Cow::Borrowed(line) }
            }
            _ => {
                let (known, whole) = Known::read(&dir);
                let line = serde_json::to_vec(&known).unwrap_or_default();
                Listed { entry: known.into_entry(dir, now, whole), line: Cow::Owned(line) }
            }
        }
    }

    fn folder(&self) -> Option<&str> {
        self.entry.dir.path().file_name()?.to_str()
    }

    /// What changes all the time is not written down each time.
    fn is_worth_keeping(&self) -> bool {
        matches!(self.line, Cow::Owned(_)) && !has_worker(self.entry.row.state)
    }
}

/// Whether a worker may be writing.
pub(super) fn has_worker(state: Status) -> bool {
    state.is_live() || state == Status::Lost
}

/// A line of the cache: a [`Row`] without what the folder's name and the clock say, and what it was read of. Written as
/// an array, which is read faster.
#[derive(Debug, Serialize, Deserialize)]
struct Known(
    Sources,
    String,
    Status,
    Option<Cause>,
    Option<Best>,
    Figures,
    (u32, u32, Option<String>),
    Moments,
    Kept,
    (u32, Option<String>, Option<Asked>),
);

/// How `run.jsonl` and `events.jsonl` looked; the latter only where it counts.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Sources(Option<Seen>, Option<Seen>);

/// Queued, started and ended, in milliseconds since 1970.
type Moments = [Option<i64>; 3];
/// Those that every epoch has in their order, and the others by name.
type Figures = ([Option<f64>; 5], BTreeMap<String, f64>);
/// Group, priority, order, tags.
type Kept = (Option<String>, i32, i64, Vec<String>);

impl Known {
    fn counts(&self, dir: &RunDir, root: &File) -> bool {
        let Sources(life, training) = &self.0;
        let looks = |file: PathBuf| Seen::below(root, dir.below_store(&file));
        *life == looks(dir.run_log()) && (!has_worker(self.2) || *training == looks(dir.events()))
    }

    /// With the run itself, if it has a worker: who reads it will go on reading.
    fn read(dir: &RunDir) -> (Known, Option<(Source, Arc<RunState>)>) {
        let life = Seen::at(&dir.run_log());
        if let Some(row) = summary::load_row(dir)
            // Looked at before and after, so that it is of this very log.
            && life == Seen::at(&dir.run_log())
        {
            return (Known::of(row, Sources(life, None)), None);
        }
        let (source, run) = Source::read(dir.clone());
        let _ = summary::keep(&source, &run);
        let row = Row::new(&run, dir.path());
        let [life, training] = source.seen();
        let is_live = has_worker(row.state);
        let known = Known::of(row, Sources(life, training.filter(|_| is_live)));
        (known, is_live.then_some((source, run)))
    }

    fn of(row: Row, sources: Sources) -> Known {
        let Row { id: _, name, state, reason, best, mode: _, mut figures, progress, times, place, attempts } = row;
        let every = summary::FIGURES.map(|(name, _)| figures.remove(name));
        let progress = (progress.epoch, progress.planned_epochs, progress.phase);
        let moments = [times.queued, times.started, times.ended].map(|time| time.map(Timestamp::as_millis));
        let kept = (place.group, place.priority, place.order, place.tags);
        let latest = (attempts, place.host, place.asked);
        Known(sources, name, state, reason, best, (every, figures), progress, moments, kept, latest)
    }

    fn into_entry(self, dir: RunDir, now: Timestamp, whole: Option<(Source, Arc<RunState>)>) -> Entry {
        let life = self.0.0;
        let row = self.into_row(&dir, now);
        Entry { dir, row, life, whole }
    }

    fn into_row(self, dir: &RunDir, now: Timestamp) -> Row {
        let Known(_, name, state, reason, best, figures, (epoch, planned_epochs, phase), moments, kept, latest) = self;
        let [queued, started, ended] = moments.map(|time| time.map(Timestamp::from_millis));
        let (group, priority, order, tags) = kept;
        let (attempts, host, asked) = latest;
        let (every, mut figures) = figures;
        let known = summary::FIGURES.iter().zip(every);
        figures.extend(known.filter_map(|((name, _), value)| Some(((*name).to_owned(), value?))));
        Row {
            id: dir.id(),
            name,
            state,
            reason,
            mode: best.as_ref().and_then(|best| Metric::mode_of(&best.monitor)),
            best,
            figures,
            progress: Progress { epoch, planned_epochs, phase },
            times: Times::new(queued, started, ended, state.is_live().then_some(now)),
            place: Place { path: dir.path().to_owned(), group, priority, order, tags, host, asked },
            attempts,
        }
    }
}

#[cfg(test)]
mod tests;
