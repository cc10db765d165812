//! Reads checkpoints of format 1: without a hash, and with the weights of the best epoch in `best.safetensors` alone.
//!
//! Invariant: one whose best epoch is not in that file is no checkpoint, because what it would go on to is not what the
//! uninterrupted run came to.

use std::path::Path;

use candle_core::Device;
use serde::Deserialize;

use super::note::{OPTIMIZER, RESTORABLE, WEIGHTS, taken};
use super::{BEST, BestEpoch, Checkpoint, KEY, PhaseInProgress, PhaseState, Progress, RunBest, Weights};
use crate::train::tensor_file::{self, Content, Error, damaged};

#[derive(Deserialize)]
struct Note {
    progress: Progress,
    best: Option<BestEpoch>,
    phase: Option<PhaseState>,
    restorable: bool,
}

/// The checkpoint whose file at `path`, below the folder of the run, has this content.
pub(super) fn checkpoint(path: &Path, run: &Path, content: Content, device: &Device) -> Result<Checkpoint, Error> {
    let Content { tensors, note, .. } = content;
    let note: Note = serde_json::from_str(&note).map_err(|e| damaged(path, &e))?;
    let weights = taken(WEIGHTS, &tensors);
    let phase = note.phase.map(|state| PhaseInProgress {
        state,
        optimizer: taken(OPTIMIZER, &tensors),
        restorable: note.restorable.then(|| taken(RESTORABLE, &tensors)),
    });
    let best = note.best.map(|best| run_best(path, run, best, &weights, device)).transpose()?;
    Ok(Checkpoint { progress: note.progress, best, phase, weights })
}

/// The best epoch with the weights of its file, those that `like` has.
fn run_best(path: &Path, run: &Path, best: BestEpoch, like: &Weights, device: &Device) -> Result<RunBest, Error> {
    let lost = || damaged(path, &format!("the weights of its best epoch, {}, are not in {BEST}", best.epoch));
    let content = tensor_file::read(&run.join(BEST), KEY, device).ok().flatten().ok_or_else(lost)?;
    let of_file: BestEpoch = serde_json::from_str(&content.note).map_err(|_| lost())?;
    let named = |(name, _): &(String, _)| Some((name.clone(), content.tensors.get(name)?.clone()));
    let weights: Weights = like.iter().filter_map(named).collect();
    if of_file != best || weights.len() != like.len() {
        return Err(lost());
    }
    Ok(RunBest { epoch: best, weights })
}
