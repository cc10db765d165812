//! The fold: all that is shown of a run derives from its two logs by [`RunState::life`] and [`RunState::training`].
//!
//! Invariant: the fold of any prefix of the logs is a legal state, and folding goes on from there line by line.

use serde::Serialize;

use super::event::{
    Advice, Best, Confusion, EarlyStopped, Epoch, Event, Failed, FinishReason, Line, LrChanged, PhaseStarted,
    RunStarted, Sample, Skipped, Stage, Step,
};
use super::life::{Cause, Exited, LifeEvent, Outcome, ProcessId};
use crate::base::clock::Timestamp;
use crate::base::id::RunId;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Queued,
    /// A worker was started and has not said anything.
    Starting,
    Running,
    Paused,
    Finished,
    Failed,
    Cancelled,
    /// Its worker vanished; it is queued again or becomes failed.
    Lost,
}

impl Status {
    /// Whether a worker may be alive.
    pub fn is_live(self) -> bool {
        matches!(self, Status::Starting | Status::Running)
    }

    /// Whether nothing more will happen by itself.
    pub fn is_over(self) -> bool {
        matches!(self, Status::Finished | Status::Failed | Status::Cancelled)
    }

    /// The word in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Status::Queued => "queued",
            Status::Starting => "starting",
            Status::Running => "running",
            Status::Paused => "paused",
            Status::Finished => "finished",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
            Status::Lost => "lost",
        }
    }
}

/// A run, folded.
#[derive(Debug, Clone)]
pub struct RunState {
    pub id: RunId,
    pub name: String,
    pub life: Life,
    pub training: Training,
}

/// What the runner wrote.
#[derive(Debug, Clone)]
pub struct Life {
    pub status: Status,
    pub priority: i32,
    /// Place among equals; smaller is sooner. The id's number until it is moved.
    pub order: i64,
    pub group: Option<String>,
    pub tags: Vec<String>,
    pub queued: Option<Timestamp>,
    /// Start of the latest attempt.
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub attempts: u32,
    pub process: Option<ProcessId>,
    pub host: Option<String>,
    pub cancel_requested: bool,
    pub exit: Option<Exited>,
}

/// What the worker wrote.
#[derive(Debug, Clone, Default)]
pub struct Training {
    pub plan: Option<RunStarted>,
    /// Work in progress that is not training; None when it is done.
    pub stage: Option<Stage>,
    /// With the epoch (from 1) that each phase begins with.
    pub phases: Vec<(u32, PhaseStarted)>,
    pub step: Option<Step>,
    /// Every step's (epoch + step/steps − 1, loss, accuracy), for the per-step curve.
    pub steps: Vec<(f64, f64, f64)>,
    pub epochs: Vec<Epoch>,
    pub lr_changes: Vec<LrChanged>,
    pub best: Option<Best>,
    pub early_stops: Vec<EarlyStopped>,
    pub confusion: Option<Confusion>,
    pub misclassified: Vec<Sample>,
    pub augmented: Vec<Sample>,
    pub advice: Vec<Advice>,
    pub skipped: Vec<Skipped>,
    pub finished: Option<(FinishReason, f64)>,
    pub failed: Option<Failed>,
    /// Every line but the steps and stages, as people read them in the events pane.
    pub feed: Vec<Line<Event>>,
}

impl RunState {
    /// A run of which nothing has been read.
    pub fn new(id: RunId, name: String) -> Self {
        let life = Life {
            status: Status::Queued,
            priority: 0,
            order: i64::from(id.0),
            group: None,
            tags: Vec::new(),
            queued: None,
            started: None,
            ended: None,
            attempts: 0,
            process: None,
            host: None,
            cancel_requested: false,
            exit: None,
        };
        RunState { id, name, life, training: Training::default() }
    }

    /// Takes a line of `run.jsonl`.
    pub fn life(&mut self, line: Line<LifeEvent>) {
        let life = &mut self.life;
        match line.event {
            LifeEvent::Queued { name, priority, group } => {
                self.name = name;
                life.priority = priority;
                life.group = group;
                life.queued.get_or_insert(line.time);
            }
            LifeEvent::Moved { order } => life.order = order,
            LifeEvent::Started { attempt, executor: _, process, job_id: _, host } => {
                life.status = Status::Starting;
                life.attempts = attempt;
                life.process = process;
                life.host = Some(host);
                life.started = Some(line.time);
                life.ended = None;
                life.exit = None;
                life.cancel_requested = false;
            }
            LifeEvent::PauseRequested => {}
            LifeEvent::Paused => life.status = Status::Paused,
            LifeEvent::Resumed | LifeEvent::RetryScheduled { .. } => life.status = Status::Queued,
            LifeEvent::CancelRequested => life.cancel_requested = true,
            LifeEvent::Exited(exit) => {
                life.status = match exit.outcome {
                    Outcome::Finished => Status::Finished,
                    Outcome::Failed => Status::Failed,
                    Outcome::Cancelled => Status::Cancelled,
                    Outcome::Paused => Status::Paused,
                    Outcome::Lost => Status::Lost,
                };
                life.ended = Some(line.time);
                life.process = None;
                life.exit = Some(exit);
            }
            LifeEvent::Note { .. } => {}
            LifeEvent::Tagged { tags } => life.tags = tags,
            LifeEvent::Unknown => {}
        }
    }

    /// The cause of the end, once there is one.
    pub fn cause(&self) -> Option<Cause> {
        self.life.exit.as_ref().map(|exit| exit.cause)
    }

    /// Where the run stands; a started worker counts as running once it has said something.
    pub fn status(&self) -> Status {
        match self.life.status {
            Status::Starting if self.training.plan.is_some() || self.training.stage.is_some() => Status::Running,
            status => status,
        }
    }
}

impl Training {
    /// Takes a line of `events.jsonl`.
    pub fn take(&mut self, line: Line<Event>) {
        match &line.event {
            Event::RunStarted(started) => self.begin_attempt(started.clone()),
            Event::Stage(stage) => {
                self.stage = (stage.done < stage.total).then(|| stage.clone());
                return;
            }
            Event::PhaseStarted(phase) => {
                let first_epoch = self.epochs.last().map_or(1, |epoch| epoch.epoch + 1);
                self.phases.push((first_epoch, phase.clone()));
            }
            Event::Step(step) => {
                self.take_step(step.clone());
                return;
            }
            Event::Epoch(epoch) => {
                self.stage = None;
                self.step = None;
                self.epochs.push(epoch.clone());
            }
            Event::LrChanged(change) => self.lr_changes.push(change.clone()),
            Event::Best(best) => self.best = Some(best.clone()),
            Event::EarlyStopped(stop) => self.early_stops.push(stop.clone()),
            Event::Checkpoint(_) => {}
            Event::Confusion(confusion) => self.confusion = Some(confusion.clone()),
            Event::Samples(samples) => match samples.kind {
                super::event::SampleKind::Augmented => self.augmented = samples.items.clone(),
                super::event::SampleKind::Misclassified => self.misclassified = samples.items.clone(),
            },
            Event::Advice(advice) => self.advice.push(advice.clone()),
            Event::Skipped(skipped) => self.skipped.push(skipped.clone()),
            Event::Log(_) => {}
            Event::Finished(finished) => {
                self.stage = None;
                self.step = None;
                self.finished = Some((finished.reason, finished.seconds));
            }
            Event::Failed(failed) => {
                self.stage = None;
                self.failed = Some(failed.clone());
            }
            Event::Unknown => return,
        }
        self.feed.push(line);
    }

    fn take_step(&mut self, step: Step) {
        let place = f64::from(step.epoch - 1) + f64::from(step.step) / f64::from(step.steps.max(1));
        self.steps.push((place, step.loss, step.accuracy));
        self.stage = None;
        self.step = Some(step);
    }

    /// A new attempt goes on after the epoch of its checkpoint; what an earlier one trained beyond is trained again.
    fn begin_attempt(&mut self, started: RunStarted) {
        let kept = started.resumed_from.map_or(0, |from| from.epoch);
        self.epochs.retain(|epoch| epoch.epoch <= kept);
        self.steps.retain(|&(place, _, _)| place <= f64::from(kept));
        self.phases.retain(|&(first_epoch, _)| first_epoch <= kept);
        self.lr_changes.retain(|change| change.epoch <= kept);
        self.early_stops.retain(|stop| stop.epoch <= kept);
        if self.best.as_ref().is_some_and(|best| best.epoch > kept) {
            self.best = None;
        }
        if kept == 0 {
            self.confusion = None;
            self.advice.clear();
            self.skipped.clear();
        }
        self.step = None;
        self.stage = None;
        self.finished = None;
        self.failed = None;
        self.plan = Some(started);
    }

    /// Epochs over all phases, as planned.
    pub fn planned_epochs(&self) -> u32 {
        self.plan.as_ref().map_or(0, |plan| plan.phases.iter().map(|phase| phase.epochs).sum())
    }

    /// Name of the phase that is training or trained last.
    pub fn phase(&self) -> Option<&str> {
        self.phases.last().map(|(_, phase)| phase.phase.as_str())
    }
}
