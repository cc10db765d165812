//! `finetop wait RUN…`.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::failure::Failure;
use super::follow::{self, Patience};
use super::output;
use super::select::Runs;
use crate::record::state::Status;
use crate::record::{RunDir, Store, view};

/// As `timeout` of coreutils exits.
const TOOK_TOO_LONG: u8 = 124;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which, as for `finetop cancel`; every run of the store where nothing is given but --all or --any.
    #[arg(value_name = "RUN", required_unless_present_any = ["group", "all", "any"])]
    runs: Vec<String>,
    /// Only those of this group.
    #[arg(short, long, value_name = "NAME")]
    group: Option<String>,
    /// Until all of them have ended, which it does unasked.
    #[arg(long, conflicts_with = "any")]
    all: bool,
    /// Until one of them has ended; the exit code is about that one. Of the whole store only those count that are not over.
    #[arg(long)]
    any: bool,
    /// At most so long; exits with 124 if they have not ended by then.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "expected a number of seconds from 0".to_owned())
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let patience = Patience::of(args.timeout);
    let (any, is_whole_store) = (args.any, args.runs.is_empty() && args.group.is_none());
    let (store, mut runs) = if is_whole_store {
        let store = Store::open(store)?;
        let runs = store.runs()?;
        (store, runs)
    } else {
        let selected = Runs { runs: args.runs, group: args.group }.select(store)?;
        (selected.store, selected.runs)
    };
    if any && is_whole_store {
        runs.retain(|run| !follow::is_over(run));
    }
    let ended = if any { one_of(&runs, &store, &patience) } else { all_of(&runs, &patience) };
    Ok(match ended {
        Some(true) => ExitCode::SUCCESS,
        Some(false) => ExitCode::from(1),
        None => {
            let left = runs.iter().filter(|run| !follow::is_over(run)).count();
            output::error(&format!("waited too long: {left} of {} runs have not ended", runs.len()));
            ExitCode::from(TOOK_TOO_LONG)
        }
    })
}

/// Whether all of them ended well; None where that took too long.
fn all_of(runs: &[RunDir], patience: &Patience) -> Option<bool> {
    let mut well = true;
    for run in runs {
        if !follow::until_late(run.path(), patience, || follow::is_over(run)) {
            return None;
        }
        well &= ended_well(run);
    }
    Some(well)
}

/// Whether the first that ended did so well; of none it is true. None where that took too long.
fn one_of(runs: &[RunDir], store: &Store, patience: &Patience) -> Option<bool> {
    let folder = match runs {
        [] => return Some(true),
        [one] => one.path(),
        _ => store.root(),
    };
    let mut ended = None;
    let is_done = follow::until_late(folder, patience, || {
        ended = runs.iter().find(|run| follow::is_over(run));
        ended.is_some()
    });
    let run = ended.filter(|_| is_done)?;
    output::line(&run.folder_name());
    Some(ended_well(run))
}

/// Says how a run ended that did not finish.
fn ended_well(run: &RunDir) -> bool {
    if !run.path().is_dir() {
        output::note(&format!("{} was removed", run.folder_name()));
        return false;
    }
    let state = view::load_life(run);
    let finished = state.status() == Status::Finished;
    if !finished {
        let cause = state.cause().map_or(String::new(), |cause| format!(": {}", cause.words()));
        output::note(&format!("{} {}{cause}", run.folder_name(), state.status().name()));
    }
    finished
}
