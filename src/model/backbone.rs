//! The backbones: a line for each.

use super::bert;
use super::distilbert;
use super::encoder_config::{self, Layout};
use super::error::Error;
use super::head::Features;
use super::layer::Layer;
use super::resnet::{self, Kind, RESNET18, RESNET34, RESNET50};
use super::squeezenet;
use super::transformer::Size;
use super::vgg::{self, VGG16, VGG19};
use super::weights::{Found, Source};
use crate::experiment::{Backbone, Model, Pool};

/// The layers of the backbone of `spec` in order, and what the last of them gives. Encoders are of the size that the
/// the configuration of `found` says.
pub(crate) fn layers(spec: &Model, found: &Found, from: &mut Source) -> Result<(Vec<Layer>, Features), Error> {
    let map = |channels| Features::Map { channels };
    let basic = map(Kind::Basic.channels());
    Ok(match spec.backbone {
        Backbone::SqueezeNet1_1 => (squeezenet::layers(from)?, map(squeezenet::CHANNELS)),
        Backbone::Vgg16 => (vgg::layers(VGG16, from)?, map(vgg::CHANNELS)),
        Backbone::Vgg19 => (vgg::layers(VGG19, from)?, map(vgg::CHANNELS)),
        Backbone::ResNet18 => (resnet::layers(Kind::Basic, RESNET18, from)?, basic),
        Backbone::ResNet34 => (resnet::layers(Kind::Basic, RESNET34, from)?, basic),
        Backbone::ResNet50 => (resnet::layers(Kind::Bottleneck, RESNET50, from)?, map(Kind::Bottleneck.channels())),
        Backbone::Bert => {
            let size = encoder_config::read(Layout::Bert, found.encoder()?)?;
            self::bert(spec, &size, from)?
        }
        Backbone::DistilBert => {
            let size = encoder_config::read(Layout::DistilBert, found.encoder()?)?;
            (distilbert::layers(&size, from)?, states(&size, false))
        }
    })
}

/// A BERT of `size`.
pub(crate) fn bert(spec: &Model, size: &Size, from: &mut Source) -> Result<(Vec<Layer>, Features), Error> {
    Ok((bert::layers(size, spec.pool, from)?, states(size, spec.pool == Pool::Cls)))
}

fn states(size: &Size, pooled: bool) -> Features {
    let width = size.width;
    if pooled { Features::Vector { width } } else { Features::Tokens { width } }
}
