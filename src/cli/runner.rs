//! `finetop runner status|stop|serve`.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use serde::Serialize;

use super::client::{connect, unexpected};
use super::failure::Failure;
use super::output;
use crate::base::text::{bytes, counted};
use crate::record::Store;
use crate::runner::client::wait_until_gone;
use crate::runner::protocol::{Machine, Status};
use crate::runner::{Request, Response, ServeOptions, WorkerCommand};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

impl Args {
    /// Whether this process is to be the runner.
    pub fn serves(&self) -> bool {
        matches!(self.command, Command::Serve { .. })
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say whether a runner lives, and what it does.
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// End the runner when its live runs have ended; what waits stays queued.
    Stop {
        /// Stop the live runs at a checkpoint; they go on with the next runner.
        #[arg(long)]
        now: bool,
    },
    /// Be the runner; what other commands start in the background.
    #[command(hide = true)]
    Serve {
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
        slots: Option<u16>,
        /// Stay in this terminal's session.
        #[arg(long)]
        attached: bool,
    },
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    match args.command {
        Command::Status { json } => status(store, json),
        Command::Stop { now } => stop(store, now),
        Command::Serve { slots, attached } => serve(store, slots, attached),
    }
}

#[derive(Serialize)]
struct Report {
    running: bool,
    #[serde(flatten)]
    status: Option<Status>,
}

fn status(store: &Path, json: bool) -> Result<ExitCode, Failure> {
    let status = match connect(store)? {
        Some(mut client) => match client.request(&Request::Status)? {
            Response::Status(status) => Some(status),
            other => return Err(unexpected(&other)),
        },
        None => None,
    };
    if json {
        output::json(&Report { running: status.is_some(), status });
        return Ok(ExitCode::SUCCESS);
    }
    match status {
        Some(status) => say(&status),
        None => output::line("no runner lives; `finetop add` starts one"),
    }
    Ok(ExitCode::SUCCESS)
}

fn say(status: &Status) {
    let ending = if status.stopping { ", ends when its live runs have" } else { "" };
    output::line(&format!(
        "process {} on {}, version {}, since {}{ending}",
        status.pid,
        status.host,
        status.version,
        status.since.local_date_time()
    ));
    let slots = counted(status.slots, "slot");
    let runs = &status.runs;
    output::line(&format!(
        "{slots}: {} live, {} waiting, {} paused",
        runs.live.len(),
        runs.waiting.len(),
        runs.paused.len()
    ));
    output::line(&on(&status.machine));
}

/// What the machine has for runs.
fn on(machine: &Machine) -> String {
    let Machine { cores, threads, memory_budget, memory_kept, gpus, runs_per_gpu } = machine;
    let memory = match memory_budget {
        Some(budget) => format!("{} of {} of memory kept for live runs", bytes(*memory_kept), bytes(*budget)),
        None => format!("{} of memory kept for live runs", bytes(*memory_kept)),
    };
    let gpus = match gpus.as_slice() {
        [] => "no GPU".to_owned(),
        gpus => format!("GPUs {} for {runs_per_gpu} each", gpus.join(", ")),
    };
    format!("{}, {} for each run; {memory}; {gpus}", counted(*cores, "core"), counted(*threads, "thread"))
}

fn stop(store: &Path, now: bool) -> Result<ExitCode, Failure> {
    let Some(mut client) = connect(store)? else {
        output::note("no runner lives");
        return Ok(ExitCode::SUCCESS);
    };
    match client.request(&Request::Stop { now })? {
        Response::Agreed => {}
        Response::Refused(refusal) => return Err(refusal.into()),
        other => return Err(unexpected(&other)),
    }
    drop(client);
    if now && !wait_until_gone(&Store::open(store)?, Duration::from_secs(60)) {
        return Err(Failure::failed("the runner was asked to end and still lives after a minute"));
    }
    Ok(ExitCode::SUCCESS)
}

fn serve(store: &Path, slots: Option<u16>, attached: bool) -> Result<ExitCode, Failure> {
    let store = Store::create(store)?;
    let mut options = ServeOptions::new(WorkerCommand::this_program()?).with_environment()?;
    options.detach = !attached;
    if let Some(slots) = slots {
        options.capacity.slots = slots.into();
    }
    crate::runner::serve(&store, options)?;
    Ok(ExitCode::SUCCESS)
}
