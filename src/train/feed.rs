//! Where a phase's batches come from: pictures through the loader, texts, or rows of the feature cache.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::error::Error;
use super::objective::Targets;
use super::rows::Rows;
use crate::base::random::Stream;
use crate::data::{Draw, Loader, Picture, Samples, Text, TokenBatch, by_length};

/// Samples of one side, ready to be drawn in any order.
#[derive(Clone)]
pub(super) struct Feed {
    samples: Samples,
    from: From,
    device: Device,
}

/// What goes into the first layer that a feed leaves to do.
#[derive(Clone)]
enum From {
    /// Pictures, decoded and prepared on the loader's threads, all in this random variant, if any.
    Pixels { loader: Loader, variant: Option<u64> },
    /// Ids of tokens; padding is this one.
    Tokens { pad: u32 },
    /// Outputs of the layers before `layer`.
    Rows { rows: Arc<Rows>, layer: usize },
}

/// How samples become a network's input.
#[derive(Debug, Clone)]
pub(super) enum Preparation {
    Pictures(Loader),
    Texts { pad: u32 },
}

/// What goes into the layer [`Feed::start`].
pub(super) struct Input {
    pub x: Tensor,
    /// Of texts: `[batch, tokens]`, 1 for a token, 0 for padding.
    pub mask: Option<Tensor>,
    pub targets: Targets,
    /// Each one's place in its side.
    pub samples: Vec<usize>,
}

type Inputs<'a> = Box<dyn Iterator<Item = Result<Input, Error>> + 'a>;

impl Feed {
    /// The samples as they go into the network, pictures each in the random variant, if any.
    pub fn new(samples: Samples, preparation: Preparation, variant: Option<u64>, device: Device) -> Feed {
        let from = match preparation {
            Preparation::Pictures(loader) => From::Pixels { loader, variant },
            Preparation::Texts { pad } => From::Tokens { pad },
        };
        Feed { samples, from, device }
    }

    /// The same samples from their `rows` at the input of `layer`.
    pub fn with_rows(&self, rows: Arc<Rows>, layer: usize) -> Feed {
        Feed { from: From::Rows { rows, layer }, ..self.clone() }
    }

    /// The first layer that the inputs have not gone through.
    pub fn start(&self) -> usize {
        match self.from {
            From::Pixels { .. } | From::Tokens { .. } => 0,
            From::Rows { layer, .. } => layer,
        }
    }

    /// Samples on this side.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// The class of each sample.
    pub fn labels(&self) -> Vec<u32> {
        self.samples.labels().collect()
    }

    /// All samples in batches of `size`, one maybe smaller: pictures in `order`, texts beside others of their length, in
    /// an order drawn from `order` and `stream`. Where the inputs come from makes no difference.
    pub fn shuffled(&self, order: &[usize], size: usize, stream: Stream) -> Vec<Vec<usize>> {
        match &self.samples {
            Samples::Pictures(_) => order.chunks(size).map(<[usize]>::to_vec).collect(),
            Samples::Texts(texts) => by_length(order, |sample| texts[sample].tokens.len(), size, stream),
        }
    }

    /// All samples in batches of `size`, always the same: pictures in their order, texts from short to long.
    pub fn in_order(&self, size: usize) -> Vec<Vec<usize>> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        if let Samples::Texts(texts) = &self.samples {
            order.sort_by_key(|&sample| texts[sample].tokens.len());
        }
        order.chunks(size).map(<[usize]>::to_vec).collect()
    }

    /// The inputs of `batches`, one after the other.
    pub fn inputs<'a>(&'a self, batches: &'a [Vec<usize>]) -> Inputs<'a> {
        match (&self.from, &self.samples) {
            (From::Pixels { loader, variant }, Samples::Pictures(pictures)) => {
                Box::new(self.pixels(loader, pictures, *variant, batches))
            }
            (From::Tokens { pad }, Samples::Texts(texts)) => {
                Box::new(batches.iter().map(|samples| self.tokens(texts, *pad, samples)))
            }
            (From::Rows { rows, .. }, _) => Box::new(batches.iter().map(|samples| {
                let (x, mask) = rows.gather(samples, &self.device)?;
                Ok(self.input(x, mask, samples))
            })),
            (From::Pixels { .. } | From::Tokens { .. }, _) => Box::new(std::iter::once(Err(Error::Compute(
                candle_core::Error::Msg("the samples are not of the kind that the network takes".into()),
            )))),
        }
    }

    fn pixels<'a>(
        &'a self,
        loader: &'a Loader,
        pictures: &'a Arc<[Picture]>,
        variant: Option<u64>,
        batches: &'a [Vec<usize>],
    ) -> impl Iterator<Item = Result<Input, Error>> + 'a {
        // Only the last batch may be smaller: the loader cuts where they were cut.
        let size = batches.first().map_or(1, Vec::len);
        let draws = batches.iter().flatten().map(|&sample| Draw { sample, variant }).collect();
        loader.batches(pictures, draws, size).map(|batch| {
            let batch = batch?;
            let shape = batch.shape();
            let x = Tensor::from_vec(batch.pixels, shape, &self.device)?;
            Ok(self.input(x, None, &batch.samples))
        })
    }

    fn tokens(&self, texts: &[Text], pad: u32, samples: &[usize]) -> Result<Input, Error> {
        let batch = TokenBatch::of(samples.iter().map(|&sample| &texts[sample]), pad);
        let shape = (samples.len(), batch.tokens);
        let ids = Tensor::from_vec(batch.ids, shape, &self.device)?;
        let mask = Tensor::from_vec(batch.mask, shape, &self.device)?;
        Ok(self.input(ids, Some(mask), samples))
    }

    fn input(&self, x: Tensor, mask: Option<Tensor>, samples: &[usize]) -> Input {
        let labels = samples.iter().map(|&sample| self.samples.label(sample)).collect();
        Input { x, mask, targets: Targets::Labels(labels), samples: samples.to_vec() }
    }
}
