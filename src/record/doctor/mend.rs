//! Mending what was found.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Fault, Finding};
use crate::base::durable::{self, Appender};
use crate::base::id::RunId;
use crate::record::error::Error;
use crate::record::{RunDir, Store, summary};

impl Finding {
    /// Mends it; false where a person has to. Nobody else may be starting runs of `store`.
    pub fn mend(&self, store: &Store, mask: u32) -> Result<bool, Error> {
        let place = self.place.as_path();
        match self.fault {
            Fault::HalfMade => {
                // Whoever is at it holds the lock.
                let _lock = store.lock_numbers()?;
                remove(place)?;
            }
            Fault::OnTheirWay => store.settle()?,
            Fault::Temporary | Fault::Socket => remove(place)?,
            Fault::TornTail { .. } => drop(Appender::open(place)?),
            Fault::NoLife => set_aside(store, place)?,
            Fault::SameNumber => renumber(store, place)?,
            Fault::TooOpen { mode } => durable::set_mode(place, mode & !(mask & 0o077))?,
            Fault::Locked { mode } => {
                let needed = if place.is_dir() { 0o700 } else { 0o600 };
                durable::set_mode(place, (mode | needed) & !(mask & 0o077))?;
            }
            Fault::StaleSummary => place.parent().and_then(RunDir::at).map_or(Ok(()), |dir| summary::save(&dir))?,
            Fault::Counter => {
                let _lock = store.lock_numbers()?;
                store.write_next_number(store.next_number()?)?;
            }
            Fault::NoFolder | Fault::Link => return Ok(false),
        }
        Ok(true)
    }
}

fn remove(path: &Path) -> Result<(), durable::Error> {
    if path.symlink_metadata().is_ok_and(|known| known.is_dir()) {
        make_removable(path);
        durable::remove_dir_all(path)
    } else {
        durable::remove_file(path)
    }
}

/// A folder that its owner may not write cannot be moved or emptied.
fn make_removable(folder: &Path) {
    let mode = folder.symlink_metadata().map_or(0o700, |known| known.permissions().mode());
    if mode & 0o700 != 0o700 {
        let _ = durable::set_mode(folder, mode | 0o700);
    }
}

/// Moves a folder that is no run out of the way, under its name or the next that is free.
fn set_aside(store: &Store, folder: &Path) -> Result<(), durable::Error> {
    let lost = store.root().join("lost");
    durable::create_own_dir(&lost)?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let names = std::iter::once(name.clone()).chain((2..).map(|n| format!("{name}.{n}")));
    let mut free = names.map(|name| lost.join(name)).filter(|path| path.symlink_metadata().is_err());
    free.next().map_or(Ok(()), |free| durable::rename(folder, &free))
}

fn renumber(store: &Store, folder: &Path) -> Result<(), Error> {
    let Some(dir) = RunDir::at(folder) else { return Ok(()) };
    let _lock = store.lock_numbers()?;
    let number = store.next_number()?;
    store.write_next_number(number.saturating_add(1))?;
    Ok(durable::rename(folder, RunDir::new(store.root(), RunId(number), dir.name()).path())?)
}
