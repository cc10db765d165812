//! The columns, and what is in them.

use std::collections::BTreeSet;
use std::io;

use super::history::History;
use super::write::{Cell, Sink};
use crate::record::run_dir::RunDir;

/// Of every row.
const RUN: [&str; 3] = ["run", "name", "time"];
const EPOCH: [&str; 9] =
    ["phase", "epoch", "phase_epoch", "lr", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"];
const STEP: [&str; 8] = ["phase", "epoch", "step", "steps", "loss", "accuracy", "lr", "samples_per_s"];

/// The names of what only some experiments measure, in order.
pub fn metrics(all: &[History]) -> Vec<String> {
    let names = all.iter().flat_map(|history| &history.epochs).flat_map(|(_, epoch)| epoch.metrics.keys());
    names.collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

/// The columns of a table of epochs; `metrics` come last.
pub fn epoch_columns(metrics: &[String]) -> Vec<String> {
    let known = RUN.iter().chain(&EPOCH).chain(&["samples_per_s"]).map(|&name| name.to_owned());
    known.chain(metrics.iter().cloned()).collect()
}

/// The columns of a table of steps.
pub fn step_columns() -> Vec<String> {
    RUN.iter().chain(&STEP).map(|&name| name.to_owned()).collect()
}

/// Writes the epochs of a run.
pub fn epochs(dir: &RunDir, history: &History, metrics: &[String], sink: &mut Sink) -> io::Result<()> {
    for (time, epoch) in &history.epochs {
        let figures = [epoch.loss, epoch.accuracy, epoch.val_loss, epoch.val_accuracy, epoch.seconds];
        let further = metrics.iter().map(|name| epoch.metrics.get(name).copied().unwrap_or(f64::NAN));
        let phase = [Cell::Text(&epoch.phase), Cell::Whole(epoch.epoch), Cell::Whole(epoch.phase_epoch)];
        let numbers = std::iter::once(epoch.lr).chain(figures).chain([epoch.samples_per_s]).chain(further);
        let row = [Cell::Whole(dir.id().0), Cell::Text(dir.name()), Cell::Time(*time)];
        sink.row(row.into_iter().chain(phase).chain(numbers.map(Cell::Number)))?;
    }
    Ok(())
}

/// Writes the steps of a run.
pub fn steps(dir: &RunDir, history: &History, sink: &mut Sink) -> io::Result<()> {
    for step in &history.steps {
        let row = [Cell::Whole(dir.id().0), Cell::Text(dir.name()), Cell::Time(step.time)];
        let phase = history.phases.get(step.phase).map_or("", String::as_str);
        let place = [Cell::Text(phase), Cell::Whole(step.epoch), Cell::Whole(step.step), Cell::Whole(step.steps)];
        sink.row(row.into_iter().chain(place).chain(step.figures.map(Cell::Number)))?;
    }
    Ok(())
}
