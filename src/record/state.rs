//! The fold: all that is shown of a run derives from its two logs by [`RunState::life`] and [`RunState::training`].
//!
//! Invariant: the fold of any prefix of the logs is a legal state, and folding goes on from there line by line. Legal is:
//! a run that is over has the exit that says so and no process; a live one has a process of its latest attempt (where it
//! is known) and no exit; a waiting one has neither.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::Line;
use super::life::{Cause, ExecutorKind, Exited, LifeEvent, Needs, Outcome, ProcessId};
use crate::base::clock::Timestamp;
use crate::base::id::RunId;

mod training;

pub use training::{Batch, Shared, Training};

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
    /// All of them, in the order of a run's life.
    pub const ALL: [Status; 8] = [
        Status::Queued,
        Status::Starting,
        Status::Running,
        Status::Paused,
        Status::Finished,
        Status::Failed,
        Status::Cancelled,
        Status::Lost,
    ];

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
    /// Every line, as people read them in the events pane.
    pub feed: Arc<Vec<Line<LifeEvent>>>,
}

/// What a person can ask of a run that is being started or is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
            feed: Arc::default(),
        };
        RunState { id, name, life, training: Training::default() }
    }

    /// Takes a line of `run.jsonl`.
    pub fn life(&mut self, line: Line<LifeEvent>) {
        let life = &mut self.life;
        Arc::make_mut(&mut life.feed).push(line.clone());
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

#[cfg(test)]
pub(crate) mod tests;
