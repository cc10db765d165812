//! The key `data`: the samples and how they are prepared.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

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
