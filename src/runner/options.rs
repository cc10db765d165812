//! How a runner behaves, and from which variables of the environment it learns that.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::error::Error;
use super::queue::capacity::Capacity;
use super::{gpus, memory};

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
    /// Before a run that was lost or crashed is tried again; each later time waits three times as long.
    pub backoff: Duration,
    /// Added to the worker's niceness, so that a terminal stays quick beside it.
    pub nice: i32,
    /// Whether a worker stops, at a checkpoint, when the process that started it is gone.
    pub with_parent: bool,
}

/// What is started for a run; its folder and `--attempt N` are added as the last arguments.
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
}

impl ServeOptions {
    /// A runner whose workers are `worker`: one slot, ten minutes of idleness, ten seconds of grace and of backoff.
    pub fn new(worker: WorkerCommand) -> Self {
        let (grace, backoff) = (Duration::from_secs(10), Duration::from_secs(10));
        let rules = Rules { worker, grace, backoff, nice: 5, with_parent: false };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        ServeOptions { capacity: Capacity::new(1, cores), idle: Duration::from_secs(600), detach: false, rules }
    }

    /// With the memory and the GPUs of this machine, as the environment asks for: `FINETOP_SLOTS`,
    /// `FINETOP_MEMORY_BUDGET`, `CUDA_VISIBLE_DEVICES`, `FINETOP_RUNS_PER_GPU`, and in seconds `FINETOP_IDLE`,
    /// `FINETOP_GRACE` and `FINETOP_BACKOFF`.
    pub fn with_environment(mut self) -> Result<Self, Error> {
        memory::asked().map_err(|value| wrong(memory::BUDGET, &value, "bytes, or a size as 8G"))?;
        self.capacity.memory = Some(memory::budget()).filter(|&budget| budget < u64::MAX);
        self.capacity.gpus = gpus::visible();
        if let Some(slots) = variable("FINETOP_SLOTS", "a number of runs from 1")? {
            self.capacity.slots = slots;
        }
        if let Some(runs) = variable("FINETOP_RUNS_PER_GPU", "a number of runs from 1")? {
            self.capacity.runs_per_gpu = runs;
        }
        if let Some(idle) = seconds("FINETOP_IDLE")? {
            self.idle = idle;
        }
        if let Some(grace) = seconds("FINETOP_GRACE")? {
            self.rules.grace = grace;
        }
        if let Some(backoff) = seconds("FINETOP_BACKOFF")? {
            self.rules.backoff = backoff;
        }
        Ok(self)
    }
}

impl WorkerCommand {
    /// `finetop worker`, by this very program.
    pub fn this_program() -> Result<Self, Error> {
        Ok(WorkerCommand { program: this_program()?, arguments: vec!["worker".into()] })
    }
}

/// The file of this very program. One that was replaced while it runs (an upgrade) is what is there now; where nothing is
/// there any more, the program that runs.
pub fn this_program() -> Result<PathBuf, Error> {
    let program = std::env::current_exe().map_err(Error::NoProgram)?;
    Ok(if program.exists() { program } else { found_again(program) })
}

/// The kernel says so of a file that was replaced or removed: `/usr/bin/finetop (deleted)`.
fn found_again(program: PathBuf) -> PathBuf {
    let running = PathBuf::from("/proc/self/exe");
    let replaced = program.to_str().and_then(|path| path.strip_suffix(" (deleted)")).map(PathBuf::from);
    match replaced {
        Some(path) if path.exists() => path,
        _ if running.exists() => running,
        _ => program,
    }
}

fn variable(name: &'static str, expected: &'static str) -> Result<Option<usize>, Error> {
    let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    let number = value.to_str().and_then(|text| text.trim().parse().ok()).filter(|&number| number > 0);
    number.map(Some).ok_or_else(|| wrong(name, &value, expected))
}

/// A time in seconds, with fractions.
fn seconds(name: &'static str) -> Result<Option<Duration>, Error> {
    let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    let time =
        value.to_str().and_then(|text| text.trim().parse().ok()).and_then(|s| Duration::try_from_secs_f64(s).ok());
    time.map(Some).ok_or_else(|| wrong(name, &value, "a number of seconds"))
}

fn wrong(name: &'static str, value: &std::ffi::OsStr, expected: &'static str) -> Error {
    Error::BadVariable { name, value: value.to_string_lossy().into_owned(), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_was_replaced_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("finetop");
        let as_the_kernel_says = PathBuf::from(format!("{} (deleted)", path.display()));
        assert_eq!(found_again(as_the_kernel_says.clone()), PathBuf::from("/proc/self/exe"), "nothing is there");
        std::fs::write(&path, "new").unwrap();
        assert_eq!(found_again(as_the_kernel_says), path);
        assert!(this_program().unwrap().is_file());
    }
}
