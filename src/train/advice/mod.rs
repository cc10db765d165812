//! Pitfalls of fine-tuning, told while they happen: one line with its evidence, and one key of the YAML file to change.
//! One pitfall a file.
//!
//! Invariants: each is said once in a run, however often that is resumed; a rule looks at figures and never changes what
//! is trained; a run that goes well is told nothing. (Each rule waits for more than noise, and the experiments of the
//! repository are held to it: `replay.rs`, `tests/pitfalls.rs`, `tests/emoji.rs`.)

mod at_work;
mod augmentation_too_strong;
mod class_imbalance;
mod duplicate_samples;
mod flow;
mod frozen_layers;
mod learning_rate_too_high;
mod learning_rate_too_low;
mod overfitting;
mod partial_weights;
mod random_weights;
#[cfg(test)]
mod replay;
mod steps;
#[cfg(test)]
mod tests;
mod wrong_preprocessing;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::experiment::{Experiment, Optimizer};
use crate::record::event::{Advice, Severity};
use augmentation_too_strong::AugmentationTooStrong;
use class_imbalance::ClassImbalance;
use learning_rate_too_high::LearningRateTooHigh;
use learning_rate_too_low::LearningRateTooLow;
use overfitting::Overfitting;
use steps::Steps;

/// All that watches a run, and what it has said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Advisers {
    /// Kinds of advice that were given.
    told: BTreeSet<String>,
    /// The epoch in progress, step by step.
    steps: Steps,
    /// (phase, stretch) of the latest epoch.
    place: (usize, usize),
    /// (loss, val_loss) of the latest epoch.
    before: Option<(f64, f64)>,
    overfitting: Overfitting,
    too_high: LearningRateTooHigh,
    too_low: LearningRateTooLow,
    imbalance: ClassImbalance,
    augmentation: AugmentationTooStrong,
}

/// What an epoch came to.
#[derive(Debug, Clone, Copy)]
struct EpochEnd<'a> {
    experiment: &'a Experiment,
    /// Index of the phase.
    phase: usize,
    /// Index of the stretch of epochs in which the same layers learn.
    stretch: usize,
    /// The rate of its last step.
    lr: f64,
    loss: f64,
    accuracy: f64,
    val_loss: f64,
    val_accuracy: f64,
    /// Of the validation samples: `counts[true][predicted]`.
    confusion: &'a [Vec<u64>],
    classes: &'a [String],
    /// Training samples of each class.
    samples: &'a [usize],
    /// Some of the weights that learn; none where nothing does.
    weights: &'a [f32],
}

impl Advisers {
    /// Takes the loss of a step.
    pub fn step(&mut self, loss: f64) {
        self.steps.add(loss);
    }

    /// Takes the figures of an epoch, whose steps it has; answers with what is new to say.
    fn epoch_end(&mut self, end: &EpochEnd) -> Vec<Advice> {
        let steps = std::mem::take(&mut self.steps);
        if self.place.0 != end.phase {
            self.overfitting = Overfitting::default();
            self.imbalance = ClassImbalance::default();
            self.augmentation = AugmentationTooStrong::default();
        }
        if self.before.is_none() || self.place != (end.phase, end.stretch) {
            self.too_high = LearningRateTooHigh::new(self.before, &steps, end.samples.len());
            self.too_low = LearningRateTooLow::default();
        }
        self.place = (end.phase, end.stretch);
        self.before = Some((end.loss, end.val_loss));
        let all = [
            self.overfitting.epoch_end(end),
            self.too_high.epoch_end(&steps, end),
            self.too_low.epoch_end(&steps, end),
            self.imbalance.epoch_end(end),
            self.augmentation.epoch_end(end),
        ];
        all.into_iter().flatten().filter(|advice| self.is_new(advice)).collect()
    }

    /// Whether `advice` is of a kind that was not given before; from now on it was.
    fn is_new(&mut self, advice: &Advice) -> bool {
        self.told.insert(advice.kind.clone())
    }
}

/// A warning of this kind.
fn warning(
    kind: &str,
    message: String,
    evidence: impl IntoIterator<Item = (&'static str, Value)>,
    suggestion: String,
) -> Advice {
    let evidence: BTreeMap<String, Value> = evidence.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    Advice { kind: kind.to_owned(), severity: Severity::Warning, message, evidence, suggestion }
}

/// The key of a phase's learning rate, with `factor` times the value that it has, to two digits.
fn rate_times(factor: f64, experiment: &Experiment, phase: usize) -> String {
    let Some(phase_spec) = experiment.train.phases.get(phase) else { return String::new() };
    let name = match phase_spec.optimizer {
        Optimizer::Adam { .. } => "adam",
        Optimizer::AdamW { .. } => "adamw",
        Optimizer::Sgd { .. } => "sgd",
        Optimizer::RmsProp { .. } => "rmsprop",
    };
    let digits = format!("{:.1e}", phase_spec.optimizer.lr() * factor).replace(".0e", "e");
    format!("train.phases.{phase}.optimizer.{name}.lr: {digits}")
}

/// A number to three digits, as evidence.
fn rounded(value: f64) -> Value {
    json!(format!("{value:.2e}").parse::<f64>().unwrap_or(value))
}
