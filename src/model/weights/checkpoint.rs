//! Tensors by name, wherever they lie: in one file or in several, or in the program.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::super::error::Error;
use super::pickle::Refused;
use super::stored::{Bytes, Stored};
use super::{safetensors, torch};
use crate::experiment::Preprocessing;

/// Tensors that can be read one by one.
#[derive(Debug, Default)]
pub(crate) struct Checkpoint {
    pub tensors: BTreeMap<String, Stored>,
    /// What a file says that its weights want as input.
    preprocessing: Option<String>,
}

impl Checkpoint {
    /// The tensors of one file, a `.safetensors` or one that `torch.save` wrote.
    ///
    /// # Errors
    /// Where it cannot be read, is damaged, or would call something.
    pub fn open(path: &Path) -> Result<Checkpoint, Error> {
        let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        if path.extension().is_some_and(|ending| ending == "safetensors") {
            let contents = safetensors::open(&Bytes::File(Arc::new(file)));
            return contents
                .map(Checkpoint::from)
                .map_err(|reason| Error::NotSafetensors { path: path.to_owned(), reason });
        }
        match torch::open(file) {
            Ok(tensors) => Ok(Checkpoint { tensors, preprocessing: None }),
            Err(Refused::Global(global)) => Err(Error::Malicious { path: path.to_owned(), global }),
            Err(Refused::Malformed(reason)) => Err(Error::NotTorch { path: path.to_owned(), reason }),
        }
    }

    /// The tensors of several files.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub fn open_all<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Result<Checkpoint, Error> {
        paths.into_iter().try_fold(Checkpoint::default(), |mut all, path| {
            let Checkpoint { tensors, preprocessing } = Checkpoint::open(path)?;
            all.tensors.extend(tensors);
            all.preprocessing = all.preprocessing.or(preprocessing);
            Ok(all)
        })
    }

    /// The tensors of a safetensors file that is part of the program.
    pub fn built_in(bytes: &'static [u8]) -> Result<Checkpoint, Error> {
        let contents = safetensors::open(&Bytes::BuiltIn(bytes));
        contents
            .map(Checkpoint::from)
            .map_err(|reason| Error::NotSafetensors { path: "the program's own weights".into(), reason })
    }

    /// What the weights say themselves that they want as input; `origin` is for the message.
    ///
    /// # Errors
    /// Where that is not known here.
    pub fn preprocessing(&self, origin: &str) -> Result<Option<Preprocessing>, Error> {
        match self.preprocessing.as_deref() {
            None => Ok(None),
            Some("caffe") => Ok(Some(Preprocessing::Caffe)),
            Some("torch") => Ok(Some(Preprocessing::Torch)),
            Some(other) => Err(Error::UnknownPreprocessing { origin: origin.to_owned(), value: other.to_owned() }),
        }
    }
}

impl From<safetensors::Contents> for Checkpoint {
    fn from(contents: safetensors::Contents) -> Self {
        Checkpoint { tensors: contents.tensors, preprocessing: contents.preprocessing }
    }
}
