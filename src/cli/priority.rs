//! `finetop priority N RUN…`.

use std::path::Path;
use std::process::ExitCode;

use super::client;
use super::failure::Failure;
use super::select::Runs;
use crate::runner::Request;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The new priority; new runs have 0.
    #[arg(value_name = "N", allow_negative_numbers = true)]
    priority: i32,
    #[command(flatten)]
    which: Runs,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    client::act(store, &args.which, |ids| Request::Priority { ids, priority: args.priority })
}
