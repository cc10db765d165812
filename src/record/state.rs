//! The fold: all that is shown of a run derives from its two logs by [`RunState::life`] and [`RunState::training`].
//!
//! Invariant: the fold of any prefix of the logs is a legal state, and folding goes on from there line by line. Legal is:
//! a run that is over has the exit that says so and no process; a live one has a process of its latest attempt (where it
//! is known) and no exit; a waiting one has neither.

mod attempt;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::{
    Advice, Best, Confusion, EarlyStopped, Epoch, Event, Failed, FinishReason, Line, LrChanged, PhaseStarted,
    RunStarted, Sample, Skipped, Stage, Step,
};
use super::life::{Cause, ExecutorKind, Exited, LifeEvent, Needs, Outcome, ProcessId};
use crate::base::clock::Timestamp;
use crate::base::id::RunId;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Runs that must have finished well before it starts.
    pub after: Vec<RunId>,
    pub needs: Needs,
    pub queued: Option<Timestamp>,
    /// Start of the latest attempt.
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    /// End of the last attempt that ended.
    pub last_end: Option<Timestamp>,
    pub attempts: u32,
    /// What started the latest attempt.
    pub executor: Option<ExecutorKind>,
    pub process: Option<ProcessId>,
    pub host: Option<String>,
    /// The GPU that the latest attempt was given.
    pub gpu: Option<String>,
    /// What a person asked of it that has not come about yet.
    pub asked: Option<Asked>,
    pub tries: Tries,
    /// Not to be started before this, after a failed attempt.
    pub retry_at: Option<Timestamp>,
    pub exit: Option<Exited>,
}

/// What a person can ask of a run that is being started or is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Pause,
    Cancel,
}

/// How a run was tried since a person last asked for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tries {
    /// Attempts that the runner scheduled after a failure.
    pub retries: u32,
    /// Attempts that it scheduled because something stopped the one before from outside.
    pub preemptions: u32,
    /// Running time of the attempts that ended; how long lost ones ran is not known, and does not count.
    pub ran: Duration,
}

/// What the worker wrote.
#[derive(Debug, Clone, Default)]
pub struct Training {
    /// When the worker last wrote anything.
    pub heard: Option<Timestamp>,
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
            after: Vec::new(),
            needs: Needs::default(),
            queued: None,
            started: None,
            ended: None,
            last_end: None,
            attempts: 0,
            executor: None,
            process: None,
            host: None,
            gpu: None,
            asked: None,
            tries: Tries::default(),
            retry_at: None,
            exit: None,
        };
        RunState { id, name, life, training: Training::default() }
    }

    /// Takes a line of `run.jsonl`.
    pub fn life(&mut self, line: Line<LifeEvent>) {
        let life = &mut self.life;
        match line.event {
            LifeEvent::Queued { name, priority, group, after, needs } => {
                self.name = name;
                life.after = after;
                life.needs = needs;
                life.priority = priority;
                life.group = group;
                life.queued.get_or_insert(line.time);
            }
            LifeEvent::Edited { needs } => life.needs = needs,
            LifeEvent::Moved { order } => life.order = order,
            LifeEvent::Prioritized { priority } => life.priority = priority,
            LifeEvent::Started { attempt, executor, process, job_id: _, host, gpu } => {
                // It may have been asked for while the worker was being started.
                let asked = life.asked;
                life.wait(Status::Starting);
                life.attempts = attempt;
                life.executor = Some(executor);
                life.process = process;
                life.host = Some(host);
                life.gpu = gpu;
                life.started = Some(line.time);
                life.asked = asked;
            }
            LifeEvent::PauseRequested => life.ask(Asked::Pause),
            LifeEvent::Paused if !life.status.is_live() => life.wait(Status::Paused),
            LifeEvent::Resumed if !life.status.is_live() => {
                // One that was only held back goes on with the time that it has left.
                let ran = if life.status.is_over() { Duration::ZERO } else { life.tries.ran };
                life.wait(Status::Queued);
                life.tries = Tries { ran, ..Tries::default() };
            }
            LifeEvent::RetryScheduled { after_s, .. } if !life.status.is_live() => {
                let was_preempted = life.exit.as_ref().map(|exit| exit.cause) == Some(Cause::Preempted);
                life.wait(Status::Queued);
                let is_from_outside = was_preempted && after_s > 0;
                life.tries.retries = life.tries.retries.saturating_add(u32::from(!was_preempted));
                life.tries.preemptions = life.tries.preemptions.saturating_add(u32::from(is_from_outside));
                life.retry_at = Some(line.time.plus(Duration::from_secs(after_s)));
            }
            // A worker that lives is not at rest, whatever a log says that lost lines.
            LifeEvent::Paused | LifeEvent::Resumed | LifeEvent::RetryScheduled { .. } => {}
            LifeEvent::CancelRequested => life.ask(Asked::Cancel),
            LifeEvent::Exited(exit) => life.end(exit, line.time),
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
            Status::Starting if self.has_spoken() => Status::Running,
            status => status,
        }
    }

    /// Whether the latest attempt's worker has written anything.
    fn has_spoken(&self) -> bool {
        let of_this_attempt = self.training.plan.as_ref().is_some_and(|plan| plan.attempt == self.life.attempts);
        of_this_attempt || self.training.heard.is_some_and(|heard| self.life.is_of_this_attempt(heard))
    }
}

impl Life {
    /// Whether what a worker said at `time` was said by that of the attempt that has not ended. A quick worker may have
    /// spoken before its start was written down, but never before the attempt before it had ended.
    pub fn is_of_this_attempt(&self, time: Timestamp) -> bool {
        self.last_end.is_none_or(|end| time > end)
    }

    /// Begins a stretch without an end and without a worker that is known.
    fn wait(&mut self, status: Status) {
        self.status = status;
        self.process = None;
        self.exit = None;
        self.ended = None;
        self.retry_at = None;
        self.asked = None;
    }

    fn ask(&mut self, asked: Asked) {
        let outweighs = self.asked != Some(Asked::Cancel);
        if outweighs && !self.status.is_over() {
            self.asked = Some(asked);
        }
    }

    fn end(&mut self, exit: Exited, time: Timestamp) {
        // The end of an earlier attempt says nothing about a later one that lives.
        if self.status.is_live() && exit.attempt < self.attempts {
            return;
        }
        if self.status.is_live() && exit.outcome != Outcome::Lost {
            let ran = self.started.map_or(Duration::ZERO, |started| time.since(started));
            self.tries.ran = self.tries.ran.saturating_add(ran);
        }
        self.wait(match exit.outcome {
            Outcome::Finished => Status::Finished,
            Outcome::Failed => Status::Failed,
            Outcome::Cancelled => Status::Cancelled,
            Outcome::Paused => Status::Paused,
            Outcome::Lost => Status::Lost,
        });
        self.attempts = self.attempts.max(exit.attempt);
        self.ended = Some(time);
        self.last_end = Some(time);
        self.exit = Some(exit);
    }
}

impl Training {
    /// Takes a line of `events.jsonl`.
    pub fn take(&mut self, line: Line<Event>) {
        self.heard = self.heard.max(Some(line.time));
        match &line.event {
            Event::RunStarted(started) => self.begin_attempt(started.clone()),
            Event::Stage(stage) => {
                self.stage = (stage.done < stage.total).then(|| stage.clone());
                return;
            }
            Event::PhaseStarted(phase) => self.begin_phase(phase.clone()),
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
            // Epochs that are trained again say again what they said.
            Event::Advice(advice) if self.advice.contains(advice) => {}
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
                self.step = None;
                self.failed = Some(failed.clone());
            }
            Event::Unknown => return,
        }
        self.feed.push(line);
    }

    fn take_step(&mut self, step: Step) {
        let place = f64::from(step.epoch.saturating_sub(1)) + f64::from(step.step) / f64::from(step.steps.max(1));
        self.steps.push((place, step.loss, step.accuracy));
        self.stage = None;
        self.step = Some(step);
    }

    /// A phase that a resumed attempt goes on with keeps the epoch that it began with.
    fn begin_phase(&mut self, phase: PhaseStarted) {
        let next = self.epochs.last().map_or(1, |epoch| epoch.epoch.saturating_add(1));
        match self.phases.last_mut() {
            Some((_, last)) if last.index == phase.index => *last = phase,
            _ => self.phases.push((next, phase)),
        }
    }

    /// Epochs over all phases, as planned.
    pub fn planned_epochs(&self) -> u32 {
        self.plan.as_ref().map_or(0, |plan| plan.phases.iter().fold(0, |sum, phase| sum.saturating_add(phase.epochs)))
    }

    /// Name of the phase that is training or trained last.
    pub fn phase(&self) -> Option<&str> {
        self.phases.last().map(|(_, phase)| phase.phase.as_str())
    }
}

#[cfg(test)]
pub(crate) mod tests;
