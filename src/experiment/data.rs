//! The key `data`: the samples and how they are prepared.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Augment;

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
    /// Threads that decode and augment ahead of training; 0, the default, takes as many as compute. Never changes a figure.
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
