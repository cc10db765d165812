//! Weights that were found, with what belongs to them: the configuration of an encoder, and a tokenizer.

use std::path::{Path, PathBuf};

use super::super::encoder_config::Config;
use super::super::error::Error;
use super::checkpoint::Checkpoint;
use super::report::Origin;
use crate::experiment::{EncoderSize, Model, Preprocessing, Task};

/// Where the weights of a model are. Their tensors are read when a network is built.
#[derive(Debug, Clone)]
pub struct Found {
    origin: Origin,
    place: Place,
    pub(super) side: Side,
    /// What known weights want as input.
    pub(super) preprocessing: Option<Preprocessing>,
}

/// What belongs to weights of an encoder.
#[derive(Debug, Clone, Default)]
pub(super) struct Side {
    pub config: Option<PathBuf>,
    /// Of known weights.
    pub size: Option<EncoderSize>,
    pub tokenizer: Option<PathBuf>,
}

#[derive(Debug, Clone)]
enum Place {
    Nowhere,
    Shapes,
    Files { paths: Vec<PathBuf>, has_head: bool },
    BuiltIn(&'static [u8]),
}

/// Tensors for a network that is being built.
#[derive(Debug)]
pub(crate) enum Tensors {
    /// None: all are drawn by the seed.
    Drawn,
    /// None yet: zeros stand in for those of the backbone.
    Missing,
    /// Their shapes alone: nobody may ask for a number.
    Shapes,
    Pretrained {
        checkpoint: Checkpoint,
        /// The head's are among them, under the names here.
        has_head: bool,
    },
}

impl Found {
    /// No weights: they are drawn by the seed.
    pub fn random() -> Found {
        Found::new(Origin::Seed, Place::Nowhere)
    }

    /// The model of `spec` that was saved into `folder`: `model.safetensors`, and for an encoder `config.json` and the
    /// tokenizer.
    ///
    /// # Errors
    /// Where an encoder has no tokenizer.
    pub fn saved(folder: &Path, spec: &Model) -> Result<Found, Error> {
        let path = folder.join("model.safetensors");
        let origin = Origin::At(path.display().to_string());
        let is_text = spec.backbone.task() == Task::TextClassification;
        let side = if is_text { Side::beside(&path) } else { Side::default() };
        if is_text && side.tokenizer.is_none() {
            return Err(Error::NoTokenizer { origin: origin.to_string() });
        }
        Ok(Found::new(origin, Place::Files { paths: vec![path], has_head: true }).with(side))
    }

    /// The same for a network of shapes alone, whose tensors are neither read nor made. What only a download would tell is
    /// as in the family's base model.
    pub(crate) fn shapes_only(self) -> Found {
        Found { origin: Origin::Seed, place: Place::Shapes, ..self }
    }

    pub(super) fn with(self, side: Side) -> Found {
        Found { side, ..self }
    }

    pub(super) fn at(origin: String, paths: Vec<PathBuf>) -> Found {
        Found::new(Origin::At(origin), Place::Files { paths, has_head: false })
    }

    pub(super) fn built_in(bytes: &'static [u8]) -> Found {
        Found::new(Origin::At("the program itself".into()), Place::BuiltIn(bytes))
    }

    pub(super) fn away(origin: String) -> Found {
        Found::new(Origin::Away(origin), Place::Nowhere)
    }

    fn new(origin: Origin, place: Place) -> Found {
        Found { origin, place, side: Side::default(), preprocessing: None }
    }

    /// Where the weights are from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether they have to be downloaded first; a network that is built of them shows its layers and computes nothing.
    pub fn is_missing(&self) -> bool {
        matches!(self.origin, Origin::Away(_))
    }

    /// The `tokenizer.json` or `vocab.txt`; None for pictures, and where it is missing with the weights.
    pub fn tokenizer(&self) -> Option<&Path> {
        self.side.tokenizer.as_deref()
    }

    /// The encoder's `config.json`, where there is one.
    pub fn config(&self) -> Option<&Path> {
        self.side.config.as_deref()
    }

    /// All files beside the weights that are needed to build the network and to read texts again: `config.json`,
    /// `tokenizer.json` or `vocab.txt`, and `tokenizer_config.json`.
    pub fn side_files(&self) -> Vec<PathBuf> {
        let beside = self.side.tokenizer.as_ref().map(|path| path.with_file_name(TOKENIZER_CONFIG));
        let files = [self.side.config.clone(), self.side.tokenizer.clone(), beside];
        files.into_iter().flatten().filter(|path| path.is_file()).collect()
    }

    /// What the weights are known to want as input.
    pub(crate) fn preprocessing(&self) -> Option<Preprocessing> {
        self.preprocessing
    }

    /// What says how large an encoder is.
    ///
    /// # Errors
    /// Where only a download would tell.
    pub(crate) fn encoder(&self) -> Result<Config<'_>, Error> {
        match (&self.side.config, self.side.size) {
            (Some(path), _) => Ok(Config::File(path)),
            (None, Some(size)) => Ok(Config::Known(size)),
            (None, None) if self.is_missing() => Err(Error::UnknownSize { origin: self.origin.to_string() }),
            (None, None) => Ok(Config::Base),
        }
    }

    pub(crate) fn tensors(&self) -> Result<Tensors, Error> {
        let (checkpoint, has_head) = match &self.place {
            Place::Nowhere if self.is_missing() => return Ok(Tensors::Missing),
            Place::Nowhere => return Ok(Tensors::Drawn),
            Place::Shapes => return Ok(Tensors::Shapes),
            Place::Files { paths, has_head } => (Checkpoint::open_all(paths.iter().map(PathBuf::as_path))?, *has_head),
            Place::BuiltIn(bytes) => (Checkpoint::built_in(bytes)?, false),
        };
        Ok(Tensors::Pretrained { checkpoint, has_head })
    }
}

impl Side {
    /// What lies beside the file at `path`.
    pub fn beside(path: &Path) -> Side {
        let file = |name: &&str| Some(path.with_file_name(name)).filter(|path| path.is_file());
        Side { config: file(&CONFIG), size: None, tokenizer: TOKENIZERS.iter().find_map(file) }
    }
}

/// The file that says how large an encoder is.
pub(super) const CONFIG: &str = "config.json";
/// Files that a tokenizer is made of, the best first.
pub(super) const TOKENIZERS: [&str; 2] = ["tokenizer.json", "vocab.txt"];
/// What a `vocab.txt` needs beside it to be read as it was meant.
pub(super) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
