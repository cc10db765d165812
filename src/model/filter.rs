//! A convolution with a bias and a ReLU, as VGG and SqueezeNet have them.

use candle_core::{Result, Tensor, Var};

use super::error::Error;
use super::layer::Call;
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

    /// By name, below `part`.
    pub fn parameters(&self, part: &str) -> Vec<(String, &Var)> {
        vec![(format!("{part}weight"), &self.weight), (format!("{part}bias"), &self.bias)]
    }
}
