//! The key `train`: phases, callbacks, and what they watch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Measure, Metric, Optimizer, Schedule};

/// How it is trained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Train {
    /// Samples per optimizer step, 1 to 65536; 32 by default.
    pub batch_size: usize,
    /// Batches per optimizer step, 1 to 65536; 1 by default.
    pub accumulate: usize,
    /// Share of each target that is spread over all classes, from 0, the default, to below 1.
    pub label_smoothing: f64,
    /// What training samples weigh by their class; all the same by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_weight: Option<ClassWeight>,
    /// Minutes of training after which a checkpoint is written also within an epoch, above 0; 5 by default.
    pub checkpoint_minutes: f64,
    /// At least one; their names differ. By default one phase `head` with the defaults of a phase.
    pub phases: Vec<Phase>,
    /// The most that the norm of all gradients together may be, above 0 (Keras' `global_clipnorm`); any by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Ends a phase early; off by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// Lowers the learning rate; off by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reduce_lr_on_plateau: Option<ReduceLrOnPlateau>,
    /// Further figures of the validation samples, what is watched among them; none by default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Measure>,
    /// What `best` means over the whole run; by default what early stopping watches, else `val_loss`.
    #[serde(flatten)]
    pub watch: Watch,
    /// Which weights end up in `model/`; `best` by default.
    pub save: Save,
}

/// What training samples weigh in the loss by their class (Keras' `class_weight`).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
    /// Samples / (classes × samples of the class), as scikit-learn's `balanced`.
    Balanced,
    /// By the names of classes, at least 0; those not named weigh 1.
    #[serde(untagged)]
    Of(BTreeMap<String, f64>),
}

/// Which weights end up in `model/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Save {
    /// Those of the best epoch of the whole run by the monitored value.
    Best,
    Last,
}

/// A stretch of epochs with its own optimizer and trainable layers; two phases are as two calls of Keras' `fit`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phase {
    /// `phase_N` by default, N from 1.
    pub name: String,
    /// The most epochs, 1 to 100000; 10 by default.
    pub epochs: u32,
    /// `head` by default.
    pub trainable: Trainable,
    /// What the rate is multiplied by from one block of the backbone to the one below it, above 0 to 1, the default.
    pub lr_decay: f64,
    /// What the rate of layers is multiplied by, by patterns of their names, at least 0.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub lr_factors: BTreeMap<String, f64>,
    /// How the rate goes on from the optimizer's; constant by default.
    pub schedule: Schedule,
    /// Adam with Keras' figures by default.
    pub optimizer: Optimizer,
}

/// Which layers learn. The head always does, except with `none`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trainable {
    Head,
    All,
    None,
    /// The last N layers of the backbone, counted as Keras counts `base.layers[-N:]`.
    LastLayers(usize),
    /// This layer of the backbone and all after it.
    From(String),
    /// Layers of the backbone whose names match one of these globs.
    Names(Vec<String>),
    /// The head alone, and after each `every` epochs one block of the backbone more from the top down, at most `blocks`.
    Gradual {
        every: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        blocks: Option<usize>,
    },
}

/// Which direction is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Min,
    Max,
}

impl Mode {
    /// Whether `value` is better than `best` by more than `min_delta`; a NaN never is.
    pub fn improves(self, value: f64, best: f64, min_delta: f64) -> bool {
        match self {
            Mode::Min => value < best - min_delta,
            Mode::Max => value > best + min_delta,
        }
    }
}

/// Keras' `EarlyStopping`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EarlyStopping {
    #[serde(flatten)]
    pub watch: Watch,
    /// Epochs without improvement after which a phase ends; 0, the default, acts like 1, as in Keras.
    pub patience: u32,
    /// An improvement is one by more than this; at least 0, 0 by default.
    pub min_delta: f64,
    /// A value that must be beaten before an epoch counts as an improvement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// Epochs of the phase, counted from 0, before which nothing is watched; 0 by default.
    pub start_from_epoch: u32,
    /// Puts the best epoch's weights back at the end of the phase, early stop or not; false by default, as in Keras.
    pub restore_best_weights: bool,
}

/// Keras' `ReduceLROnPlateau`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReduceLrOnPlateau {
    #[serde(flatten)]
    pub watch: Watch,
    /// What the learning rate is multiplied by, between 0 and 1; 0.1 by default.
    pub factor: f64,
    /// Epochs without improvement after which the rate drops; 0 acts like 1, as in Keras; 10 by default.
    pub patience: u32,
    /// An improvement is one by more than this; at least 0, 1e-4 by default.
    pub min_delta: f64,
    /// Epochs after a drop in which nothing is counted; 1 acts like 0, as in Keras; 0 by default.
    pub cooldown: u32,
    /// The rate does not fall below this; at least 0, 0 by default.
    pub min_lr: f64,
}

/// A metric and the direction in which it gets better, as the keys `monitor` and `mode` of what watches it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Watch {
    pub monitor: Metric,
    pub mode: Mode,
}
