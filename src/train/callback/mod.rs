//! What happens between epochs: Keras' callbacks, as state and a verdict. They know neither weights nor optimizers; who
//! trains obeys the verdict.
//!
//! Invariants: a value that is NaN or infinite is never the best; all state but the settings is in a serialisable
//! `State`, so that a checkpoint holds all of it; early stopping is asked before the plateau, as in the reference.

mod early_stopping;
mod reduce_lr;
#[cfg(test)]
mod tests;

pub use early_stopping::{EarlyStopping, State as EarlyStoppingState, Verdict};
pub use reduce_lr::{ReduceLrOnPlateau, Reduction, State as ReduceLrState};

use crate::experiment::Watch;

/// Whether `value` beats `best` (None: nothing was watched yet) by more than `min_delta`.
fn improves(watch: &Watch, value: f64, best: Option<f64>, min_delta: f64) -> bool {
    value.is_finite() && best.is_none_or(|best| watch.mode.improves(value, best, min_delta))
}
