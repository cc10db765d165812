//! `finetop add PATH…`.

use std::path::Path;
use std::process::ExitCode;

use super::failure::Failure;
use super::load::Files;
use super::{client, output};
use crate::runner::protocol::Add;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    files: Files,
    /// Higher ones start sooner.
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    priority: i32,
    /// A name that several runs share.
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Keep them back until they are resumed.
    #[arg(long)]
    paused: bool,
    /// Runs that may train at once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    slots: Option<u16>,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let experiments = args.files.load()?.iter().map(client::new_experiment).collect();
    let add = Add { experiments, priority: args.priority, group: args.group, after: Vec::new(), paused: args.paused };
    let (_, added) = client::add(store, add, args.slots.map(usize::from))?;
    for run in added {
        output::line(&format!("queued {} {}", run.id, run.name));
    }
    Ok(ExitCode::SUCCESS)
}
