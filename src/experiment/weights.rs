//! What `model.weights` can be.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::KnownWeights;

/// Where the backbone's weights come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weights {
    /// Drawn by the seed: nothing pretrained.
    Random,
    /// A `.safetensors` file, or one of PyTorch's: `.pth`, `.pt`, `.bin`.
    File(PathBuf),
    /// By name.
    Known(&'static KnownWeights),
    /// On a model hub: `hf:OWNER/REPO[@REVISION][/FILE]`.
    Hub {
        /// `OWNER/REPO`.
        repo: String,
        /// A branch, a tag or a commit; `main` where not given.
        revision: Option<String>,
        /// Where not given: `model.safetensors`, or what stands in for it.
        file: Option<String>,
    },
}

/// As `model.weights` takes it.
impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Weights::Random => f.write_str("random"),
            Weights::File(path) => path.display().fmt(f),
            Weights::Known(known) => f.write_str(known.name),
            Weights::Hub { repo, revision, file } => {
                write!(f, "hf:{repo}")?;
                revision.iter().try_for_each(|revision| write!(f, "@{revision}"))?;
                file.iter().try_for_each(|file| write!(f, "/{file}"))
            }
        }
    }
}

impl Serialize for Weights {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Weights::File(path) => path.serialize(serializer),
            other => serializer.collect_str(other),
        }
    }
}
