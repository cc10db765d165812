//! `finetop tag RUN… --add TAG --remove TAG`.

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
    #[command(flatten)]
    tags: Tags,
}

/// Which tags.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Tags {
    /// A tag that they get; may be given several times.
    #[arg(short, long, value_name = "TAG")]
    add: Vec<String>,
    /// A tag that is taken away; may be given several times.
    #[arg(short, long, value_name = "TAG")]
    remove: Vec<String>,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let Tags { add, remove } = args.tags;
    client::act(store, &args.which, |ids| Request::Tag { ids, add, remove })
}
