//! From the way a worker ended to what is written about it: pure decisions.
//!
//! Invariant: the worker's own last word counts first, then what it was asked for, then how its process ended.

use std::time::Duration;

use rustix::process::Signal;

use super::options::Retry;
use crate::record::event::{Event, FinishReason};
use crate::record::life::{Cause, Outcome};
use crate::record::state::RunState;

/// Exit codes of `finetop worker`, a contract between it and its supervisor.
pub mod exit_code {
    /// Training came to its end, and its last event is `finished`.
    pub const FINISHED: i32 = 0;
    /// It could not go on, and its last event is `failed`, which has the cause.
    pub const FAILED: i32 = 1;
    /// It was asked to stop by SIGTERM, and its checkpoint is written (`EX_TEMPFAIL` of sysexits.h).
    pub const STOPPED: i32 = 75;
}

/// What is wanted of a live worker. Later ones outweigh earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wish {
    /// That it works.
    Run,
    /// That it stops, because the runner does; it goes on with the next runner.
    Stop,
    /// That it stops until a person resumes it.
    Pause,
    /// That it ends for good.
    Cancel,
    /// That it ends for good and at once.
    Kill,
}

/// How a worker's process ended; neither is known of a worker that another runner started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProcessEnd {
    pub code: Option<i32>,
    pub signal: Option<i32>,
}

/// What else is known of the circumstances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The kernel killed for memory meanwhile.
    pub memory_ran_out: bool,
    /// The machine is not the one that it was started on, or was started anew.
    pub host_restarted: bool,
}

/// The last word of a worker in its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LastWord {
    Finished(FinishReason),
    Failed(Cause, String),
}

impl LastWord {
    /// The last word of the latest attempt of `run`.
    pub fn of(run: &RunState) -> Option<LastWord> {
        let training = &run.training;
        if training.plan.as_ref().is_some_and(|plan| plan.attempt == run.life.attempts) {
            let finished = training.finished.map(|(reason, _)| LastWord::Finished(reason));
            let failed = training.failed.as_ref().map(|failed| LastWord::Failed(failed.cause, failed.error.clone()));
            return finished.or(failed);
        }
        // It ended before training began.
        let mut its_own = training.feed.iter().rev().take_while(|line| run.life.is_of_this_attempt(line.time));
        its_own.find_map(|line| match &line.event {
            Event::Finished(finished) => Some(LastWord::Finished(finished.reason)),
            Event::Failed(failed) => Some(LastWord::Failed(failed.cause, failed.error.clone())),
            _ => None,
        })
    }
}

/// What is written about an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub outcome: Outcome,
    pub cause: Cause,
    pub message: Option<String>,
}

impl Verdict {
    fn new(outcome: Outcome, cause: Cause, message: impl Into<Option<String>>) -> Self {
        Verdict { outcome, cause, message: message.into() }
    }

    /// The verdict on a worker that could not be started.
    pub fn not_started(message: String) -> Self {
        Verdict::new(Outcome::Failed, Cause::Start, message)
    }

    /// The verdict on a worker that ended.
    pub fn of(word: Option<LastWord>, end: ProcessEnd, wish: Wish, evidence: Evidence) -> Self {
        match (word, wish) {
            (Some(LastWord::Finished(FinishReason::Completed)), _) => {
                Verdict::new(Outcome::Finished, Cause::Completed, None)
            }
            (Some(LastWord::Finished(FinishReason::EarlyStopped)), _) => {
                Verdict::new(Outcome::Finished, Cause::EarlyStopped, None)
            }
            (_, Wish::Cancel | Wish::Kill) => Verdict::new(Outcome::Cancelled, Cause::User, None),
            (Some(LastWord::Failed(cause, error)), _) => Verdict::new(Outcome::Failed, cause, error),
            (None, Wish::Pause) => Verdict::new(Outcome::Paused, Cause::User, None),
            (None, Wish::Stop) => Verdict::new(Outcome::Paused, Cause::Preempted, None),
            (None, Wish::Run) => Verdict::unasked(end, evidence),
        }
    }

    fn unasked(end: ProcessEnd, evidence: Evidence) -> Self {
        let is_killed = end.signal == Some(Signal::KILL.as_raw());
        match (end.code, end.signal) {
            (Some(exit_code::STOPPED), _) => Verdict::new(Outcome::Paused, Cause::Preempted, None),
            (Some(code), _) => Verdict::new(
                Outcome::Failed,
                Cause::Crashed,
                format!("the worker exited with code {code} and said no more"),
            ),
            (None, Some(_)) if is_killed && evidence.memory_ran_out => {
                let message = "the kernel killed the worker because memory ran out".to_owned();
                Verdict::new(Outcome::Failed, Cause::OutOfMemory, message)
            }
            (None, Some(signal)) => {
                Verdict::new(Outcome::Failed, Cause::Crashed, format!("the worker was killed by signal {signal}"))
            }
            (None, None) if evidence.host_restarted => Verdict::new(Outcome::Lost, Cause::HostRestarted, None),
            (None, None) => Verdict::new(Outcome::Lost, Cause::WorkerGone, None),
        }
    }

    /// After how long it is tried again, having been retried `retries` times: lost and crashed runs are, within the limit;
    /// a preempted one always is; what would fail again is not.
    pub fn retry_after(&self, retries: u32, retry: Retry) -> Option<Duration> {
        match self.cause {
            Cause::Preempted => Some(retry.pause),
            Cause::Crashed | Cause::Network | Cause::WorkerGone | Cause::NodeFailed | Cause::HostRestarted
                if retries < retry.limit =>
            {
                Some(retry.pause.saturating_mul(3u32.saturating_pow(retries)))
            }
            _ => None,
        }
    }

    /// Nobody tries a lost run again: it failed.
    pub fn given_up(mut self) -> Self {
        if self.outcome == Outcome::Lost {
            self.outcome = Outcome::Failed;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn code(code: i32) -> ProcessEnd {
        ProcessEnd { code: Some(code), signal: None }
    }

    const fn signal(signal: i32) -> ProcessEnd {
        ProcessEnd { code: None, signal: Some(signal) }
    }

    const UNKNOWN: ProcessEnd = ProcessEnd { code: None, signal: None };
    const OOM: Evidence = Evidence { memory_ran_out: true, host_restarted: false };
    const REBOOT: Evidence = Evidence { memory_ran_out: false, host_restarted: true };
    const NOTHING: Evidence = Evidence { memory_ran_out: false, host_restarted: false };

    #[test]
    fn every_end_has_its_cause() {
        use {Cause::*, FinishReason as Why, LastWord as Said, Outcome::*};
        let done = || Some(Said::Finished(Why::Completed));
        let diverged = || Some(Said::Failed(Diverged, "NaN".into()));
        for (word, end, wish, evidence, outcome, cause) in [
            (done(), code(0), Wish::Run, NOTHING, Finished, Completed),
            (Some(Said::Finished(Why::EarlyStopped)), code(0), Wish::Run, NOTHING, Finished, EarlyStopped),
            (done(), code(0), Wish::Cancel, NOTHING, Finished, Completed),
            (done(), UNKNOWN, Wish::Run, REBOOT, Finished, Completed),
            (diverged(), code(1), Wish::Run, NOTHING, Failed, Diverged),
            (diverged(), UNKNOWN, Wish::Run, NOTHING, Failed, Diverged),
            (diverged(), code(1), Wish::Cancel, NOTHING, Cancelled, User),
            (None, code(0), Wish::Run, NOTHING, Failed, Crashed),
            (None, code(1), Wish::Run, NOTHING, Failed, Crashed),
            (None, code(101), Wish::Run, NOTHING, Failed, Crashed),
            (None, code(75), Wish::Run, NOTHING, Paused, Preempted),
            (None, code(75), Wish::Stop, NOTHING, Paused, Preempted),
            (None, code(75), Wish::Pause, NOTHING, Paused, User),
            (None, signal(9), Wish::Pause, NOTHING, Paused, User),
            (None, code(75), Wish::Cancel, NOTHING, Cancelled, User),
            (None, signal(9), Wish::Kill, OOM, Cancelled, User),
            (None, signal(9), Wish::Run, OOM, Failed, OutOfMemory),
            (None, signal(9), Wish::Run, NOTHING, Failed, Crashed),
            (None, signal(11), Wish::Run, OOM, Failed, Crashed),
            (None, UNKNOWN, Wish::Run, NOTHING, Lost, WorkerGone),
            (None, UNKNOWN, Wish::Run, REBOOT, Lost, HostRestarted),
            (None, UNKNOWN, Wish::Cancel, NOTHING, Cancelled, User),
        ] {
            let verdict = Verdict::of(word.clone(), end, wish, evidence);
            assert_eq!((verdict.outcome, verdict.cause), (outcome, cause), "{word:?} {end:?} {wish:?} {evidence:?}");
        }
    }

    #[test]
    fn what_would_fail_again_is_not_tried_again() {
        let retry = Retry { limit: 2, pause: Duration::from_secs(10) };
        let after = |cause, retries| {
            Verdict::new(Outcome::Failed, cause, None).retry_after(retries, retry).map(|time| time.as_secs())
        };
        for cause in [Cause::Crashed, Cause::Network, Cause::WorkerGone, Cause::HostRestarted] {
            assert_eq!([0, 1, 2, 3].map(|retries| after(cause, retries)), [Some(10), Some(30), None, None]);
        }
        assert_eq!(after(Cause::Preempted, 7), Some(10));
        for cause in
            [Cause::Experiment, Cause::Diverged, Cause::OutOfMemory, Cause::User, Cause::Start, Cause::Completed]
        {
            assert_eq!(after(cause, 0), None);
        }
    }

    #[test]
    fn a_quick_worker_may_speak_before_its_start_is_written_down() {
        use crate::base::clock::Timestamp;
        use crate::base::id::RunId;
        use crate::record::event::{Failed, Line};
        use crate::record::life::{ExecutorKind, Exited, LifeEvent};
        let line = |time, event| Line { seq: 0, time: Timestamp::from_millis(time), event };
        let life = |time, event| Line { seq: 0, time: Timestamp::from_millis(time), event };
        let failed = || Failed { cause: Cause::Experiment, error: "no".into(), causes: vec![], hint: None };
        let started = |attempt| {
            let (executor, host) = (ExecutorKind::Local, String::new());
            LifeEvent::Started { attempt, executor, process: None, job_id: None, host, gpu: None }
        };
        let (outcome, cause) = (Outcome::Failed, Cause::Experiment);
        let exited = Exited { attempt: 1, outcome, cause, exit_code: Some(1), signal: None, message: None };
        let mut run = RunState::new(RunId(1), "x".into());
        run.life(life(
            0,
            LifeEvent::Queued { name: "x".into(), priority: 0, group: None, after: vec![], needs: Default::default() },
        ));
        run.training.take(line(5, Event::Failed(failed())));
        run.life(life(10, started(1)));
        assert_eq!(LastWord::of(&run), Some(LastWord::Failed(Cause::Experiment, "no".into())));
        run.life(life(20, LifeEvent::Exited(exited)));
        run.life(life(21, LifeEvent::Resumed));
        run.life(life(30, started(2)));
        assert_eq!(LastWord::of(&run), None, "what an earlier attempt said is not this one's");
        run.training.take(line(31, Event::Failed(failed())));
        assert!(LastWord::of(&run).is_some());
    }
}
