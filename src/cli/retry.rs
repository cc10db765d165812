//! `finetop retry RUN…`.

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
    /// Begin anew: their checkpoints are removed.
    #[arg(long)]
    fresh: bool,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    client::act(store, &args.which, |ids| Request::Retry { ids, fresh: args.fresh })
}
