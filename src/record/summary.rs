//! What `ls --json` and `show --json` print, and what `summary.json` caches of a run that is over.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::event::{Advice, Best, EarlyStopped, Epoch, LrChanged, Parameters, PhasePlan, Skipped};
use super::life::{Cause, Exited};
use super::run_dir::RunDir;
use super::state::{RunState, Status};
use crate::base::clock::{self, Timestamp};
use crate::base::durable;
use crate::base::id::RunId;

/// A run in one line: the short form of `ls --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub id: RunId,
    pub name: String,
    pub state: Status,
    /// The cause of the end as a word of the record (`early_stopped`, `diverged` …), null before it.
    pub reason: Option<Cause>,
    pub best: Option<Best>,
    #[serde(flatten)]
    pub progress: Progress,
    #[serde(flatten)]
    pub times: Times,
    #[serde(flatten)]
    pub place: Place,
    pub attempts: u32,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Progress {
    /// The last epoch that ended, from 1; 0 before the first.
    pub epoch: u32,
    /// Epochs that all phases have together; 0 while unknown.
    pub planned_epochs: u32,
    pub phase: Option<String>,
}

/// When things happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Times {
    pub queued: Option<Timestamp>,
    /// Start of the latest attempt.
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    /// From the start of the latest attempt to its end, or to now.
    pub seconds: Option<f64>,
}

/// Where it is kept, and where it stands in the queue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Place {
    pub path: PathBuf,
    pub group: Option<String>,
    pub priority: i32,
    pub order: i64,
    pub tags: Vec<String>,
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
    pub host: String,
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
        let times = Times {
            queued: run.life.queued,
            started: run.life.started,
            ended: run.life.ended,
            seconds: run.running_time(clock::now()).map(|time| time.as_secs_f64()),
        };
        let place = Place {
            path: path.to_owned(),
            group: run.life.group.clone(),
            priority: run.life.priority,
            order: run.life.order,
            tags: run.life.tags.clone(),
        };
        Row {
            id: run.id,
            name: run.name.clone(),
            state: run.status(),
            reason: run.cause(),
            best: training.best.clone(),
            progress,
            times,
            place,
            attempts: run.life.attempts,
        }
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
            epochs: training.epochs.clone(),
            lr_changes: training.lr_changes.clone(),
            early_stopped: !training.early_stops.is_empty(),
            early_stops: training.early_stops.clone(),
            advice: training.advice.clone(),
            skipped: training.skipped.clone(),
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
        let plan = run.training.plan.clone()?;
        Some(Setup {
            host: plan.host,
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

/// Writes `summary.json` of a run that is over.
pub fn save(dir: &RunDir, run: &RunState) -> Result<(), durable::Error> {
    durable::write_with(&dir.summary_json(), |file| {
        serde_json::to_writer_pretty(&mut *file, &Summary::new(run, dir.path()))?;
        file.write_all(b"\n")
    })
}

#[cfg(test)]
mod tests;
