//! Why figures could not be replayed.

use std::path::PathBuf;

/// A folder or a file of figures that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{} holds no figures: no file there has the fields of one", path.display())]
    NoFigures { path: PathBuf },
    #[error("{file} is no JSON: {reason}")]
    NotJson { file: String, reason: String },
    #[error("{file}: {reason}")]
    Malformed { file: String, reason: String },
    #[error("{file}: `{field}` {reason}")]
    Field { file: String, field: String, reason: String },
    #[error("{file}: {source}")]
    Train { file: String, source: Box<crate::train::Error> },
}

/// An error of which the file is still to be told.
#[derive(Debug)]
pub(super) enum Trouble {
    NotJson(String),
    /// Not the fields that it should have.
    Malformed(String),
    Field {
        field: String,
        reason: String,
    },
    Train(Box<crate::train::Error>),
}

impl Trouble {
    /// About `field`, of which the message says that it …
    pub fn field(field: &str, reason: impl Into<String>) -> Trouble {
        Trouble::Field { field: field.to_owned(), reason: reason.into() }
    }

    pub fn of(self, file: &str) -> Error {
        let file = file.to_owned();
        match self {
            Trouble::NotJson(reason) => Error::NotJson { file, reason },
            Trouble::Malformed(reason) => Error::Malformed { file, reason },
            Trouble::Field { field, reason } => Error::Field { file, field, reason },
            Trouble::Train(source) => Error::Train { file, source },
        }
    }
}

impl<E: Into<crate::train::Error>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Trouble::Train(Box::new(error.into()))
    }
}
