//! Where a phase's batches come from: pictures through the loader, or rows of the feature cache.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::error::Error;
use super::feature_cache::Rows;
use crate::data::{Draw, Loader, Picture};

/// Samples of one side, ready to be drawn in any order.
#[derive(Clone)]
pub(super) enum Feed {
    Pixels(PixelFeed),
    Rows(RowFeed),
}

/// Pictures, decoded and prepared on the loader's threads.
#[derive(Clone)]
pub(super) struct PixelFeed {
    pub loader: Loader,
    pub pictures: Arc<[Picture]>,
    /// The random variant of every picture, if any.
    pub variant: Option<u64>,
    pub device: Device,
}

/// Outputs of frozen layers.
#[derive(Clone)]
pub(super) struct RowFeed {
    rows: Arc<Rows>,
    pictures: Arc<[Picture]>,
    layer: usize,
    device: Device,
}

/// What goes into the layer [`Feed::start`].
pub(super) struct Input {
    pub x: Tensor,
    /// Of texts: `[batch, tokens]`, 1 for a token, 0 for padding.
    pub mask: Option<Tensor>,
    pub labels: Vec<u32>,
    /// Each one's place in its side.
    pub samples: Vec<usize>,
}

impl PixelFeed {
    /// The same samples from their `rows` at the input of `layer`.
    pub fn with_rows(&self, rows: Arc<Rows>, layer: usize) -> Feed {
        Feed::Rows(RowFeed { rows, pictures: Arc::clone(&self.pictures), layer, device: self.device.clone() })
    }
}

impl Feed {
    /// The first layer that the inputs have not gone through.
    pub fn start(&self) -> usize {
        match self {
            Feed::Pixels(_) => 0,
            Feed::Rows(feed) => feed.layer,
        }
    }

    /// Samples on this side.
    pub fn len(&self) -> usize {
        match self {
            Feed::Pixels(feed) => feed.pictures.len(),
            Feed::Rows(feed) => feed.pictures.len(),
        }
    }

    /// `samples` in batches of `size`, the last one maybe smaller.
    pub fn batches<'a>(
        &'a self,
        samples: &'a [usize],
        size: usize,
    ) -> Box<dyn Iterator<Item = Result<Input, Error>> + 'a> {
        match self {
            Feed::Pixels(feed) => {
                let draws = samples.iter().map(|&sample| Draw { sample, variant: feed.variant }).collect();
                let batches = feed.loader.batches(&feed.pictures, draws, size);
                Box::new(batches.map(|batch| {
                    let batch = batch?;
                    let shape = batch.shape();
                    let x = Tensor::from_vec(batch.pixels, shape, &feed.device)?;
                    Ok(Input { x, mask: None, labels: batch.labels, samples: batch.samples })
                }))
            }
            Feed::Rows(feed) => Box::new(samples.chunks(size).map(|samples| {
                let x = feed.rows.gather(samples, &feed.device)?;
                let labels = samples.iter().map(|&sample| feed.pictures[sample].label).collect();
                Ok(Input { x, mask: None, labels, samples: samples.to_vec() })
            })),
        }
    }
}
