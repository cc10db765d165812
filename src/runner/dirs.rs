//! The folders of the store's runs, known without listing the store.
//!
//! Invariant: what is given is there; a run that somebody else made or renamed is found all the same, by a look into the
//! store.

use std::collections::BTreeMap;

use crate::base::id::RunId;
use crate::record::{RunDir, Store};

/// The folders of the runs, as far as they are known.
#[derive(Debug, Default)]
pub struct Dirs(BTreeMap<RunId, RunDir>);

impl Dirs {
    /// Takes note of a run's folder.
    pub fn learn(&mut self, dir: RunDir) {
        self.0.insert(dir.id(), dir);
    }

    /// Forgets a run that was removed.
    pub fn forget(&mut self, id: RunId) {
        self.0.remove(&id);
    }

    /// The folder of a run, which is there; None when the store has no such run.
    pub fn find(&mut self, id: RunId, store: &Store) -> Option<RunDir> {
        let is_there = |dir: &&RunDir| dir.path().is_dir();
        if self.0.get(&id).filter(is_there).is_none() {
            self.0 = store.runs().ok()?.into_iter().map(|dir| (dir.id(), dir)).collect();
        }
        self.0.get(&id).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_found_that_was_made_or_renamed_by_another() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let mut dirs = Dirs::default();
        assert_eq!(dirs.find(RunId(1), &store), None);
        std::fs::create_dir(store.root().join("0001-a")).unwrap();
        assert_eq!(dirs.find(RunId(1), &store).unwrap().name(), "a");
        std::fs::rename(store.root().join("0001-a"), store.root().join("0001-b")).unwrap();
        assert_eq!(dirs.find(RunId(1), &store).unwrap().name(), "b");
        std::fs::remove_dir(store.root().join("0001-b")).unwrap();
        assert_eq!(dirs.find(RunId(1), &store), None);
    }
}
