//! How much main memory a run takes at its peak, from the shapes of its layers: before it is queued, and by the same
//! computation when its samples are known.
//!
//! Invariant: nothing here is allocated that grows with the run; no weights and no samples are read.

mod step;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::error::Error;
use super::feature_cache::{FeatureCache, Sizes};
use super::metrics;
use super::optimizer;
use super::setup::{Setup, Stretch, stretches};
use crate::base::machine;
use crate::data::{Extent, Kind};
use crate::experiment::{self, Experiment, Inputs};
use crate::model::{InputShape, Layer, Network};
use step::Steps;

/// Says how many bytes are reserved for a worker; its runner sets it.
pub const RESERVED: &str = "FINETOP_MEMORY";

/// What a run takes at its peak, in bytes of main memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// The process, before it has anything of the run, and what its allocator holds back for later.
    pub program: u64,
    /// Weights, their gradients, the optimizer's state, the copies of the best ones and those for a checkpoint.
    pub weights: u64,
    /// What a step keeps for its backward pass, and takes meanwhile.
    pub activations: u64,
    /// Samples that are kept or wait to be used.
    pub samples: u64,
    /// Outputs of frozen layers that are kept for all samples.
    pub features: u64,
}

impl Memory {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.program + self.weights + self.activations + self.samples + self.features
    }
}

/// Bytes of main memory that a run of `experiment` needs at its peak: what it says itself (`memory_gib`), else an estimate.
/// Takes well under a millisecond where there are not thousands of files to count.
pub fn needed(experiment: &Experiment) -> u64 {
    needed_by_each([experiment])[0]
}

/// [`needed`] for each of `experiments`; data that they share is counted once.
pub fn needed_by_each<'e>(experiments: impl IntoIterator<Item = &'e Experiment>) -> Vec<u64> {
    let mut counted = Counted::default();
    let limit = default_limit(machine::memory());
    let of = |experiment: &Experiment| {
        // What cannot be estimated cannot be trained either, and will say why.
        let estimate = || estimate(experiment, &mut counted, limit).map_or(PROGRAM, |memory| memory.total());
        asked(experiment).unwrap_or_else(estimate)
    };
    experiments.into_iter().map(of).collect()
}

/// What `memory_gib` says, in bytes.
pub fn asked(experiment: &Experiment) -> Option<u64> {
    experiment.limits.memory_gib.map(|gib| (gib * f64::from(1 << 30)) as u64)
}

/// Of an experiment whose data was only counted.
fn estimate(experiment: &Experiment, counted: &mut Counted, limit: u64) -> Result<Memory, Error> {
    let data = counted.of(&experiment.data);
    let mut network = Network::of_shapes(&experiment.model, data.classes)?;
    let stretches = stretches(&mut network, experiment)?;
    let outlines = network.outline(data.input, 1)?;
    let sizes = Sizes::new(experiment, data.input, &outlines, [data.train, data.val]);
    Run { experiment, network: &network, stretches: &stretches, input: data.input, sizes }.memory(limit)
}

/// Of an experiment whose samples are known, with as much room for features as it has.
pub(super) fn of_setup(experiment: &Experiment, setup: &Setup) -> Result<Memory, Error> {
    let run = Run::of(experiment, setup)?;
    run.memory(run.feature_limit(reserved(), machine::memory())?)
}

/// Bytes that the feature cache of a run may take: what is left of those reserved for the run, or where none were, a share
/// of the machine's.
pub(super) fn feature_limit(experiment: &Experiment, setup: &Setup) -> Result<u64, Error> {
    Run::of(experiment, setup)?.feature_limit(reserved(), machine::memory())
}

/// A quarter of the machine, at most 4 GiB.
fn default_limit(machine: Option<u64>) -> u64 {
    const MOST: u64 = 4 << 30;
    const WHERE_UNKNOWN: u64 = 1 << 30;
    machine.map_or(WHERE_UNKNOWN, |total| (total / 4).min(MOST))
}

fn reserved() -> Option<u64> {
    std::env::var(RESERVED).ok()?.parse().ok().filter(|bytes| *bytes > 0)
}

/// The program itself with its threads and tables.
const PROGRAM: u64 = 64 << 20;
/// The part of what comes and goes that the allocator has not given back when the next is taken.
const HELD_BACK: u64 = 8;

/// All that decides how much memory a run takes.
struct Run<'a> {
    experiment: &'a Experiment,
    network: &'a Network,
    stretches: &'a [Stretch],
    /// The largest sample.
    input: InputShape,
    sizes: Sizes,
}

impl<'a> Run<'a> {
    fn of(experiment: &'a Experiment, setup: &'a Setup) -> Result<Self, Error> {
        let sizes = Sizes::of(experiment, setup)?;
        let Setup { network, stretches, input, .. } = setup;
        Ok(Run { experiment, network, stretches, input: *input, sizes })
    }

    fn feature_limit(&self, reserved: Option<u64>, machine: Option<u64>) -> Result<u64, Error> {
        let Some(reserved) = reserved else { return Ok(default_limit(machine)) };
        // With all that is worth keeping kept, the rest is what it will be where that fits.
        let all = self.memory(u64::MAX)?;
        Ok(reserved.saturating_sub(all.total() - all.features))
    }

    /// At the peak of the phase that takes the most, with at most `limit` bytes of features.
    fn memory(&self, limit: u64) -> Result<Memory, Error> {
        let larger_side = self.sizes.train_samples.max(self.sizes.val_samples);
        let steps = Steps::new(self.network, self.input, self.experiment, larger_side)?;
        let samples = self.samples();
        let mut cache = FeatureCache::new(self.sizes.clone(), limit);
        let prefixes: Vec<usize> = self.stretches.iter().map(|stretch| stretch.frozen_prefix).collect();
        let of_stretch = |(index, shape): (usize, &Stretch)| {
            cache.begin_phase(&prefixes[index..]);
            let activations = steps.peak(shape, &cache);
            Memory {
                program: PROGRAM + (activations + samples) / HELD_BACK,
                weights: self.weights(shape, &self.experiment.train.phases[shape.phase].optimizer),
                activations,
                samples,
                features: cache.admitted_bytes(),
            }
        };
        let stretches = self.stretches.iter().enumerate().map(of_stretch);
        Ok(stretches.max_by_key(Memory::total).unwrap_or_default())
    }

    /// Weights, and what stands beside those that are trained.
    fn weights(&self, stretch: &Stretch, optimizer: &experiment::Optimizer) -> u64 {
        let trained: BTreeSet<&str> =
            self.stretches.iter().flat_map(|stretch| &stretch.tensors).map(String::as_str).collect();
        let sizes = |layer: &Layer| layer.tensors().into_iter().map(|(_, var)| var.elem_count()).collect::<Vec<_>>();
        let scalars = |layer: &Layer| sizes(layer).into_iter().sum::<usize>();
        let all: usize = self.network.layers().map(scalars).sum();
        // It is read, written or summed up beside itself, twice at the most.
        let largest = self.network.layers().flat_map(sizes).max().unwrap_or(0);
        let moving = self.network.tensors().into_iter().filter(|(name, _)| trained.contains(name.as_str()));
        let trained: usize = moving.map(|(_, var)| var.elem_count()).sum();
        let learning = stretch.trainable_parameters;
        let restores =
            self.experiment.train.early_stopping.as_ref().is_some_and(|stopping| stopping.restore_best_weights);
        // The best of the run, those to be restored, and one more while either is replaced or a checkpoint written.
        let copies = trained * (2 + usize::from(restores));
        // A gradient beside each weight, the sum of several where they are gathered, the optimizer's values, and their
        // copies for a checkpoint.
        let gradients = 1 + usize::from(self.experiment.train.accumulate > 1);
        let training = learning * (gradients + 2 * optimizer::running_values(optimizer));
        bytes(all + 2 * largest + copies + training)
    }

    /// Samples in memory, and what is kept of the answers to them.
    fn samples(&self) -> u64 {
        let Sizes { train_samples, val_samples, at_layer, .. } = &self.sizes;
        let count = *train_samples as u64 + *val_samples as u64;
        let classes = at_layer.last().copied().unwrap_or(0) as u64;
        let is_kept = metrics::takes_probabilities(&self.experiment.train.metrics);
        let probabilities = if is_kept { 4 * classes * *val_samples as u64 } else { 0 };
        probabilities + self.inputs(count)
    }

    /// So many samples, as they wait for the network.
    fn inputs(&self, count: u64) -> u64 {
        match self.input {
            InputShape::Picture { size } => {
                let threads = threads(self.experiment) as u64;
                let (pixels, batch) = (3 * size as u64 * size as u64, self.experiment.train.batch_size as u64);
                let kept = count.saturating_mul(pixels).min(KEPT_PICTURES);
                // batches that wait, that which is being made and that which is taken, as f32
                let ahead = (4 * batch).min(count + batch) + threads;
                // those before them in the batch, both in their shares, and the mixture
                let mixed = if self.experiment.data.augment().mixes() { 4 * batch } else { 0 };
                kept + threads * DECODING + 4 * (ahead + mixed) * pixels + count.min(1 << 24) * NAME
            }
            InputShape::Text { tokens } => TOKENIZER + count.min(1 << 24) * (NAME + 8 * tokens as u64),
        }
    }
}

/// Bytes of decoded pictures that are kept at most.
const KEPT_PICTURES: u64 = 1 << 30;
/// Bytes that a thread takes while it decodes a picture.
const DECODING: u64 = 4 << 20;
/// Bytes of a tokenizer with some 30,000 words.
const TOKENIZER: u64 = 16 << 20;
/// Bytes of what is known of a sample.
const NAME: u64 = 256;

fn bytes(scalars: usize) -> u64 {
    scalars as u64 * size_of::<f32>() as u64
}

/// Threads that compute.
fn threads(experiment: &Experiment) -> usize {
    match experiment.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    }
}

/// What was counted of the data at each path.
#[derive(Default)]
struct Counted(HashMap<PathBuf, Extent>);

/// As much of a dataset as decides how much memory it takes.
#[derive(Debug, PartialEq, Eq)]
struct Outlook {
    train: usize,
    val: usize,
    classes: usize,
    /// The largest sample.
    input: InputShape,
}

impl Counted {
    /// Classes where only a look at all samples would tell.
    const CLASSES: usize = 16;

    fn of(&mut self, data: &experiment::Data) -> Outlook {
        let kind = match &data.inputs {
            Inputs::Pictures(_) => Kind::Pictures,
            Inputs::Texts(_) => Kind::Texts,
        };
        let mut at = |path: &Path| *self.0.entry(path.to_owned()).or_insert_with(|| Extent::of(path, kind));
        let train = at(&data.train);
        let val = data.val.as_deref().map(&mut at);
        let all = val.map_or(train, |val| train.and(val));
        let held_out = |share: f64| (train.samples as f64 * share).round() as usize;
        let (train, val) = match (val, data.val_split) {
            (Some(val), _) => (train.samples, val.samples),
            (None, share) => {
                let val = held_out(share.unwrap_or(0.0));
                (train.samples - val.min(train.samples), val)
            }
        };
        let input = match (InputShape::of(data), all.longest) {
            // a token takes at least a byte, and two mark the ends
            (InputShape::Text { tokens }, Some(longest)) => InputShape::Text { tokens: tokens.min(longest + 2) },
            (shape, _) => shape,
        };
        Outlook { train, val, classes: all.classes.unwrap_or(Self::CLASSES), input }
    }
}
