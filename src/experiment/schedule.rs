//! The key `schedule` of a phase.

use serde::{Deserialize, Serialize};

/// How the rate goes on from the optimizer's `lr` within a phase. In all but `one_cycle` it first rises in a straight line
/// from 0 for `warmup_epochs`, from 0, the default, to the phase's epochs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    Constant {
        warmup_epochs: f64,
    },
    /// Times `factor`, between 0 and 1, 0.1 by default, after each `every` epochs (PyTorch's `StepLR`).
    Step {
        every: u32,
        factor: f64,
        warmup_epochs: f64,
    },
    /// Times `factor`, between 0 and 1, in an epoch (PyTorch's `ExponentialLR`).
    Exponential {
        factor: f64,
        by: By,
        warmup_epochs: f64,
    },
    /// To `min_lr`, at most the optimizer's, along half a cosine, `cycles` times in the phase; 0 and 1 by default.
    Cosine {
        min_lr: f64,
        cycles: u32,
        by: By,
        warmup_epochs: f64,
    },
    /// To `min_lr`, at most the optimizer's, in a straight line.
    Linear {
        min_lr: f64,
        by: By,
        warmup_epochs: f64,
    },
    /// To `min_lr`, at most the optimizer's, by a `power`, above 0, of what is left.
    Polynomial {
        power: f64,
        min_lr: f64,
        by: By,
        warmup_epochs: f64,
    },
    /// PyTorch's `OneCycleLR`: from `lr / div_factor` to `lr` in a share `pct_start` of the steps, then to
    /// `lr / div_factor / final_div_factor`; 0.3, 25 and 1e4 by default.
    OneCycle {
        pct_start: f64,
        div_factor: f64,
        final_div_factor: f64,
    },
}

impl Schedule {
    /// The rate stays.
    pub const CONSTANT: Schedule = Schedule::Constant { warmup_epochs: 0.0 };

    /// Epochs in which the rate rises from 0.
    pub fn warmup_epochs(&self) -> f64 {
        match *self {
            Schedule::Constant { warmup_epochs }
            | Schedule::Step { warmup_epochs, .. }
            | Schedule::Exponential { warmup_epochs, .. }
            | Schedule::Cosine { warmup_epochs, .. }
            | Schedule::Linear { warmup_epochs, .. }
            | Schedule::Polynomial { warmup_epochs, .. } => warmup_epochs,
            Schedule::OneCycle { .. } => 0.0,
        }
    }

    /// The rate that it falls to at most, where it has one.
    pub fn min_lr(&self) -> Option<f64> {
        match *self {
            Schedule::Cosine { min_lr, .. } | Schedule::Linear { min_lr, .. } | Schedule::Polynomial { min_lr, .. } => {
                Some(min_lr)
            }
            Schedule::Constant { .. }
            | Schedule::Step { .. }
            | Schedule::Exponential { .. }
            | Schedule::OneCycle { .. } => None,
        }
    }
}

/// When a schedule moves the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Step,
    Epoch,
}
