//! An experiment as it was meant: every default filled in, every number in its range, every path absolute. What the
//! user typed is `parse`'s affair.
//!
//! Invariant: a value of [`Experiment`] was validated; other rooms need not look again.
//!
//! The way of a file: `spans` reads the places and `values` the values, `tree` holds the two together, `overrides` change
//! the tree, `read` says through `section` and the table `keys` what it means, `paths` looks whether what it names is
//! there. All write what is wrong into `mistakes` and go on. The reference for people is `docs/experiment.md`.

mod keys;
mod known_weights;
mod mistakes;
mod notes;
mod number;
mod overrides;
mod parse;
mod paths;
mod place;
mod read;
mod section;
mod spans;
mod tree;
mod values;
mod weights;
mod write;

pub use keys::{KEYS, Key, Takes, Unset};
pub use known_weights::{EncoderSize, Home, KNOWN, KnownInput, KnownWeights};
pub use mistakes::{Mistake, Mistakes};
pub use overrides::{NotAnOverride, Override};
pub use parse::{Loaded, Origin, load, parse};
pub use weights::Weights;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One fine-tuning experiment. Serialized (`resolved.yaml`), it is itself a valid experiment file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Experiment {
    /// 1 to 64 characters, usable as part of a folder name; from the file's stem where it is not given.
    pub name: String,
    /// What is learned; by default what the backbone is for.
    pub task: Task,
    /// Decides shuffles, augmentation, dropout, initial weights and the split; 42 by default.
    pub seed: u64,
    /// Worker threads for arithmetic; 0, the default, takes all cores of the slot.
    pub threads: usize,
    /// Where the arithmetic runs; `auto` by default.
    pub device: Device,
    /// What is learned from; required.
    pub data: Data,
    /// The network; required.
    pub model: Model,
    /// How it is trained.
    pub train: Train,
}

/// What is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    ImageClassification,
    TextClassification,
}

/// Where the arithmetic runs. `auto` takes an accelerator that the binary was built for and that is there, else the CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    Auto,
    Cpu,
    Cuda,
    Metal,
}

/// The samples and how they are prepared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Data {
    /// Folder with one folder per class, or a table of texts.
    pub train: PathBuf,
    /// The same with the same classes, to validate on; exactly one of `val` and `val_split` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val: Option<PathBuf>,
    /// Share of each class of `train` that is held out, in `0..1`, drawn by the seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val_split: Option<f64>,
    /// What the samples are: by the task.
    #[serde(flatten)]
    pub inputs: Inputs,
    /// Threads that decode and augment ahead of training; 0, the default, takes as many as there are cores. Never changes
    /// a figure.
    pub loader_threads: usize,
}

/// What samples are, and what becomes of them on their way into the network.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Inputs {
    Pictures(Pictures),
    Texts(Texts),
}

/// How pictures are prepared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Pictures {
    /// Height and width that every picture is resized to, in pixels; 16 to 4096, 224 by default.
    pub image_size: u32,
    /// How pictures are resized; `bilinear` by default, Keras' is nearest.
    pub resize: Resize,
    /// Random changes of training pictures; none by default.
    pub augment: Augment,
}

/// How texts are found and prepared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Texts {
    /// The column of a table that has the texts; `text` by default.
    pub text_column: String,
    /// The column of a table that has the classes; `label` by default.
    pub label_column: String,
    /// Tokens that a text is cut to, those that mark its ends included; 4 to 8192, 128 by default.
    pub max_length: usize,
}

impl Data {
    /// How training pictures are changed; not at all where there are none.
    pub fn augment(&self) -> Augment {
        match &self.inputs {
            Inputs::Pictures(pictures) => pictures.augment,
            Inputs::Texts(_) => Augment::NONE,
        }
    }
}

/// How a picture gets to `image_size`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resize {
    /// Bilinear with antialiasing.
    Bilinear,
    /// As Keras' `flow_from_directory` does by default.
    Nearest,
}

/// Random changes of training pictures, as Keras' `ImageDataGenerator` makes them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Augment {
    /// Largest turn in degrees, either way, 0 to 180 (Keras' `rotation_range`).
    pub rotation: f64,
    /// Zoom factor drawn from `1-zoom..1+zoom`, for each axis; in `0..1` (Keras' `zoom_range`).
    pub zoom: f64,
    /// Largest shift as a share of the width, in `0..1` (Keras' `width_shift_range`).
    pub width_shift: f64,
    /// Largest shift as a share of the height, in `0..1` (Keras' `height_shift_range`).
    pub height_shift: f64,
    /// Mirrors every other picture, by chance.
    pub horizontal_flip: bool,
    /// Draw this many fixed variants of each picture and take one per epoch in turn, so that frozen layers can be
    /// computed once, 1 to 1000; without it every epoch draws anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub views: Option<u32>,
}

impl Augment {
    /// No change at all.
    pub const NONE: Augment =
        Augment { rotation: 0.0, zoom: 0.0, width_shift: 0.0, height_shift: 0.0, horizontal_flip: false, views: None };

    /// Whether every epoch sees the pictures as they are.
    pub fn is_none(&self) -> bool {
        Augment { views: None, ..*self } == Augment::NONE
    }
}

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
    /// From the feature map to a vector; `avg` by default.
    pub pool: Pool,
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

/// How pixel values become the network's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preprocessing {
    /// BGR minus 103.939, 116.779, 123.68 (Keras' VGG16 `preprocess_input`).
    Caffe,
    /// RGB in 0…1 minus (0.485, 0.456, 0.406), over (0.229, 0.224, 0.225).
    Torch,
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

/// How it is trained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Train {
    /// Samples per optimizer step, 1 to 65536; 32 by default.
    pub batch_size: usize,
    /// At least one; their names differ. By default one phase `head` with the defaults of a phase.
    pub phases: Vec<Phase>,
    /// The most that the norm of all gradients together may be, above 0 (Keras' `global_clipnorm`); any by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Ends a phase early; off by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// Lowers the learning rate; off by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reduce_lr_on_plateau: Option<ReduceLrOnPlateau>,
    /// What `best` means over the whole run; by default what early stopping watches, else `val_loss`.
    #[serde(flatten)]
    pub watch: Watch,
    /// Which weights end up in `model/`; `best` by default.
    pub save: Save,
}

/// Which weights end up in `model/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Save {
    /// Those of the best epoch of the whole run by the monitored value.
    Best,
    Last,
}

/// A stretch of epochs with its own optimizer and trainable layers; two phases are as two calls of Keras' `fit`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phase {
    /// `phase_N` by default, N from 1.
    pub name: String,
    /// The most epochs, 1 to 100000; 10 by default.
    pub epochs: u32,
    /// `head` by default.
    pub trainable: Trainable,
    /// Adam with Keras' figures by default.
    pub optimizer: Optimizer,
}

/// Which layers learn. The head always does, except with `none`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trainable {
    Head,
    All,
    None,
    /// The last N layers of the backbone, counted as Keras counts `base.layers[-N:]`.
    LastLayers(usize),
    /// This layer of the backbone and all after it.
    From(String),
    /// Layers of the backbone whose names match one of these globs.
    Names(Vec<String>),
}

/// The rule of the update.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimizer {
    /// By default `lr` 1e-3, `beta_1` 0.9, `beta_2` 0.999 and the epsilon of its variant.
    Adam { lr: f64, beta_1: f64, beta_2: f64, epsilon: f64, variant: AdamVariant },
    /// PyTorch's `AdamW`: every weight shrinks by `lr * weight_decay` a step. By default `lr` 1e-3, `beta_1` 0.9, `beta_2`
    /// 0.999, `epsilon` 1e-8, `weight_decay` 0.01.
    #[serde(rename = "adamw")]
    AdamW { lr: f64, beta_1: f64, beta_2: f64, epsilon: f64, weight_decay: f64 },
    /// PyTorch's `SGD`. By default `lr` 1e-2 and nothing else; `nesterov` goes with momentum and without dampening only.
    Sgd { lr: f64, momentum: f64, nesterov: bool, weight_decay: f64, dampening: f64 },
    /// PyTorch's `RMSprop`. By default `lr` 1e-2, `alpha` 0.99, `epsilon` 1e-8, no momentum, no decay.
    #[serde(rename = "rmsprop")]
    RmsProp { lr: f64, alpha: f64, epsilon: f64, momentum: f64, weight_decay: f64 },
}

impl Optimizer {
    /// The learning rate that the phase starts with.
    pub fn lr(&self) -> f64 {
        let (Optimizer::Adam { lr, .. }
        | Optimizer::AdamW { lr, .. }
        | Optimizer::Sgd { lr, .. }
        | Optimizer::RmsProp { lr, .. }) = *self;
        lr
    }

    /// The same rule with another learning rate to start with.
    pub fn with_lr(mut self, new: f64) -> Self {
        let (Optimizer::Adam { lr, .. }
        | Optimizer::AdamW { lr, .. }
        | Optimizer::Sgd { lr, .. }
        | Optimizer::RmsProp { lr, .. }) = &mut self;
        *lr = new;
        self
    }
}

/// Whose Adam it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AdamVariant {
    /// Epsilon is added outside of the bias correction; 1e-7 by default.
    #[serde(rename = "keras")]
    Keras,
    /// Epsilon is added to the root of the corrected second moment; 1e-8 by default.
    #[serde(rename = "pytorch")]
    PyTorch,
}

impl AdamVariant {
    /// The library's default.
    pub fn epsilon(self) -> f64 {
        match self {
            AdamVariant::Keras => 1e-7,
            AdamVariant::PyTorch => 1e-8,
        }
    }
}

/// A figure of an epoch that can be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    Loss,
    Accuracy,
    ValLoss,
    ValAccuracy,
}

impl Metric {
    /// The name in files and events.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Loss => "loss",
            Metric::Accuracy => "accuracy",
            Metric::ValLoss => "val_loss",
            Metric::ValAccuracy => "val_accuracy",
        }
    }

    /// The direction in which it gets better: what `mode: auto` means.
    pub fn mode(self) -> Mode {
        match self {
            Metric::Loss | Metric::ValLoss => Mode::Min,
            Metric::Accuracy | Metric::ValAccuracy => Mode::Max,
        }
    }
}

/// Which direction is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Min,
    Max,
}

impl Mode {
    /// Whether `value` is better than `best` by more than `min_delta`; a NaN never is.
    pub fn improves(self, value: f64, best: f64, min_delta: f64) -> bool {
        match self {
            Mode::Min => value < best - min_delta,
            Mode::Max => value > best + min_delta,
        }
    }
}

/// Keras' `EarlyStopping`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EarlyStopping {
    #[serde(flatten)]
    pub watch: Watch,
    /// Epochs without improvement after which a phase ends; 0, the default, acts like 1, as in Keras.
    pub patience: u32,
    /// An improvement is one by more than this; at least 0, 0 by default.
    pub min_delta: f64,
    /// A value that must be beaten before an epoch counts as an improvement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// Epochs of the phase, counted from 0, before which nothing is watched; 0 by default.
    pub start_from_epoch: u32,
    /// Puts the best epoch's weights back at the end of the phase, early stop or not; false by default, as in Keras.
    pub restore_best_weights: bool,
}

/// Keras' `ReduceLROnPlateau`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReduceLrOnPlateau {
    #[serde(flatten)]
    pub watch: Watch,
    /// What the learning rate is multiplied by, between 0 and 1; 0.1 by default.
    pub factor: f64,
    /// Epochs without improvement after which the rate drops; 0 acts like 1, as in Keras; 10 by default.
    pub patience: u32,
    /// An improvement is one by more than this; at least 0, 1e-4 by default.
    pub min_delta: f64,
    /// Epochs after a drop in which nothing is counted; 1 acts like 0, as in Keras; 0 by default.
    pub cooldown: u32,
    /// The rate does not fall below this; at least 0, 0 by default.
    pub min_lr: f64,
}

/// A metric and the direction in which it gets better, as the keys `monitor` and `mode` of what watches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Watch {
    pub monitor: Metric,
    pub mode: Mode,
}

#[cfg(test)]
mod tests;
