//! Outputs of frozen layers, kept in memory for inputs that come again: validation pictures always, training pictures
//! where they are not augmented or are drawn from a fixed number of views.
//!
//! Invariants:
//! - A set of rows is complete or absent, and is made in the order of the samples in batches of one size, so that its
//!   bits do not depend on when it is made.
//! - Rows at layer `k` are kept only while layers `0..k` are frozen; [`FeatureCache::begin_phase`] drops the others.
//! - Nothing is computed twice: on the way to a phase's rows those that a later phase needs from a shallower layer are
//!   kept too, where no phase in between trains what is below them; and deeper rows start from shallower ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::error::{Error, Stoppable};
use super::feed::{Feed, PixelFeed};
use super::out::{Out, Progress};
use crate::model::{Network, Pass};

/// Pictures in a batch on their way through frozen layers; not the user's, so that the cache's bits are not either.
const BATCH: usize = 32;

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

/// One row for each sample of a side, in their order.
#[derive(Debug)]
pub(super) struct Rows {
    values: Vec<f32>,
    /// Of one row.
    shape: Vec<usize>,
}

impl Rows {
    /// The rows of `samples` as `[samples, …]`.
    pub fn gather(&self, samples: &[usize], device: &Device) -> candle_core::Result<Tensor> {
        let width = self.width();
        let mut values = Vec::with_capacity(samples.len() * width);
        for &sample in samples {
            values.extend_from_slice(&self.values[sample * width..(sample + 1) * width]);
        }
        let shape: Vec<usize> = [&[samples.len()], self.shape.as_slice()].concat();
        Tensor::from_vec(values, shape, device)
    }

    fn width(&self) -> usize {
        self.shape.iter().product()
    }
}

/// What the cache must know of the run to decide what to keep.
#[derive(Debug, Clone)]
pub(super) struct Sizes {
    /// Scalars of one sample at the input of each layer, and at the network's output.
    pub at_layer: Vec<usize>,
    pub val_samples: usize,
    pub train_samples: usize,
    /// Views of each training picture; None where every epoch draws anew.
    pub train_views: Option<u32>,
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

    /// The rows of `key`, which must be admitted: from memory, or computed now from `pixels` (the same view of the same
    /// side) and kept. Progress is the stage `features`.
    pub fn rows(&mut self, key: Key, pixels: &PixelFeed, network: &Network, out: &mut Out) -> Stoppable<Arc<Rows>> {
        if let Some(rows) = self.rows.get(&key) {
            return Ok(Arc::clone(rows));
        }
        let mut wanted = self.shallower(key);
        let start = self.rows.range(Key { layer: 0, ..key }..key).map(|(at, rows)| (*at, Arc::clone(rows)));
        let start = start.filter(|(at, _)| at.view == key.view && at.layer < key.layer).last();
        if let Some((at, _)) = &start {
            wanted.retain(|layer| *layer > at.layer);
        }
        wanted.push(key.layer);
        let feed = match start {
            Some((at, rows)) => pixels.with_rows(rows, at.layer),
            None => Feed::Pixels(pixels.clone()),
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
        Some(rows * width as u64 * size_of::<f32>() as u64)
    }
}

/// Runs all samples of `feed` through the frozen layers, and keeps the inputs of the layers `wanted` (in order).
fn compute(feed: &Feed, wanted: &[usize], network: &Network, out: &mut Out) -> Stoppable<Vec<(usize, Rows)>> {
    let samples: Vec<usize> = (0..feed.len()).collect();
    let mut kept: Vec<(usize, Rows)> =
        wanted.iter().map(|&layer| (layer, Rows { values: Vec::new(), shape: Vec::new() })).collect();
    let mut progress = Progress::new("features", "pictures");
    let mut done = 0;
    for batch in feed.batches(&samples, BATCH) {
        let batch = batch?;
        let (mut x, mut at) = (batch.x, feed.start());
        for (layer, rows) in &mut kept {
            x = network.forward_range(at..*layer, &x, &Pass::Eval)?;
            at = *layer;
            rows.shape = x.dims()[1..].to_vec();
            rows.values.reserve_exact(if done == 0 { feed.len() * rows.width() } else { 0 });
            rows.values.extend(x.flatten_all()?.to_vec1::<f32>()?);
        }
        done += batch.samples.len();
        if let Some(event) = progress.at(done as u64, samples.len() as u64) {
            out.event(event)?;
        }
        out.check()?;
    }
    Ok(kept)
}

/// Bytes that the cache may take: a quarter of what this process may use, at most 4 GiB.
pub(super) fn memory_limit() -> u64 {
    const MOST: u64 = 4 << 30;
    const WHERE_UNKNOWN: u64 = 1 << 30;
    let Ok(mut system) = sysinfo::System::new() else { return WHERE_UNKNOWN };
    system.refresh_memory();
    let total = system.cgroup_limits().map_or(u64::MAX, |limits| limits.total_memory).min(system.total_memory());
    (total / 4).min(MOST)
}
