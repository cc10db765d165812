//! `checkpoints/last.safetensors`: all that training needs to go on as if it had never stopped, at whatever step.
//! `checkpoints/best.safetensors`: the whole network at the best epoch of the run.
//!
//! Invariants: `last` is written after `best`, so that the best epoch it names is in `best`; both are replaced in one
//! step, so that a crash leaves the earlier ones. Only weights that some phase trains are in `last`: the others are what
//! the experiment's weights file says.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::advice::Overfitting;
use super::callback::{EarlyStoppingState, ReduceLrState};
use super::metrics::Sums;
use super::tensor_file::{self, Error, NamedTensors};
use crate::base::durable;

/// Named copies of weights.
pub type Weights = Vec<(String, Tensor)>;

/// Relative to the run's folder.
pub const LAST: &str = "checkpoints/last.safetensors";
/// Relative to the run's folder.
pub const BEST: &str = "checkpoints/best.safetensors";

const KEY: &str = "finetop_checkpoint";
const FORMAT: u32 = 1;

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
    pub lr: Option<f32>,
    /// Whether the latest phase that is over was stopped early.
    pub early_stopped: bool,
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
    pub lr: f32,
    pub optimizer_steps: u64,
    pub early_stopping: Option<EarlyStoppingState>,
    pub reduce_lr: Option<ReduceLrState>,
    pub overfitting: Overfitting,
}

/// The best epoch of the run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BestEpoch {
    pub epoch: u32,
    #[serde(with = "super::exact")]
    pub value: f64,
}

/// The content of `last.safetensors`.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    pub progress: Progress,
    pub best: Option<BestEpoch>,
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

/// The note in `last.safetensors`.
#[derive(Serialize, Deserialize)]
struct Note {
    format: u32,
    progress: Progress,
    best: Option<BestEpoch>,
    phase: Option<PhaseState>,
    restorable: bool,
}

const WEIGHTS: &str = "weights/";
const OPTIMIZER: &str = "optimizer/";
const RESTORABLE: &str = "restorable/";

impl Checkpoint {
    /// Writes `last.safetensors` below `run` and returns its length in bytes.
    pub fn write(&self, run: &Path) -> Result<u64, Error> {
        let path = run.join(LAST);
        let mut tensors = prefixed(WEIGHTS, &self.weights);
        let mut restorable = false;
        if let Some(phase) = &self.phase {
            tensors.extend(prefixed(OPTIMIZER, &phase.optimizer));
            if let Some(weights) = &phase.restorable {
                restorable = true;
                tensors.extend(prefixed(RESTORABLE, weights));
            }
        }
        let note = Note {
            format: FORMAT,
            progress: self.progress.clone(),
            best: self.best,
            phase: self.phase.as_ref().map(|phase| phase.state.clone()),
            restorable,
        };
        let note = serde_json::to_string(&note).map_err(|e| tensor_file::damaged(&path, &e))?;
        create_folder(&path)?;
        tensor_file::write(&path, &tensors, KEY, &note)
    }

    /// Reads `last.safetensors` below `run`; None if there is none.
    pub fn read(run: &Path, device: &Device) -> Result<Option<Self>, Error> {
        let path = run.join(LAST);
        let Some((tensors, note)) = tensor_file::read(&path, KEY, device)? else { return Ok(None) };
        let note: Note = serde_json::from_str(&note).map_err(|e| tensor_file::damaged(&path, &e))?;
        if note.format != FORMAT {
            return Err(tensor_file::damaged(&path, &format!("its format is {}, not {FORMAT}", note.format)));
        }
        let phase = note.phase.map(|state| PhaseInProgress {
            state,
            optimizer: taken(OPTIMIZER, &tensors),
            restorable: note.restorable.then(|| taken(RESTORABLE, &tensors)),
        });
        let weights = taken(WEIGHTS, &tensors);
        Ok(Some(Checkpoint { progress: note.progress, best: note.best, phase, weights }))
    }
}

/// Writes the whole network of the best epoch.
pub fn write_best(run: &Path, best: BestEpoch, weights: &Weights) -> Result<u64, Error> {
    let path = run.join(BEST);
    let note = serde_json::to_string(&best).map_err(|e| tensor_file::damaged(&path, &e))?;
    create_folder(&path)?;
    tensor_file::write(&path, weights, KEY, &note)
}

/// Reads the network of the best epoch, if there is one.
pub fn read_best(run: &Path, device: &Device) -> Result<Option<(BestEpoch, NamedTensors)>, Error> {
    let path = run.join(BEST);
    let Some((tensors, note)) = tensor_file::read(&path, KEY, device)? else { return Ok(None) };
    let best = serde_json::from_str(&note).map_err(|e| tensor_file::damaged(&path, &e))?;
    Ok(Some((best, tensors)))
}

fn create_folder(path: &Path) -> Result<(), durable::Error> {
    durable::create_dir_all(&path.parent().map_or_else(PathBuf::new, Path::to_owned))
}

fn prefixed(prefix: &str, weights: &Weights) -> Weights {
    weights.iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor.clone())).collect()
}

/// The tensors below `prefix`, in the order of their names.
fn taken(prefix: &str, tensors: &NamedTensors) -> Weights {
    let mut weights: Weights = tensors
        .iter()
        .filter_map(|(name, tensor)| Some((name.strip_prefix(prefix)?.to_owned(), tensor.clone())))
        .collect();
    weights.sort_by(|a, b| a.0.cmp(&b.0));
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(values: &[f32]) -> Weights {
        let tensor = Tensor::from_slice(values, values.len(), &Device::Cpu).unwrap();
        vec![("head.output.bias".into(), tensor.clone()), ("head.output.weight".into(), (tensor * 2.0).unwrap())]
    }

    fn flat(weights: &Weights) -> Vec<(String, Vec<f32>)> {
        weights.iter().map(|(name, tensor)| (name.clone(), tensor.to_vec1().unwrap())).collect()
    }

    fn checkpoint() -> Checkpoint {
        let early_stopping = EarlyStoppingState { waited: 2, best: Some(0.1 + 0.2), best_epoch: Some(5) };
        let reduce_lr = ReduceLrState { waited: 1, cooldown: 3, best: None };
        let mut sums = Sums::default();
        sums.add(&crate::train::metrics::score(&[0.3, 0.1], 1), 1);
        let state = PhaseState {
            lr: 0.001 * 0.3,
            optimizer_steps: 77,
            early_stopping: Some(early_stopping),
            reduce_lr: Some(reduce_lr),
            overfitting: Overfitting::default(),
        };
        Checkpoint {
            progress: Progress {
                phase: 1,
                phase_epoch: 2,
                epoch: 7,
                step: 130,
                unfinished: Unfinished { steps: 3, sums, seconds: 1.0 / 3.0 },
                seconds: 12.3,
                lr: Some(3e-4),
                early_stopped: true,
            },
            best: Some(BestEpoch { epoch: 6, value: 1.0 / 3.0 }),
            phase: Some(PhaseInProgress {
                state,
                optimizer: weights(&[0.5, 1e-30]),
                restorable: Some(weights(&[9.0, 8.0])),
            }),
            weights: weights(&[1.0 / 3.0, -0.0]),
        }
    }

    #[test]
    fn a_checkpoint_reads_back_to_the_bit() {
        let run = tempfile::tempdir().unwrap();
        assert!(Checkpoint::read(run.path(), &Device::Cpu).unwrap().is_none());
        let written = checkpoint();
        let bytes = written.write(run.path()).unwrap();
        assert_eq!(std::fs::metadata(run.path().join(LAST)).unwrap().len(), bytes);

        let read = Checkpoint::read(run.path(), &Device::Cpu).unwrap().unwrap();
        assert_eq!((&read.progress, read.best), (&written.progress, written.best));
        assert_eq!(flat(&read.weights), flat(&written.weights));
        let (read, written) = (read.phase.unwrap(), written.phase.unwrap());
        assert_eq!(read.state, written.state);
        assert_eq!(flat(&read.optimizer), flat(&written.optimizer));
        assert_eq!(flat(&read.restorable.unwrap()), flat(&written.restorable.unwrap()));
    }

    #[test]
    fn the_same_checkpoint_is_the_same_bytes() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        checkpoint().write(one.path()).unwrap();
        checkpoint().write(two.path()).unwrap();
        let bytes = |run: &Path| std::fs::read(run.join(LAST)).unwrap();
        assert_eq!(bytes(one.path()), bytes(two.path()));
    }

    #[test]
    fn between_phases_there_is_no_phase() {
        let run = tempfile::tempdir().unwrap();
        Checkpoint { phase: None, best: None, ..checkpoint() }.write(run.path()).unwrap();
        let read = Checkpoint::read(run.path(), &Device::Cpu).unwrap().unwrap();
        assert!(read.phase.is_none() && read.best.is_none());
    }

    #[test]
    fn a_damaged_file_is_named() {
        let run = tempfile::tempdir().unwrap();
        checkpoint().write(run.path()).unwrap();
        let whole = std::fs::read(run.path().join(LAST)).unwrap();
        std::fs::write(run.path().join(LAST), &whole[..whole.len() / 2]).unwrap();
        let error = Checkpoint::read(run.path(), &Device::Cpu).unwrap_err();
        assert!(error.to_string().contains("last.safetensors is damaged"), "{error}");
        assert!(read_best(run.path(), &Device::Cpu).unwrap().is_none());
    }
}
