//! VGG16 and VGG19 without their classifier (Simonyan and Zisserman 2015), layers named and counted as Keras does: the
//! input is the first of them.

use candle_core::{Result, Tensor};

use super::error::Error;
use super::filter::Conv2d;
use super::layer::{Block, Call, Layer, Part};
use super::max_pool::MaxPool2d;
use super::outline::Outline;
use super::weights::Source;

/// Channels of the last feature map.
pub(crate) const CHANNELS: usize = 512;

/// Convolutions in each of the five blocks.
pub(crate) const VGG16: [usize; 5] = [2, 2, 3, 3, 3];
pub(crate) const VGG19: [usize; 5] = [2, 2, 4, 4, 4];

/// Channels of each block.
const WIDTHS: [usize; 5] = [64, 128, 256, 512, 512];

/// The pool at the end of each block.
const HALVED: MaxPool2d = MaxPool2d { kernel: 2, stride: 2, padding: 0, ceil: false };

/// The backbone's layers, from pixels `[batch, 3, height, width]` to a map of [`CHANNELS`] channels of a thirty-second of
/// the height and width.
pub(crate) fn layers(convolutions: [usize; 5], from: &mut Source) -> std::result::Result<Vec<Layer>, Error> {
    let mut layers = vec![Layer::new("input_layer", Part::Backbone, Input)];
    let mut channels = 3;
    for (block, (count, width)) in (1..).zip(convolutions.into_iter().zip(WIDTHS)) {
        for number in 1..=count {
            let name = format!("block{block}_conv{number}");
            let conv = Conv2d::new(&name, (channels, width), 1, from)?;
            layers.push(Layer::new(name, Part::Backbone, conv));
            channels = width;
        }
        layers.push(Layer::new(format!("block{block}_pool"), Part::Backbone, HALVED));
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

    fn outline(&self, x: &[usize], _outline: &mut Outline) -> Result<Vec<usize>> {
        Ok(x.to_vec())
    }
}
