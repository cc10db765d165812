//! Outputs of frozen layers, kept in memory for inputs that come again: validation samples always, training samples where
//! they are not augmented or are drawn from a fixed number of views.
//!
//! Invariants:
//! - A set of rows is complete or absent, and is made in one order of the samples and in batches of one size, so that its
//!   bits do not depend on when it is made.
//! - Rows at layer `k` are kept only while layers `0..k` are frozen; [`FeatureCache::begin_phase`] drops the others.
//! - Nothing is computed twice: on the way to a phase's rows those that a later phase needs from a shallower layer are
//!   kept too, where no phase in between trains what is below them; and deeper rows start from shallower ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{Error, Stoppable};
use super::feed::Feed;
use super::inference;
use super::out::{Out, Progress};
use super::rows::Rows;
use super::setup::Setup;
use crate::data::Samples;
use crate::experiment::Experiment;
use crate::model::{InputShape, LayerOutline, Network};

/// Samples in a batch on their way through frozen layers; not the user's, so that the cache's bits are not either.
pub(super) const BATCH: usize = 32;

/// The two sides of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Val,
    Train,
}

/// Which rows: of a side, at the input of layer `layer`, of one view of each picture (0 where there is only one).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub side: Side,
    pub layer: usize,
    pub view: u32,
}

/// What the cache must know of the run to decide what to keep.
#[derive(Debug, Clone)]
pub(super) struct Sizes {
    /// Scalars of one sample at the input of each layer, and at the network's output.
    pub at_layer: Vec<usize>,
    pub val_samples: usize,
    pub train_samples: usize,
    /// Views of each training picture; None where every epoch draws anew, or mixes them.
    pub train_views: Option<u32>,
}

impl Sizes {
    /// Of the samples and the network of an experiment.
    pub fn of(experiment: &Experiment, setup: &Setup) -> Result<Self, Error> {
        let outlines = setup.network.outline(setup.input, 1)?;
        let samples = [&setup.data.train, &setup.data.val].map(Samples::len);
        Ok(Sizes::new(experiment, setup.input, &outlines, samples))
    }

    /// Of so many samples of shape `input` for training and validation, which one by one go through layers as `outlines`
    /// say.
    pub fn new(experiment: &Experiment, input: InputShape, outlines: &[LayerOutline], samples: [usize; 2]) -> Self {
        let outputs = outlines.iter().map(|layer| layer.output.iter().product());
        let augment = experiment.data.augment();
        let [train_samples, val_samples] = samples;
        Sizes {
            at_layer: std::iter::once(input.elements()).chain(outputs).collect(),
            val_samples,
            train_samples,
            train_views: match augment.views {
                _ if augment.mixes() => None,
                _ if augment.is_none() => Some(1),
                views => views,
            },
        }
    }
}

/// The rows in memory, and what may be kept in this phase.
#[derive(Debug)]
pub(super) struct FeatureCache {
    rows: BTreeMap<Key, Arc<Rows>>,
    sizes: Sizes,
    /// Bytes.
    limit: u64,
    /// Sides and layers that are kept in this phase, for it or for a later one.
    admitted: Vec<(Side, usize)>,
}

impl FeatureCache {
    pub fn new(sizes: Sizes, limit: u64) -> Self {
        FeatureCache { rows: BTreeMap::new(), sizes, limit, admitted: Vec::new() }
    }

    /// Decides what to keep from now on. `prefixes` are the frozen layers of this phase and of those after it. Answers
    /// with the bytes that this phase would have needed, where they do not fit.
    pub fn begin_phase(&mut self, prefixes: &[usize]) -> Option<u64> {
        let mut frozen_until_then = usize::MAX;
        let mut free = self.limit;
        let mut too_large = None;
        self.admitted.clear();
        for (phases_ahead, &prefix) in prefixes.iter().enumerate() {
            frozen_until_then = frozen_until_then.min(prefix);
            if prefix > frozen_until_then || prefix == 0 {
                continue;
            }
            for side in [Side::Val, Side::Train] {
                let Some(bytes) = self.bytes(side, prefix) else { continue };
                if self.is_admitted(side, prefix) {
                    continue;
                }
                if bytes <= free {
                    free -= bytes;
                    self.admitted.push((side, prefix));
                } else if phases_ahead == 0 {
                    too_large = Some(too_large.unwrap_or(0) + bytes);
                }
            }
        }
        let admitted = &self.admitted;
        self.rows.retain(|key, _| admitted.contains(&(key.side, key.layer)));
        too_large
    }

    /// Whether the rows of `side` at `layer` are kept in this phase.
    pub fn is_admitted(&self, side: Side, layer: usize) -> bool {
        self.admitted.contains(&(side, layer))
    }

    /// Bytes of all that is kept in this phase, once it is computed.
    pub fn admitted_bytes(&self) -> u64 {
        self.admitted.iter().filter_map(|&(side, layer)| self.bytes(side, layer)).sum()
    }

    /// The rows of `key`, which must be admitted: from memory, or computed now from `inputs` (the same view of the same
    /// side) and kept. Progress is the stage `features`.
    pub fn rows(&mut self, key: Key, inputs: &Feed, network: &Network, out: &mut Out) -> Stoppable<Arc<Rows>> {
        if let Some(rows) = self.rows.get(&key) {
            return Ok(Arc::clone(rows));
        }
        let mut wanted = self.shallower(key);
        let start = self.rows.range(Key { layer: 0, ..key }..key).map(|(at, rows)| (*at, Arc::clone(rows)));
        let start = start.rev().find(|(at, _)| at.view == key.view && at.layer < key.layer);
        if let Some((at, _)) = &start {
            wanted.retain(|layer| *layer > at.layer);
        }
        wanted.push(key.layer);
        let feed = match start {
            Some((at, rows)) => inputs.with_rows(rows, at.layer),
            None => inputs.clone(),
        };
        for (layer, rows) in compute(&feed, &wanted, network, out)? {
            self.rows.insert(Key { layer, ..key }, Arc::new(rows));
        }
        match self.rows.get(&key) {
            Some(rows) => Ok(Arc::clone(rows)),
            None => Err(Error::Compute(candle_core::Error::Msg("no features came out".into())).into()),
        }
    }

    /// Admitted layers below that of `key` whose rows are not there yet, in order.
    fn shallower(&self, key: Key) -> Vec<usize> {
        let absent = |layer: &usize| !self.rows.contains_key(&Key { layer: *layer, ..key });
        let admitted = self.admitted.iter().filter(|(side, layer)| *side == key.side && *layer < key.layer);
        let mut layers: Vec<usize> = admitted.map(|(_, layer)| *layer).filter(absent).collect();
        layers.sort_unstable();
        layers
    }

    /// Bytes of all rows of `side` at `layer`; None where they are not worth keeping.
    fn bytes(&self, side: Side, layer: usize) -> Option<u64> {
        let rows = match side {
            Side::Val => self.sizes.val_samples as u64,
            Side::Train => self.sizes.train_samples as u64 * u64::from(self.sizes.train_views?),
        };
        let width = self.sizes.at_layer.get(layer).copied().unwrap_or(0);
        Some(rows.saturating_mul(width as u64 * size_of::<f32>() as u64))
    }
}

/// Runs all samples of `feed` through the frozen layers, and keeps the inputs of the layers `wanted` (in order).
fn compute(feed: &Feed, wanted: &[usize], network: &Network, out: &mut Out) -> Stoppable<Vec<(usize, Rows)>> {
    let mut kept: Vec<(usize, Rows)> = wanted.iter().map(|&layer| (layer, Rows::empty(feed.len()))).collect();
    let mut progress = Progress::new("features", "samples");
    let mut done = 0;
    for input in feed.inputs(&feed.in_order(BATCH)) {
        let mut input = input?;
        let mut at = feed.start();
        for (layer, rows) in &mut kept {
            input.x = inference::forward(network, at..*layer, &input, out)?;
            at = *layer;
            rows.put(&input.samples, &input.x, input.mask.as_ref())?;
        }
        done += input.samples.len();
        if let Some(event) = progress.at(done as u64, feed.len() as u64) {
            out.event(event)?;
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::data::{Loader, Picture, Recipe};
    use crate::experiment::{Augment, Backbone, Model, Pool, Preprocessing, Resize, Weights};
    use crate::model::Found;
    use crate::train::feed::Preparation;
    use candle_core::Device;

    fn sizes(views: Option<u32>) -> Sizes {
        Sizes { at_layer: vec![300, 100, 50, 10], val_samples: 10, train_samples: 20, train_views: views }
    }

    fn admitted(cache: &FeatureCache) -> Vec<(Side, usize)> {
        cache.admitted.clone()
    }

    #[test]
    fn this_phase_comes_first_and_a_later_one_where_it_fits() {
        let (val, train) = (Side::Val, Side::Train);
        // A row takes 4 bytes a scalar: at layer 3 val 400, train 1600; at layer 1 val 4000, train 16000.
        for (limit, expected, too_large) in [
            (100_000, vec![(val, 3), (train, 3), (val, 1), (train, 1)], None),
            (6_000, vec![(val, 3), (train, 3), (val, 1)], None),
            (2_000, vec![(val, 3), (train, 3)], None),
            (500, vec![(val, 3)], Some(1_600)),
            (0, vec![], Some(2_000)),
        ] {
            let mut cache = FeatureCache::new(sizes(Some(2)), limit);
            assert_eq!(cache.begin_phase(&[3, 1]), too_large, "{limit}");
            assert_eq!(admitted(&cache), expected, "{limit}");
        }
    }

    #[test]
    fn what_a_phase_in_between_trains_is_not_kept_ahead() {
        let mut cache = FeatureCache::new(sizes(Some(1)), u64::MAX);
        cache.begin_phase(&[1, 3, 1]);
        assert!(!cache.is_admitted(Side::Val, 3), "layers 1 to 3 are about to be trained");
        cache.begin_phase(&[0]);
        assert!(cache.admitted.is_empty(), "pixels are the loader's affair");
    }

    #[test]
    fn pictures_drawn_anew_every_epoch_are_not_kept() {
        let mut cache = FeatureCache::new(sizes(None), u64::MAX);
        assert_eq!(cache.begin_phase(&[3]), None);
        assert_eq!(admitted(&cache), [(Side::Val, 3)]);
    }

    /// Forty pictures of one size, for more than one batch.
    fn pixels(folder: &std::path::Path) -> Feed {
        let pictures = (0..40u8).map(|n| {
            let path = folder.join(format!("{n}.png"));
            image::RgbImage::from_fn(40, 40, |x, y| image::Rgb([n * 6, x as u8 * 3, y as u8 * 2])).save(&path).unwrap();
            Picture::at(path, u32::from(n) % 2)
        });
        let recipe = Recipe {
            image_size: 40,
            resize: Resize::Bilinear,
            augment: Augment::NONE,
            preprocessing: Preprocessing::Torch,
            seed: 1,
        };
        let pictures = Samples::Pictures(pictures.collect::<Vec<_>>().into());
        Feed::new(pictures, Preparation::Pictures(Loader::new(recipe, 2)), None, Device::Cpu)
    }

    #[test]
    fn rows_are_the_same_to_the_bit_however_they_came_about() {
        let folder = tempfile::tempdir().unwrap();
        let pixels = pixels(folder.path());
        let spec = Model {
            backbone: Backbone::SqueezeNet1_1,
            weights: Weights::Random,
            tokenizer: None,
            preprocessing: None,
            lora: None,
            pool: Pool::Avg,
            l2: 0.0,
            head: vec![],
        };
        let (network, _) = Network::build(&spec, &Found::random(), 2, 1, &Device::Cpu).unwrap();
        let at_layer = network
            .summary(InputShape::Picture { size: 40 })
            .unwrap()
            .iter()
            .map(|layer| layer.output_shape.iter().product())
            .collect();
        let sizes = Sizes { at_layer, val_samples: 40, train_samples: 40, train_views: Some(1) };
        let (mut ignore, never) = (|_| Ok(()), AtomicBool::new(false));
        let mut out = Out::new(&mut ignore, &never);
        let key = |layer| Key { side: Side::Train, layer, view: 0 };
        let (shallow, deep) = (4, network.frozen_prefix().max(network.layers().count() - 1));
        let mut rows = |cache: &mut FeatureCache, layer| {
            let rows = cache.rows(key(layer), &pixels, &network, &mut out);
            rows.unwrap_or_else(|e| panic!("{e:?}")).values()
        };

        let mut alone = FeatureCache::new(sizes.clone(), u64::MAX);
        alone.begin_phase(&[deep]);
        let expected = rows(&mut alone, deep);
        assert_eq!(alone.rows.len(), 1);

        let mut together = FeatureCache::new(sizes.clone(), u64::MAX);
        together.begin_phase(&[deep, shallow]);
        assert!(rows(&mut together, deep) == expected);
        assert_eq!(together.rows.len(), 2, "the later phase's rows were kept on the way");
        together.begin_phase(&[shallow]);
        assert_eq!(together.rows.len(), 1, "what is no longer needed is dropped");

        let mut stepwise = FeatureCache::new(sizes, u64::MAX);
        stepwise.begin_phase(&[deep, shallow]);
        rows(&mut stepwise, shallow);
        assert!(rows(&mut stepwise, deep) == expected, "from shallower rows");
    }
}
