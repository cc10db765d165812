//! What a runner does first: it reads how every run stands, and goes on from there.
//!
//! Invariant: a worker that lives is taken over and never started beside itself.

use super::command::ended_unstarted;
use super::daemon::Daemon;
use super::executor::local::Marked;
use super::last_word::LastWord;
use super::lock::host;
use super::outcome::Wish;
use super::process;
use super::queue::{Entry, Stage};
use super::supervisor::append;
use crate::record::life::{Cause, ExecutorKind, LifeEvent};
use crate::record::state::{Asked, Life, Status};
use crate::record::{Error, RunDir, RunState, view};

impl Daemon {
    /// Takes up every run of the store. One that cannot be read is left aside.
    pub fn recover(&mut self) -> Result<(), Error> {
        if let Err(error) = self.store.settle() {
            self.log.line(&error.to_string());
        }
        let workers = Marked::look();
        for dir in self.store.runs()? {
            self.dirs.learn(dir.clone());
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
        match run.life.status {
            Status::Queued => self.take_up_queued(dir, run, workers),
            Status::Paused => self.queue.take_up(dir.id(), &run.life),
            Status::Starting | Status::Running if has_command(&run.life) => {}
            // Lost by a runner that wrote no more: nothing lives, and the supervisor finds what follows.
            Status::Starting | Status::Running | Status::Lost => {
                self.queue.take_up(dir.id(), &run.life);
                // The mark first: what is written down of a foreground run is its command, not its worker.
                let process = workers.worker(&dir, run.life.attempts).or_else(|| run.life.process.clone());
                let wish = wish_of(&run.life);
                self.adopt(dir, run.life.attempts, process, wish);
            }
            Status::Finished | Status::Failed | Status::Cancelled => self.queue.take_up(dir.id(), &run.life),
        }
    }

    /// A runner that died between the start of a worker and its line in the record left one that only its mark tells of
    /// while it lives, and its last word when it has ended.
    fn take_up_queued(&mut self, dir: RunDir, run: &RunState, workers: &Marked) {
        let attempt = run.life.attempts.saturating_add(1);
        let process = workers.worker(&dir, attempt);
        if process.is_none() && LastWord::read(&dir.events(), &run.life).is_none() {
            return self.take_up_waiting(&dir, run);
        }
        let (executor, host) = (ExecutorKind::Local, host());
        let started = LifeEvent::Started { attempt, executor, process: process.clone(), job_id: None, host, gpu: None };
        if let Err(error) = append(&dir, [started]) {
            self.log.line(&error.to_string());
        }
        self.queue.adopt(dir.id(), Entry::of(&run.life, Stage::Live), None);
        self.adopt(dir, attempt, process, wish_of(&run.life));
    }

    /// What was asked of a run whose worker was never started is done now.
    fn take_up_waiting(&mut self, dir: &RunDir, run: &RunState) {
        let done = match run.life.asked {
            None => {
                self.queue.take_up(dir.id(), &run.life);
                Ok(())
            }
            Some(Asked::Pause) => {
                self.queue.put(dir.id(), Entry::of(&run.life, Stage::Paused));
                append(dir, [LifeEvent::Paused])
            }
            Some(Asked::Cancel) => ended_unstarted(dir, Cause::User, None),
        };
        if let Err(error) = done {
            self.log.line(&error.to_string());
        }
    }

    /// Takes over a foreground run whose command died while this runner lived: nobody else writes its end down.
    pub(super) fn take_up_forsaken(&mut self, dir: &RunDir, run: &RunState) {
        let is_forsaken = run.life.executor == Some(ExecutorKind::Foreground) && !has_command(&run.life);
        if is_forsaken && run.life.status.is_live() && self.queue.stage(dir.id()).is_none() {
            self.take_up(dir.clone(), run, &Marked::look());
        }
    }
}

/// What its former runner was asked to do with a worker, and may not have done.
fn wish_of(life: &Life) -> Wish {
    match life.asked {
        Some(Asked::Cancel) => Wish::Cancel,
        Some(Asked::Pause) => Wish::Pause,
        None => Wish::Run,
    }
}

/// Whether the run is a living command's affair: one that runs in the foreground, as far as can be known from here.
fn has_command(life: &Life) -> bool {
    life.executor == Some(ExecutorKind::Foreground)
        && (life.host.as_ref() != Some(&host()) || life.process.as_ref().is_none_or(process::is_alive))
}
