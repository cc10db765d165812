//! Keras' `EarlyStopping`.

use serde::{Deserialize, Serialize};

use super::improves;
use crate::experiment;
use crate::record::event::EarlyStoppingCounters;

/// Ends a phase when the watched value has not improved for `patience` epochs (`keras.callbacks.EarlyStopping`).
#[derive(Debug, Clone)]
pub struct EarlyStopping {
    spec: experiment::EarlyStopping,
    state: State,
}

/// What it remembers from epoch to epoch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Epochs since the last improvement.
    pub waited: u32,
    #[serde(with = "crate::train::exact::option")]
    pub best: Option<f64>,
    /// From 1, over the whole run.
    pub best_epoch: Option<u32>,
}

/// What to do after an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// This epoch is the best so far: its weights are the ones to restore.
    Best,
    GoOn,
    Stop,
}

impl EarlyStopping {
    /// At the beginning of a phase.
    pub fn new(spec: &experiment::EarlyStopping) -> Self {
        EarlyStopping { spec: spec.clone(), state: State::default() }
    }

    /// As it was when a checkpoint was written.
    pub fn resume(spec: &experiment::EarlyStopping, state: State) -> Self {
        EarlyStopping { spec: spec.clone(), state }
    }

    /// Takes the watched value after `epoch` (from 1, over the run), the `phase_epoch`-th of the phase (from 1).
    pub fn epoch_end(&mut self, epoch: u32, phase_epoch: u32, value: f64) -> Verdict {
        if phase_epoch <= self.spec.start_from_epoch {
            return Verdict::GoOn;
        }
        self.state.waited += 1;
        if improves(&self.spec.watch, value, self.state.best, self.spec.min_delta) {
            self.state.best = Some(value);
            self.state.best_epoch = Some(epoch);
            // Only what beats the baseline too ends the waiting.
            if improves(&self.spec.watch, value, self.spec.baseline, self.spec.min_delta) {
                self.state.waited = 0;
            }
            return Verdict::Best;
        }
        // Keras never stops after the first epoch, whatever the patience.
        let out_of_patience = self.state.waited >= self.spec.patience && phase_epoch > 1;
        if out_of_patience { Verdict::Stop } else { Verdict::GoOn }
    }

    /// The settings.
    pub fn spec(&self) -> &experiment::EarlyStopping {
        &self.spec
    }

    /// What a checkpoint must hold.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What the `epoch` event says of it.
    pub fn counters(&self) -> EarlyStoppingCounters {
        EarlyStoppingCounters {
            monitor: self.spec.watch.monitor.name(),
            waited: self.state.waited,
            patience: self.spec.patience,
            best: self.state.best,
            best_epoch: self.state.best_epoch,
        }
    }
}
