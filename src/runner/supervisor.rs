//! The background task of one attempt at an experiment: it starts the worker or takes it over, waits for it, makes it
//! stop when that is wished or its time is up, and writes down how it ended and whether it is tried again.
//!
//! Invariants: a worker that could not be written down is stopped again; one whose runner died before it could is found
//! by its mark; an end and what follows from it are written in one piece; nothing of the worker's process group is left
//! when an attempt is over.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::watch;

use super::evidence::{self, Before};
use super::executor::local::{NotStarted, Worker};
use super::last_word::LastWord;
use super::lock::host;
use super::log::Log;
use super::options::Rules;
use super::outcome::{Evidence, ProcessEnd, Verdict, Wish};
use super::queue::capacity::Share;
use super::{limits, process};
use crate::base::clock::{self, Timestamp};
use crate::base::durable;
use crate::record::life::{Cause, ExecutorKind, Exited, LifeEvent, Outcome, ProcessId};
use crate::record::state::Life;
use crate::record::{RunDir, Writer, view};

/// What becomes of a run after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Over(Outcome),
    Again(Timestamp),
    Paused,
}

/// The supervisor of one attempt.
#[derive(Debug)]
pub struct Supervisor {
    pub dir: RunDir,
    pub attempt: u32,
    /// None where its start is in the record already.
    pub executor: Option<ExecutorKind>,
    pub rules: Arc<Rules>,
    pub wish: watch::Receiver<Wish>,
    pub log: Log,
}

/// How often to try again to write down an end, on a disk that is full.
const WRITE_AGAIN: Duration = Duration::from_secs(5);

/// After how long to try a start again that could not be written down.
const START_AGAIN: Duration = Duration::from_secs(30);

impl Supervisor {
    /// Starts a worker with its share of the machine and sees it to its end.
    pub async fn start(mut self, share: Share) -> Next {
        let before = Before::start(&self.dir, self.attempt);
        match Worker::start(&self.dir, self.attempt, &share, &self.rules) {
            Ok(worker) => match append(&self.dir, self.started(Some(worker.process().clone()), share.gpu)) {
                Ok(()) => self.see_to_its_end(worker, before).await,
                Err(error) => self.not_written_down(worker, error).await,
            },
            Err(NotStarted { cause, message }) => {
                self.note(&message);
                if let Err(error) = append(&self.dir, self.started(None, share.gpu)) {
                    self.log.line(&format!("{}: {error}", self.dir.folder_name()));
                }
                let life = view::load_life(&self.dir).life;
                self.conclude(Verdict::not_started(cause, message), ProcessEnd::default(), &life).await
            }
        }
    }

    /// A worker of which nobody would know must not go on.
    async fn not_written_down(self, mut worker: Worker, error: durable::Error) -> Next {
        self.log.line(&format!("{}: not started: {error}", self.dir.folder_name()));
        worker.signal(Signal::KILL);
        worker.ended().await;
        Next::Again(clock::now().plus(START_AGAIN))
    }

    /// Sees a worker to its end that another runner started, or writes down that it is gone.
    pub async fn adopt(mut self, known: Option<ProcessId>) -> Next {
        match known.clone().and_then(Worker::adopt) {
            Some(worker) => self.see_to_its_end(worker, Before::taken_over()).await,
            None => {
                let host_restarted = known.as_ref().is_some_and(process::is_of_another_boot);
                let evidence = Evidence { host_restarted, said: evidence::said(&self.dir), ..Evidence::default() };
                self.judge(ProcessEnd::default(), evidence).await
            }
        }
    }

    fn started(&self, process: Option<ProcessId>, gpu: Option<String>) -> Option<LifeEvent> {
        let attempt = self.attempt;
        let started = |executor| LifeEvent::Started { attempt, executor, process, job_id: None, host: host(), gpu };
        self.executor.map(started)
    }

    async fn see_to_its_end(&mut self, mut worker: Worker, before: Before) -> Next {
        let limit = limits::of(&self.dir).time_limit_minutes;
        let deadline = limit.map(|minutes| self.time_left(minutes));
        let (end, time_ran_out) = self.wait_for(&mut worker, deadline).await;
        worker.signal(Signal::KILL);
        let evidence = before.compare(&self.dir, end);
        self.judge(end, Evidence { time_ran_out, ..evidence }).await
    }

    /// How long the attempt may run yet. All attempts since a person last asked for the run share one limit, as a job of a
    /// cluster's queue does with its own.
    fn time_left(&self, minutes: f64) -> Duration {
        let limit = Duration::try_from_secs_f64(60.0 * minutes).unwrap_or(Duration::MAX);
        let life = view::load_life(&self.dir).life;
        let this_attempt = life.started.map_or(Duration::ZERO, |started| clock::now().since(started));
        limit.saturating_sub(life.tries.ran).saturating_sub(this_attempt)
    }

    /// Waits for the worker, and stops it when that is wished or its time is up: SIGTERM, and after the grace period
    /// SIGKILL. Also whether its time was up.
    async fn wait_for(&mut self, worker: &mut Worker, time_left: Option<Duration>) -> (ProcessEnd, bool) {
        let mut time_ran_out = false;
        tokio::select! {
            end = worker.ended() => return (end, false),
            () = at_least(&mut self.wish, Wish::Stop) => {}
            () = after(time_left) => time_ran_out = true,
        }
        if *self.wish.borrow() < Wish::Kill {
            worker.signal(Signal::TERM);
            tokio::select! {
                end = worker.ended() => return (end, time_ran_out),
                () = tokio::time::sleep(self.rules.grace) => {}
                () = at_least(&mut self.wish, Wish::Kill) => {}
            }
        }
        worker.signal(Signal::KILL);
        (worker.ended().await, time_ran_out)
    }

    async fn judge(&mut self, end: ProcessEnd, evidence: Evidence) -> Next {
        let wish = *self.wish.borrow();
        let life = view::load_life(&self.dir).life;
        let word = LastWord::read(&self.dir.events(), &life);
        self.conclude(Verdict::of(word, end, wish, evidence), end, &life).await
    }

    /// Writes down the end and what follows.
    async fn conclude(&mut self, verdict: Verdict, end: ProcessEnd, life: &Life) -> Next {
        let mut after = verdict.retry_after(life.tries, || self.retries(life), self.rules.backoff);
        if verdict.cause == Cause::Preempted && *self.wish.borrow() == Wish::Stop {
            after = Some(Duration::ZERO);
        }
        let verdict = if after.is_none() { verdict.given_up() } else { verdict };
        let next = match (after, verdict.outcome) {
            (Some(time), _) => Next::Again(clock::now().plus(time)),
            (None, Outcome::Paused) => Next::Paused,
            (None, outcome) => Next::Over(outcome),
        };
        let events = self.end_events(verdict, end, after);
        while let Err(error) = append(&self.dir, events.clone()) {
            self.log.line(&format!("{}: its end could not be written: {error}", self.dir.folder_name()));
            if !self.dir.path().is_dir() || *self.wish.borrow() == Wish::Stop {
                break;
            }
            tokio::time::sleep(WRITE_AGAIN).await;
        }
        next
    }

    /// How often it may be tried again. What ran in the foreground is tried again by whoever started it.
    fn retries(&self, life: &Life) -> u32 {
        match life.executor {
            Some(ExecutorKind::Foreground) => 0,
            _ => limits::of(&self.dir).retries,
        }
    }

    fn end_events(&self, verdict: Verdict, end: ProcessEnd, after: Option<Duration>) -> Vec<LifeEvent> {
        let Verdict { outcome, cause, message } = verdict;
        let ProcessEnd { code: exit_code, signal } = end;
        let exited = LifeEvent::Exited(Exited { attempt: self.attempt, outcome, cause, exit_code, signal, message });
        let retry = after.map(|time| LifeEvent::RetryScheduled { attempt: self.attempt + 1, after_s: time.as_secs() });
        std::iter::once(exited).chain(retry).collect()
    }

    /// A failure while setting up is in the run's log as any other is.
    fn note(&self, message: &str) {
        use std::io::Write;
        self.log.line(&format!("{}: {message}", self.dir.folder_name()));
        if let Ok(mut log) = durable::open_log(&self.dir.log_txt()) {
            let _ = log.write_all(format!("finetop: {message}\n").as_bytes());
        }
    }
}

/// Appends to the life of a run. The runner is its only writer, and does so without giving way.
pub fn append(dir: &RunDir, events: impl IntoIterator<Item = LifeEvent>) -> Result<(), durable::Error> {
    let mut events = events.into_iter().peekable();
    // The start of a foreground run is in its record already.
    if events.peek().is_none() { Ok(()) } else { Writer::open(&dir.run_log())?.write_all(events) }
}

/// Waits until at least `wanted` is wished; for ever where nobody wishes any more.
async fn at_least(wish: &mut watch::Receiver<Wish>, wanted: Wish) {
    if wish.wait_for(|&wish| wish >= wanted).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits for a time, without one for ever.
async fn after(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}
