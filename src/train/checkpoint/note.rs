//! What a checkpoint's file says beside its tensors.
//!
//! Invariant: weights that are the same copy are in the file once, and read back as the same copy.

use std::path::Path;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::{BestEpoch, Checkpoint, PhaseInProgress, PhaseState, Progress, RunBest, Weights};
use crate::train::tensor_file::{self, Content, Error, NamedTensors};

/// Format 1 had no hash, and the best epoch's weights in another file.
pub(super) const FORMAT: u32 = 2;

pub(super) const WEIGHTS: &str = "weights/";
pub(super) const OPTIMIZER: &str = "optimizer/";
pub(super) const RESTORABLE: &str = "restorable/";
const BEST: &str = "best/";

/// The note of format 2.
#[derive(Serialize, Deserialize)]
pub(super) struct Note {
    format: u32,
    progress: Progress,
    best: Option<BestEpoch>,
    /// The prefix of the best epoch's weights.
    best_at: Option<String>,
    phase: Option<PhaseState>,
    /// The prefix of the weights to restore at the phase's end.
    restorable_at: Option<String>,
}

/// The format of a note.
pub(super) fn format(note: &str) -> serde_json::Result<u32> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    serde_json::from_str(note).map(|Format { format }| format)
}

impl Note {
    /// The note of a checkpoint, and the tensors that go with it.
    pub fn of(checkpoint: &Checkpoint) -> (Vec<(String, Tensor)>, Note) {
        let mut sets = Sets::default();
        sets.add(WEIGHTS, &checkpoint.weights);
        let best = checkpoint.best.as_ref();
        let best_at = best.map(|best| sets.add(BEST, &best.weights));
        let phase = checkpoint.phase.as_ref();
        phase.map(|phase| sets.add(OPTIMIZER, &phase.optimizer));
        let restorable = phase.and_then(|phase| phase.restorable.as_ref());
        let restorable_at = restorable.map(|weights| sets.add(RESTORABLE, weights));
        let note = Note {
            format: FORMAT,
            progress: checkpoint.progress.clone(),
            best: best.map(|best| best.epoch),
            best_at,
            phase: phase.map(|phase| phase.state.clone()),
            restorable_at,
        };
        (sets.tensors(), note)
    }

    /// The checkpoint whose file at `path` has this content.
    pub fn checkpoint(path: &Path, content: Content) -> Result<Checkpoint, Error> {
        let note: Note = serde_json::from_str(&content.note).map_err(|e| tensor_file::damaged(path, &e))?;
        let mut sets = Sets::default();
        let mut taken = |prefix: &str| sets.take(prefix, &content.tensors);
        let weights = taken(WEIGHTS);
        let best = note.best.zip(note.best_at).map(|(epoch, at)| RunBest { epoch, weights: taken(&at) });
        let phase = note.phase.map(|state| PhaseInProgress {
            state,
            optimizer: taken(OPTIMIZER),
            restorable: note.restorable_at.map(|at| taken(&at)),
        });
        Ok(Checkpoint { progress: note.progress, best, phase, weights })
    }
}

/// Copies of weights, each with its prefix in the file.
#[derive(Default)]
struct Sets(Vec<(String, Weights)>);

impl Sets {
    /// Puts in `weights` below `prefix`, unless the same are there; answers with the prefix where they are.
    fn add(&mut self, prefix: &str, weights: &Weights) -> String {
        if let Some((at, _)) = self.0.iter().find(|(_, of)| of.is(weights)) {
            return at.clone();
        }
        self.0.push((prefix.to_owned(), weights.clone()));
        prefix.to_owned()
    }

    fn tensors(&self) -> Vec<(String, Tensor)> {
        let named = |(prefix, weights): &(String, Weights)| {
            weights.iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor.clone())).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(named).collect()
    }

    /// The weights below `prefix` among `tensors`.
    fn take(&mut self, prefix: &str, tensors: &NamedTensors) -> Weights {
        if let Some((_, weights)) = self.0.iter().find(|(of, _)| of == prefix) {
            return weights.clone();
        }
        let weights = taken(prefix, tensors);
        self.0.push((prefix.to_owned(), weights.clone()));
        weights
    }
}

/// The tensors below `prefix`, in the order of their names.
pub(super) fn taken(prefix: &str, tensors: &NamedTensors) -> Weights {
    let below = |(name, tensor): (&String, &Tensor)| Some((name.strip_prefix(prefix)?.to_owned(), tensor.clone()));
    let mut weights: Vec<(String, Tensor)> = tensors.iter().filter_map(below).collect();
    weights.sort_by(|a, b| a.0.cmp(&b.0));
    weights.into_iter().collect()
}
