//! SqueezeNet 1.1 without its classifier (Iandola et al. 2016; version 1.1 of the authors' repository).
//!
//! Tensor names follow the paper: `conv1.weight`, `fire2.squeeze1x1.weight`, `fire2.expand3x3.bias` …, weights
//! `[out, in, kernel height, kernel width]`.

use candle_core::{Result, Tensor, Var};

use super::error::Error;
use super::filter::{Conv2d, Filter};
use super::layer::{Block, Call, Layer, Part};
use super::max_pool::MaxPool2d;
use super::outline::{Outline, sizes};
use super::weights::Source;
use crate::ops;

/// Channels of the last feature map.
pub(crate) const CHANNELS: usize = 512;

/// The backbone's layers, from pixels `[batch, 3, height, width]` to a map of [`CHANNELS`] channels of about a sixteenth
/// of the height and width.
pub(crate) fn layers(from: &mut Source) -> std::result::Result<Vec<Layer>, Error> {
    Ok(vec![
        conv("conv1", 3, 64, from)?,
        max_pool("pool1"),
        fire("fire2", 64, 16, 64, from)?,
        fire("fire3", 128, 16, 64, from)?,
        max_pool("pool3"),
        fire("fire4", 128, 32, 128, from)?,
        fire("fire5", 256, 32, 128, from)?,
        max_pool("pool5"),
        fire("fire6", 256, 48, 192, from)?,
        fire("fire7", 384, 48, 192, from)?,
        fire("fire8", 384, 64, 256, from)?,
        fire("fire9", 512, 64, 256, from)?,
    ])
}

fn conv(name: &str, inputs: usize, outputs: usize, from: &mut Source) -> std::result::Result<Layer, Error> {
    Ok(Layer::new(name, Part::Backbone, Conv2d::new(name, (inputs, outputs), 2, from)?))
}

/// 3×3, stride 2, the last window kept though it may only partly fit, as Caffe does.
fn max_pool(name: &str) -> Layer {
    Layer::new(name, Part::Backbone, MaxPool2d { kernel: 3, stride: 2, padding: 0, ceil: true })
}

/// `inputs` channels squeezed to `squeeze`, expanded to twice `expand`.
fn fire(
    name: &str,
    inputs: usize,
    squeeze: usize,
    expand: usize,
    from: &mut Source,
) -> std::result::Result<Layer, Error> {
    let mut filter = |part: &str, channels, kernel| Filter::new(&format!("{name}.{part}"), channels, kernel, from);
    let fire = Fire {
        squeeze1x1: filter("squeeze1x1", (inputs, squeeze), 1)?,
        expand1x1: filter("expand1x1", (squeeze, expand), 1)?,
        expand3x3: filter("expand3x3", (squeeze, expand), 3)?,
    };
    Ok(Layer::new(name, Part::Backbone, fire))
}

/// A fire module: a squeeze, then two expansions side by side.
#[derive(Debug)]
struct Fire {
    squeeze1x1: Filter,
    expand1x1: Filter,
    expand3x3: Filter,
}

impl Block for Fire {
    fn kind(&self) -> &'static str {
        "Fire"
    }

    fn forward(&self, x: &Tensor, call: &Call) -> Result<Tensor> {
        let squeezed = self.squeeze1x1.forward(x, 1, 0, call)?;
        let narrow = self.expand1x1.forward(&squeezed, 1, 0, call)?;
        let wide = self.expand3x3.forward(&squeezed, 1, 1, call)?;
        ops::concat_channels(&narrow, &wide)
    }

    fn outline(&self, x: &[usize], outline: &mut Outline) -> Result<Vec<usize>> {
        let squeezed = self.squeeze1x1.outline(x, 1, 0, outline)?;
        let [batch, narrow, ..] = sizes::<4>(&self.expand1x1.outline(&squeezed, 1, 0, outline)?)?;
        let [_, wide, height, width] = sizes(&self.expand3x3.outline(&squeezed, 1, 1, outline)?)?;
        Ok(outline.result(vec![batch, narrow + wide, height, width]))
    }

    fn parameters(&self) -> Vec<(String, &Var)> {
        let parts =
            [(&self.squeeze1x1, "squeeze1x1."), (&self.expand1x1, "expand1x1."), (&self.expand3x3, "expand3x3.")];
        parts.into_iter().flat_map(|(filter, name)| filter.parameters(name)).collect()
    }
}
