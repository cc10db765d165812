//! What can go wrong between an experiment's `model:` and a network.

use std::path::PathBuf;

use super::input::InputShape;
use super::weights::{HubError, some};

/// A network that could not be built, frozen, loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not read the weights {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{} is not a safetensors file: {reason}", path.display())]
    NotSafetensors { path: PathBuf, reason: String },
    #[error("{} is not a file of PyTorch's weights: {reason}", path.display())]
    NotTorch { path: PathBuf, reason: String },
    #[error("{} is refused: to be read it would call `{global}`, which weights never need", path.display())]
    Malicious { path: PathBuf, global: String },
    #[error("{} names no files of weights: {reason}", path.display())]
    BadIndex { path: PathBuf, reason: String },
    #[error("could not read the tensor {name} from {origin}: {source}")]
    UnreadableTensor { origin: String, name: String, source: Box<candle_core::Error> },
    #[error("the weights from {origin} do not fit {backbone}: {misfit}")]
    Misfit { origin: String, backbone: &'static str, misfit: Misfit },
    #[error("the weights from {origin} want preprocessing `{value}`, which is not known here")]
    UnknownPreprocessing { origin: String, value: String },
    #[error("there is no tokenizer beside the weights from {origin}")]
    NoTokenizer { origin: String },
    #[error("the weights would be downloaded from {origin}, and its layers are known after that")]
    UnknownSize { origin: String },
    #[error("the program has no weights of {backbone}")]
    NotBuiltIn { backbone: &'static str },
    #[error(transparent)]
    Hub(#[from] HubError),
    #[error("{} is no configuration of an encoder: {reason}", path.display())]
    BadConfig { path: PathBuf, reason: String },
    #[error("the model has no layer `{name}`")]
    UnknownLayer { name: String, nearest: Option<String>, known: Vec<String> },
    #[error("no layer with weights matches `{pattern}`")]
    NothingMatches { pattern: String, known: Vec<String> },
    #[error("no attention or dense layer of the backbone matches `{pattern}`")]
    NothingToAdapt { pattern: String, nearest: Option<String>, known: Vec<String> },
    #[error("`{pattern}` is not a pattern for layer names: {reason}")]
    BadPattern { pattern: String, reason: String },
    #[error("the last {asked} layers cannot be trained: the backbone has {there}")]
    TooManyLayers { asked: usize, there: usize },
    #[error("{asked} blocks cannot be unfrozen: the backbone has {there}")]
    TooManyBlocks { asked: usize, there: usize },
    #[error("{shape} do not fit {backbone}: {reason}")]
    UnfitInput { shape: InputShape, backbone: &'static str, reason: String },
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// How a set of tensors differs from what a network wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Misfit {
    /// How many tensors are wanted.
    pub wanted: usize,
    pub missing: Vec<String>,
    /// Name, shape wanted, shape found.
    pub wrong_shape: Vec<(String, Vec<usize>, Vec<usize>)>,
    /// Tensors that nobody asked for.
    pub unused: Vec<String>,
}

impl Misfit {
    /// Whether everything wanted was there in its shape.
    pub fn is_none(&self) -> bool {
        self.missing.is_empty() && self.wrong_shape.is_empty()
    }
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        if !self.missing.is_empty() {
            parts.push(format!(
                "{} of {} tensors are missing ({})",
                self.missing.len(),
                self.wanted,
                some(&self.missing)
            ));
        }
        if !self.wrong_shape.is_empty() {
            let shapes: Vec<String> = self
                .wrong_shape
                .iter()
                .map(|(name, wanted, found)| format!("{name} is {found:?} instead of {wanted:?}"))
                .collect();
            parts.push(format!("{} of {} have another shape ({})", shapes.len(), self.wanted, some(&shapes)));
        }
        f.write_str(&parts.join("; "))
    }
}

impl Error {
    /// Whether somebody asked to stop.
    pub fn is_stopped(&self) -> bool {
        matches!(self, Error::Hub(HubError::Stopped))
    }

    /// What a person can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Unreadable { .. } => Some("check `model.weights` in the experiment".into()),
            Error::NotSafetensors { path, .. } | Error::BadIndex { path, .. } => {
                Some(damaged(path, "a .safetensors file"))
            }
            Error::NotTorch { path, .. } => {
                Some(damaged(path, "a file that `torch.save(model.state_dict(), …)` wrote"))
            }
            Error::Malicious { .. } => Some(
                "nothing of it was executed; if you trust it, save its `state_dict()` alone, as safetensors, in Python"
                    .into(),
            ),
            Error::NoTokenizer { .. } => {
                Some("give one with `model.tokenizer`: a tokenizer.json, or the vocab.txt of a BERT".into())
            }
            Error::UnknownSize { .. } => Some("run it, or check it again once the weights are there".into()),
            Error::Hub(e) => e.hint(),
            Error::Misfit { backbone, misfit, .. } if misfit.unused.is_empty() => {
                Some(format!("use a file with the weights of {backbone}"))
            }
            Error::Misfit { backbone, misfit, .. } => {
                Some(format!("use a file with the weights of {backbone}; this one has {}", some(&misfit.unused)))
            }
            Error::BadConfig { .. } => {
                Some("it must be the config.json of the weights, as transformers writes it".into())
            }
            Error::UnknownPreprocessing { .. } => {
                Some("say what the weights want with `model.preprocessing: caffe` or `torch`".into())
            }
            Error::UnknownLayer { nearest: Some(nearest), .. }
            | Error::NothingToAdapt { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Error::UnknownLayer { known, .. }
            | Error::NothingMatches { known, .. }
            | Error::NothingToAdapt { known, .. } => Some(format!("its layers are {}", known.join(", "))),
            Error::TooManyLayers { there, .. } => {
                Some(format!("use `trainable: {{ last_layers: {there} }}` or less, or `trainable: all`"))
            }
            Error::TooManyBlocks { there, .. } => Some(format!("use `blocks: {there}` or less, or leave it out")),
            Error::UnfitInput { shape: InputShape::Picture { .. }, .. } => {
                Some("use a larger `data.image_size`".into())
            }
            Error::UnfitInput { shape: InputShape::Text { .. }, .. } => Some("use a smaller `data.max_length`".into()),
            Error::UnreadableTensor { .. } | Error::NotBuiltIn { .. } => None,
            Error::BadPattern { .. } | Error::Tensor(_) => None,
        }
    }
}

/// What to do about a damaged file, which may be one of the hub's cache.
fn damaged(path: &std::path::Path, wanted: &str) -> String {
    match std::fs::canonicalize(path) {
        Ok(blob) if blob.parent().is_some_and(|folder| folder.ends_with("blobs")) => {
            format!("remove {} and try again: it is downloaded anew", blob.display())
        }
        _ => format!("`model.weights` takes {wanted}, a name of known weights, `hf:OWNER/REPO`, or `random`"),
    }
}
