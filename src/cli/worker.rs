//! `finetop worker RUN_DIR`: trains one run. The runner starts it, and `finetop run` does.
//!
//! Invariants: it writes `events.jsonl` and below `checkpoints/` and `model/`, nothing else; whatever goes wrong, a panic
//! included, is in the events before it exits; SIGTERM and SIGINT make it write a checkpoint and leave.

use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::failure::Failure;
use crate::base::clock;
use crate::experiment;
use crate::record::event::{Event, Failed};
use crate::record::life::Cause;
use crate::record::{RunDir, Store, Writer, words};
use crate::runner::exit_code;
use crate::train::{self, End, Job};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(value_name = "RUN_DIR")]
    folder: PathBuf,
    /// How many times the run was started, this one included.
    #[arg(long, default_value_t = 1)]
    attempt: u32,
    /// Stop at a checkpoint when this process, which started it, is gone.
    #[arg(long, value_name = "PID")]
    with_parent: Option<i32>,
}

pub fn main(args: Args) -> Result<ExitCode, Failure> {
    let folder = args.folder.canonicalize().unwrap_or(args.folder);
    let dir = RunDir::at(&folder)
        .ok_or_else(|| Failure::usage(format!("{} is not the folder of a run", folder.display())))?;
    // What the store says of its format, and where the run's files are.
    Store::open(folder.parent().unwrap_or(&folder))?;
    dir.refuse_links().map_err(|error| Failure::failed(error.to_string()).maybe_hint(error.hint()))?;
    let mut events = match Writer::<Event>::open(&dir.events()) {
        Err(error) if error.is_full() => return Ok(without_space(Failure::failed(error.to_string()))),
        opened => opened.map_err(|error| Failure::failed(error.to_string()))?,
    };
    let stop = stop_on_signals().map_err(|error| Failure::failed(format!("could not watch for signals: {error}")))?;
    if let Some(parent) = args.with_parent {
        stop_with_parent(parent, &stop);
    }
    let trained = std::panic::catch_unwind(AssertUnwindSafe(|| train(&dir, args.attempt, &mut events, &stop)));
    let failed = match trained {
        Ok(Ok(End::Finished(_))) => return Ok(code(exit_code::FINISHED)),
        Ok(Ok(End::Stopped)) => return Ok(code(exit_code::STOPPED)),
        Ok(Err(failed)) => failed,
        Err(panic) => crashed(&*panic),
    };
    let mut failure = Failure::failed(failed.error.clone()).maybe_hint(failed.hint.clone());
    if let Err(error) = events.write(Event::Failed(failed)) {
        failure = failure.hint(format!("this could not be recorded: {error}"));
        if error.is_full() {
            return Ok(without_space(failure));
        }
    }
    Err(failure)
}

/// Where no event can be written any more, the exit code says why.
fn without_space(failure: Failure) -> ExitCode {
    failure.report();
    code(exit_code::DISK_FULL)
}

fn code(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// Set by SIGTERM and SIGINT, however many come: the kernel sends one for each thread of a parent that dies, and whoever
/// will not wait has SIGKILL. SIGHUP is the terminal's affair, not ours.
fn stop_on_signals() -> std::io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    signal_hook::flag::register(SIGHUP, Arc::new(AtomicBool::new(false)))?;
    Ok(stop)
}

/// The kernel tells of a parent's death only from now on; one that is gone already has left us to another.
fn stop_with_parent(parent: i32, stop: &AtomicBool) {
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
    if rustix::process::getppid().map(rustix::process::Pid::as_raw_nonzero).map(i32::from) != Some(parent) {
        stop.store(true, Ordering::Relaxed);
    }
}

fn train(dir: &RunDir, attempt: u32, events: &mut Writer<Event>, stop: &AtomicBool) -> Result<End, Failed> {
    let loaded = experiment::load(&dir.resolved_yaml(), &[]).map_err(|mistakes| Failed {
        cause: Cause::Experiment,
        error: mistakes.to_string(),
        causes: Vec::new(),
        hint: None,
    })?;
    let job = Job { experiment: &loaded.experiment, folder: dir.path(), attempt };
    let mut emit = |event: Event| {
        log(&event);
        events.write(event)
    };
    train::run(&job, &mut emit, stop).map_err(|error| failed(&error))
}

fn failed(error: &train::Error) -> Failed {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    Failed {
        cause: error.cause(),
        error: error.to_string(),
        causes: causes.map(ToString::to_string).collect(),
        hint: error.hint(),
    }
}

fn crashed(panic: &(dyn std::any::Any + Send)) -> Failed {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    Failed {
        cause: Cause::Crashed,
        error: format!("the worker panicked: {}", text.unwrap_or("without a message")),
        causes: Vec::new(),
        hint: Some("this is a bug in finetop; log.txt has where it happened".into()),
    }
}

/// What people look for in `log.txt`; the steps are in the events. A log that cannot be written is no reason to stop.
fn log(event: &Event) {
    if !matches!(event, Event::Step(_) | Event::Stage(_) | Event::Unknown) {
        let _ = writeln!(std::io::stdout(), "{}  {:<6}  {}", clock::now(), words::kind(event), words::words(event));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failure_with_its_message() {
        for (thrown, said) in [
            (std::panic::catch_unwind(|| panic!("layer {}", 7)).unwrap_err(), "the worker panicked: layer 7"),
            (std::panic::catch_unwind(|| panic!("plain")).unwrap_err(), "the worker panicked: plain"),
            (Box::new(7) as Box<dyn std::any::Any + Send>, "the worker panicked: without a message"),
        ] {
            let failed = crashed(&*thrown);
            assert_eq!((failed.cause, failed.error.as_str()), (Cause::Crashed, said));
            assert!(failed.hint.is_some());
        }
    }

    #[test]
    fn a_worker_whose_parent_is_gone_before_it_looks_stops() {
        let parent = rustix::process::getppid().unwrap().as_raw_nonzero().get();
        let stop = AtomicBool::new(false);
        stop_with_parent(parent, &stop);
        assert!(!stop.load(Ordering::Relaxed));
        stop_with_parent(parent + 1, &stop);
        assert!(stop.load(Ordering::Relaxed));
    }
}
