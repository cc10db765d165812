//! The backbones: a line for each.

use super::error::Error;
use super::head::Features;
use super::layer::Layer;
use super::weights::Source;
use super::{squeezenet, vgg};
use crate::experiment::Backbone;

/// The layers of `backbone` in order, and what the last of them gives.
pub(crate) fn layers(backbone: Backbone, from: &mut Source) -> Result<(Vec<Layer>, Features), Error> {
    Ok(match backbone {
        Backbone::SqueezeNet1_1 => (squeezenet::layers(from)?, Features::Map { channels: squeezenet::CHANNELS }),
        Backbone::Vgg16 => (vgg::layers(vgg::VGG16, from)?, Features::Map { channels: vgg::CHANNELS }),
        Backbone::Vgg19 => (vgg::layers(vgg::VGG19, from)?, Features::Map { channels: vgg::CHANNELS }),
        _ => (vgg::layers(vgg::VGG19, from)?, Features::Map { channels: vgg::CHANNELS }),
    })
}
