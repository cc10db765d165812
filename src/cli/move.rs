//! `finetop move RUN… --first|--last|--before ID`.

use std::path::Path;
use std::process::ExitCode;

use super::client;
use super::failure::Failure;
use super::select::{self, Runs};
use crate::runner::Request;
use crate::runner::protocol::Place;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Runs,
    #[command(flatten)]
    to: To,
}

/// Where to.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct To {
    /// To the front.
    #[arg(long)]
    first: bool,
    /// To the end.
    #[arg(long)]
    last: bool,
    /// Right before this run.
    #[arg(long, value_name = "ID")]
    before: Option<String>,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let to = match &args.to {
        To { before: Some(text), .. } => Place::Before(select::run(store, text)?.id()),
        To { last: true, .. } => Place::Last,
        To { .. } => Place::First,
    };
    client::act(store, &args.which, |ids| Request::Move { ids, to })
}
