//! The key `model`: the network.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{KnownWeights, Task};

/// The network: a pretrained backbone, a pooling, a new head.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    /// The pretrained architecture; required.
    pub backbone: Backbone,
    /// Its weights; required, so that nobody trains from noise unawares.
    pub weights: Weights,
    /// A `tokenizer.json` or `vocab.txt`; where not given it is the one that lies beside the weights. For texts only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<PathBuf>,
    /// What the weights want as input; where not given it is what the weights' file says, else what they usually want.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preprocessing: Option<Preprocessing>,
    /// Adapters beside matrices of the backbone, whose own weights then never learn. For texts only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lora: Option<Lora>,
    /// From the feature map to a vector; `avg` by default.
    pub pool: Pool,
    /// What the squared weights of the head's dense layers cost in the loss, the output layer's included; 0 by default.
    pub l2: f64,
    /// Layers between pooling and the output layer, which follows from the classes.
    pub head: Vec<HeadLayer>,
}

/// A known architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Backbone {
    #[serde(rename = "squeezenet1_1")]
    SqueezeNet1_1,
    #[serde(rename = "vgg16")]
    Vgg16,
    #[serde(rename = "vgg19")]
    Vgg19,
    #[serde(rename = "resnet18")]
    ResNet18,
    #[serde(rename = "resnet34")]
    ResNet34,
    #[serde(rename = "resnet50")]
    ResNet50,
    /// BERT's layout of any size: bert-base, MiniLM …
    #[serde(rename = "bert")]
    Bert,
    #[serde(rename = "distilbert")]
    DistilBert,
}

impl Backbone {
    /// The name in experiment files.
    pub fn name(self) -> &'static str {
        match self {
            Backbone::SqueezeNet1_1 => "squeezenet1_1",
            Backbone::Vgg16 => "vgg16",
            Backbone::Vgg19 => "vgg19",
            Backbone::ResNet18 => "resnet18",
            Backbone::ResNet34 => "resnet34",
            Backbone::ResNet50 => "resnet50",
            Backbone::Bert => "bert",
            Backbone::DistilBert => "distilbert",
        }
    }

    /// What it is for.
    pub fn task(self) -> Task {
        match self {
            Backbone::Bert | Backbone::DistilBert => Task::TextClassification,
            _ => Task::ImageClassification,
        }
    }
}

/// Where the backbone's weights come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weights {
    /// Drawn by the seed: nothing pretrained.
    Random,
    /// A `.safetensors` file, or one of PyTorch's: `.pth`, `.pt`, `.bin`.
    File(PathBuf),
    /// By name.
    Known(&'static KnownWeights),
    /// On a model hub: `hf:OWNER/REPO[@REVISION][/FILE]`.
    Hub {
        /// `OWNER/REPO`.
        repo: String,
        /// A branch, a tag or a commit; `main` where not given.
        revision: Option<String>,
        /// Where not given: `model.safetensors`, or what stands in for it.
        file: Option<String>,
    },
}

/// As `model.weights` takes it.
impl std::fmt::Display for Weights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Weights::Random => f.write_str("random"),
            Weights::File(path) => path.display().fmt(f),
            Weights::Known(known) => f.write_str(known.name),
            Weights::Hub { repo, revision, file } => {
                write!(f, "hf:{repo}")?;
                revision.iter().try_for_each(|revision| write!(f, "@{revision}"))?;
                file.iter().try_for_each(|file| write!(f, "/{file}"))
            }
        }
    }
}

impl Serialize for Weights {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Weights::File(path) => path.serialize(serializer),
            other => serializer.collect_str(other),
        }
    }
}

/// How pixel values become the network's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preprocessing {
    /// BGR minus 103.939, 116.779, 123.68 (Keras' VGG16 `preprocess_input`).
    Caffe,
    /// RGB in 0…1 minus (0.485, 0.456, 0.406), over (0.229, 0.224, 0.225).
    Torch,
}

/// Low-rank adapters (Hu et al. 2021, arXiv 2106.09685).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lora {
    /// Rows of each first matrix and columns of each second one; at least 1, 8 by default.
    pub rank: usize,
    /// What an adapter's product is multiplied by, times the rank; above 0, 8 by default.
    pub alpha: f64,
    /// Share of an adapter's input that is dropped out while it learns, in `0..1`; 0 by default.
    pub dropout: f64,
    /// Patterns for names of attention and dense layers, or for what those end with; query and value by default.
    pub layers: Vec<String>,
}

/// From a feature map, or from the states of a text's tokens, to a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pool {
    Avg,
    /// For pictures only.
    Max,
    /// The state of the first token, through the pooler where the backbone has one; for texts only.
    Cls,
}

/// A layer of the new head.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadLayer {
    /// Fully connected, Glorot-uniform (Keras' `Dense`).
    Dense {
        /// Number of outputs, 1 to 65536.
        units: usize,
        /// `linear` by default, as in Keras.
        activation: Activation,
        /// What its squared weights cost in the loss, at least 0; as the model says where it is not given.
        #[serde(skip_serializing_if = "Option::is_none")]
        l2: Option<f64>,
    },
    /// Share of the inputs set to zero while training, in `0..1`.
    Dropout(f64),
}

/// What follows a dense layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    Linear,
    Relu,
}
