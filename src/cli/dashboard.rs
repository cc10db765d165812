//! `finetop [PATH…]`: queues the paths and opens the dashboard; without a terminal it runs them.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::failure::Failure;
use super::load::{self, Changes};
use super::{client, run};
use crate::record::Store;
use crate::runner::StartOptions;
use crate::runner::protocol::{Add, NewExperiment};
use crate::tui;
use crate::tui::settings::Settings;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Experiment files, or folders of them, to queue first.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    changes: Changes,
    /// Runs that may train at once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    slots: Option<u16>,
}

impl Args {
    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.changes.is_empty() && self.slots.is_none()
    }
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let experiments = load::all(&args.paths, &args.changes)?;
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        if experiments.is_empty() {
            return Err(Failure::usage("the dashboard needs a terminal").hint("`finetop ls` lists the runs anywhere"));
        }
        experiments.iter().try_for_each(|loaded| run::in_foreground(loaded, store))?;
        return Ok(ExitCode::SUCCESS);
    }
    let settings =
        Settings::load(|name| std::env::var(name).ok()).map_err(|error| Failure::usage(error.to_string()))?;
    let slots = args.slots.map(usize::from);
    let mut selected = None;
    if !experiments.is_empty() {
        let experiments = NewExperiment::of_each(&experiments);
        let add = Add { experiments, priority: 0, group: None, after: Vec::new(), paused: false };
        selected = client::add(store, add, slots)?.1.first().map(|run| run.id);
    }
    let store = Store::create(store)?;
    let start = StartOptions::this_program(&store)?.with_slots(slots);
    tui::run(store, tui::Options { start, selected, settings }).map_err(|error| Failure::failed(error.to_string()))?;
    Ok(ExitCode::SUCCESS)
}
