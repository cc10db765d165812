//! What a dataset is made of: samples of one kind on two sides.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::RgbImage;

use super::decode::{self, Defect};
use super::error::Error;
use super::resize::resize;
use super::tokenizer::Tokenizer;
use super::{picture_index, text_index};
use crate::experiment::{Data, Inputs, Pictures};

/// All samples of an experiment, by side. A sample's place in `train` or `val` is its number.
#[derive(Debug)]
pub struct Dataset {
    /// In sorted order, as Keras' `flow_from_directory` numbers them.
    pub classes: Vec<String>,
    pub train: Samples,
    pub val: Samples,
    /// Files and rows that could not be used, in the order of their places.
    pub skipped: Vec<Skipped>,
}

/// The samples of a side.
#[derive(Debug, Clone)]
pub enum Samples {
    Pictures(Arc<[Picture]>),
    Texts(Arc<[Text]>),
}

/// A usable picture.
#[derive(Debug, Clone)]
pub struct Picture {
    pub source: PathBuf,
    /// Index into [`Dataset::classes`].
    pub label: u32,
    /// Decoded and resized, where memory allows; else it is decoded again whenever it is used.
    pub(super) kept: Option<Arc<RgbImage>>,
}

/// A usable text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The file, with the line where it is a table: `names.csv:12`.
    pub source: String,
    /// Index into [`Dataset::classes`].
    pub label: u32,
    pub text: Box<str>,
    /// Ids of its tokens, those that mark its ends included; empty where there is no tokenizer yet.
    pub tokens: Box<[u32]>,
}

/// A file or row that could not be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    pub source: String,
    pub reason: String,
}

/// Samples of one kind, as they are found.
#[derive(Debug)]
pub(super) struct Indexed<S> {
    pub classes: Vec<String>,
    pub train: Vec<S>,
    pub val: Vec<S>,
    pub skipped: Vec<Skipped>,
}

impl Dataset {
    /// Finds all samples of `spec`: every picture is decoded once, every text taken apart by `tokenizer` if there is one.
    /// `progress` hears how many are done, of how many, and answers whether to go on.
    pub fn index(
        spec: &Data,
        tokenizer: Option<&Tokenizer>,
        seed: u64,
        progress: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<Dataset, Error> {
        match &spec.inputs {
            Inputs::Pictures(pictures) => {
                let Indexed { classes, train, val, skipped } = picture_index::index(spec, *pictures, seed, progress)?;
                let [train, val] = [train, val].map(|side| Samples::Pictures(side.into()));
                Ok(Dataset { classes, train, val, skipped })
            }
            Inputs::Texts(texts) => {
                let Indexed { classes, train, val, skipped } =
                    text_index::index(spec, texts, tokenizer, seed, progress)?;
                let [train, val] = [train, val].map(|side| Samples::Texts(side.into()));
                Ok(Dataset { classes, train, val, skipped })
            }
        }
    }
}

impl Samples {
    pub fn len(&self) -> usize {
        match self {
            Samples::Pictures(pictures) => pictures.len(),
            Samples::Texts(texts) => texts.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class of a sample: an index into [`Dataset::classes`].
    pub fn label(&self, sample: usize) -> u32 {
        match self {
            Samples::Pictures(pictures) => pictures[sample].label,
            Samples::Texts(texts) => texts[sample].label,
        }
    }

    /// All classes, in order.
    pub fn labels(&self) -> impl Iterator<Item = u32> {
        (0..self.len()).map(|sample| self.label(sample))
    }

    /// Where a sample comes from: its file, with the line where it is a table.
    pub fn source(&self, sample: usize) -> String {
        match self {
            Samples::Pictures(pictures) => pictures[sample].source.display().to_string(),
            Samples::Texts(texts) => texts[sample].source.clone(),
        }
    }

    /// A sample's text, where it is one.
    pub fn text(&self, sample: usize) -> Option<&str> {
        match self {
            Samples::Pictures(_) => None,
            Samples::Texts(texts) => Some(&texts[sample].text),
        }
    }
}

impl Picture {
    /// The picture at `source`, decoded and resized now; of no class.
    pub fn open(source: &Path, spec: &Pictures) -> Result<Self, Defect> {
        let picture = resize(decode::open(source)?, spec.image_size, spec.resize);
        Ok(Picture { source: source.to_owned(), label: 0, kept: Some(Arc::new(picture)) })
    }

    /// The picture at `source`, decoded when it is used.
    pub fn at(source: PathBuf, label: u32) -> Self {
        Picture { source, label, kept: None }
    }
}
