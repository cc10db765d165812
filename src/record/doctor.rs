//! What is wrong in a store, and how it is mended.
//!
//! Invariants: looking changes nothing. A run with a worker is neither looked into nor touched. Mending is for whoever
//! holds the store as a runner does, so that nobody starts a run meanwhile; nothing that only a person could make again is
//! removed by it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::store::Store;

mod mend;
mod root;
mod run;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub place: PathBuf,
    pub fault: Fault,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// New runs whose maker died before they were whole.
    HalfMade,
    /// New runs whose maker died before they had their places.
    OnTheirWay,
    /// What a process that died was writing or removing.
    Temporary,
    /// A log whose last line was not written to its end.
    TornTail { bytes: u64 },
    /// A folder named as a run without a life that can be read.
    NoLife,
    /// A second folder with a number, of which nobody sees but the first.
    SameNumber,
    /// A file or a link that is named as a run.
    NoFolder,
    /// A symbolic link in a run, which is not followed.
    Link,
    /// Other people can read or write it.
    TooOpen { mode: u32 },
    /// Not even its owner can.
    Locked { mode: u32 },
    /// The summary of a run that is over is missing or older than its logs.
    StaleSummary,
    /// The next number is not written down, or was given already.
    Counter,
    /// What a runner that died listened on.
    Socket,
}

impl Fault {
    /// What mending does; None where a person has to.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Fault::HalfMade | Fault::Temporary | Fault::Socket => Some("removed"),
            Fault::OnTheirWay => Some("given their places"),
            Fault::TornTail { .. } => Some("cut to whole lines"),
            Fault::NoLife => Some("moved to `lost/`"),
            Fault::SameNumber => Some("given a new number"),
            Fault::TooOpen { .. } | Fault::Locked { .. } => Some("permissions changed"),
            Fault::StaleSummary => Some("made again"),
            Fault::Counter => Some("written anew"),
            Fault::NoFolder | Fault::Link => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::HalfMade => write!(f, "new runs that were never whole"),
            Fault::OnTheirWay => write!(f, "new runs that have not reached their places"),
            Fault::Temporary => write!(f, "left by a process that died"),
            Fault::TornTail { bytes } => write!(f, "its last line is torn ({bytes} bytes)"),
            Fault::NoLife => write!(f, "named as a run, but without a run.jsonl that can be read"),
            Fault::SameNumber => write!(f, "another run has the same number"),
            Fault::NoFolder => write!(f, "named as a run, but no folder"),
            Fault::Link => write!(f, "a symbolic link, which is not followed: put the file itself there"),
            Fault::TooOpen { mode } => write!(f, "other people can reach it (mode {mode:03o})"),
            Fault::Locked { mode } => write!(f, "its owner cannot use it (mode {mode:03o})"),
            Fault::StaleSummary => write!(f, "the summary is missing or older than the logs"),
            Fault::Counter => write!(f, "does not say which number is next"),
            Fault::Socket => write!(f, "the socket of a runner that died"),
        }
    }
}

impl Finding {
    fn new(place: impl Into<PathBuf>, fault: Fault) -> Finding {
        Finding { place: place.into(), fault }
    }
}

/// All that is wrong in `store`. `mask` are the permissions that nothing in it should have.
pub fn checkup(store: &Store, mask: u32) -> Result<Vec<Finding>, Error> {
    let mut findings = root::look(store, mask)?;
    let scan = store.scan()?;
    let on_its_way = |id| scan.adding.is_some_and(|first| id >= first);
    let mut seen = BTreeSet::new();
    for dir in scan.folders.iter().filter(|dir| !on_its_way(dir.id())) {
        let is_second = !seen.insert(dir.id());
        run::look(dir, is_second, mask, &mut findings);
    }
    Ok(findings)
}

/// Whether the process with this number lives on this machine, or belongs to somebody else here.
fn is_alive(pid: i32) -> bool {
    use rustix::process::{Pid, test_kill_process};
    Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// Whether `path` was left by a process of ours that died.
fn is_left_over(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    crate::base::durable::temporary_of(name).is_some_and(|pid| !is_alive(pid))
}

#[cfg(test)]
mod tests;
