//! Makes the folders of new runs.
//!
//! Invariants: a folder is filled under a hidden name and renamed, so that no half-made run is ever seen; of several runs
//! all are made or none; a number is written down as taken before its folder exists, and never given again.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::life::LifeEvent;
use super::run_dir::RunDir;
use super::store::Store;
use super::writer::Writer;
use crate::base::durable;
use crate::base::id::RunId;

/// What a new run's folder begins with.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    pub name: String,
    /// What the user wrote, byte for byte.
    pub experiment: String,
    /// What will really be run.
    pub resolved: String,
    /// The first lines of its life: `queued`, and what is known at once.
    pub life: Vec<LifeEvent>,
}

impl Store {
    /// Makes the folders of `runs`, with the next numbers in order.
    pub fn create_runs(&self, runs: &[NewRun]) -> Result<Vec<RunDir>, Error> {
        if let Some(bad) = runs.iter().find(|run| !is_folder_name(&run.name)) {
            return Err(Error::BadName { name: bad.name.clone() });
        }
        let _lock = durable::lock(&self.id_lock())?;
        self.sweep();
        let dirs = self.take_numbers(runs)?;
        let made = fill_all(self.root(), &dirs, runs).and_then(|()| show_all(&dirs));
        if let Err(error) = made {
            dirs.iter().for_each(|dir| drop(durable::remove_dir_all(&hidden(dir))));
            return Err(error.into());
        }
        Ok(dirs)
    }

    fn take_numbers(&self, runs: &[NewRun]) -> Result<Vec<RunDir>, Error> {
        let highest = self.runs()?.last().map_or(0, |run| run.id().0);
        let written = fs::read_to_string(self.next_id()).ok().and_then(|text| text.trim().parse::<u32>().ok());
        let first = written.unwrap_or(1).max(highest.saturating_add(1));
        let dirs: Vec<RunDir> =
            (first..).zip(runs).map(|(id, run)| RunDir::new(self.root(), RunId(id), &run.name)).collect();
        let next = first.saturating_add(u32::try_from(dirs.len()).unwrap_or(u32::MAX));
        durable::write(&self.next_id(), format!("{next}\n").as_bytes())?;
        Ok(dirs)
    }

    /// Removes what a maker that died left behind; the lock says that none is at work.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(self.root()) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') && name.ends_with(HIDDEN_END) && path.is_dir() {
                let _ = durable::remove_dir_all(&path);
            }
        }
    }
}

const HIDDEN_END: &str = ".new";

fn hidden(dir: &RunDir) -> PathBuf {
    dir.path().with_file_name(format!(".{}{HIDDEN_END}", dir.folder_name()))
}

fn fill_all(root: &Path, dirs: &[RunDir], runs: &[NewRun]) -> Result<(), durable::Error> {
    for (dir, run) in dirs.iter().zip(runs) {
        let folder = hidden(dir);
        durable::create_dir(&folder)?;
        let inside = |path: PathBuf| root.join(&folder).join(path.file_name().unwrap_or_default());
        durable::write(&inside(dir.experiment_yaml()), run.experiment.as_bytes())?;
        durable::write(&inside(dir.resolved_yaml()), run.resolved.as_bytes())?;
        Writer::open(&inside(dir.run_log()))?.write_all(run.life.iter().cloned())?;
    }
    Ok(())
}

/// Gives every folder its name, or none.
fn show_all(dirs: &[RunDir]) -> Result<(), durable::Error> {
    for (shown, dir) in dirs.iter().enumerate() {
        if let Err(error) = durable::rename(&hidden(dir), dir.path()) {
            dirs[..shown].iter().for_each(|dir| drop(durable::remove_dir_all(dir.path())));
            return Err(error);
        }
    }
    Ok(())
}

/// Whether a name can be part of a folder's: experiments are checked when they are read, a request may come from anyone.
fn is_folder_name(name: &str) -> bool {
    const MOST_BYTES: usize = 200;
    (1..=MOST_BYTES).contains(&name.len()) && !name.chars().any(|c| c == '/' || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::view;

    fn run(name: &str) -> NewRun {
        let queued =
            LifeEvent::Queued { name: name.into(), priority: 2, group: None, after: vec![], needs: Default::default() };
        NewRun {
            name: name.into(),
            experiment: "data: x # mine\n".into(),
            resolved: "data: /x\n".into(),
            life: vec![queued],
        }
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        (folder, store)
    }

    fn visible(store: &Store) -> Vec<String> {
        let names = fs::read_dir(store.root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| !name.starts_with(".next_id")).collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_run_has_its_files() {
        let (_folder, store) = store();
        let dirs = store.create_runs(&[run("a"), run("b")]).unwrap();
        assert_eq!(visible(&store), ["0001-a", "0002-b"]);
        assert_eq!(fs::read_to_string(dirs[1].experiment_yaml()).unwrap(), "data: x # mine\n");
        assert_eq!(fs::read_to_string(dirs[1].resolved_yaml()).unwrap(), "data: /x\n");
        let state = view::load(&dirs[1]);
        assert!(state.life.queued.is_some() && state.life.priority == 2);
    }

    #[test]
    fn a_number_is_never_given_twice() {
        let (_folder, store) = store();
        for dir in store.create_runs(&[run("a"), run("b"), run("c")]).unwrap() {
            durable::remove_dir_all(dir.path()).unwrap();
        }
        assert_eq!(store.create_runs(&[run("d")]).unwrap()[0].folder_name(), "0004-d");
        fs::create_dir(store.root().join("0041-copied")).unwrap();
        assert_eq!(store.create_runs(&[run("e")]).unwrap()[0].id(), RunId(42));
        fs::write(store.next_id(), "garbage").unwrap();
        assert_eq!(store.create_runs(&[run("f")]).unwrap()[0].id(), RunId(43));
    }

    #[test]
    fn makers_at_once_get_numbers_of_their_own() {
        let (_folder, store) = store();
        let make = |store: &Store| store.create_runs(&[run("x"), run("y")]).unwrap();
        let mut ids: Vec<u32> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..8).map(|_| scope.spawn(|| make(&store))).collect();
            makers.into_iter().flat_map(|maker| maker.join().unwrap()).map(|dir| dir.id().0).collect()
        });
        ids.sort_unstable();
        assert_eq!(ids, (1..=16).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_is_half_made() {
        let (_folder, store) = store();
        fs::create_dir(store.root().join(".0009-dead.new")).unwrap();
        fs::write(store.root().join("0002-b"), "in the way").unwrap();
        assert!(store.create_runs(&[run("a"), run("b")]).is_err());
        assert_eq!(visible(&store), ["0002-b"]);
        for name in ["", "a/b", "../x", "a\u{1b}b", "a\n"] {
            assert!(matches!(store.create_runs(&[run("fine"), run(name)]), Err(Error::BadName { .. })), "{name:?}");
        }
        assert_eq!(visible(&store), ["0002-b"]);
    }
}
