//! What a step takes: forward, and where something learns, back again.

use super::{bytes, threads};
use crate::experiment::Experiment;
use crate::model::{InputShape, LayerOutline, Made, Network};
use crate::train::error::Error;
use crate::train::feature_cache::{BATCH, FeatureCache, Side};
use crate::train::setup::Stretch;

/// The layers of a run, as its batches pass through them.
pub(super) struct Steps {
    /// Of batches of the run's size.
    layers: Vec<LayerOutline>,
    /// Of batches on their way into the feature cache.
    cached: Vec<LayerOutline>,
    /// Scalars of a batch of the run's size at the first layer.
    input: usize,
    cached_input: usize,
    /// No more than there are samples in a batch.
    threads: usize,
}

/// Tensors of a layer's largest size that are alive at once beside its input, where none is kept: an operation's operand
/// and its result.
const ALONG: usize = 2;
/// And on the way back: the gradients of a result and of its operand, the sum so far, and the new one.
const BACK: usize = 4;

impl Steps {
    /// Of a run that has so many samples on its larger side.
    pub fn new(network: &Network, input: InputShape, experiment: &Experiment, samples: usize) -> Result<Steps, Error> {
        let [batch, cached] = [experiment.train.batch_size, BATCH].map(|size| size.min(samples).max(1));
        Ok(Steps {
            layers: network.outline(input, batch)?,
            cached: network.outline(input, cached)?,
            input: batch * input.elements(),
            cached_input: cached * input.elements(),
            threads: threads(experiment).min(batch.max(cached)),
        })
    }

    /// Bytes of the largest step in `stretch`, those that fill `cache` included.
    pub fn peak(&self, stretch: &Stretch, cache: &FeatureCache) -> u64 {
        let prefix = stretch.frozen_prefix;
        let is_cached = |side| cache.is_admitted(side, prefix);
        let (frozen, learning) = self.layers.split_at(prefix.min(self.layers.len()));
        let first = frozen.last().map_or(self.input, scalars);
        let mut most = match stretch.trainable_parameters {
            0 => self.passing(first, learning),
            _ => first + self.there_and_back(learning),
        };
        let sides = [Side::Train, Side::Val];
        if sides.into_iter().any(is_cached) {
            most = most.max(self.passing(self.cached_input, &self.cached[..frozen.len()]));
        }
        if !sides.into_iter().all(is_cached) {
            most = most.max(self.passing(self.input, frozen));
        }
        bytes(most)
    }

    /// Scalars on the way of `input` through `layers` that keeps nothing.
    fn passing(&self, input: usize, layers: &[LayerOutline]) -> usize {
        let inputs = std::iter::once(input).chain(layers.iter().map(scalars));
        let of_layer = |(input, layer): (usize, &LayerOutline)| {
            let Made { results, largest, scratch } = layer.made;
            input + results.min(ALONG * largest) + scratch.on(self.threads)
        };
        inputs.zip(layers).map(of_layer).max().unwrap_or(0)
    }

    /// Scalars on the way through `layers`, where all results are kept for the way back.
    fn there_and_back(&self, layers: &[LayerOutline]) -> usize {
        let kept: usize = layers.iter().map(|layer| layer.made.results).sum();
        let of_layer = |made: Made| BACK * made.largest + made.scratch.on(self.threads);
        kept + layers.iter().map(|layer| of_layer(layer.made)).max().unwrap_or(0)
    }
}

/// Of what a layer gives.
fn scalars(layer: &LayerOutline) -> usize {
    layer.output.iter().product()
}
