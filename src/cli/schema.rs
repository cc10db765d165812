//! `finetop schema`: the JSON schema of experiment files.

use std::process::ExitCode;

use super::failure::Failure;
use super::output;
use crate::experiment;

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn main(_: Args) -> Result<ExitCode, Failure> {
    output::raw(&text());
    Ok(ExitCode::SUCCESS)
}

/// The schema as a file has it.
pub fn text() -> String {
    // in alternate form a value is indented
    format!("{:#}\n", experiment::schema())
}
