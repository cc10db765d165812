//! `finetop wait ID…`.

use std::path::Path;
use std::process::ExitCode;

use super::failure::Failure;
use super::{follow, output, select};
use crate::record::state::Status;
use crate::record::{RunDir, Store, view};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Numbers, names, or beginnings that only one run has.
    #[arg(value_name = "ID", required_unless_present = "all")]
    runs: Vec<String>,
    /// Wait for every run of the store.
    #[arg(long, conflicts_with = "runs")]
    all: bool,
}

/// Exit code 0 if all of them finished, 1 if one failed or was cancelled.
pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let runs = if args.all { Store::open(store)?.runs()? } else { select::runs(store, &args.runs)?.1 };
    let mut well = true;
    for run in &runs {
        follow::until(run, || follow::is_over(run));
        well &= ended_well(run);
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Says how a run ended that did not finish.
fn ended_well(run: &RunDir) -> bool {
    if !run.path().is_dir() {
        output::note(&format!("{} was removed", run.folder_name()));
        return false;
    }
    let state = view::load(run);
    let finished = state.status() == Status::Finished;
    if !finished {
        let cause = state.cause().map_or(String::new(), |cause| format!(": {}", cause.words()));
        output::note(&format!("{} {}{cause}", run.folder_name(), state.status().name()));
    }
    finished
}
