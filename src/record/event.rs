//! What the worker says while it trains: the lines of `events.jsonl`. Every reader answers every variant (no wildcard),
//! so that a new event does not compile until all have.
//!
//! Units: seconds, bytes, samples per second; epochs count from 1 over the whole run, steps from 1 in an epoch.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};

use crate::base::clock::Timestamp;

/// A line of a log: its number from 0 without gaps, when it was written, and what it says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line<E> {
    pub seq: u64,
    pub time: Timestamp,
    #[serde(flatten)]
    pub event: E,
}

/// A training event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    RunStarted(RunStarted),
    Stage(Stage),
    PhaseStarted(PhaseStarted),
    Step(Step),
    Epoch(Epoch),
    LrChanged(LrChanged),
    Unfroze(Unfroze),
    Best(Best),
    EarlyStopped(EarlyStopped),
    Checkpoint(Checkpoint),
    Confusion(Confusion),
    Samples(Samples),
    Advice(Advice),
    Skipped(Skipped),
    Log(Log),
    Finished(Finished),
    Failed(Failed),
    /// A type that this version does not know; ignored.
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    pub attempt: u32,
    pub version: String,
    pub host: String,
    pub device: String,
    pub threads: usize,
    pub seed: u64,
    pub classes: Vec<String>,
    pub train_samples: usize,
    pub val_samples: usize,
    pub parameters: Parameters,
    pub phases: Vec<PhasePlan>,
    pub resumed_from: Option<ResumedFrom>,
}

/// Counts of scalar weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    pub total: usize,
    pub trainable: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhasePlan {
    pub name: String,
    pub epochs: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumedFrom {
    pub epoch: u32,
    pub step: u64,
    /// Those of the steps that are of the next epoch, which was not over.
    #[serde(default)]
    pub epoch_steps: u32,
}

/// Progress of any work that takes over a second; `done == total` ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// `index`, `weights`, `features`, `validation` …
    pub name: String,
    pub done: u64,
    pub total: u64,
    pub unit: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseStarted {
    pub phase: String,
    /// From 0.
    pub index: usize,
    pub epochs: u32,
    /// Names of the layers that learn, the head's included.
    pub trainable: Vec<String>,
    pub trainable_parameters: usize,
    pub optimizer: String,
    #[serde(with = "nan_as_null")]
    pub lr: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub phase: String,
    pub epoch: u32,
    pub step: u32,
    pub steps: u32,
    #[serde(with = "nan_as_null")]
    pub loss: f64,
    #[serde(with = "nan_as_null")]
    pub accuracy: f64,
    #[serde(with = "nan_as_null")]
    pub lr: f64,
    #[serde(with = "nan_as_null")]
    pub samples_per_s: f64,
}

/// The figures of one epoch. Averages are over samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    pub phase: String,
    pub epoch: u32,
    pub phase_epoch: u32,
    pub phase_epochs: u32,
    /// The rate that this epoch was trained with.
    #[serde(with = "nan_as_null")]
    pub lr: f64,
    #[serde(with = "nan_as_null")]
    pub loss: f64,
    #[serde(with = "nan_as_null")]
    pub accuracy: f64,
    #[serde(with = "nan_as_null")]
    pub val_loss: f64,
    #[serde(with = "nan_as_null")]
    pub val_accuracy: f64,
    #[serde(with = "nan_as_null")]
    pub seconds: f64,
    #[serde(with = "nan_as_null")]
    pub samples_per_s: f64,
    pub callbacks: Callbacks,
    /// Further metrics by name (`val_f1` …); fields of later versions that are no numbers are left out.
    #[serde(flatten, deserialize_with = "numbers_only")]
    pub metrics: BTreeMap<String, f64>,
}

impl Epoch {
    /// Further metrics that are of all classes together. Those of one class, as `val_f1/cat`, can be many.
    pub fn overall(&self) -> impl Iterator<Item = (&str, f64)> {
        self.metrics.iter().map(|(name, &value)| (name.as_str(), value)).filter(|(name, _)| !is_of_class(name))
    }
}

/// Whether the metric of this name is of one class.
pub fn is_of_class(metric: &str) -> bool {
    metric.contains('/')
}

/// How near each callback is to act, after this epoch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Callbacks {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStoppingCounters>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reduce_lr_on_plateau: Option<ReduceLrCounters>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EarlyStoppingCounters {
    pub monitor: String,
    pub waited: u32,
    pub patience: u32,
    /// None before the first watched epoch.
    pub best: Option<f64>,
    pub best_epoch: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReduceLrCounters {
    pub monitor: String,
    pub waited: u32,
    pub patience: u32,
    /// Epochs of cooldown still to go.
    pub cooldown: u32,
    pub best: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LrChanged {
    pub epoch: u32,
    #[serde(with = "nan_as_null")]
    pub from: f64,
    #[serde(with = "nan_as_null")]
    pub to: f64,
    pub reason: LrReason,
    /// What was watched, where the reason is a plateau.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LrReason {
    ReduceLrOnPlateau,
    Schedule,
    Phase,
}

/// More layers learn from now on, within a phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfroze {
    /// The first epoch that trains them.
    pub epoch: u32,
    pub phase: String,
    /// Names of those that did not learn before, in order.
    pub layers: Vec<String>,
    /// Of all that learns now.
    pub trainable_parameters: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Best {
    pub epoch: u32,
    pub monitor: String,
    #[serde(with = "nan_as_null")]
    pub value: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EarlyStopped {
    pub epoch: u32,
    pub phase: String,
    pub monitor: String,
    pub best: Option<f64>,
    pub best_epoch: Option<u32>,
    pub waited: u32,
    /// Whether the best weights were put back.
    pub restored: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub epoch: u32,
    pub step: u64,
    /// Relative to the run's folder.
    pub file: PathBuf,
    pub bytes: u64,
    #[serde(with = "nan_as_null")]
    pub seconds: f64,
}

/// `counts[true][predicted]` over the validation set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    pub epoch: u32,
    pub counts: Vec<Vec<u64>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    pub epoch: u32,
    pub kind: SampleKind,
    pub items: Vec<Sample>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleKind {
    Augmented,
    Misclassified,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    pub source: String,
    pub label: String,
    pub predicted: Option<String>,
    pub probability: Option<f64>,
    /// A small picture in the run's folder, where there is one.
    pub image: Option<PathBuf>,
    /// Its beginning, where it is a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// `overfitting`, `learning_rate_too_high` …
    pub kind: String,
    pub severity: Severity,
    pub message: String,
    pub evidence: BTreeMap<String, serde_json::Value>,
    /// A key of the YAML file with its value.
    pub suggestion: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Warning,
}

/// A file that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    pub source: String,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    pub level: Level,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Info,
    Warning,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    pub reason: FinishReason,
    pub epochs: u32,
    #[serde(with = "nan_as_null")]
    pub seconds: f64,
    pub best: Option<Best>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    Completed,
    EarlyStopped,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    pub cause: super::life::Cause,
    pub error: String,
    /// The chain below `error`, outermost first.
    pub causes: Vec<String>,
    pub hint: Option<String>,
}

/// Takes the numbers among the left-over fields of a line: a null is a NaN, anything else is not a metric.
fn numbers_only<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, f64>, D::Error> {
    let fields = BTreeMap::<String, serde_json::Value>::deserialize(deserializer)?;
    let number = |value: serde_json::Value| if value.is_null() { Some(f64::NAN) } else { value.as_f64() };
    Ok(fields.into_iter().filter_map(|(name, value)| Some((name, number(value)?))).collect())
}

/// JSON has no NaN and no infinity: written as null, read back as NaN.
mod nan_as_null {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() { serializer.serialize_f64(*value) } else { serializer.serialize_none() }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
    }
}

#[cfg(test)]
mod tests;
