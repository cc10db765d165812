//! The command line: one file per subcommand, each of which parses its arguments, calls a room and prints.
//!
//! Invariants: what was asked for goes to standard output, everything else to standard error; the exit code is 0 when
//! fine, 1 when a run failed, 2 for wrong usage or an invalid experiment, 124 when a
//! wait took too long, 130 when interrupted.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod add;
mod cancel;
mod check;
mod client;
mod compare;
mod completions;
mod config;
mod dashboard;
mod doctor;
mod edit;
mod events;
mod export;
mod failure;
mod follow;
mod gc;
mod load;
mod logs;
mod lr_find;
mod ls;
mod r#move;
mod new;
mod output;
mod pause;
mod predict;
mod priority;
mod queue;
mod resume;
mod retry;
mod rm;
mod run;
mod runner;
mod schema;
mod select;
mod show;
mod since;
mod slots;
mod table;
mod tag;
mod verify;
mod wait;
mod worker;

use crate::base::durable;
use failure::Failure;

use crate::base::fault;

/// htop for fine-tuning: queue experiments, watch them live, review the records.
///
/// Without a subcommand it queues the given experiments and opens the dashboard.
#[derive(Debug, Parser)]
#[command(name = "finetop", version, subcommand_precedence_over_arg = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    dashboard: dashboard::Args,
    /// Folder that keeps the runs.
    #[arg(long, global = true, env = "FINETOP_STORE", default_value = "runs", value_name = "DIR")]
    store: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one experiment in the foreground, without a runner.
    Run(run::Args),
    /// Queue experiments; starts the runner when none lives.
    Add(add::Args),
    /// Validate experiments and say what would run.
    Check(check::Args),
    /// List the runs.
    Ls(ls::Args),
    /// Show a run.
    Show(show::Args),
    /// Put runs side by side: what differs in their files, and what came out.
    Compare(compare::Args),
    /// Write the figures of runs as CSV or JSON.
    Export(export::Args),
    /// Print the output of a run's worker.
    Logs(logs::Args),
    /// Print what happened in a run.
    Events(events::Args),
    /// Cancel queued or running runs.
    Cancel(cancel::Args),
    /// Stop runs at a checkpoint, or keep waiting ones back, until they are resumed.
    Pause(pause::Args),
    /// Let paused runs go on.
    Resume(resume::Args),
    /// Queue ended runs again; they go on from their last checkpoint.
    Retry(retry::Args),
    /// Put waiting runs elsewhere among those of the same priority.
    Move(r#move::Args),
    /// Change the priority of runs; higher ones start sooner.
    Priority(priority::Args),
    /// Give runs tags, or take some away.
    Tag(tag::Args),
    /// The commands that act on the queue, under one name.
    Queue(queue::Args),
    /// Change what a queued or paused run will run.
    Edit(edit::Args),
    /// Say how many runs may train at once, or change that.
    Slots(slots::Args),
    /// Use a trained model.
    Predict(predict::Args),
    /// Replay figures of Keras and PyTorch on this machine and device.
    Verify(verify::Args),
    /// Wait until runs have ended.
    ///
    /// Exits with 0 if all of them finished, with 1 if one failed, was cancelled or removed.
    Wait(wait::Args),
    /// Remove runs with all their files.
    Rm(rm::Args),
    /// Remove old checkpoints of runs that are over.
    Gc(gc::Args),
    /// Find what is wrong in a store, and mend it.
    Doctor(doctor::Args),
    /// The background process that works the queue off.
    Runner(runner::Args),
    /// Write an experiment for a folder of class folders, or for a table of texts.
    New(new::Args),
    /// Find a learning rate: raise it step by step until the loss blows up; nothing is kept.
    LrFind(lr_find::Args),
    /// Print the JSON schema of experiment files, for editors.
    Schema(schema::Args),
    /// Print the dashboard's settings, or a file of them to begin with.
    Config(config::Args),
    /// Print a completion script for a shell.
    Completions(completions::Args),
    /// Train the run in a folder; what the runner starts.
    #[command(hide = true)]
    Worker(worker::Args),
}

/// Runs the program and gives its exit code.
pub fn main() -> ExitCode {
    durable::tighten_umask();
    let cli = match Cli::try_parse() {
        Ok(cli) if cli.command.is_some() && !cli.dashboard.is_empty() => {
            return Failure::usage("paths, --set and --slots come after the subcommand").report();
        }
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match dispatch(cli) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

fn dispatch(cli: Cli) -> Result<ExitCode, Failure> {
    let store = cli.store;
    fault::act_as(role(&cli.command));
    match cli.command {
        None => dashboard::main(cli.dashboard, &store),
        Some(Command::Run(args)) => run::main(args, &store),
        Some(Command::Add(args)) => add::main(args, &store),
        Some(Command::Check(args)) => check::main(args),
        Some(Command::Ls(args)) => ls::main(args, &store),
        Some(Command::Show(args)) => show::main(args, &store),
        Some(Command::Compare(args)) => compare::main(args, &store),
        Some(Command::Export(args)) => export::main(args, &store),
        Some(Command::Logs(args)) => logs::main(args, &store),
        Some(Command::Events(args)) => events::main(args, &store),
        Some(Command::Cancel(args)) => cancel::main(args, &store),
        Some(Command::Pause(args)) => pause::main(args, &store),
        Some(Command::Resume(args)) => resume::main(args, &store),
        Some(Command::Retry(args)) => retry::main(args, &store),
        Some(Command::Move(args)) => r#move::main(args, &store),
        Some(Command::Priority(args)) => priority::main(args, &store),
        Some(Command::Tag(args)) => tag::main(args, &store),
        Some(Command::Queue(args)) => queue::main(args, &store),
        Some(Command::Edit(args)) => edit::main(args, &store),
        Some(Command::Slots(args)) => slots::main(args, &store),
        Some(Command::Predict(args)) => predict::main(args, &store),
        Some(Command::Verify(args)) => verify::main(args),
        Some(Command::Wait(args)) => wait::main(args, &store),
        Some(Command::Rm(args)) => rm::main(args, &store),
        Some(Command::Gc(args)) => gc::main(args, &store),
        Some(Command::Doctor(args)) => doctor::main(args, &store),
        Some(Command::Runner(args)) => runner::main(args, &store),
        Some(Command::New(args)) => new::main(args),
        Some(Command::LrFind(args)) => lr_find::main(args),
        Some(Command::Schema(args)) => schema::main(args),
        Some(Command::Config(args)) => config::main(args),
        Some(Command::Completions(args)) => completions::main(args),
        Some(Command::Worker(args)) => worker::main(args),
    }
}

fn role(command: &Option<Command>) -> fault::Role {
    match command {
        Some(Command::Worker(_)) => fault::Role::Worker,
        Some(Command::Runner(args)) if args.serves() => fault::Role::Runner,
        _ => fault::Role::Command,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        super::Cli::command().debug_assert();
    }
}
