//! `finetop queue VERB`: what acts on the queue, under one name. Each verb is the command of that name.

use std::path::Path;
use std::process::ExitCode;

use super::failure::Failure;
use super::{add, cancel, ls, r#move, pause, priority, resume, retry, slots};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[group(id = "queue")]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    ls: ls::Args,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// As `finetop ls`, which is meant where there is no verb.
    Ls(ls::Args),
    /// As `finetop add`.
    Add(add::Args),
    /// As `finetop cancel`.
    Cancel(cancel::Args),
    /// As `finetop pause`.
    Pause(pause::Args),
    /// As `finetop resume`.
    Resume(resume::Args),
    /// As `finetop retry`.
    Retry(retry::Args),
    /// As `finetop move`.
    Move(r#move::Args),
    /// As `finetop priority`.
    Priority(priority::Args),
    /// As `finetop slots`.
    Slots(slots::Args),
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    match args.verb {
        None => ls::main(args.ls, store),
        Some(Verb::Ls(args)) => ls::main(args, store),
        Some(Verb::Add(args)) => add::main(args, store),
        Some(Verb::Cancel(args)) => cancel::main(args, store),
        Some(Verb::Pause(args)) => pause::main(args, store),
        Some(Verb::Resume(args)) => resume::main(args, store),
        Some(Verb::Retry(args)) => retry::main(args, store),
        Some(Verb::Move(args)) => r#move::main(args, store),
        Some(Verb::Priority(args)) => priority::main(args, store),
        Some(Verb::Slots(args)) => slots::main(args, store),
    }
}
