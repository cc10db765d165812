//! `finetop rm RUN…`.

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
    /// Also those that are running, which are killed first, and those that others are to start after.
    #[arg(long)]
    force: bool,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    client::act(store, &args.which, |ids| Request::Rm { ids, force: args.force })
}
