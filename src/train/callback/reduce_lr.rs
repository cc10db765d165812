//! Keras' `ReduceLROnPlateau`.

use serde::{Deserialize, Serialize};

use super::improves;
use crate::experiment;
use crate::record::event::ReduceLrCounters;

/// Lowers the learning rate when the watched value has not improved for `patience` epochs
/// (`keras.callbacks.ReduceLROnPlateau`). The rate is an f32, as Keras' is.
#[derive(Debug, Clone)]
pub struct ReduceLrOnPlateau {
    spec: experiment::ReduceLrOnPlateau,
    state: State,
}

/// What it remembers from epoch to epoch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Epochs since the last improvement or reduction.
    pub waited: u32,
    /// Epochs of cooldown still to go.
    pub cooldown: u32,
    #[serde(with = "crate::train::exact::option")]
    pub best: Option<f64>,
}

/// A reduction to `to`, and what led to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reduction {
    pub to: f32,
    pub best: Option<f64>,
    pub waited: u32,
}

impl ReduceLrOnPlateau {
    /// At the beginning of a phase.
    pub fn new(spec: &experiment::ReduceLrOnPlateau) -> Self {
        ReduceLrOnPlateau { spec: spec.clone(), state: State::default() }
    }

    /// As it was when a checkpoint was written.
    pub fn resume(spec: &experiment::ReduceLrOnPlateau, state: State) -> Self {
        ReduceLrOnPlateau { spec: spec.clone(), state }
    }

    /// Takes the watched value after an epoch trained with the rate `lr`.
    pub fn epoch_end(&mut self, value: f64, lr: f32) -> Option<Reduction> {
        if self.state.cooldown > 0 {
            self.state.cooldown -= 1;
            self.state.waited = 0;
        }
        if improves(&self.spec.watch, value, self.state.best, self.spec.min_delta) {
            self.state.best = Some(value);
            self.state.waited = 0;
            return None;
        }
        if self.state.cooldown > 0 {
            return None;
        }
        self.state.waited += 1;
        // At the lowest rate the waiting goes on and nothing is reset, as in Keras.
        if self.state.waited < self.spec.patience || lr <= self.spec.min_lr as f32 {
            return None;
        }
        let to = (f64::from(lr) * self.spec.factor).max(self.spec.min_lr) as f32;
        let reduction = Reduction { to, best: self.state.best, waited: self.state.waited };
        self.state.cooldown = self.spec.cooldown;
        self.state.waited = 0;
        Some(reduction)
    }

    /// The settings.
    pub fn spec(&self) -> &experiment::ReduceLrOnPlateau {
        &self.spec
    }

    /// What a checkpoint must hold.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What the `epoch` event says of it.
    pub fn counters(&self) -> ReduceLrCounters {
        ReduceLrCounters {
            monitor: self.spec.watch.monitor.name(),
            waited: self.state.waited,
            patience: self.spec.patience,
            cooldown: self.state.cooldown,
            best: self.state.best,
        }
    }
}
