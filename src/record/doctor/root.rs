//! What is wrong in a store's own folder.

use std::fs::{self, DirEntry, File, Metadata};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Fault, Finding, is_left_over};
use crate::base::durable;
use crate::record::error::Error;
use crate::record::new_run::adding_from;
use crate::record::{RunDir, Store};

/// Files that a store has beside its runs.
const OWN: [&str; 6] = ["runner.lock", "runner.log", ".next_id", ".next_id.lock", ".listing", "store.json"];

pub(super) fn look(store: &Store, mask: u32) -> Result<Vec<Finding>, Error> {
    let root = store.root();
    let makers = Makers::look(store);
    let mut findings = Vec::new();
    for entry in fs::read_dir(root).map_err(Error::read("list the store", root))? {
        let entry = entry.map_err(Error::read("list the store", root))?;
        match fault(&entry) {
            Some(Fault::HalfMade | Fault::OnTheirWay) if matches!(makers, Makers::AtWork) => {}
            Some(fault) => findings.push(Finding::new(entry.path(), fault)),
            None if is_own(&entry) => {
                findings.extend(entry.metadata().ok().and_then(|known| mode(&entry.path(), &known, mask)));
            }
            None => {}
        }
    }
    if matches!(makers, Makers::None(_)) && !counter_is_right(store)? {
        findings.push(Finding::new(store.next_id(), Fault::Counter));
    }
    findings.sort_by(|a, b| a.place.cmp(&b.place));
    Ok(findings)
}

/// Whether somebody is making runs, whose folders are then no left-overs.
enum Makers {
    AtWork,
    /// And nobody begins to while this is held.
    None(#[allow(dead_code)] Option<File>),
}

impl Makers {
    fn look(store: &Store) -> Makers {
        if !store.id_lock().exists() {
            return Makers::None(None);
        }
        match durable::try_lock(&store.id_lock()) {
            Ok(None) => Makers::AtWork,
            Ok(held) => Makers::None(held),
            // A store that cannot be written, in which nobody makes anything.
            Err(_) => Makers::None(None),
        }
    }
}

fn fault(entry: &DirEntry) -> Option<Fault> {
    let (path, name) = (entry.path(), entry.file_name());
    let name = name.to_str().unwrap_or_default();
    let kind = entry.file_type().ok()?;
    // Earlier versions had a hidden folder for each new run.
    if kind.is_dir() && name.starts_with('.') && name.ends_with(".new") {
        Some(Fault::HalfMade)
    } else if kind.is_dir() && adding_from(name).is_some() {
        Some(Fault::OnTheirWay)
    } else if is_left_over(&path) {
        Some(Fault::Temporary)
    } else if RunDir::at(&path).is_some() && !kind.is_dir() {
        Some(Fault::NoFolder)
    } else if is_own(entry) && kind.is_symlink() {
        Some(Fault::Link)
    } else {
        None
    }
}

fn is_own(entry: &DirEntry) -> bool {
    OWN.iter().any(|own| entry.file_name() == *own)
}

/// What is wrong with the permissions of `path`.
pub(super) fn mode(path: &Path, known: &Metadata, mask: u32) -> Option<Finding> {
    let mode = known.permissions().mode() & 0o777;
    let needed = if known.is_dir() { 0o700 } else { 0o600 };
    if mode & needed != needed {
        Some(Finding::new(path, Fault::Locked { mode }))
    } else if mode & mask & 0o077 != 0 {
        Some(Finding::new(path, Fault::TooOpen { mode }))
    } else {
        None
    }
}

/// Whether the next number is written down, where there are runs, and is beyond all of them.
fn counter_is_right(store: &Store) -> Result<bool, Error> {
    let highest = store.scan()?.highest;
    let text = durable::read(&store.next_id()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let next = text.and_then(|text| text.trim().parse::<u32>().ok());
    Ok(next.map_or(highest == 0, |next| next > highest))
}
