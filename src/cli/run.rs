//! `finetop run PATH`: one experiment in the foreground, without a runner.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::failure::Failure;
use super::load::{self, Changes};
use super::output;
use crate::experiment::Loaded;
use crate::record::event::{Event, Stage};
use crate::record::state::Status;
use crate::record::{RunDir, Store, Tail, view, words};
use crate::runner;
use crate::runner::protocol::NewExperiment;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// An experiment file.
    path: PathBuf,
    #[command(flatten)]
    changes: Changes,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let files = load::each(std::slice::from_ref(&args.path), &args.changes)?;
    if let Some(sweep) = files.iter().find(|file| file.runs.len() > 1) {
        let (path, runs) = (sweep.path.display(), sweep.runs.len());
        return Err(Failure::usage(format!("{path} is a sweep of {runs} runs, and `run` trains one"))
            .hint(format!("`finetop add {path}` queues them all; `--set matrix=` leaves the matrix out")));
    }
    files.iter().flat_map(|file| &file.runs).try_for_each(|loaded| in_foreground(loaded, store))?;
    Ok(ExitCode::SUCCESS)
}

/// Trains one experiment to its end, with a line for whatever happens.
///
/// # Errors
/// A run that failed or was cancelled.
pub fn in_foreground(loaded: &Loaded, store: &Path) -> Result<(), Failure> {
    let store = Store::create(store)?;
    let mut events: Option<Tail<Event>> = None;
    let mut told = None;
    let run = runner::foreground(&store, NewExperiment::of(loaded), &mut |dir: &RunDir| {
        let tail = events.get_or_insert_with(|| {
            output::say(&format!("{} in {}", dir.folder_name(), store.root().display()));
            Tail::new(dir.events())
        });
        if let Ok(news) = tail.read() {
            for line in &news.lines {
                match &line.event {
                    Event::Stage(stage) => say_progress(stage, &mut told),
                    event => print(event),
                }
            }
        }
    })?;
    end_of(&run)
}

/// A line at every quarter of a longer work: a download, features.
fn say_progress(stage: &Stage, told: &mut Option<(String, u64)>) {
    let quarter = (stage.name.clone(), 4 * stage.done / stage.total.max(1));
    if told.as_ref() != Some(&quarter) {
        output::say(&format!("{:<6} {}", "stage", words::words(&Event::Stage(stage.clone()))));
        *told = Some(quarter);
    }
}

/// Epochs are the result; what else happens is news beside it. A failure is said at the end.
fn print(event: &Event) {
    let text = || words::words(event);
    match event {
        Event::Epoch(_) => output::line(&text()),
        Event::Step(_) | Event::Stage(_) | Event::Confusion(_) | Event::Samples(_) => {}
        Event::Checkpoint(_) | Event::Failed(_) | Event::Unknown => {}
        Event::RunStarted(_)
        | Event::PhaseStarted(_)
        | Event::LrChanged(_)
        | Event::Unfroze(_)
        | Event::Best(_)
        | Event::EarlyStopped(_)
        | Event::Advice(_)
        | Event::Skipped(_)
        | Event::Log(_)
        | Event::Finished(_) => output::say(&format!("{:<6} {}", words::kind(event), text())),
    }
}

fn end_of(dir: &RunDir) -> Result<(), Failure> {
    let run = view::load(dir);
    match run.status() {
        Status::Finished => Ok(()),
        Status::Cancelled => Err(Failure::interrupted(format!("{} was stopped", dir.folder_name()))
            .hint(format!("`finetop retry {}` goes on from its checkpoint", run.id))),
        _ => {
            let end = crate::record::summary::Summary::new(&run, dir.path()).end;
            let error =
                end.error.or(end.cause.map(str::to_owned)).unwrap_or_else(|| "for an unknown reason".to_owned());
            Err(Failure::failed(format!("{} failed: {error}", dir.folder_name())).maybe_hint(end.hint))
        }
    }
}
