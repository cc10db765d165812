//! `finetop completions SHELL`.

use std::process::ExitCode;

use clap::CommandFactory;

use super::failure::Failure;
use super::output;

#[derive(Debug, clap::Args)]
pub struct Args {
    shell: clap_complete::Shell,
}

pub fn main(args: Args) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "finetop", &mut script);
    output::raw(&String::from_utf8_lossy(&script));
    Ok(ExitCode::SUCCESS)
}
