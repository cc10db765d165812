//! Keras' `EarlyStopping` and `ReduceLROnPlateau`, epoch by epoch.

use serde::Deserialize;
use serde_json::Value;

use super::case::{Case, Measure, compare};
use super::error::Trouble;
use super::file::Common;
use crate::experiment::{self, Metric, Mode, Watch};
use crate::train::callback::{EarlyStopping, ReduceLrOnPlateau, Verdict};

#[derive(Deserialize)]
pub(super) struct Figures {
    #[serde(rename = "source")]
    _source: Option<String>,
    cases: Vec<Fit>,
    #[serde(flatten)]
    common: Common,
}

/// A call of `fit`; epochs count from 0.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fit {
    monitor: Metric,
    mode: Mode,
    /// Numbers, or words such as `NaN`.
    values: Vec<Value>,
    initial_lr: f64,
    early_stopping: Stopping,
    reduce_lr_on_plateau: Plateau,
    lr_after_epoch: Vec<f64>,
    stopped_at_epoch: Option<u32>,
    best_epoch: Option<u32>,
    weights_at_end_are_of_epoch: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stopping {
    patience: u32,
    min_delta: f64,
    restore_best_weights: bool,
    start_from_epoch: u32,
    baseline: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plateau {
    factor: f64,
    patience: u32,
    min_delta: f64,
    cooldown: u32,
    min_lr: f64,
}

/// The rates after the epochs, then the epochs of the stop, of the best value and of the weights at the end;
/// -1 for no stop, and 0 where no epoch is the best, as Keras has it.
type Outcome = Vec<f64>;

pub(super) fn replay(figures: &Figures, notes: &mut Vec<String>) -> Result<Vec<Case>, Trouble> {
    figures.common.note(notes);
    figures.cases.iter().enumerate().map(|(number, fit)| case(number, fit)).collect()
}

/// Both in one go, and gone on with from a checkpoint after every epoch.
fn case(number: usize, fit: &Fit) -> Result<Case, Trouble> {
    let field = format!("cases[{number}]");
    let values = fit.values.iter().map(|value| match value {
        Value::String(word) => word.parse().ok(),
        value => value.as_f64(),
    });
    let values: Option<Vec<f64>> = values.collect();
    let values = values.ok_or_else(|| Trouble::field(&field, "has values that are no numbers"))?;
    let mut expected: Outcome = fit.lr_after_epoch.iter().map(|&lr| f64::from(lr as f32)).collect();
    let stopped = fit.stopped_at_epoch.map_or(-1.0, f64::from);
    let best = fit.best_epoch.map_or(0.0, f64::from);
    expected.extend([stopped, best, f64::from(fit.weights_at_end_are_of_epoch)]);
    let mut worst: Option<Case> = None;
    for resumed in [false, true] {
        let mut ours = play(fit, &values, resumed);
        let longest = ours.len().max(expected.len());
        // another number of epochs is a difference, not another row
        let theirs = padded(&mut expected.clone(), longest);
        let ours = padded(&mut ours, longest);
        let name = format!("case {number}");
        let case = compare(&name, &field, &ours, &theirs, (Measure::Differing, 0.0))?;
        if worst.as_ref().is_none_or(|worst| case.error > worst.error) {
            worst = Some(case);
        }
    }
    worst.ok_or_else(|| Trouble::field(&field, "is empty"))
}

/// With as many rates as `length` wants, the last three figures at the end.
fn padded(outcome: &mut Outcome, length: usize) -> Outcome {
    let ends = outcome.split_off(outcome.len().saturating_sub(3));
    outcome.resize(length.saturating_sub(3), -1.0);
    outcome.extend(ends);
    std::mem::take(outcome)
}

fn callbacks(fit: &Fit) -> (EarlyStopping, ReduceLrOnPlateau) {
    let (stopping, plateau) = (&fit.early_stopping, &fit.reduce_lr_on_plateau);
    let watch = Watch { monitor: fit.monitor.clone(), mode: fit.mode };
    let early_stopping = EarlyStopping::new(&experiment::EarlyStopping {
        watch: watch.clone(),
        patience: stopping.patience,
        min_delta: stopping.min_delta,
        baseline: stopping.baseline,
        start_from_epoch: stopping.start_from_epoch,
        restore_best_weights: stopping.restore_best_weights,
    });
    let reduce_lr = ReduceLrOnPlateau::new(&experiment::ReduceLrOnPlateau {
        watch,
        factor: plateau.factor,
        patience: plateau.patience,
        min_delta: plateau.min_delta,
        cooldown: plateau.cooldown,
        min_lr: plateau.min_lr,
    });
    (early_stopping, reduce_lr)
}

/// What comes of `values`; with `resumed`, the callbacks go through their checkpointed state after every epoch.
fn play(fit: &Fit, values: &[f64], resumed: bool) -> Outcome {
    let (mut early_stopping, mut reduce_lr) = callbacks(fit);
    let mut lr = fit.initial_lr as f32;
    let (mut rates, mut stopped, mut last, mut restorable) = (Vec::new(), -1.0, 0, None);
    for (epoch, &value) in (0u32..).zip(values) {
        let verdict = early_stopping.epoch_end(epoch + 1, epoch + 1, value);
        if verdict == Verdict::Best {
            restorable = Some(epoch);
        }
        if let Some(reduction) = reduce_lr.epoch_end(value, lr) {
            lr = reduction.to;
        }
        rates.push(f64::from(lr));
        last = epoch;
        if verdict == Verdict::Stop {
            stopped = f64::from(epoch);
            break;
        }
        if resumed {
            early_stopping = EarlyStopping::resume(early_stopping.spec(), early_stopping.state().clone());
            reduce_lr = ReduceLrOnPlateau::resume(reduce_lr.spec(), reduce_lr.state().clone());
        }
    }
    let best = early_stopping.state().best_epoch.map_or(0.0, |epoch| f64::from(epoch - 1));
    let weights = restorable.filter(|_| fit.early_stopping.restore_best_weights).unwrap_or(last);
    rates.extend([stopped, best, f64::from(weights)]);
    rates
}
