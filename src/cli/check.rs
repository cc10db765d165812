//! `finetop check PATH…`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::failure::Failure;
use super::load::{self, Changes};
use super::output;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Experiment files, or folders of them.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    changes: Changes,
}

pub fn main(args: Args) -> Result<ExitCode, Failure> {
    let _ = load::all(&args.paths, &args.changes)?;
    output::line("");
    Ok(ExitCode::SUCCESS)
}
