//! `finetop add PATH…`.

use std::path::Path;
use std::process::ExitCode;

use super::failure::Failure;
use super::load::Files;
use super::select::{self, Runs};
use super::{client, output};
use crate::base::id::RunId;
use crate::record::RunDir;
use crate::runner::protocol::{Add, NewExperiment};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    files: Files,
    /// Higher ones start sooner.
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    priority: i32,
    /// The group of the runs; those of a sweep are in one of the experiment's name by themselves.
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Start only when these have finished well, named as for `finetop cancel`; may be given several times.
    #[arg(long, value_name = "RUN")]
    after: Vec<String>,
    /// Keep them back until they are resumed.
    #[arg(long)]
    paused: bool,
    /// Runs that may train at once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    slots: Option<u16>,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let experiments = NewExperiment::of_each(&args.files.load()?);
    let after = awaited(args.after, store)?;
    let add = Add { experiments, priority: args.priority, group: args.group, after, paused: args.paused };
    let (_, added) = client::add(store, add, args.slots.map(usize::from))?;
    for run in added {
        output::line(&format!("queued {} {}", run.id, run.name));
    }
    Ok(ExitCode::SUCCESS)
}

/// The runs that the new ones are to start after.
fn awaited(texts: Vec<String>, store: &Path) -> Result<Vec<RunId>, Failure> {
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let selected: select::Selected = Runs { runs: texts, group: None }.select(store)?;
    Ok(selected.runs.iter().map(RunDir::id).collect())
}
