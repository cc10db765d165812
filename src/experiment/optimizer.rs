//! The rule of the update.

use serde::{Deserialize, Serialize};

/// The rule of the update.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimizer {
    /// By default `lr` 1e-3, `beta_1` 0.9, `beta_2` 0.999 and the epsilon of its variant.
    Adam { lr: f64, beta_1: f64, beta_2: f64, epsilon: f64, variant: AdamVariant },
    /// PyTorch's `AdamW`: every weight shrinks by `lr * weight_decay` a step. By default `lr` 1e-3, `beta_1` 0.9, `beta_2`
    /// 0.999, `epsilon` 1e-8, `weight_decay` 0.01.
    #[serde(rename = "adamw")]
    AdamW { lr: f64, beta_1: f64, beta_2: f64, epsilon: f64, weight_decay: f64 },
    /// PyTorch's `SGD`. By default `lr` 1e-2 and nothing else; `nesterov` goes with momentum and without dampening only.
    Sgd { lr: f64, momentum: f64, nesterov: bool, weight_decay: f64, dampening: f64 },
    /// PyTorch's `RMSprop`. By default `lr` 1e-2, `alpha` 0.99, `epsilon` 1e-8, no momentum, no decay.
    #[serde(rename = "rmsprop")]
    RmsProp { lr: f64, alpha: f64, epsilon: f64, momentum: f64, weight_decay: f64 },
}

impl Optimizer {
    /// The learning rate that the phase starts with.
    pub fn lr(&self) -> f64 {
        let (Optimizer::Adam { lr, .. }
        | Optimizer::AdamW { lr, .. }
        | Optimizer::Sgd { lr, .. }
        | Optimizer::RmsProp { lr, .. }) = *self;
        lr
    }

    /// The same rule with another learning rate to start with.
    pub fn with_lr(mut self, new: f64) -> Self {
        let (Optimizer::Adam { lr, .. }
        | Optimizer::AdamW { lr, .. }
        | Optimizer::Sgd { lr, .. }
        | Optimizer::RmsProp { lr, .. }) = &mut self;
        *lr = new;
        self
    }
}

/// Whose Adam it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AdamVariant {
    /// Epsilon is added outside of the bias correction; 1e-7 by default.
    #[serde(rename = "keras")]
    Keras,
    /// Epsilon is added to the root of the corrected second moment; 1e-8 by default.
    #[serde(rename = "pytorch")]
    PyTorch,
}

impl AdamVariant {
    /// The library's default.
    pub fn epsilon(self) -> f64 {
        match self {
            AdamVariant::Keras => 1e-7,
            AdamVariant::PyTorch => 1e-8,
        }
    }
}
