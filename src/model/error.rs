//! What can go wrong between an experiment's `model:` and a network.

use std::path::PathBuf;

use super::input::InputShape;

/// A network that could not be built, frozen, loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not read the weights {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{} is not a safetensors file: {reason}", path.display())]
    NotSafetensors { path: PathBuf, reason: String },
    #[error("the weights in {} do not fit {backbone}: {misfit}", path.display())]
    Misfit { path: PathBuf, backbone: &'static str, misfit: Misfit },
    #[error("the weights in {} want preprocessing `{value}`, which is not known here", path.display())]
    UnknownPreprocessing { path: PathBuf, value: String },
    #[error("{} is no configuration of an encoder: {reason}", path.display())]
    BadConfig { path: PathBuf, reason: String },
    #[error("the model has no layer `{name}`")]
    UnknownLayer { name: String, nearest: Option<String>, known: Vec<String> },
    #[error("no layer with weights matches `{pattern}`")]
    NothingMatches { pattern: String, known: Vec<String> },
    #[error("`{pattern}` is not a pattern for layer names: {reason}")]
    BadPattern { pattern: String, reason: String },
    #[error("the last {asked} layers cannot be trained: the backbone has {there}")]
    TooManyLayers { asked: usize, there: usize },
    #[error("{shape} do not fit {backbone}: {reason}")]
    UnfitInput { shape: InputShape, backbone: &'static str, reason: String },
    #[error("the saved model does not fit: {0}")]
    DoesNotRestore(Misfit),
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

/// The first few of many.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 6;
    match names.len() {
        0..=SHOWN => names.join(", "),
        n => format!("{}, and {} more", names[..SHOWN].join(", "), n - SHOWN),
    }
}

impl Error {
    /// What a person can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Unreadable { .. } => Some("check `model.weights` in the experiment".into()),
            Error::NotSafetensors { .. } => Some("`model.weights` takes a .safetensors file, or `random`".into()),
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
            Error::UnknownLayer { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Error::UnknownLayer { known, .. } | Error::NothingMatches { known, .. } => {
                Some(format!("its layers are {}", known.join(", ")))
            }
            Error::TooManyLayers { there, .. } => {
                Some(format!("use `trainable: {{ last_layers: {there} }}` or less, or `trainable: all`"))
            }
            Error::UnfitInput { shape: InputShape::Picture { .. }, .. } => {
                Some("use a larger `data.image_size`".into())
            }
            Error::UnfitInput { shape: InputShape::Text { .. }, .. } => Some("use a smaller `data.max_length`".into()),
            Error::BadPattern { .. } | Error::DoesNotRestore(_) | Error::Tensor(_) => None,
        }
    }
}
