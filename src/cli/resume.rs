//! `finetop resume RUN…`.

use std::path::Path;
use std::process::ExitCode;

use super::client;
use super::failure::Failure;
pub use super::select::Runs as Args;
use crate::runner::Request;

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    client::act(store, &args, |ids| Request::Resume { ids })
}
