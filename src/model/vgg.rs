//! VGG16 and VGG19 without their classifier (Simonyan and Zisserman 2015), layers named and counted as Keras does: the
//! input is the first of them.

use candle_core::{Result, Tensor, Var};

use super::error::Error;
use super::filter::Filter;
use super::layer::{Block, Call, Layer, Part};
use super::weights::Source;
use crate::ops;

/// Channels of the last feature map.
pub(crate) const CHANNELS: usize = 512;

/// Convolutions in each of the five blocks.
pub(crate) const VGG16: [usize; 5] = [2, 2, 3, 3, 3];
pub(crate) const VGG19: [usize; 5] = [2, 2, 4, 4, 4];

/// Channels of each block.
const WIDTHS: [usize; 5] = [64, 128, 256, 512, 512];

/// The backbone's layers, from pixels `[batch, 3, height, width]` to a map of [`CHANNELS`] channels of a thirty-second of
/// the height and width.
pub(crate) fn layers(convolutions: [usize; 5], from: &mut Source) -> std::result::Result<Vec<Layer>, Error> {
    let mut layers = vec![Layer::new("input_layer", Part::Backbone, Input)];
    let mut channels = 3;
    for (block, (count, width)) in (1..).zip(convolutions.into_iter().zip(WIDTHS)) {
        for number in 1..=count {
            let name = format!("block{block}_conv{number}");
            let filter = Filter::new(&name, (channels, width), 3, from)?;
            layers.push(Layer::new(name, Part::Backbone, Conv(filter)));
            channels = width;
        }
        layers.push(Layer::new(format!("block{block}_pool"), Part::Backbone, MaxPool));
    }
    Ok(layers)
}

/// Keras counts the input as a layer.
#[derive(Debug)]
struct Input;

impl Block for Input {
    fn kind(&self) -> &'static str {
        "InputLayer"
    }

    fn forward(&self, x: &Tensor, _call: &Call) -> Result<Tensor> {
        Ok(x.clone())
    }
}

/// 3×3, stride 1, padding 1, then a ReLU.
#[derive(Debug)]
struct Conv(Filter);

impl Block for Conv {
    fn kind(&self) -> &'static str {
        "Conv2D"
    }

    fn forward(&self, x: &Tensor, call: &Call) -> Result<Tensor> {
        self.0.forward(x, 1, 1, call)
    }

    fn parameters(&self) -> Vec<(String, &Var)> {
        self.0.parameters("")
    }
}

/// 2×2, stride 2.
#[derive(Debug)]
struct MaxPool;

impl Block for MaxPool {
    fn kind(&self) -> &'static str {
        "MaxPooling2D"
    }

    fn forward(&self, x: &Tensor, _call: &Call) -> Result<Tensor> {
        ops::max_pool2d(x, 2, 2, 0, false)
    }
}
