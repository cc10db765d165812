//! What can go wrong between a program and the runner.

use std::io;
use std::path::PathBuf;

use super::lock::Holder;
use super::protocol::LONGEST_REQUEST;
use crate::base::durable;
use crate::base::text::{bytes, printable};
use crate::record;

/// A runner that could not be started, reached or understood.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("another runner has this store: {0}")]
    Held(Holder),
    #[error("the file system of {} has no working locks, so two runners could have this store", store.display())]
    NoLocks { store: PathBuf },
    #[error("the runner does not answer: {0}")]
    Silent(Holder),
    #[error("the runner did not start{}", after_colon(log))]
    NotStarted { log: String, path: PathBuf },
    #[error("the runner ended before it answered")]
    Gone,
    #[error("could not understand the runner's answer: {0}")]
    Garbled(String),
    #[error("the request has {}, and a runner takes at most {}", bytes(*length), bytes(LONGEST_REQUEST))]
    TooLong { length: u64 },
    #[error("could not find this program's own file: {0}")]
    NoProgram(io::Error),
    #[error("{name} is `{}`, expected {expected}", printable(value))]
    BadVariable { name: &'static str, value: String, expected: &'static str },
    #[error("{} {problem}", path.display())]
    BadFolder { path: PathBuf, problem: &'static str },
    #[error("could not {action} {}: {source}", path.display())]
    Socket { action: &'static str, path: PathBuf, source: io::Error },
    #[error("could not {action}: {source}")]
    System { action: &'static str, source: io::Error },
    #[error(transparent)]
    Store(#[from] record::Error),
    #[error(transparent)]
    Write(#[from] durable::Error),
}

impl Error {
    pub(super) fn socket(action: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::Socket { action, path, source }
    }

    pub(super) fn system(action: &'static str) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::System { action, source }
    }

    /// What a person can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Held(_) => Some("`finetop runner status` asks it, `finetop runner stop` ends it".into()),
            Error::NoLocks { .. } => Some("choose a store on another file system with --store".into()),
            Error::Silent(holder) if !holder.is_here() => {
                Some(format!("it runs on another machine: type the command on {}", printable(&holder.host)))
            }
            Error::Silent(holder) => Some(format!("end it with `kill {}` and try again", holder.pid)),
            Error::NotStarted { path, .. } => Some(format!("all that it said is in {}", path.display())),
            Error::Gone => Some("try again; `finetop ls` shows what the store has".into()),
            Error::Garbled(_) => {
                Some("it may be of another version: `finetop runner stop`, and the next command starts this one".into())
            }
            Error::TooLong { .. } => Some("queue fewer experiments at once".into()),
            Error::BadFolder { path, .. } => Some(format!("remove {}, or set XDG_RUNTIME_DIR", path.display())),
            Error::NoProgram(_) | Error::BadVariable { .. } | Error::Socket { .. } | Error::System { .. } => None,
            Error::Store(error) => error.hint(),
            Error::Write(error) => error.hint().map(str::to_owned),
        }
    }
}

fn after_colon(log: &str) -> String {
    if log.is_empty() { String::new() } else { format!(": {}", printable(log)) }
}
