//! `checkpoints/last.safetensors`: all that training needs to go on as if it had never stopped, at whatever step.
//! `checkpoints/previous.safetensors`: the one before it, for when that one is damaged.
//! `checkpoints/best.safetensors`: the whole network at the best epoch of the run, for people.
//!
//! Invariants: a checkpoint is one file that needs no other; it has its name only when it is whole and on the disk, and
//! the one before it stays until then, so that whatever is killed at whatever moment, a good one is there. Only weights
//! that some phase trains are in it: the others are what the experiment's weights file says.

mod format1;
mod latest;
mod note;
#[cfg(test)]
mod tests;
mod weights;

use std::path::Path;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::advice::Advisers;
use super::callback::{EarlyStoppingState, ReduceLrState};
use super::metrics::Sums;
use super::tensor_file::{self, Error};
use crate::base::durable;

pub use latest::{Latest, latest};
use note::Note;
pub use weights::Weights;

/// Relative to the run's folder.
pub const LAST: &str = "checkpoints/last.safetensors";
/// Relative to the run's folder.
pub const PREVIOUS: &str = "checkpoints/previous.safetensors";
/// Relative to the run's folder.
pub const BEST: &str = "checkpoints/best.safetensors";
/// Relative to the run's folder.
pub const FOLDER: &str = "checkpoints";

/// The one entry of a file's metadata.
const KEY: &str = "finetop_checkpoint";

/// Where training stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Index of the phase; the number of phases when all are over.
    pub phase: usize,
    /// Finished epochs of the phase.
    pub phase_epoch: u32,
    /// Finished epochs of the run.
    pub epoch: u32,
    /// Optimizer steps of the run.
    pub step: u64,
    /// What was trained of the next epoch.
    pub unfinished: Unfinished,
    /// Spent on the run so far, by all attempts.
    #[serde(with = "super::exact")]
    pub seconds: f64,
    /// The rate of the latest step; None before the first.
    #[serde(with = "super::exact::option")]
    pub lr: Option<f32>,
    /// Whether the latest phase that is over was stopped early.
    pub early_stopped: bool,
    /// Those who watch it, and what they have said.
    #[serde(default)]
    pub advice: Advisers,
}

/// The beginning of an epoch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Unfinished {
    /// Steps that were trained of it.
    pub steps: u32,
    pub sums: Sums,
    #[serde(with = "super::exact")]
    pub seconds: f64,
}

/// What a phase in progress remembers beside its tensors.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PhaseState {
    #[serde(with = "super::exact")]
    pub lr: f32,
    pub optimizer_steps: u64,
    pub early_stopping: Option<EarlyStoppingState>,
    pub reduce_lr: Option<ReduceLrState>,
}

/// The best epoch of the run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BestEpoch {
    pub epoch: u32,
    #[serde(with = "super::exact")]
    pub value: f64,
}

/// The best epoch of the run, with its trained weights.
#[derive(Debug, Clone)]
pub struct RunBest {
    pub epoch: BestEpoch,
    pub weights: Weights,
}

/// The content of `last.safetensors`.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    pub progress: Progress,
    pub best: Option<RunBest>,
    /// None between phases.
    pub phase: Option<PhaseInProgress>,
    pub weights: Weights,
}

/// A phase that was not over, with its tensors.
#[derive(Debug, Clone)]
pub struct PhaseInProgress {
    pub state: PhaseState,
    pub optimizer: Weights,
    /// Those of the phase's best epoch, where early stopping will restore them.
    pub restorable: Option<Weights>,
}

impl Checkpoint {
    /// Writes `last.safetensors` below `run` and returns its length in bytes; the one before becomes
    /// `previous.safetensors`.
    pub fn write(&self, run: &Path) -> Result<u64, Error> {
        let path = run.join(LAST);
        let (tensors, note) = Note::of(self);
        let note = serde_json::to_string(&note).map_err(|e| tensor_file::damaged(&path, &e))?;
        durable::ensure_dir(&run.join(FOLDER))?;
        tensor_file::write_hashed(&path, &run.join(PREVIOUS), &tensors, KEY, &note)
    }

    /// Reads the checkpoint `file`, [`LAST`] or [`PREVIOUS`], below `run`; None if there is none.
    pub fn read(run: &Path, file: &str, device: &Device) -> Result<Option<Self>, Error> {
        let path = run.join(file);
        let Some(content) = tensor_file::read(&path, KEY, device)? else { return Ok(None) };
        match note::format(&content.note).map_err(|e| tensor_file::damaged(&path, &e))? {
            1 => format1::checkpoint(&path, run, content, device).map(Some),
            note::FORMAT if !content.is_hashed => Err(tensor_file::damaged(&path, &"it has lost its hash")),
            note::FORMAT => Note::checkpoint(&path, content).map(Some),
            format => Err(Error::Newer { path: path.display().to_string(), format, known: note::FORMAT }),
        }
    }
}

/// Writes the whole network of the best epoch and returns the file's length in bytes.
pub fn write_best(run: &Path, best: BestEpoch, network: &[(String, Tensor)]) -> Result<u64, Error> {
    let path = run.join(BEST);
    let note = serde_json::to_string(&best).map_err(|e| tensor_file::damaged(&path, &e))?;
    durable::ensure_dir(&run.join(FOLDER))?;
    tensor_file::write(&path, network, KEY, &note)
}
