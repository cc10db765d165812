//! What a runner does first: it reads how every run stands, and goes on from there.
//!
//! Invariant: a worker that lives is taken over and never started beside itself.

use super::daemon::Daemon;
use super::executor::local::Marked;
use super::lock::host;
use super::outcome::Wish;
use super::process;
use super::queue::{Claim, Stage};
use super::supervisor::append;
use crate::record::life::{Cause, ExecutorKind, Exited, LifeEvent, Outcome};
use crate::record::state::{Life, Status};
use crate::record::{Error, RunDir, RunState, view};

impl Daemon {
    /// Takes up every run of the store. One that cannot be read is left aside.
    pub fn recover(&mut self) -> Result<(), Error> {
        let workers = Marked::look();
        for dir in self.store.runs()? {
            let run = view::load_life(&dir);
            if run.life.queued.is_none() {
                self.log.line(&format!("{} has no readable run.jsonl, so it is left aside", dir.folder_name()));
                continue;
            }
            self.take_up(dir, &run, &workers);
        }
        Ok(())
    }

    fn take_up(&mut self, dir: RunDir, run: &RunState, workers: &Marked) {
        let claim = claim(&run.life);
        match run.life.status {
            Status::Queued => self.take_up_queued(dir, run, workers),
            Status::Paused => self.queue.put(dir.id(), claim, Stage::Paused),
            Status::Starting | Status::Running if run.life.executor == Some(ExecutorKind::Foreground) => {
                self.see_foreground(&dir, run);
            }
            // Lost by a runner that wrote no more: nothing lives, and the supervisor finds what follows.
            Status::Starting | Status::Running | Status::Lost => {
                self.queue.put(dir.id(), claim, Stage::Live);
                let process = run.life.process.clone().or_else(|| workers.worker(&dir, run.life.attempts));
                let wish = if run.life.cancel_requested { Wish::Cancel } else { Wish::Run };
                self.adopt(dir, run.life.attempts, process, wish);
            }
            Status::Finished | Status::Failed | Status::Cancelled => {}
        }
    }

    /// A runner that died between the start of a worker and its line in the record left one that only its mark tells of.
    fn take_up_queued(&mut self, dir: RunDir, run: &RunState, workers: &Marked) {
        let attempt = run.life.attempts.saturating_add(1);
        let claim = claim(&run.life);
        match workers.worker(&dir, attempt) {
            None => self.queue.put(dir.id(), claim, Stage::Waiting { not_before: run.life.retry_at }),
            process @ Some(_) => {
                let (executor, host) = (ExecutorKind::Local, host());
                let started = LifeEvent::Started { attempt, executor, process: process.clone(), job_id: None, host };
                if let Err(error) = append(&dir, [started]) {
                    self.log.line(&error.to_string());
                }
                self.queue.put(dir.id(), claim, Stage::Live);
                self.adopt(dir, attempt, process, Wish::Run);
            }
        }
    }

    /// A foreground run is its own command's affair, unless that died: then nobody else writes its end down.
    fn see_foreground(&self, dir: &RunDir, run: &RunState) {
        if run.life.process.as_ref().is_none_or(process::is_alive) {
            return;
        }
        let exited = Exited {
            attempt: run.life.attempts,
            outcome: Outcome::Failed,
            cause: Cause::WorkerGone,
            exit_code: None,
            signal: None,
            message: None,
        };
        if let Err(error) = append(dir, [LifeEvent::Exited(exited)]) {
            self.log.line(&error.to_string());
        }
    }
}

/// A run's claim to be next.
pub fn claim(life: &Life) -> Claim {
    Claim { priority: life.priority, order: life.order }
}
