//! A convolution with a bias and a ReLU, as VGG and SqueezeNet have them.

use candle_core::{Result, Tensor, Var};

use super::error::Error;
use super::layer::{Block, Call};
use super::outline::Outline;
use super::weights::{Init, Source};
use crate::ops;

/// The weight and bias of a convolution that a ReLU follows.
#[derive(Debug)]
pub(crate) struct Filter {
    weight: Var,
    bias: Var,
}

impl Filter {
    /// `[outputs, inputs, kernel, kernel]` and `[outputs]`, named `NAME.weight` and `NAME.bias`.
    pub fn new(
        name: &str,
        (inputs, outputs): (usize, usize),
        kernel: usize,
        from: &mut Source,
    ) -> std::result::Result<Filter, Error> {
        let weight = from.pretrained(&format!("{name}.weight"), &[outputs, inputs, kernel, kernel], Init::Glorot)?;
        let bias = from.pretrained(&format!("{name}.bias"), &[outputs], Init::Zeros)?;
        Ok(Filter { weight, bias })
    }

    /// The convolution and the ReLU.
    pub fn forward(&self, x: &Tensor, stride: usize, padding: usize, call: &Call) -> Result<Tensor> {
        let bias = call.tensor(&self.bias);
        ops::conv2d_relu(x, &call.tensor(&self.weight), Some(&bias), stride, padding)
    }

    /// [`Filter::forward`] by its shapes.
    pub fn outline(&self, x: &[usize], stride: usize, padding: usize, outline: &mut Outline) -> Result<Vec<usize>> {
        outline.conv2d(x, self.weight.dims(), stride, padding)
    }

    /// By name, below `part`.
    pub fn parameters(&self, part: &str) -> Vec<(String, &Var)> {
        vec![(format!("{part}weight"), &self.weight), (format!("{part}bias"), &self.bias)]
    }
}

/// A layer of one 3×3 convolution, padding 1, and its ReLU.
#[derive(Debug)]
pub(crate) struct Conv2d {
    filter: Filter,
    stride: usize,
}

impl Conv2d {
    /// Its filter is named as the layer.
    pub fn new(
        name: &str,
        channels: (usize, usize),
        stride: usize,
        from: &mut Source,
    ) -> std::result::Result<Conv2d, Error> {
        Ok(Conv2d { filter: Filter::new(name, channels, 3, from)?, stride })
    }
}

impl Block for Conv2d {
    fn kind(&self) -> &'static str {
        "Conv2D"
    }

    fn forward(&self, x: &Tensor, call: &Call) -> Result<Tensor> {
        self.filter.forward(x, self.stride, 1, call)
    }

    fn outline(&self, x: &[usize], outline: &mut Outline) -> Result<Vec<usize>> {
        self.filter.outline(x, self.stride, 1, outline)
    }

    fn parameters(&self) -> Vec<(String, &Var)> {
        self.filter.parameters("")
    }
}
