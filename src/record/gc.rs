//! Old checkpoints, which take most of a store's space.
//!
//! Invariant: only runs that are over lose theirs, and their `model/` never goes. A run that somebody queues again in the
//! meantime keeps them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::error::Error;
use super::listing;
use super::run_dir::RunDir;
use super::state::Status;
use super::store::Store;
use super::view;
use crate::base::clock::Timestamp;
use crate::base::durable;

/// Whose checkpoints stay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Keep {
    /// Those of runs that ended less than this ago.
    pub younger_than: Option<Duration>,
    /// Those of so many runs that ended last.
    pub latest: usize,
    /// Those of failed and cancelled runs, with which `retry` goes on where they stopped.
    pub unfinished: bool,
}

/// The checkpoints of a run that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Old {
    pub dir: RunDir,
    pub state: Status,
    pub ended: Timestamp,
    /// What they take.
    pub bytes: u64,
}

/// The checkpoints in `store` that need not stay, those of the run that ended last first.
pub fn old(store: &Store, keep: Keep, now: Timestamp) -> Result<Vec<Old>, Error> {
    let mut all: Vec<Old> = listing::rows(store)?.into_iter().filter_map(of_row).collect();
    all.retain(|old| old.state == Status::Finished || !keep.unfinished);
    all.sort_by_key(|old| std::cmp::Reverse((old.ended, old.dir.id())));
    let is_young = |old: &Old| keep.younger_than.is_some_and(|age| now.since(old.ended) < age);
    Ok(all.into_iter().skip(keep.latest).filter(|old| !is_young(old)).collect())
}

fn of_row(row: super::summary::Row) -> Option<Old> {
    let ended = row.times.ended.filter(|_| row.state.is_over())?;
    let dir = RunDir::at(&row.place.path)?;
    let folder = dir.checkpoints();
    let is_there = folder.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
    is_there.then(|| Old { state: row.state, ended, bytes: size(&folder), dir })
}

impl Old {
    /// Removes them; false where the run is not over any more.
    pub fn remove(&self) -> Result<bool, durable::Error> {
        durable::remove_dir_all_unless(&self.dir.checkpoints(), || !view::load_life(&self.dir).status().is_over())
    }
}

/// Bytes of the files in `folder`; what links point to is not its own.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::life::{Cause, Exited, LifeEvent, Outcome};
    use crate::record::{NewRun, Writer};

    const HOUR: Duration = Duration::from_secs(3600);

    fn append(dir: &RunDir, event: LifeEvent) {
        Writer::open(&dir.run_log()).unwrap().write(event).unwrap();
    }

    fn end(outcome: Outcome) -> LifeEvent {
        let cause = Cause::Completed;
        LifeEvent::Exited(Exited { attempt: 1, outcome, cause, exit_code: None, signal: None, message: None })
    }

    /// Finished, failed, finished and queued runs, each with a checkpoint of 1000 bytes.
    fn store() -> (tempfile::TempDir, Store, Vec<RunDir>) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let queued = LifeEvent::Queued {
            name: "a".into(),
            priority: 0,
            group: None,
            after: Vec::new(),
            needs: Default::default(),
        };
        let run = NewRun { name: "a".into(), experiment: "".into(), resolved: "".into(), life: vec![queued] };
        let dirs = store.create_runs(&vec![run; 4]).unwrap();
        for dir in &dirs {
            fs::create_dir_all(dir.checkpoints()).unwrap();
            fs::create_dir_all(dir.model()).unwrap();
            fs::write(dir.checkpoints().join("last.safetensors"), [0; 1000]).unwrap();
        }
        for (dir, outcome) in dirs.iter().zip([Outcome::Finished, Outcome::Failed, Outcome::Finished]) {
            append(dir, end(outcome));
        }
        (folder, store, dirs)
    }

    #[test]
    fn what_is_old_is_a_matter_of_age_number_and_state() {
        let (_folder, store, dirs) = store();
        let later = crate::base::clock::now().plus(HOUR);
        let nothing = Keep { younger_than: None, latest: 0, unfinished: false };
        let ids = |keep, now| old(&store, keep, now).unwrap().iter().map(|old| old.dir.id().0).collect::<Vec<_>>();
        assert_eq!(ids(nothing, later), [3, 2, 1], "never of a run that is not over");
        assert_eq!(ids(Keep { unfinished: true, ..nothing }, later), [3, 1]);
        assert_eq!(ids(Keep { latest: 1, ..nothing }, later), [2, 1]);
        assert_eq!(ids(Keep { younger_than: Some(HOUR * 2), ..nothing }, later), [0; 0]);
        assert_eq!(ids(Keep { younger_than: Some(HOUR / 2), latest: 2, ..nothing }, later), [1]);
        let outside = tempfile::tempdir().unwrap();
        fs::remove_dir_all(dirs[0].checkpoints()).unwrap();
        std::os::unix::fs::symlink(outside.path(), dirs[0].checkpoints()).unwrap();
        assert_eq!(ids(nothing, later), [3, 2], "a link out of the store is not the store's");
    }

    #[test]
    fn a_run_that_is_queued_again_keeps_its_checkpoints() {
        let (_folder, store, dirs) = store();
        let keep = Keep { younger_than: None, latest: 0, unfinished: true };
        let found = old(&store, keep, crate::base::clock::now()).unwrap();
        assert_eq!(found.iter().map(|old| old.bytes).collect::<Vec<_>>(), [1000, 1000]);
        append(&dirs[2], LifeEvent::Resumed);
        assert_eq!(found.iter().map(|old| old.remove().unwrap()).collect::<Vec<_>>(), [false, true]);
        assert!(dirs[2].checkpoints().join("last.safetensors").is_file());
        assert!(!dirs[0].checkpoints().exists() && dirs[0].model().is_dir());
        assert_eq!(
            fs::read_dir(dirs[0].path())
                .unwrap()
                .filter(|e| {
                    let name = e.as_ref().unwrap().file_name().into_string().unwrap();
                    durable::temporary_of(&name).is_some()
                })
                .count(),
            0
        );
    }
}
