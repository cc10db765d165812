//! What other libraries call the tensors of a backbone.
//!
//! The names here are: torchvision's for ResNet, transformers' without their prefix for encoders, Keras' layers with
//! `weight` and `bias` for VGG. A file keeps to one style, which its first tensor tells.

use crate::experiment::{Backbone, Preprocessing};

/// How a file names its tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    /// What stands before every name.
    prefix: &'static str,
    naming: Naming,
}

/// How a name is made out of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// As here; layer norms perhaps with `gamma` and `beta`, as in the first checkpoints of BERT, from TensorFlow.
    Native,
    /// torchvision's and timm's `features.N.weight` of VGG.
    Features,
    /// Keras': `block1_conv1/kernel:0` and the like, kernels `[height, width, in, out]`.
    Keras(KerasForm),
}

/// The ways in which Keras' names were exported, for the layer L.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KerasForm {
    /// `L/kernel:0`
    Slash0,
    /// `L/kernel`
    Slash,
    /// `L.kernel`
    Dot,
    /// `L/L/kernel:0`
    Twice0,
    /// `L/L_W_1:0`, as in the weights that Keras 1 and 2 download
    Old,
}

/// A tensor in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alias {
    pub name: String,
    /// It is a kernel `[height, width, in, out]`.
    pub is_kernel: bool,
}

/// Containers that wrap a whole model.
const WRAPPERS: [&str; 6] = ["", "module.", "model.", "model.module.", "module.model.", "backbone."];

impl Style {
    /// All styles that a file for `backbone` may have, the likeliest first.
    pub fn all_of(backbone: Backbone) -> Vec<Style> {
        let (prefixes, namings) = of(backbone);
        let of_prefix = |prefix: &'static str| namings.iter().map(move |naming| Style { prefix, naming: *naming });
        WRAPPERS.iter().chain(prefixes).flat_map(|prefix| of_prefix(prefix)).collect()
    }

    /// What a file of this style may call the tensor `name` of `backbone`; nothing where the style has no name for it.
    pub fn aliases(self, backbone: Backbone, name: &str) -> Vec<Alias> {
        let plain = |name: String| Alias { name: format!("{}{name}", self.prefix), is_kernel: false };
        let Some((layer, part)) = name.rsplit_once('.') else { return Vec::new() };
        match self.naming {
            Naming::Native => {
                let old = match part {
                    "weight" => "gamma",
                    "bias" => "beta",
                    part => part,
                };
                let of_tensorflow = layer.ends_with("LayerNorm").then(|| plain(format!("{layer}.{old}")));
                [plain(name.to_owned())].into_iter().chain(of_tensorflow).collect()
            }
            Naming::Features => {
                let index = index_in_features(backbone, layer);
                index.map(|index| plain(format!("features.{index}.{part}"))).into_iter().collect()
            }
            Naming::Keras(form) if matches!(part, "weight" | "bias") => {
                let is_kernel = part == "weight";
                vec![Alias { is_kernel, ..plain(form.name(layer, is_kernel)) }]
            }
            Naming::Keras(_) => Vec::new(),
        }
    }

    /// What weights of this style want as input, as far as it tells.
    pub fn preprocessing(self) -> Option<Preprocessing> {
        match self.naming {
            Naming::Keras(_) => Some(Preprocessing::Caffe),
            Naming::Features => Some(Preprocessing::Torch),
            Naming::Native => None,
        }
    }
}

impl KerasForm {
    fn name(self, layer: &str, is_kernel: bool) -> String {
        let part = if is_kernel { "kernel" } else { "bias" };
        match self {
            KerasForm::Slash0 => format!("{layer}/{part}:0"),
            KerasForm::Slash => format!("{layer}/{part}"),
            KerasForm::Dot => format!("{layer}.{part}"),
            KerasForm::Twice0 => format!("{layer}/{layer}/{part}:0"),
            KerasForm::Old => format!("{layer}/{layer}_{}_1:0", if is_kernel { "W" } else { "b" }),
        }
    }
}

/// Further prefixes, and the ways to name.
fn of(backbone: Backbone) -> (&'static [&'static str], &'static [Naming]) {
    use KerasForm::{Dot, Old, Slash, Slash0, Twice0};
    const VGG: &[Naming] = &[
        Naming::Native,
        Naming::Features,
        Naming::Keras(Slash0),
        Naming::Keras(Slash),
        Naming::Keras(Dot),
        Naming::Keras(Twice0),
        Naming::Keras(Old),
    ];
    match backbone {
        Backbone::SqueezeNet1_1 => (&[], &[Naming::Native]),
        Backbone::Vgg16 => (&["vgg16/", "model_weights/", "vgg."], VGG),
        Backbone::Vgg19 => (&["vgg19/", "model_weights/", "vgg."], VGG),
        Backbone::ResNet18 | Backbone::ResNet34 | Backbone::ResNet50 => {
            (&["resnet.", "base_model."], &[Naming::Native])
        }
        Backbone::Bert => (
            &["bert.", "module.bert.", "model.bert.", "0.auto_model.", "auto_model.", "encoder.bert."],
            &[Naming::Native],
        ),
        Backbone::DistilBert => (
            &["distilbert.", "module.distilbert.", "model.distilbert.", "0.auto_model.", "auto_model."],
            &[Naming::Native],
        ),
    }
}

/// The place of the convolution `layer` (`block3_conv1`) in torchvision's `features`, where each has a ReLU after it and
/// each block a pool.
fn index_in_features(backbone: Backbone, layer: &str) -> Option<usize> {
    let blocks = match backbone {
        Backbone::Vgg16 => crate::model::vgg::VGG16,
        Backbone::Vgg19 => crate::model::vgg::VGG19,
        _ => return None,
    };
    let (block, conv) = layer.strip_prefix("block")?.split_once("_conv")?;
    let (block, conv) = (block.parse::<usize>().ok()?.checked_sub(1)?, conv.parse::<usize>().ok()?.checked_sub(1)?);
    let before: usize = blocks.get(..block)?.iter().map(|convolutions| 2 * convolutions + 1).sum();
    Some(before + 2 * conv)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(backbone: Backbone, name: &str) -> Vec<Alias> {
        Style::all_of(backbone).into_iter().flat_map(|style| style.aliases(backbone, name)).collect()
    }

    #[test]
    fn convolutions_of_vgg_have_torchvisions_indices() {
        let indices = |backbone, blocks: [usize; 5]| -> Vec<usize> {
            let layers = (1..).zip(blocks).flat_map(|(b, n)| (1..=n).map(move |c| format!("block{b}_conv{c}")));
            layers.map(|layer| index_in_features(backbone, &layer).unwrap()).collect()
        };
        let vgg16 = indices(Backbone::Vgg16, [2, 2, 3, 3, 3]);
        assert_eq!(vgg16, [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]);
        let vgg19 = indices(Backbone::Vgg19, [2, 2, 4, 4, 4]);
        assert_eq!(vgg19, [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]);
    }

    #[test]
    fn every_library_is_understood() {
        for (backbone, ours, theirs, is_kernel) in [
            (Backbone::Vgg16, "block2_conv1.weight", "features.5.weight", false),
            (Backbone::Vgg16, "block1_conv1.weight", "block1_conv1/kernel:0", true),
            (Backbone::Vgg16, "block1_conv1.bias", "block1_conv1/bias:0", false),
            (Backbone::Vgg16, "block1_conv1.weight", "vgg16/block1_conv1/kernel", true),
            (Backbone::Vgg16, "block1_conv1.weight", "block1_conv1.kernel", true),
            (Backbone::Vgg16, "block1_conv1.weight", "block1_conv1/block1_conv1_W_1:0", true),
            (Backbone::Vgg16, "block1_conv1.bias", "block1_conv1/block1_conv1_b_1:0", false),
            (Backbone::Vgg16, "block1_conv1.weight", "block1_conv1.weight", false),
            (Backbone::ResNet50, "layer1.0.bn1.running_mean", "module.layer1.0.bn1.running_mean", false),
            (Backbone::Bert, "embeddings.LayerNorm.weight", "bert.embeddings.LayerNorm.gamma", false),
            (
                Backbone::Bert,
                "encoder.layer.0.output.LayerNorm.bias",
                "bert.encoder.layer.0.output.LayerNorm.beta",
                false,
            ),
            (Backbone::Bert, "embeddings.LayerNorm.weight", "0.auto_model.embeddings.LayerNorm.weight", false),
            (Backbone::Bert, "pooler.dense.weight", "model.bert.pooler.dense.weight", false),
            (
                Backbone::DistilBert,
                "transformer.layer.0.ffn.lin1.bias",
                "distilbert.transformer.layer.0.ffn.lin1.bias",
                false,
            ),
        ] {
            let wanted = Alias { name: theirs.to_owned(), is_kernel };
            assert!(names(backbone, ours).contains(&wanted), "{theirs}");
        }
    }
}
