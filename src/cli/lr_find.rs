//! `finetop lr-find PATH`: which learning rate an experiment should have.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use super::failure::Failure;
use super::load::{self, Changes};
use super::output::{self, line};
use crate::base::text::learning_rate;
use crate::experiment::{Experiment, Optimizer};
use crate::record::life::Cause;
use crate::train;
use crate::train::lr_finder::{self, Curve, Sweep};
use crate::tui::chart::points::{Spot, alone};
use crate::tui::chart::raster::{Dots, Ink, Raster, Scale};
use crate::tui::theme::Theme;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// An experiment file.
    path: PathBuf,
    #[command(flatten)]
    changes: Changes,
    /// The phase whose layers and optimizer it is for; the first. It starts from the weights that the run starts from.
    #[arg(long, value_name = "NAME")]
    phase: Option<String>,
    /// Optimizer steps.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(10..=100_000))]
    steps: u32,
    /// The rate of the first step.
    #[arg(long, default_value_t = 1e-7, value_name = "LR")]
    from: f64,
    /// The rate of the last step, where the loss does not blow up before.
    #[arg(long, default_value_t = 10.0, value_name = "LR")]
    to: f64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn main(args: Args) -> Result<ExitCode, Failure> {
    let runs = load::all(std::slice::from_ref(&args.path), &args.changes)?;
    let [run] = &runs[..] else {
        return Err(Failure::usage(format!(
            "{} is a sweep of {} runs, and this is for one",
            args.path.display(),
            runs.len()
        ))
        .hint("`--set matrix=` leaves the matrix out"));
    };
    let experiment = &run.experiment;
    if !(args.from > 0.0 && args.from < args.to && args.to.is_finite()) {
        return Err(Failure::usage("`--from` is a rate above 0, and `--to` one above that"));
    }
    let phase = phase(experiment, args.phase.as_deref())?;
    let sweep = Sweep { steps: args.steps as usize, from: args.from, to: args.to };
    let curve = lr_finder::find(experiment, phase, sweep, &mut |step| {
        if step % (sweep.steps / 4).max(1) == 0 {
            output::say(&format!("{step} of {} steps", sweep.steps));
        }
    });
    let curve = curve.map_err(failure)?;
    if args.json {
        output::json(&as_json(experiment, phase, &curve))
    } else {
        print(experiment, phase, &curve)
    }
    Ok(ExitCode::SUCCESS)
}

fn phase(experiment: &Experiment, name: Option<&str>) -> Result<usize, Failure> {
    let phases = &experiment.train.phases;
    let Some(name) = name else { return Ok(0) };
    phases.iter().position(|phase| phase.name == name).ok_or_else(|| {
        let names: Vec<String> = phases.iter().map(|phase| format!("`{}`", phase.name)).collect();
        Failure::usage(format!("there is no phase `{name}`; the phases are {}", names.join(", ")))
    })
}

fn failure(error: train::Error) -> Failure {
    let hint = error.hint();
    let message = error.to_string();
    let failure = if error.cause() == Cause::Experiment { Failure::usage(message) } else { Failure::failed(message) };
    failure.maybe_hint(hint)
}

fn rule(optimizer: &Optimizer) -> &'static str {
    match optimizer {
        Optimizer::Adam { .. } => "adam",
        Optimizer::AdamW { .. } => "adamw",
        Optimizer::Sgd { .. } => "sgd",
        Optimizer::RmsProp { .. } => "rmsprop",
    }
}

/// The key that takes the rate.
fn key(experiment: &Experiment, phase: usize) -> String {
    format!("train.phases.{phase}.optimizer.{}.lr", rule(&experiment.train.phases[phase].optimizer))
}

/// A rate with two digits, as people write it: what is measured is no more precise.
fn rounded(lr: f64) -> f64 {
    format!("{lr:.1e}").parse().unwrap_or(lr)
}

fn as_json(experiment: &Experiment, phase: usize, curve: &Curve) -> serde_json::Value {
    let suggestion = curve.suggestion();
    json!({
        "phase": experiment.train.phases[phase].name,
        "lrs": curve.lrs,
        "losses": curve.losses,
        "smoothed": curve.smoothed,
        "blew_up": curve.blew_up,
        "steepest": suggestion.map(|suggestion| suggestion.steepest),
        "suggestion": suggestion.map(|suggestion| rounded(suggestion.lr)),
        "key": key(experiment, phase),
    })
}

fn print(experiment: &Experiment, phase: usize, curve: &Curve) {
    let spec = &experiment.train.phases[phase];
    let theme = Theme::detect(true, false, |name| std::env::var(name).ok());
    drawn(curve, if theme.ascii { Dots::Ascii } else { Dots::Braille }).iter().for_each(|row| line(row));
    match curve.blew_up {
        Some(lr) => line(&format!("the loss blew up at {}", learning_rate(lr))),
        None => line("the loss did not blow up"),
    }
    let Some(suggestion) = curve.suggestion() else {
        output::warning("the loss fell nowhere: no rate is suggested");
        return output::hint("sweep further with `--to`, or with more `--steps`; `finetop check` says what learns");
    };
    if phase > 0 {
        output::note("measured from the weights that the run starts with, not from what the phases before it leave");
    }
    let lr = rounded(suggestion.lr);
    line(&format!(
        "it fell most steeply at {}, the phase has {}",
        learning_rate(suggestion.steepest),
        learning_rate(spec.optimizer.lr())
    ));
    line(&format!("suggested for phase {}: {lr:e}", spec.name));
    line(&format!("  optimizer: {{ {}: {{ lr: {lr:e} }} }}", rule(&spec.optimizer)));
    line(&format!("  --set {}={lr:e}", key(experiment, phase)));
}

/// Columns and rows of the plot.
const PLOT: (u16, u16) = (64, 12);

/// The smoothed loss over the logarithm of the rate, in rows of text with the ends of both axes.
fn drawn(curve: &Curve, dots: Dots) -> Vec<String> {
    let (Some(first), Some(last)) = (curve.lrs.first(), curve.lrs.last()) else { return Vec::new() };
    // what shoots up at the end would make all else flat
    let lowest = curve.smoothed.iter().copied().fold(f64::INFINITY, f64::min);
    let begun = curve.smoothed.iter().take(curve.smoothed.len() / 2 + 1).copied().fold(lowest, f64::max);
    let highest = lowest + (begun - lowest) * 1.3;
    let mut raster = Raster::new(PLOT.0, PLOT.1, dots);
    let scale = Scale { x: (first.log10(), last.log10()), y: (lowest, highest), log: false, dots: raster.dots() };
    let points = curve.lrs.iter().zip(&curve.smoothed);
    let spots: Vec<Spot> = points.map(|(lr, loss)| Spot { x: lr.log10(), span: alone(*loss) }).collect();
    raster.curve(&spots, &scale, Ink::Train, (1, 0));
    let mut rows = vec![vec![' '; usize::from(PLOT.0)]; usize::from(PLOT.1)];
    for (column, row, bits, _) in raster.cells() {
        rows[usize::from(row)][usize::from(column)] = dots.character(bits, '*');
    }
    let bottom = rows.len() - 1;
    let label = |row: usize| match row {
        0 => format!("{highest:>9.3}"),
        row if row == bottom => format!("{lowest:>9.3}"),
        _ => " ".repeat(9),
    };
    let bar = if dots == Dots::Ascii { '|' } else { '│' };
    let text = |(at, row): (usize, &Vec<char>)| format!("{} {bar}{}", label(at), String::from_iter(row).trim_end());
    let mut lines: Vec<String> = rows.iter().enumerate().map(text).collect();
    let (left, right) = (learning_rate(*first), learning_rate(*last));
    let gap = usize::from(PLOT.0).saturating_sub(left.len() + right.len());
    lines.push(format!(
        "{}{left}{}{right}  learning rate; above it the smoothed loss",
        " ".repeat(11),
        " ".repeat(gap)
    ));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_drawn_in_rows_of_text() {
        let lrs: Vec<f64> = (0..30).map(|at| 1e-6 * 1.6f64.powi(at)).collect();
        let smoothed: Vec<f64> = (0..30).map(|at| if at < 25 { 3.0 - 0.1 * f64::from(at) } else { 20.0 }).collect();
        let curve = Curve { losses: smoothed.clone(), lrs, smoothed, blew_up: None };
        for dots in [Dots::Ascii, Dots::Braille] {
            let rows = drawn(&curve, dots);
            assert_eq!(rows.len(), 13);
            assert!(rows[0].contains('|') == (dots == Dots::Ascii) && rows[11].contains("0.600"), "{rows:#?}");
            assert!(dots != Dots::Ascii || rows.iter().all(|row| row.is_ascii()), "{rows:#?}");
            assert!(rows[..12].iter().all(|row| row.chars().count() <= 75));
        }
        assert!(drawn(&Curve { lrs: vec![], losses: vec![], smoothed: vec![], blew_up: None }, Dots::Ascii).is_empty());
    }
}
