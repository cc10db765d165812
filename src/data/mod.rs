//! Datasets: folders of pictures, decoded, resized, augmented and preprocessed on threads ahead of training.
//!
//! Invariants: what the loader yields is a function of (files, recipe, draws) alone, never of the number of threads or
//! of timing; labels are indices into the sorted class names; after [`Dataset::index`] every class has at least one
//! usable picture on each side. Nothing here knows Candle: a batch is a plain `Vec<f32>` with its shape.

pub mod augment;
mod class_folders;
pub mod decode;
mod error;
mod file;
mod fixtures;
mod image_folder;
mod index;
pub mod length_buckets;
mod loader;
mod prefetch;
pub mod preprocess;
pub mod resize;
mod split;
pub(crate) mod text_folder;
pub(crate) mod text_table;

use std::path::PathBuf;
use std::sync::Arc;

use image::RgbImage;

pub use error::Error;
pub use loader::{Batch, Batches, Draw, Loader, Recipe};

/// All pictures of an experiment, by side. A picture's place in `train` or `val` is its sample number.
#[derive(Debug)]
pub struct Dataset {
    /// In sorted order, as Keras' `flow_from_directory` numbers them.
    pub classes: Vec<String>,
    pub train: Arc<[Picture]>,
    pub val: Arc<[Picture]>,
    /// Files that could not be used, in the order of their paths.
    pub skipped: Vec<SkippedFile>,
}

/// A usable picture.
#[derive(Debug, Clone)]
pub struct Picture {
    pub source: PathBuf,
    /// Index into [`Dataset::classes`].
    pub label: u32,
    /// Decoded and resized, where memory allows; else it is decoded again whenever it is used.
    kept: Option<Arc<RgbImage>>,
}

impl Picture {
    /// The picture at `source`, decoded when it is used.
    pub fn at(source: PathBuf, label: u32) -> Self {
        Picture { source, label, kept: None }
    }
}

/// A file that could not be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedFile {
    pub source: PathBuf,
    pub reason: String,
}

/// `asked` threads, or as many as there are cores for 0.
fn threads(asked: usize) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    }
}
