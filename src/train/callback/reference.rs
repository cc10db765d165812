//! The 24 cases of `tests/reference/callbacks.json`, made with Keras, through the very callbacks that train.

use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::experiment::{self, Metric, Mode};

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    monitor: String,
    mode: String,
    /// Numbers, or the word `NaN`.
    values: Vec<Value>,
    initial_lr: f64,
    early_stopping: Stopping,
    reduce_lr_on_plateau: Plateau,
    lr_after_epoch: Vec<f64>,
    stopped_at_epoch: Option<u32>,
    best_epoch: u32,
    weights_at_end_are_of_epoch: u32,
}

#[derive(Deserialize)]
struct Stopping {
    patience: u32,
    min_delta: f64,
    restore_best_weights: bool,
    start_from_epoch: u32,
    baseline: Option<f64>,
}

#[derive(Deserialize)]
struct Plateau {
    factor: f64,
    patience: u32,
    min_delta: f64,
    cooldown: u32,
    min_lr: f64,
}

/// What a case comes to here; epochs from 0, as the file counts.
#[derive(Debug, PartialEq)]
struct Outcome {
    lr_after_epoch: Vec<f64>,
    stopped_at_epoch: Option<u32>,
    best_epoch: Option<u32>,
    weights_at_end_are_of_epoch: u32,
}

fn watch(case: &Case) -> Watch {
    let monitor = match case.monitor.as_str() {
        "val_loss" => Metric::ValLoss,
        "val_accuracy" => Metric::ValAccuracy,
        other => panic!("{other} is not in the file"),
    };
    Watch { monitor, mode: if case.mode == "min" { Mode::Min } else { Mode::Max } }
}

fn callbacks(case: &Case) -> (EarlyStopping, ReduceLrOnPlateau) {
    let (stopping, plateau) = (&case.early_stopping, &case.reduce_lr_on_plateau);
    let early_stopping = EarlyStopping::new(&experiment::EarlyStopping {
        watch: watch(case),
        patience: stopping.patience,
        min_delta: stopping.min_delta,
        baseline: stopping.baseline,
        start_from_epoch: stopping.start_from_epoch,
        restore_best_weights: stopping.restore_best_weights,
    });
    let reduce_lr = ReduceLrOnPlateau::new(&experiment::ReduceLrOnPlateau {
        watch: watch(case),
        factor: plateau.factor,
        patience: plateau.patience,
        min_delta: plateau.min_delta,
        cooldown: plateau.cooldown,
        min_lr: plateau.min_lr,
    });
    (early_stopping, reduce_lr)
}

/// Runs the case; with `resumed`, the callbacks go through their checkpointed state after every epoch.
fn play(case: &Case, resumed: bool) -> Outcome {
    let (mut early_stopping, mut reduce_lr) = callbacks(case);
    let mut lr = case.initial_lr as f32;
    let mut outcome =
        Outcome { lr_after_epoch: vec![], stopped_at_epoch: None, best_epoch: None, weights_at_end_are_of_epoch: 0 };
    let mut best_weights = None;
    for (epoch, value) in (0u32..).zip(&case.values) {
        let value = value.as_f64().unwrap_or(f64::NAN);
        let verdict = early_stopping.epoch_end(epoch + 1, epoch + 1, value);
        if verdict == Verdict::Best {
            best_weights = Some(epoch);
        }
        if let Some(reduction) = reduce_lr.epoch_end(value, lr) {
            lr = reduction.to;
        }
        outcome.lr_after_epoch.push(f64::from(lr));
        outcome.weights_at_end_are_of_epoch = epoch;
        if verdict == Verdict::Stop {
            outcome.stopped_at_epoch = Some(epoch);
            break;
        }
        if resumed {
            early_stopping = EarlyStopping::resume(early_stopping.spec(), early_stopping.state().clone());
            reduce_lr = ReduceLrOnPlateau::resume(reduce_lr.spec(), reduce_lr.state().clone());
        }
    }
    outcome.best_epoch = early_stopping.state().best_epoch.map(|epoch| epoch - 1);
    if let (true, Some(epoch)) = (case.early_stopping.restore_best_weights, best_weights) {
        outcome.weights_at_end_are_of_epoch = epoch;
    }
    outcome
}

#[test]
fn keras_cases_come_out_exactly() {
    let text = include_str!("../../../tests/reference/callbacks.json");
    let reference: Reference = serde_json::from_str(text).unwrap();
    assert_eq!(reference.cases.len(), 24);
    for (number, case) in reference.cases.iter().enumerate() {
        let expected = Outcome {
            lr_after_epoch: case.lr_after_epoch.iter().map(|&lr| f64::from(lr as f32)).collect(),
            stopped_at_epoch: case.stopped_at_epoch,
            best_epoch: Some(case.best_epoch),
            weights_at_end_are_of_epoch: case.weights_at_end_are_of_epoch,
        };
        assert_eq!(play(case, false), expected, "case {number}");
        assert_eq!(play(case, true), expected, "case {number}, resumed after every epoch");
    }
}

fn stopping(patience: u32) -> EarlyStopping {
    EarlyStopping::new(&experiment::EarlyStopping {
        watch: Watch { monitor: Metric::ValLoss, mode: Mode::Min },
        patience,
        min_delta: 0.0,
        baseline: None,
        start_from_epoch: 0,
        restore_best_weights: true,
    })
}

#[test]
fn a_first_epoch_with_nan_can_be_beaten() {
    let mut stopping = stopping(3);
    let verdicts: Vec<Verdict> = [f64::NAN, f64::INFINITY, 0.5, f64::NAN, 0.6, 0.7]
        .into_iter()
        .zip(1..)
        .map(|(value, epoch)| stopping.epoch_end(epoch, epoch, value))
        .collect();
    use Verdict::{Best, GoOn, Stop};
    assert_eq!(verdicts, [GoOn, GoOn, Best, GoOn, GoOn, Stop]);
    assert_eq!((stopping.state().best, stopping.state().best_epoch), (Some(0.5), Some(3)));
}

#[test]
fn patience_0_acts_like_1() {
    for values in [[1.0, 0.9, 0.9], [1.0, 1.1, 0.2], [1.0, 0.5, 0.4]] {
        let verdicts = |patience| {
            let (mut stopping, mut epoch) = (stopping(patience), 0);
            values.map(|value| {
                epoch += 1;
                stopping.epoch_end(epoch, epoch, value)
            })
        };
        assert_eq!(verdicts(0), verdicts(1));
    }
}

#[test]
fn plateau_cooldown_1_acts_like_0() {
    let rates = |cooldown| {
        let mut reduce_lr = ReduceLrOnPlateau::new(&experiment::ReduceLrOnPlateau {
            watch: Watch { monitor: Metric::ValLoss, mode: Mode::Min },
            factor: 0.5,
            patience: 2,
            min_delta: 0.0,
            cooldown,
            min_lr: 0.0,
        });
        let mut lr = 1.0;
        [1.0; 12].map(|value| {
            lr = reduce_lr.epoch_end(value, lr).map_or(lr, |reduction| reduction.to);
            lr
        })
    };
    assert_eq!(rates(0), rates(1));
    assert_ne!(rates(0), rates(2));
}
