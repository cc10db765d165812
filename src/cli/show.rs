//! `finetop show ID`.

use std::path::Path;
use std::process::ExitCode;

use super::failure::Failure;
use super::{output, select};
use crate::base::clock;
use crate::base::text::{counted, duration, learning_rate, metric, printable, width};
use crate::record::event::Epoch;
use crate::record::summary::Summary;
use crate::record::{RunState, view, words};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Number, name, or a beginning that only one run has.
    #[arg(value_name = "ID")]
    run: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Print what was really run, as YAML, in place of how it went.
    #[arg(long, conflicts_with = "json")]
    config: bool,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let dir = select::run(store, &args.run)?;
    if args.config {
        let path = dir.resolved_yaml();
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Failure::failed(format!("could not read {}: {error}", path.display())))?;
        text.lines().for_each(output::line);
        return Ok(ExitCode::SUCCESS);
    }
    let run = view::load(&dir);
    if args.json {
        output::json(&Summary::new(&run, dir.path()));
    } else {
        head(&run, dir.path());
        epochs(&run);
        turns(&run);
    }
    Ok(ExitCode::SUCCESS)
}

fn head(run: &RunState, path: &Path) {
    output::line(&format!("{} {}  {}", run.id, run.name, run.status().name()));
    let say = |key: &str, value: String| output::line(&format!("  {key:<11}{}", value));
    if let Some(cause) = run.cause() {
        say("reason", cause.words().into());
    }
    let end = Summary::new(run, path).end;
    for (key, value) in [("error", end.error), ("hint", end.hint)] {
        value.into_iter().for_each(|value| say(key, value));
    }
    if let Some(plan) = &run.training.plan {
        say(
            "data",
            format!(
                "{} training, {} validation samples; {}",
                plan.train_samples,
                plan.val_samples,
                plan.classes.join(", ")
            ),
        );
        say("on", format!("{} ({}, {})", plan.host, plan.device, counted(plan.threads, "thread")));
    }
    if let Some(best) = &run.training.best {
        say("best", format!("{} {} in epoch {}", best.monitor, metric(best.value), best.epoch));
    }
    if let Some(time) = run.running_time(clock::now()) {
        say("time", duration(time));
    }
    if run.life.attempts > 1 {
        say("attempts", run.life.attempts.to_string());
    }
    say("folder", path.display().to_string());
}

fn epochs(run: &RunState) {
    if run.training.epochs.is_empty() {
        return;
    }
    output::line("");
    let further: Vec<&str> = run
        .training
        .epochs
        .iter()
        .next_back()
        .map_or(Vec::new(), |epoch| epoch.overall().map(|(name, _)| name).collect());
    let heads: String = further.iter().map(|name| format!("  {:>8}", printable(name))).collect();
    output::line(&format!("epoch  phase             loss  accuracy  val_loss  val_accuracy{heads}        lr  seconds"));
    for epoch in run.training.epochs.iter() {
        output::line(&format!(
            "{:>5}  {:<12}  {:>8}  {:>8}  {:>8}  {:>12}{}  {:>8}  {:>7.2}",
            epoch.epoch,
            crate::base::text::truncated(&printable(&epoch.phase), 12),
            metric(epoch.loss),
            metric(epoch.accuracy),
            metric(epoch.val_loss),
            metric(epoch.val_accuracy),
            further.iter().map(|name| self::further(epoch, name)).collect::<String>(),
            learning_rate(epoch.lr),
            epoch.seconds,
        ));
    }
}

/// A further metric of an epoch, below its name.
fn further(epoch: &Epoch, name: &str) -> String {
    let value = epoch.metrics.get(name).copied().unwrap_or(f64::NAN);
    format!("  {:>width$}", metric(value), width = width(&printable(name)).max(8))
}

/// What changed the course: rates, early stops, advice.
fn turns(run: &RunState) {
    use crate::record::event::Event;
    let is_turn = |event: &Event| {
        matches!(event, Event::LrChanged(_) | Event::EarlyStopped(_) | Event::Advice(_) | Event::Skipped(_))
    };
    let lines: Vec<_> = run.training.feed.iter().filter(|line| is_turn(&line.event)).collect();
    if !lines.is_empty() {
        output::line("");
    }
    for line in lines {
        output::line(&format!("{:<7}{}", words::kind(&line.event), words::words(&line.event)));
    }
}
