//! `finetop edit ID`.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use super::failure::Failure;
use super::load::{self, Changes};
use super::select::Selected;
use super::{client, output, select};
use crate::experiment::Experiment;
use crate::record::state::Status;
use crate::record::{RunDir, Store, view};
use crate::runner::Request;
use crate::runner::needs::needs;
use crate::tui::editor::{self, Copy};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Number, name, or a beginning that only one run has. `finetop pause` keeps it from starting meanwhile.
    #[arg(value_name = "ID")]
    run: String,
    /// Without --set, `$VISUAL` or `$EDITOR` opens all that the run will do.
    #[command(flatten)]
    changes: Changes,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let dir = select::run(store, &args.run)?;
    let status = view::load_life(&dir).status();
    if !matches!(status, Status::Queued | Status::Paused) {
        return Err(Failure::failed(format!("{} is {}", dir.folder_name(), status.name()))
            .hint("only a queued or paused one can be edited"));
    }
    if !args.changes.is_empty() {
        return change(store, dir.clone(), &read(&dir.resolved_yaml(), &args.changes)?);
    }
    let before = std::fs::read(dir.resolved_yaml())
        .map_err(|error| Failure::failed(format!("could not read {}: {error}", dir.resolved_yaml().display())))?;
    let copy = Copy::of(&before, &format!("{}.yaml", dir.name()))?;
    let done = edited(&copy, &before).and_then(|experiment| match experiment {
        Some(experiment) => change(store, dir, &experiment),
        None => {
            output::note("nothing was changed");
            Ok(ExitCode::SUCCESS)
        }
    });
    // The run may have started meanwhile; what somebody typed must not be lost by that.
    if !matches!(done, Ok(ExitCode::SUCCESS)) && copy.read().is_ok_and(|text| text != before) {
        output::note(&format!("what you wrote is kept in {}", copy.keep().display()));
    }
    done
}

/// Asks the runner to give the run another experiment.
fn change(store: &Path, dir: RunDir, experiment: &Experiment) -> Result<ExitCode, Failure> {
    if experiment.name != view::load_life(&dir).name {
        return Err(Failure::usage("the name of a run cannot be changed").hint("`finetop add` queues another one"));
    }
    let (id, resolved, needs) = (dir.id(), experiment.to_yaml(), needs(experiment));
    let selected = Selected { store: Store::open(store)?, runs: vec![dir], is_broad: false };
    client::act_on(&selected, |_| Request::Edit { id, resolved, needs })
}

/// The one experiment that a file is, with some changes. Its mistakes are printed.
fn read(path: &Path, changes: &Changes) -> Result<Experiment, Failure> {
    let mut loaded = load::all(&[path.to_owned()], changes)?;
    match (loaded.pop(), loaded.is_empty()) {
        (Some(loaded), true) => Ok(loaded.experiment),
        _ => Err(Failure::usage("a run is one experiment, and cannot become several")),
    }
}

/// What the editor made of the copy; None where that is what it was `before`. One with mistakes is opened again, if
/// somebody is there to be asked.
fn edited(copy: &Copy, before: &[u8]) -> Result<Option<Experiment>, Failure> {
    loop {
        copy.edit()?;
        if copy.read()? == before {
            return Ok(None);
        }
        match read(copy.file(), &Changes::default()) {
            Ok(experiment) => return Ok(Some(experiment)),
            Err(failure) if !wants_to_try_again() => return Err(failure),
            Err(_) => {}
        }
    }
}

impl From<editor::Error> for Failure {
    fn from(error: editor::Error) -> Self {
        Failure::failed(error.to_string()).hint(error.hint())
    }
}

fn wants_to_try_again() -> bool {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return false;
    }
    output::say("edit it again? [Y/n]");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer).unwrap_or(0);
    read > 0 && !answer.trim().eq_ignore_ascii_case("n")
}
