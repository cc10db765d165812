//! A pass by shapes alone: what each layer would give, and what its operations would make meanwhile. Nothing is computed.
//!
//! Invariant: `Block::outline` mirrors `Block::forward`, operation for operation; tests hold the two together.

use candle_core::{Result, bail};

use crate::ops::{self, Scratch};

/// What the operations of a layer make on the way of a batch, in scalars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Made {
    /// All results together: what a step that learns keeps for its way back.
    pub results: usize,
    /// The largest one.
    pub largest: usize,
    /// Beside operands and results, at the most.
    pub scratch: Scratch,
}

/// What a layer would give for a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerOutline {
    /// The batch comes first.
    pub output: Vec<usize>,
    pub made: Made,
}

/// Notes what operations make as a pass goes by.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    made: Made,
}

impl Outline {
    pub fn made(&self) -> Made {
        self.made
    }

    /// A result of this shape.
    pub fn result(&mut self, shape: Vec<usize>) -> Vec<usize> {
        let scalars = shape.iter().product();
        self.made.results += scalars;
        self.made.largest = self.made.largest.max(scalars);
        shape
    }

    /// A result of the shape of `x`.
    pub fn like(&mut self, x: &[usize]) -> Vec<usize> {
        self.result(x.to_vec())
    }

    /// As [`ops::conv2d`].
    pub fn conv2d(&mut self, x: &[usize], weight: &[usize], stride: usize, padding: usize) -> Result<Vec<usize>> {
        let (shape, scratch) = ops::conv2d_outline(x, weight, stride, padding)?;
        self.made.scratch = self.made.scratch.or(scratch);
        Ok(self.result(shape))
    }

    /// As [`ops::max_pool2d`].
    pub fn max_pool2d(
        &mut self,
        x: &[usize],
        kernel: usize,
        stride: usize,
        padding: usize,
        ceil: bool,
    ) -> Result<Vec<usize>> {
        let [batch, channels, height, width] = sizes(x)?;
        let window = ops::max_pool2d_window((height, width), kernel, stride, padding, ceil)?;
        Ok(self.result(vec![batch, channels, window.output.0, window.output.1]))
    }

    /// As [`ops::linear`] to `out` features.
    pub fn linear(&mut self, x: &[usize], out: usize) -> Vec<usize> {
        let leading = x.split_last().map_or(&[][..], |(_, leading)| leading);
        self.result([leading, &[out]].concat())
    }

    /// As [`ops::attention`].
    pub fn attention(&mut self, qkv: &[usize]) -> Result<Vec<usize>> {
        let [batch, tokens, features] = sizes(qkv)?;
        let hidden = features / 3;
        self.made.scratch = self.made.scratch.or(ops::attention_scratch(batch, tokens, hidden));
        Ok(self.result(vec![batch, tokens, hidden]))
    }
}

/// The sizes of a shape of rank `N`.
pub(crate) fn sizes<const N: usize>(shape: &[usize]) -> Result<[usize; N]> {
    match shape.try_into() {
        Ok(sizes) => Ok(sizes),
        Err(_) => bail!("a tensor of rank {N} is needed, and this one has the shape {shape:?}"),
    }
}
