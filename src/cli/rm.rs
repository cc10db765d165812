//! `finetop rm ID…`.

use std::path::Path;
use std::process::ExitCode;

use super::client;
use super::failure::Failure;
use crate::runner::Request;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Numbers, names, or beginnings that only one run has.
    #[arg(value_name = "ID", required = true)]
    runs: Vec<String>,
    /// Also those that are running: they are killed first.
    #[arg(long)]
    force: bool,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    client::act(store, &args.runs, |ids| Request::Rm { ids, force: args.force })
}
