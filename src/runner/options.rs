//! How a runner behaves, and from which variables of the environment it learns that.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::error::Error;
use super::queue::capacity::Capacity;

/// How a runner behaves.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// What the machine has for runs.
    pub capacity: Capacity,
    /// Leave when there was nothing to do for this long.
    pub idle: Duration,
    /// Begin a session of its own, so that no terminal's end reaches it. Fails for the leader of a process group.
    pub detach: bool,
    pub rules: Rules,
}

/// How each run is treated.
#[derive(Debug, Clone)]
pub struct Rules {
    pub worker: WorkerCommand,
    /// From SIGTERM to SIGKILL.
    pub grace: Duration,
    pub retry: Retry,
    /// Added to the worker's niceness, so that a terminal stays quick beside it.
    pub nice: i32,
    /// Whether a worker stops, at a checkpoint, when the process that started it is gone.
    pub with_parent: bool,
}

/// When a run that was lost or crashed is tried again.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    pub limit: u32,
    /// Before the first retry; each later one waits three times as long.
    pub pause: Duration,
}

/// What is started for a run; its folder and `--attempt N` are added as the last arguments.
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
}

impl ServeOptions {
    /// A runner whose workers are `worker`: one slot, ten minutes of idleness, ten seconds of grace, two retries.
    pub fn new(worker: WorkerCommand) -> Self {
        let retry = Retry { limit: 2, pause: Duration::from_secs(10) };
        let rules = Rules { worker, grace: Duration::from_secs(10), retry, nice: 5, with_parent: false };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        ServeOptions { capacity: Capacity::new(1, cores), idle: Duration::from_secs(600), detach: false, rules }
    }

    /// As the environment asks for: `FINETOP_SLOTS`, `FINETOP_IDLE` and `FINETOP_GRACE` (seconds).
    pub fn with_environment(mut self) -> Result<Self, Error> {
        if let Some(slots) = variable("FINETOP_SLOTS", "a number of runs from 1")? {
            self.capacity.slots = slots;
        }
        if let Some(seconds) = variable("FINETOP_IDLE", "a number of seconds from 1")? {
            self.idle = Duration::from_secs(seconds as u64);
        }
        if let Some(seconds) = variable("FINETOP_GRACE", "a number of seconds from 1")? {
            self.rules.grace = Duration::from_secs(seconds as u64);
        }
        Ok(self)
    }
}

impl WorkerCommand {
    /// `finetop worker`, by this very program.
    pub fn this_program() -> Result<Self, Error> {
        let program = std::env::current_exe().map_err(Error::NoProgram)?;
        Ok(WorkerCommand { program, arguments: vec!["worker".into()] })
    }
}

fn variable(name: &'static str, expected: &'static str) -> Result<Option<usize>, Error> {
    let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    let number = value.to_str().and_then(|text| text.trim().parse().ok()).filter(|&number| number > 0);
    let wrong = || Error::BadVariable { name, value: value.to_string_lossy().into_owned(), expected };
    number.map(Some).ok_or_else(wrong)
}
