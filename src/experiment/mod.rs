//! An experiment as it was meant: every default filled in, every number in its range, every path absolute. What the
//! user typed is `parse`'s affair.
//!
//! Invariant: a value of [`Experiment`] was validated; other rooms need not look again.
//!
//! The way of a file: `spans` reads the places and `values` the values, `tree` holds the two together, `extends` puts it on
//! top of its base, `overrides` change the tree, `matrix` makes several of it, `read` says through `section` and the table
//! `keys` what each means, `paths` looks whether what it names is there. All write what is wrong into `mistakes` and go on. The reference for people is `docs/experiment.md`.

mod augment;
mod data;
mod dotted;
mod extends;
mod file;
mod keys;
mod known_weights;
mod limits;
mod matrix;
mod meant;
mod metric;
mod mistakes;
mod model;
mod names;
mod notes;
mod number;
mod optimizer;
mod overrides;
mod parse;
mod paths;
mod place;
mod read;
mod schedule;
mod schema;
mod section;
mod spans;
mod train;
mod tree;
mod values;
mod write;

pub use augment::{Augment, Fill, RandomErasing};
pub use data::{Data, Inputs, Pictures, Resize, Texts};
pub use file::Origin;
pub use keys::{KEYS, Key, Takes, Unset, of as keys_of};
pub use known_weights::{EncoderSize, Home, KNOWN, KnownInput, KnownWeights};
pub use limits::Limits;
pub use metric::{Figure, Measure, Metric, Score};
pub use mistakes::{Mistake, Mistakes};
pub use model::{Activation, Backbone, HeadLayer, Lora, Model, Pool, Preprocessing, Weights};
pub use optimizer::{AdamVariant, Optimizer};
pub use overrides::{NotAnOverride, Override};
pub use parse::{Loaded, Objection, load, load_all, load_text, load_text_with, parse, parse_all, read_text};
pub use schedule::{By, Schedule};
pub use schema::schema;
pub use train::{ClassWeight, EarlyStopping, Mode, Phase, ReduceLrOnPlateau, Save, Train, Trainable, Watch};

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
    /// What it may take.
    #[serde(flatten)]
    pub limits: Limits,
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

#[cfg(test)]
mod tests;
