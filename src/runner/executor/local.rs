//! A worker as a child process on this machine, or one that another runner started here.
//!
//! Invariants: a worker leads a process group of its own; none of its streams is the runner's; it outlives the runner.

use std::collections::BTreeMap;
use std::process::Stdio;

use rustix::process::{Pid, Signal, getpriority_process, setpriority_process};
use tokio::process::{Child, Command};

use crate::base::durable;
use crate::record::RunDir;
use crate::record::life::{Cause, ProcessId};
use crate::runner::options::Rules;
use crate::runner::outcome::ProcessEnd;
use crate::runner::queue::capacity::Share;
use crate::runner::{pidfd, process};

/// Marks a worker's environment with its run and attempt, so that a runner finds it whose predecessor died before it
/// could write the process down.
const MARK: &str = "FINETOP_WORKER_OF";

/// Why a worker could not be started, for people.
#[derive(Debug)]
pub struct NotStarted {
    pub cause: Cause,
    pub message: String,
}

impl From<durable::Error> for NotStarted {
    fn from(error: durable::Error) -> Self {
        let cause = if error.is_full() { Cause::DiskFull } else { Cause::Start };
        NotStarted { cause, message: error.to_string() }
    }
}

impl From<String> for NotStarted {
    fn from(message: String) -> Self {
        NotStarted { cause: Cause::Start, message }
    }
}

/// A worker that was started.
#[derive(Debug)]
pub struct Worker {
    process: ProcessId,
    /// None for one that another runner started.
    child: Option<Child>,
}

impl Worker {
    /// Starts the worker of `dir` with its `share` of the machine.
    pub fn start(dir: &RunDir, attempt: u32, share: &Share, rules: &Rules) -> Result<Worker, NotStarted> {
        let log = durable::open_log(&dir.log_txt())?;
        let also_log = log.try_clone().map_err(|e| format!("could not use {}: {e}", dir.log_txt().display()))?;
        let mut command = Command::new(&rules.worker.program);
        command.args(&rules.worker.arguments).arg(dir.path()).arg("--attempt").arg(attempt.to_string());
        if rules.with_parent {
            command.arg("--with-parent").arg(std::process::id().to_string());
        }
        take(share, &mut command);
        command.env(MARK, mark(dir, attempt));
        command.stdin(Stdio::null()).stdout(log).stderr(also_log).process_group(0);
        let child = command.spawn().map_err(|e| format!("could not start {}: {e}", rules.worker.program.display()))?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or_default();
        // Its later threads inherit it; a worker that is not nice works all the same.
        let niceness = getpriority_process(None).unwrap_or(0).saturating_add(rules.nice);
        let _ = setpriority_process(Pid::from_raw(pid), niceness);
        Ok(Worker { process: process::identify_child(pid), child: Some(child) })
    }

    /// Takes over a worker that another runner started. None when it does not live.
    pub fn adopt(process: ProcessId) -> Option<Worker> {
        process::is_alive(&process).then_some(Worker { process, child: None })
    }

    /// Its process.
    pub fn process(&self) -> &ProcessId {
        &self.process
    }

    /// Signals it and all that it started.
    pub fn signal(&self, signal: Signal) {
        process::signal_group(&self.process, signal);
    }

    /// Waits for its end. May be given up and called again.
    pub async fn ended(&mut self) -> ProcessEnd {
        let Some(child) = &mut self.child else {
            pidfd::ended(&self.process).await;
            return ProcessEnd::default();
        };
        use std::os::unix::process::ExitStatusExt;
        match child.wait().await {
            Ok(status) => ProcessEnd { code: status.code(), signal: status.signal() },
            Err(_) => ProcessEnd::default(),
        }
    }
}

/// Tells a worker what it may take. Without a GPU of its own it sees those that its runner sees: it may want none, and
/// where the queue shares none out it is for the user to say.
fn take(share: &Share, command: &mut Command) {
    if share.threads > 0 {
        // What Candle and our kernels take their number of threads from.
        command.env("RAYON_NUM_THREADS", share.threads.to_string());
    }
    if let Some(gpu) = &share.gpu {
        command.env("CUDA_VISIBLE_DEVICES", gpu);
    }
    if share.memory > 0 {
        command.env("FINETOP_MEMORY", share.memory.to_string());
    }
}

/// The workers that live on this machine, by the mark of their run and attempt.
pub struct Marked(BTreeMap<String, ProcessId>);

impl Marked {
    /// Looks at every process once.
    pub fn look() -> Self {
        Marked(process::marked_leaders(MARK))
    }

    /// The worker of this attempt at `dir`.
    pub fn worker(&self, dir: &RunDir, attempt: u32) -> Option<ProcessId> {
        self.0.get(&mark(dir, attempt)).cloned()
    }
}

fn mark(dir: &RunDir, attempt: u32) -> String {
    format!("{attempt}:{}", dir.path().display())
}
