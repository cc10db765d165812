//! The key `data.augment`.

use serde::{Deserialize, Serialize};

/// Random changes of training pictures: of each by itself as Keras' `ImageDataGenerator` makes them, and of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Augment {
    /// Largest turn in degrees, either way, 0 to 180 (Keras' `rotation_range`).
    pub rotation: f64,
    /// Zoom factor drawn from `1-zoom..1+zoom`, for each axis; in `0..1` (Keras' `zoom_range`).
    pub zoom: f64,
    /// Largest shear in degrees, either way, 0 to below 90 (Keras' `shear_range`).
    pub shear: f64,
    /// Largest shift as a share of the width, in `0..1` (Keras' `width_shift_range`).
    pub width_shift: f64,
    /// Largest shift as a share of the height, in `0..1` (Keras' `height_shift_range`).
    pub height_shift: f64,
    /// What is moved in; the nearest pixel by default.
    pub fill_mode: Fill,
    /// Mirrors every other picture left to right, by chance.
    pub horizontal_flip: bool,
    /// Mirrors every other picture top to bottom, by chance.
    pub vertical_flip: bool,
    /// The most that is added to all colours or taken from them, 0 to 255 (Keras' `channel_shift_range`).
    pub channel_shift: f64,
    /// What the colours are multiplied by: lowest and highest, at least 0 (Keras' `brightness_range`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brightness: Option<[f64; 2]>,
    /// The distance from the mean colour is multiplied by `1-contrast..1+contrast`; 0 to 1 (Keras' `RandomContrast`).
    pub contrast: f64,
    /// Erases a rectangle; off by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub random_erasing: Option<RandomErasing>,
    /// The alpha of mixup, above 0; off by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mixup: Option<f64>,
    /// The alpha of CutMix, above 0; off by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutmix: Option<f64>,
    /// Draw this many fixed variants of each picture and take one per epoch in turn, so that frozen layers can be
    /// computed once, 1 to 1000; without it every epoch draws anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub views: Option<u32>,
}

/// What is moved into a picture from outside (Keras' `fill_mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// The nearest pixel.
    Nearest,
    /// The picture in a mirror at its edge.
    Reflect,
    /// Black.
    Constant,
}

/// Erases a rectangle of a picture (Zhong et al. 2020, as torchvision's `RandomErasing`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RandomErasing {
    /// Share of the pictures that it is done to, above 0; 0.5 by default.
    pub probability: f64,
    /// Smallest and largest share of the picture's area, 0.02 to 0.33 by default.
    pub scale: [f64; 2],
    /// Smallest and largest height over width, 0.3 to 3.3 by default.
    pub ratio: [f64; 2],
}

impl Augment {
    /// No change at all.
    pub const NONE: Augment = Augment {
        rotation: 0.0,
        zoom: 0.0,
        shear: 0.0,
        width_shift: 0.0,
        height_shift: 0.0,
        fill_mode: Fill::Nearest,
        horizontal_flip: false,
        vertical_flip: false,
        channel_shift: 0.0,
        brightness: None,
        contrast: 0.0,
        random_erasing: None,
        mixup: None,
        cutmix: None,
        views: None,
    };

    /// Whether every epoch sees each picture as it is, before a batch is mixed.
    pub fn is_none(&self) -> bool {
        let Augment { fill_mode, mixup, cutmix, views, .. } = Augment::NONE;
        Augment { fill_mode, mixup, cutmix, views, ..*self } == Augment::NONE
    }

    /// Whether the pictures of a batch are mixed with each other.
    pub fn mixes(&self) -> bool {
        self.mixup.is_some() || self.cutmix.is_some()
    }
}
