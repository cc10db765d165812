//! `runner.lock`: who has a store.
//!
//! Invariant: only the lock counts, which the kernel drops with its holder; what the file says is for messages and to
//! find the socket.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::endpoint;
use super::error::Error;
use crate::base::durable;
use crate::base::text::printable;
use crate::record::Store;

/// Who holds a store, as the lock file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: i32,
    pub host: String,
    pub version: String,
    pub socket: PathBuf,
}

impl Holder {
    /// This process, answering at `socket`.
    pub fn this(socket: PathBuf) -> Self {
        let pid = i32::try_from(std::process::id()).unwrap_or_default();
        Holder { pid, host: host(), version: env!("CARGO_PKG_VERSION").to_owned(), socket }
    }

    /// Whether it is on this machine.
    pub fn is_here(&self) -> bool {
        self.host == host()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Holder { pid, host, version, socket: _ } = self;
        write!(f, "process {pid} on {}, finetop {}", printable(host), printable(version))
    }
}

/// This machine's name.
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// A store that is held, until the value is dropped.
#[derive(Debug)]
pub struct RunnerLock {
    file: File,
    path: PathBuf,
}

impl RunnerLock {
    /// Takes the store, or says who has it.
    pub fn take(store: &Store) -> Result<RunnerLock, Error> {
        let path = store.runner_lock();
        let file = durable::open_lock(&path)?;
        store.require_locks()?;
        // A client that asks whether the lock is held holds it itself for a moment.
        for _ in 0..20 {
            match file.try_lock() {
                Ok(()) => return Ok(RunnerLock { file, path }),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(25)),
                Err(TryLockError::Error(source)) => return Err(Error::Socket { action: "lock", path, source }),
            }
        }
        Err(Error::Held(read(store).unwrap_or_else(unknown)))
    }

    /// Whether the store still has the file that is held: somebody may have removed it.
    pub fn is_there(&self) -> bool {
        let held = self.file.metadata().map(|metadata| (metadata.dev(), metadata.ino()));
        let there = fs::metadata(&self.path).map(|metadata| (metadata.dev(), metadata.ino()));
        matches!((held, there), (Ok(held), Ok(there)) if held == there)
    }

    /// Writes down who holds it.
    pub fn sign(&mut self, holder: &Holder) -> Result<(), Error> {
        let mut line = serde_json::to_vec(holder).map_err(|e| Error::Garbled(e.to_string()))?;
        line.push(b'\n');
        Ok(durable::refill(&mut self.file, &self.path, &line)?)
    }
}

/// Who has the store now; None when nobody does.
pub fn holder(store: &Store) -> Option<Holder> {
    let file = durable::open(&store.runner_lock()).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(read(store).unwrap_or_else(unknown)),
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

/// The socket of a runner that died; None while one lives.
pub fn dead_socket(store: &Store) -> Option<PathBuf> {
    let socket = read(store)?.socket;
    let is_dead = holder(store).is_none() && endpoint::is_ours(&socket) && UnixStream::connect(&socket).is_err();
    is_dead.then_some(socket)
}

fn read(store: &Store) -> Option<Holder> {
    serde_json::from_slice(&durable::read(&store.runner_lock()).ok()?).ok()
}

/// One that has not signed yet.
fn unknown() -> Holder {
    Holder { pid: 0, host: host(), version: "?".into(), socket: PathBuf::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_has_one_holder_and_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        assert_eq!(holder(&store), None);
        let mut lock = RunnerLock::take(&store).unwrap();
        assert_eq!(holder(&store).map(|holder| holder.pid), Some(0), "not signed yet");
        let this = Holder::this("/x.sock".into());
        lock.sign(&this).unwrap();
        lock.sign(&this).unwrap();
        assert_eq!(holder(&store), Some(this.clone()));
        let refused = RunnerLock::take(&store).unwrap_err();
        assert!(refused.to_string().contains(&format!("process {}", std::process::id())), "{refused}");
        assert!(this.is_here() && refused.hint().is_some());
        drop(lock);
        assert_eq!(holder(&store), None);
        RunnerLock::take(&store).unwrap();
    }
}
