//! `finetop rm ID…`.

use std::path::Path;
use std::process::ExitCode;

use super::client;
use super::failure::Failure;
use super::select::Runs;
use crate::runner::Request;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Runs,
    /// Also those that are running: they are killed first.
    #[arg(long)]
    force: bool,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    client::act(store, &args.which.runs, |ids| Request::Rm { ids, force: args.force })
}
