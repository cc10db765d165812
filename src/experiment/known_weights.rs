//! Weights that have a name: `imagenet` of each backbone for pictures, and encoders for texts.
//!
//! Invariant: a name stands at most once for a backbone, and every encoder has its size, so that its layers are known
//! before anything is downloaded.

use super::Backbone::{self, Bert, DistilBert, ResNet18, ResNet34, ResNet50, SqueezeNet1_1, Vgg16, Vgg19};
use super::Preprocessing::{self, Caffe, Torch};

/// Weights with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownWeights {
    /// What `model.weights` takes.
    pub name: &'static str,
    /// The backbone that they are for.
    pub backbone: Backbone,
    pub home: Home,
    pub input: KnownInput,
}

/// Where known weights are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// Part of the program.
    BuiltIn,
    /// The `model.safetensors` of this repository on the hub.
    Hub(&'static str),
}

/// What known weights want as input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownInput {
    Pictures(Preprocessing),
    /// Texts, into an encoder of this size.
    Texts(EncoderSize),
}

/// The numbers that set encoders of one family apart; the rest is its base model's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncoderSize {
    pub vocabulary: usize,
    /// Features of a token.
    pub width: usize,
    pub layers: usize,
    pub heads: usize,
    /// Features between the two halves of a feed-forward part.
    pub intermediate: usize,
}

impl KnownWeights {
    /// The weights called `name` of `backbone`.
    pub fn of(backbone: Backbone, name: &str) -> Option<&'static KnownWeights> {
        KNOWN.iter().find(|known| known.backbone == backbone && known.name == name)
    }

    /// All that have a name for `backbone`.
    pub fn all_of(backbone: Backbone) -> impl Iterator<Item = &'static KnownWeights> {
        KNOWN.iter().filter(move |known| known.backbone == backbone)
    }
}

const fn pictures(name: &'static str, backbone: Backbone, home: Home, preprocessing: Preprocessing) -> KnownWeights {
    KnownWeights { name, backbone, home, input: KnownInput::Pictures(preprocessing) }
}

const fn texts(name: &'static str, backbone: Backbone, repo: &'static str, size: EncoderSize) -> KnownWeights {
    KnownWeights { name, backbone, home: Home::Hub(repo), input: KnownInput::Texts(size) }
}

/// Of the width and depth of the base model.
const fn base(vocabulary: usize, layers: usize) -> EncoderSize {
    EncoderSize { vocabulary, width: 768, layers, heads: 12, intermediate: 3_072 }
}

/// MiniLM's: half the width.
const fn small(vocabulary: usize, layers: usize) -> EncoderSize {
    EncoderSize { vocabulary, width: 384, layers, heads: 12, intermediate: 1_536 }
}

/// Vocabularies of BERT: without capitals, with them, and of 104 languages.
const UNCASED: usize = 30_522;
const CASED: usize = 28_996;
const MULTILINGUAL: usize = 119_547;

/// Every name.
#[rustfmt::skip]
pub static KNOWN: &[KnownWeights] = &[
    pictures("imagenet", SqueezeNet1_1, Home::BuiltIn, Caffe),
    pictures("imagenet", Vgg16, Home::Hub("timm/vgg16.tv_in1k"), Torch),
    pictures("imagenet", Vgg19, Home::Hub("timm/vgg19.tv_in1k"), Torch),
    pictures("imagenet", ResNet18, Home::Hub("timm/resnet18.tv_in1k"), Torch),
    pictures("imagenet", ResNet34, Home::Hub("timm/resnet34.tv_in1k"), Torch),
    pictures("imagenet", ResNet50, Home::Hub("timm/resnet50.tv_in1k"), Torch),

    texts("bert-base-uncased", Bert, "google-bert/bert-base-uncased", base(UNCASED, 12)),
    texts("bert-base-cased", Bert, "google-bert/bert-base-cased", base(CASED, 12)),
    texts("bert-base-multilingual-cased", Bert, "google-bert/bert-base-multilingual-cased", base(MULTILINGUAL, 12)),
    texts("all-MiniLM-L6-v2", Bert, "sentence-transformers/all-MiniLM-L6-v2", small(UNCASED, 6)),
    texts("all-MiniLM-L12-v2", Bert, "sentence-transformers/all-MiniLM-L12-v2", small(UNCASED, 12)),
    texts("bge-small-en-v1.5", Bert, "BAAI/bge-small-en-v1.5", small(UNCASED, 12)),

    texts("distilbert-base-uncased", DistilBert, "distilbert/distilbert-base-uncased", base(UNCASED, 6)),
    texts("distilbert-base-cased", DistilBert, "distilbert/distilbert-base-cased", base(CASED, 6)),
    texts("distilbert-base-multilingual-cased", DistilBert, "distilbert/distilbert-base-multilingual-cased", base(MULTILINGUAL, 6)),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::experiment::Task;

    #[test]
    fn a_name_of_a_backbone_is_one_line_and_its_input_is_the_backbones() {
        let names: BTreeSet<_> = KNOWN.iter().map(|known| (known.backbone.name(), known.name)).collect();
        assert_eq!(names.len(), KNOWN.len());
        for known in KNOWN {
            let of_pictures = matches!(known.input, KnownInput::Pictures(_));
            assert_eq!(known.backbone.task() == Task::ImageClassification, of_pictures, "{}", known.name);
            assert_eq!(KnownWeights::of(known.backbone, known.name), Some(known));
        }
    }
}
