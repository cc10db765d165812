//! What `ls --json` and `show --json` print, and what `summary.json` caches of a run that is over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::{Advice, Best, EarlyStopped, Epoch, LrChanged, Parameters, PhasePlan, Skipped};
use super::life::{Cause, Exited};
use super::run_dir::RunDir;
use super::seen::Seen;
use super::state::{Asked, RunState, Status, Training};
use super::view::Source;
use crate::base::clock::{self, Timestamp};
use crate::base::durable;
use crate::base::id::RunId;
use crate::experiment::{Metric, Mode};

/// A run in one line: the short form of `ls --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub id: RunId,
    pub name: String,
    pub state: Status,
    /// The cause of the end as a word of the record (`early_stopped`, `diverged` …), null before it.
    pub reason: Option<Cause>,
    pub best: Option<Best>,
    /// Which direction of what `best` monitors is better, where that is known.
    pub mode: Option<Mode>,
    /// The figures of the best epoch, of the last one where none is the best, by the names of the record (`val_loss` …);
    /// those that are no finite numbers are left out.
    pub figures: BTreeMap<String, f64>,
    #[serde(flatten)]
    pub progress: Progress,
    #[serde(flatten)]
    pub times: Times,
    #[serde(flatten)]
    pub place: Place,
    pub attempts: u32,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The last epoch that ended, from 1; 0 before the first.
    pub epoch: u32,
    /// Epochs that all phases have together; 0 while unknown.
    pub planned_epochs: u32,
    pub phase: Option<String>,
}

/// When things happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Times {
    pub queued: Option<Timestamp>,
    /// Start of the latest attempt.
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    /// From the start of the latest attempt to its end, or to now.
    pub seconds: Option<f64>,
}

/// Where it is kept, and where it stands in the queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    pub path: PathBuf,
    pub group: Option<String>,
    pub priority: i32,
    pub order: i64,
    pub tags: Vec<String>,
    /// Where its latest attempt runs or ran, as its worker calls it, else as the runner does.
    pub host: Option<String>,
    /// What a person asked of it that has not come about yet.
    pub asked: Option<Asked>,
}

/// All that is known of a run: `show --json` and `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    #[serde(flatten)]
    pub row: Row,
    #[serde(flatten)]
    pub end: End,
    #[serde(flatten)]
    pub setup: Option<Setup>,
    pub epochs: Vec<Epoch>,
    pub lr_changes: Vec<LrChanged>,
    /// Whether early stopping ended a phase.
    pub early_stopped: bool,
    pub early_stops: Vec<EarlyStopped>,
    pub advice: Vec<Advice>,
    pub skipped: Vec<Skipped>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct End {
    /// `reason` in words.
    pub cause: Option<&'static str>,
    /// What went wrong, in the worker's words, else in the runner's.
    pub error: Option<String>,
    pub hint: Option<String>,
    pub exit: Option<Exited>,
}

/// What the worker said when it started.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setup {
    pub device: String,
    pub threads: usize,
    pub seed: u64,
    pub classes: Vec<String>,
    pub train_samples: usize,
    pub val_samples: usize,
    pub parameters: Parameters,
    pub phases: Vec<PhasePlan>,
}

impl Row {
    /// The short form of the run at `path`.
    pub fn new(run: &RunState, path: &Path) -> Row {
        let training = &run.training;
        let progress = Progress {
            epoch: training.epochs.last().map_or(0, |epoch| epoch.epoch),
            planned_epochs: training.planned_epochs(),
            phase: training.phase().map(str::to_owned),
        };
        let now = run.life.status.is_live().then(clock::now);
        let times = Times::new(run.life.queued, run.life.started, run.life.ended, now);
        let place = Place {
            path: path.to_owned(),
            group: run.life.group.clone(),
            priority: run.life.priority,
            order: run.life.order,
            tags: run.life.tags.clone(),
            host: training.plan.as_ref().map(|plan| plan.host.clone()).or_else(|| run.life.host.clone()),
            asked: run.life.asked,
        };
        Row {
            id: run.id,
            name: run.name.clone(),
            state: run.status(),
            reason: run.cause(),
            best: training.best.clone(),
            mode: training.best.as_ref().and_then(|best| Metric::mode_of(&best.monitor)),
            figures: figures(training),
            progress,
            times,
            place,
            attempts: run.life.attempts,
        }
    }
}

impl Training {
    /// The best epoch; the last one where none is the best.
    pub fn best_epoch(&self) -> Option<&Epoch> {
        let Some(best) = self.best.as_ref().filter(|best| best.value.is_finite()) else {
            return self.epochs.last().map(|epoch| &**epoch);
        };
        let place = self.epochs.binary_search_by_key(&best.epoch, |epoch| epoch.epoch).ok()?;
        self.epochs.get(place).map(|epoch| &**epoch)
    }
}

fn figures(training: &Training) -> BTreeMap<String, f64> {
    let Some(epoch) = training.best_epoch() else { return BTreeMap::new() };
    let known = FIGURES.into_iter().map(|(name, figure)| (name.to_owned(), figure(epoch)));
    let further = epoch.metrics.iter().map(|(name, &value)| (name.clone(), value));
    known.chain(further).filter(|(_, value)| value.is_finite()).collect()
}

/// A figure of an epoch.
pub(super) type Figure = fn(&Epoch) -> f64;

/// The figures that every epoch has.
pub(super) const FIGURES: [(&str, Figure); 5] = [
    ("loss", |epoch| epoch.loss),
    ("accuracy", |epoch| epoch.accuracy),
    ("val_loss", |epoch| epoch.val_loss),
    ("val_accuracy", |epoch| epoch.val_accuracy),
    ("lr", |epoch| epoch.lr),
];

/// Whether every epoch has a figure of this name.
pub(super) fn is_always_there(name: &str) -> bool {
    FIGURES.iter().any(|(known, _)| *known == name)
}

impl Times {
    /// The times of a run that is live where there is a `now`.
    pub(super) fn new(
        queued: Option<Timestamp>,
        started: Option<Timestamp>,
        ended: Option<Timestamp>,
        now: Option<Timestamp>,
    ) -> Times {
        let seconds = started.zip(ended.or(now)).map(|(started, end)| end.since(started).as_secs_f64());
        Times { queued, started, ended, seconds }
    }
}

impl Summary {
    /// All that is known of the run at `path`.
    pub fn new(run: &RunState, path: &Path) -> Summary {
        let training = &run.training;
        Summary {
            row: Row::new(run, path),
            end: End::new(run),
            setup: Setup::new(run),
            epochs: training.epochs.iter().map(|epoch| (**epoch).clone()).collect(),
            lr_changes: training.lr_changes.to_vec(),
            early_stopped: !training.early_stops.is_empty(),
            early_stops: training.early_stops.to_vec(),
            advice: training.advice.to_vec(),
            skipped: training.skipped.to_vec(),
        }
    }
}

impl End {
    fn new(run: &RunState) -> End {
        let failed = run.training.failed.as_ref().filter(|_| run.life.status != Status::Finished);
        let message = run.life.exit.as_ref().and_then(|exit| exit.message.clone());
        End {
            cause: run.cause().map(Cause::words),
            error: failed.map(|failed| failed.error.clone()).or(message),
            hint: failed
                .and_then(|failed| failed.hint.clone())
                .or_else(|| run.cause().and_then(Cause::advice).map(str::to_owned)),
            exit: run.life.exit.clone(),
        }
    }
}

impl Setup {
    fn new(run: &RunState) -> Option<Setup> {
        let plan = Arc::unwrap_or_clone(run.training.plan.clone()?);
        Some(Setup {
            device: plan.device,
            threads: plan.threads,
            seed: plan.seed,
            classes: plan.classes,
            train_samples: plan.train_samples,
            val_samples: plan.val_samples,
            parameters: plan.parameters,
            phases: plan.phases,
        })
    }
}

impl RunState {
    /// From the start of the latest attempt to its end, or to `now` while it lives.
    pub fn running_time(&self, now: Timestamp) -> Option<Duration> {
        let started = self.life.started?;
        let end = self.life.ended.or_else(|| self.life.status.is_live().then_some(now))?;
        Some(end.since(started))
    }
}

/// `summary.json`.
#[derive(Serialize)]
struct Saved {
    #[serde(flatten)]
    summary: Summary,
    sources: Sources,
}

/// How many bytes the logs had that it was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Sources {
    run: u64,
    events: u64,
}

/// Reads the run and writes its `summary.json`, if it is over.
pub fn save(dir: &RunDir) -> Result<(), durable::Error> {
    let (source, run) = Source::read(dir.clone());
    keep(&source, &run)
}

/// Writes `summary.json` of a run that was read, if it is over. It can be made again, so nobody waits for the disk.
pub(super) fn keep(source: &Source, run: &RunState) -> Result<(), durable::Error> {
    if !run.status().is_over() {
        return Ok(());
    }
    let (dir, [life, training]) = (source.dir(), source.seen());
    let length = |seen: Option<Seen>| seen.map_or(0, |seen| seen.length);
    let sources = Sources { run: length(life), events: length(training) };
    let saved = Saved { summary: Summary::new(run, dir.path()), sources };
    let mut text = serde_json::to_vec_pretty(&saved).unwrap_or_default();
    text.push(b'\n');
    durable::write_cache(&dir.summary_json(), &text)
}

/// The short form of a run that is over, as `summary.json` has it; None where that is missing or older than the logs.
pub fn load_row(dir: &RunDir) -> Option<Row> {
    #[derive(Deserialize)]
    struct Known {
        #[serde(flatten)]
        row: Row,
        sources: Sources,
    }
    let summary = Seen::at(&dir.summary_json())?;
    let logs = [Seen::at(&dir.run_log()), Seen::at(&dir.events())];
    if logs.iter().flatten().any(|log| log.modified > summary.modified) {
        return None;
    }
    let Known { mut row, sources } = serde_json::from_slice(&durable::read(&dir.summary_json()).ok()?).ok()?;
    let [run, events] = logs.map(|log| log.map_or(0, |log| log.length));
    row.place.path = dir.path().to_owned();
    (sources == Sources { run, events } && row.id == dir.id() && row.state.is_over()).then_some(row)
}

#[cfg(test)]
mod tests;
