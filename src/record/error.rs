//! What can go wrong between a program and a store.

use std::io;
use std::path::{Path, PathBuf};

use crate::base::durable;
use crate::base::text::printable;

/// A store or a run that could not be opened, read or found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no store at {}", path.display())]
    NoStore { path: PathBuf },
    #[error("{} is not a folder, so it cannot be a store", path.display())]
    NotAFolder { path: PathBuf },
    #[error(
        "finetop {} reads stores of format {}, this one is {format}: {}",
        env!("CARGO_PKG_VERSION"), super::format::FORMAT, store.display()
    )]
    NewerFormat { store: PathBuf, format: u32, version: String },
    #[error("the file system of {} has no working locks, so two runners could have one store", store.display())]
    NoLocks { store: PathBuf },
    #[error("could not tell the format of the store from {}: {reason}", path.display())]
    NoFormat { path: PathBuf, reason: String },
    #[error("could not {action} {}: {source}", path.display())]
    Read { action: &'static str, path: PathBuf, source: io::Error },
    #[error(transparent)]
    Write(#[from] durable::Error),
    #[error("there is no run `{}` in {}", printable(text), store.display())]
    NoSuchRun { text: String, store: PathBuf, runs: Vec<String> },
    #[error("`{}` cannot be the name of a run", printable(name))]
    BadName { name: String },
    #[error("`{}` could be any of {}: {}", printable(text), runs.len(), shown(runs))]
    Ambiguous { text: String, runs: Vec<String> },
}

impl Error {
    pub(super) fn read<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Error + 'a {
        move |source| Error::Read { action, path: path.to_owned(), source }
    }

    /// What a person can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::NoStore { .. } => {
                Some("choose one with --store DIR, or queue an experiment with `finetop add`".into())
            }
            Error::NotAFolder { .. } => Some("choose a folder with --store DIR".into()),
            Error::NewerFormat { version, .. } => Some(format!(
                "upgrade finetop to {} or later, or choose another store with --store DIR",
                printable(version)
            )),
            Error::NoLocks { .. } => Some("choose a store on another file system with --store DIR".into()),
            Error::NoFormat { path, .. } => {
                Some(format!("remove {}, if no newer finetop used this store", path.display()))
            }
            Error::Read { source, .. } if durable::is_link(source) => Some(durable::LINK_HINT.into()),
            Error::Read { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("you may not read there: choose another store with --store".into())
            }
            Error::Read { .. } => None,
            Error::Write(error) => error.hint().map(str::to_owned),
            Error::NoSuchRun { runs, .. } if runs.is_empty() => Some("the store has no runs yet".into()),
            Error::NoSuchRun { runs, .. } => Some(format!("the store has {}", shown(runs))),
            Error::BadName { .. } => Some("take 1 to 64 letters, digits, `-`, `_` and `.`".into()),
            Error::Ambiguous { .. } => Some("give the run's number, or more of its name".into()),
        }
    }
}

/// The first few of `runs`, in one line.
fn shown(runs: &[String]) -> String {
    const MOST: usize = 6;
    let names: Vec<String> = runs.iter().take(MOST).map(|name| printable(name)).collect();
    match runs.len().saturating_sub(MOST) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
