//! The background task of one attempt at an experiment: it starts the worker or takes it over, waits for it, makes it
//! stop when that is wished, and writes down how it ended and whether it is tried again.
//!
//! Invariants: a worker that could not be written down is stopped again; one whose runner died before it could is found
//! by its mark; an end and what follows from it are written in one piece; nothing of the worker's process group is left
//! when an attempt is over.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::watch;

use super::executor::local::Worker;
use super::lock::host;
use super::log::Log;
use super::options::{Retry, Rules};
use super::outcome::{Evidence, LastWord, ProcessEnd, Verdict, Wish};
use super::{oom, process};
use crate::base::clock::{self, Timestamp};
use crate::base::durable;
use crate::record::life::{Cause, ExecutorKind, Exited, LifeEvent, Outcome, ProcessId};
use crate::record::{RunDir, Writer, summary, view};

/// What becomes of a run after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Over,
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
    /// Starts a worker and sees it to its end.
    pub async fn start(mut self, threads: usize) -> Next {
        let memory = oom::kills();
        match Worker::start(&self.dir, self.attempt, threads, &self.rules) {
            Ok(worker) => match append(&self.dir, self.started(Some(worker.process().clone()))) {
                Ok(()) => self.see_to_its_end(worker, memory).await,
                Err(error) => self.not_written_down(worker, error).await,
            },
            Err(message) => {
                self.note(&message);
                if let Err(error) = append(&self.dir, self.started(None)) {
                    self.log.line(&format!("{}: {error}", self.dir.folder_name()));
                }
                self.conclude(Verdict::not_started(message), ProcessEnd::default()).await
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
            Some(worker) => self.see_to_its_end(worker, oom::kills()).await,
            None => {
                let host_restarted = known.as_ref().is_some_and(process::is_of_another_boot);
                let evidence = Evidence { host_restarted, memory_ran_out: false };
                self.judge(ProcessEnd::default(), evidence).await
            }
        }
    }

    fn started(&self, process: Option<ProcessId>) -> Option<LifeEvent> {
        let attempt = self.attempt;
        self.executor.map(|executor| LifeEvent::Started {
            attempt,
            executor,
            process,
            job_id: None,
            host: host(),
            gpu: None,
        })
    }

    async fn see_to_its_end(&mut self, mut worker: Worker, memory_before: Option<u64>) -> Next {
        let end = self.wait_for(&mut worker).await;
        worker.signal(Signal::KILL);
        let memory_ran_out = matches!((memory_before, oom::kills()), (Some(before), Some(now)) if now > before);
        self.judge(end, Evidence { memory_ran_out, host_restarted: false }).await
    }

    /// Waits for the worker, and stops it when that is wished: SIGTERM, and after the grace period SIGKILL.
    async fn wait_for(&mut self, worker: &mut Worker) -> ProcessEnd {
        tokio::select! {
            end = worker.ended() => return end,
            () = at_least(&mut self.wish, Wish::Stop) => {}
        }
        if *self.wish.borrow() < Wish::Kill {
            worker.signal(Signal::TERM);
            tokio::select! {
                end = worker.ended() => return end,
                () = tokio::time::sleep(self.rules.grace) => {}
                () = at_least(&mut self.wish, Wish::Kill) => {}
            }
        }
        worker.signal(Signal::KILL);
        worker.ended().await
    }

    async fn judge(&mut self, end: ProcessEnd, evidence: Evidence) -> Next {
        let wish = *self.wish.borrow();
        let word = LastWord::of(&view::load(&self.dir));
        let mut verdict = Verdict::of(word, end, wish, evidence);
        if verdict.cause == Cause::Crashed
            && let Some(message) = &mut verdict.message
            && let Some(said) = last_line(&self.dir.log_txt())
        {
            message.push_str(": ");
            message.push_str(&said);
        }
        self.conclude(verdict, end).await
    }

    /// Writes down the end and what follows.
    async fn conclude(&mut self, verdict: Verdict, end: ProcessEnd) -> Next {
        let run = view::load_life(&self.dir);
        let mut after = verdict.retry_after(run.life.retries, self.retry(run.life.executor));
        if verdict.cause == Cause::Preempted && *self.wish.borrow() == Wish::Stop {
            after = Some(Duration::ZERO);
        }
        let verdict = if after.is_none() { verdict.given_up() } else { verdict };
        let next = match (after, verdict.outcome) {
            (Some(time), _) => Next::Again(clock::now().plus(time)),
            (None, Outcome::Paused) => Next::Paused,
            (None, _) => Next::Over,
        };
        let events = self.end_events(verdict, end, after);
        while let Err(error) = append(&self.dir, events.clone()) {
            self.log.line(&format!("{}: its end could not be written: {error}", self.dir.folder_name()));
            if !self.dir.path().is_dir() || *self.wish.borrow() == Wish::Stop {
                break;
            }
            tokio::time::sleep(WRITE_AGAIN).await;
        }
        self.keep_summary();
        next
    }

    /// What ran in the foreground is tried again by whoever started it.
    fn retry(&self, executor: Option<ExecutorKind>) -> Retry {
        match executor {
            Some(ExecutorKind::Foreground) => Retry { limit: 0, ..self.rules.retry },
            _ => self.rules.retry,
        }
    }

    fn end_events(&self, verdict: Verdict, end: ProcessEnd, after: Option<Duration>) -> Vec<LifeEvent> {
        let Verdict { outcome, cause, message } = verdict;
        let ProcessEnd { code: exit_code, signal } = end;
        let exited = LifeEvent::Exited(Exited { attempt: self.attempt, outcome, cause, exit_code, signal, message });
        let retry = after.map(|time| LifeEvent::RetryScheduled { attempt: self.attempt + 1, after_s: time.as_secs() });
        std::iter::once(exited).chain(retry).collect()
    }

    fn keep_summary(&self) {
        if let Err(error) = summary::save(&self.dir) {
            self.log.line(&format!("{}: {error}", self.dir.folder_name()));
        }
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
    Writer::open(&dir.run_log())?.write_all(events)
}

/// Waits until at least `wanted` is wished; for ever where nobody wishes any more.
async fn at_least(wish: &mut watch::Receiver<Wish>, wanted: Wish) {
    if wish.wait_for(|&wish| wish >= wanted).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The last line that a log says anything on, cut to what a message can hold.
fn last_line(path: &Path) -> Option<String> {
    use std::io::{Read, Seek, SeekFrom};
    const BLOCK: u64 = 4096;
    let mut file = durable::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(BLOCK))).ok()?;
    let mut bytes = Vec::new();
    file.take(BLOCK).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    Some(line.chars().take(500).collect())
}
