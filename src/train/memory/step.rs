//! What a step takes: forward, and where something learns, back again.

use super::{bytes, threads};
use crate::experiment::Experiment;
use crate::model::{InputShape, LayerOutline, Made, Network};
use crate::train::error::Error;
use crate::train::feature_cache::{BATCH, FeatureCache, Side};
use crate::train::setup::PhaseShape;

/// The layers of a run, as its batches pass through them.
pub(super) struct Steps {
    /// Of batches of the run's size.
    layers: Vec<LayerOutline>,
    /// Of batches on their way into the feature cache.
    cached: Vec<LayerOutline>,
    /// Scalars of a batch of the run's size at the first layer.
    input: usize,
    threads: usize,
}

/// Tensors of the largest size that are alive at once on a way that leaves nothing behind: a block's input, what goes
/// around it, an operation's operand and its result.
const ALONG: usize = 3;
/// And on the way back: the gradients of a result and of its operand, the sum so far, and the new one.
const BACK: usize = 4;

impl Steps {
    pub fn new(network: &Network, input: InputShape, experiment: &Experiment) -> Result<Steps, Error> {
        let batch = experiment.train.batch_size;
        Ok(Steps {
            layers: network.outline(input, batch)?,
            cached: network.outline(input, BATCH)?,
            input: batch * input.elements(),
            threads: threads(experiment),
        })
    }

    /// Bytes of the largest step in `phase`, those that fill `cache` included.
    pub fn peak(&self, phase: &PhaseShape, cache: &FeatureCache) -> u64 {
        let prefix = phase.frozen_prefix;
        let is_cached = |side| cache.is_admitted(side, prefix);
        let (frozen, learning) = self.layers.split_at(prefix.min(self.layers.len()));
        let first = match frozen.last() {
            Some(layer) => layer.output.iter().product(),
            None => self.input,
        };
        let mut most = match phase.trainable_parameters {
            0 => self.passing(learning),
            _ => first + self.there_and_back(learning),
        };
        let sides = [Side::Train, Side::Val];
        if sides.into_iter().any(is_cached) {
            most = most.max(self.passing(&self.cached[..frozen.len()]));
        }
        if !sides.into_iter().all(is_cached) {
            most = most.max(self.passing(frozen));
        }
        bytes(most)
    }

    /// Scalars on the way through `layers` that keeps nothing.
    fn passing(&self, layers: &[LayerOutline]) -> usize {
        let of_layer = |made: Made| ALONG * made.largest + made.scratch.on(self.threads);
        layers.iter().map(|layer| of_layer(layer.made)).max().unwrap_or(0)
    }

    /// Scalars on the way through `layers`, where all results are kept for the way back.
    fn there_and_back(&self, layers: &[LayerOutline]) -> usize {
        let kept: usize = layers.iter().map(|layer| layer.made.results).sum();
        let of_layer = |made: Made| BACK * made.largest + made.scratch.on(self.threads);
        kept + layers.iter().map(|layer| of_layer(layer.made)).max().unwrap_or(0)
    }
}
