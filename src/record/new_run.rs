//! Makes the folders of new runs, all of several or none.
//!
//! Invariants: a number is written down as taken before its folder exists, and never given again. All folders are filled
//! in a hidden one, `.new`, which is renamed to `.NUMBER.adding` when every file is on the disk: from that moment on all of
//! the runs are there, before it none is. They are moved out from there, and until that folder is gone nobody sees a run
//! of that number or a higher one. A maker that died leaves a `.new`, which the next one removes, or an `.adding`, which it
//! finishes.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::life::LifeEvent;
use super::run_dir::RunDir;
use super::store::Store;
use super::writer;
use crate::base::durable::{self, Batch};
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
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        let _lock = self.lock_numbers()?;
        self.finish_adding()?;
        let dirs = self.take_numbers(runs)?;
        self.fill(&dirs, runs).and_then(|()| self.show(&dirs)).inspect_err(|_| self.take_back(&dirs))?;
        Ok(dirs)
    }

    /// Finishes what a maker of runs began that died, or removes it.
    pub fn settle(&self) -> Result<(), Error> {
        let is_settled = self.scan()?.adding.is_none() && !self.filling().exists();
        if is_settled {
            return Ok(());
        }
        let _lock = self.lock_numbers()?;
        self.finish_adding()
    }

    /// Held while runs are made: a runner and a foreground run may do so at once.
    pub(super) fn lock_numbers(&self) -> Result<fs::File, Error> {
        self.require_locks()?;
        Ok(durable::lock(&self.id_lock())?)
    }

    fn finish_adding(&self) -> Result<(), Error> {
        self.discard();
        while let Some(first) = self.scan()?.adding {
            self.move_out(first)?;
        }
        Ok(())
    }

    /// The runs that are made, not whole yet.
    pub(super) fn filling(&self) -> PathBuf {
        self.root().join(".new")
    }

    /// The runs that are made, whole, on their way.
    fn adding(&self, first: RunId) -> PathBuf {
        self.root().join(format!(".{first}{ADDING_END}"))
    }

    fn take_numbers(&self, runs: &[NewRun]) -> Result<Vec<RunDir>, Error> {
        let first = self.next_number()?;
        let dirs: Vec<RunDir> =
            (first..).zip(runs).map(|(id, run)| RunDir::new(self.root(), RunId(id), &run.name)).collect();
        let next = first.saturating_add(u32::try_from(dirs.len()).unwrap_or(u32::MAX));
        self.write_next_number(next)?;
        Ok(dirs)
    }

    pub(super) fn write_next_number(&self, next: u32) -> Result<(), durable::Error> {
        durable::write(&self.next_id(), format!("{next}\n").as_bytes())
    }

    /// The number after all that were given, and after all that are there.
    pub(super) fn next_number(&self) -> Result<u32, Error> {
        let highest = self.scan()?.highest;
        let written = durable::read(&self.next_id()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let written = written.and_then(|text| text.trim().parse::<u32>().ok());
        Ok(written.unwrap_or(1).max(highest.saturating_add(1)))
    }

    fn fill(&self, dirs: &[RunDir], runs: &[NewRun]) -> Result<(), durable::Error> {
        let folder = self.filling();
        let mut batch = Batch::default();
        batch.create_dir(folder.clone())?;
        for (dir, run) in dirs.iter().zip(runs) {
            let dir = RunDir::new(&folder, dir.id(), dir.name());
            batch.create_dir(dir.path().to_owned())?;
            batch.write(dir.experiment_yaml(), run.experiment.as_bytes())?;
            batch.write(dir.resolved_yaml(), run.resolved.as_bytes())?;
            batch.write(dir.run_log(), &writer::first_lines(run.life.iter().cloned()))?;
        }
        batch.sync(self.root())
    }

    /// Makes what was filled be there, at one blow, and gives every run its place.
    fn show(&self, dirs: &[RunDir]) -> Result<(), durable::Error> {
        let Some(first) = dirs.first().map(RunDir::id) else { return Ok(()) };
        durable::rename(&self.filling(), &self.adding(first))?;
        self.move_out(first)
    }

    /// Moves the runs that are on their way to their places; where one cannot be moved, none is.
    fn move_out(&self, first: RunId) -> Result<(), durable::Error> {
        let adding = self.adding(first);
        durable::move_all(&names_in(&adding), &adding, self.root())?;
        durable::remove_empty_dir(&adding)
    }

    /// Makes what failed not have been. Where that fails too, all of them stay on their way, and come with the next maker.
    fn take_back(&self, dirs: &[RunDir]) {
        let Some(first) = dirs.first().map(RunDir::id) else { return };
        if !self.filling().exists() {
            let adding = self.adding(first);
            let shown: Vec<String> =
                dirs.iter().filter(|dir| dir.path().exists()).map(|dir| dir.folder_name()).collect();
            let back = durable::create_own_dir(&adding)
                .and_then(|()| durable::move_all(&shown, self.root(), &adding))
                .and_then(|()| durable::rename(&adding, &self.filling()));
            if back.is_err() {
                return;
            }
        }
        self.discard();
    }

    /// Removes what is half made; whoever makes runs holds the lock.
    fn discard(&self) {
        if self.filling().exists() {
            let _ = durable::remove_dir_all(&self.filling());
        }
    }
}

const ADDING_END: &str = ".adding";

/// The first number of those that a folder of this name holds until they are at their places.
pub(super) fn adding_from(folder_name: &str) -> Option<RunId> {
    folder_name.strip_prefix('.')?.strip_suffix(ADDING_END)?.parse().ok()
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
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
        let is_ours = |name: &String| !name.starts_with(".next_id") && name != "store.json";
        let mut names: Vec<String> = names.filter(is_ours).collect();
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

    /// A store in which two runs are and three more are being made, of which `moved` have reached their places.
    fn store_that_adds(moved: usize) -> (tempfile::TempDir, Store) {
        let (folder, store) = store();
        store.create_runs(&[run("a"), run("b")]).unwrap();
        let runs = ["c", "d", "e"].map(run);
        let dirs = store.take_numbers(&runs).unwrap();
        store.fill(&dirs, &runs).unwrap();
        let adding = store.adding(dirs[0].id());
        durable::rename(&store.filling(), &adding).unwrap();
        durable::move_all(&names_in(&adding)[..moved], &adding, store.root()).unwrap();
        (folder, store)
    }

    fn names(store: &Store) -> Vec<String> {
        store.runs().unwrap().iter().map(RunDir::folder_name).collect()
    }

    #[test]
    fn a_maker_that_died_while_it_filled_has_made_nothing() {
        let (_folder, store) = store();
        store.create_runs(&[run("a")]).unwrap();
        let runs = ["b", "c"].map(run);
        let dirs = store.take_numbers(&runs).unwrap();
        store.fill(&dirs[..1], &runs[..1]).unwrap();
        assert_eq!(names(&store), ["0001-a"]);
        assert_eq!(store.create_runs(&[run("d")]).unwrap()[0].folder_name(), "0004-d");
        assert_eq!(visible(&store), ["0001-a", "0004-d"]);
    }

    #[test]
    fn a_maker_that_died_while_it_moved_has_made_all_of_them() {
        for moved in 0..=3 {
            let (_folder, store) = store_that_adds(moved);
            assert_eq!(names(&store), ["0001-a", "0002-b"], "half of them are not shown, after {moved} moves");
            assert!(store.find("3").is_err());
            store.settle().unwrap();
            let all = ["0001-a", "0002-b", "0003-c", "0004-d", "0005-e"];
            assert_eq!((names(&store), visible(&store)), (all.map(str::to_owned).to_vec(), names(&store)));
            assert!(store.runs().unwrap().iter().all(|dir| view::load(dir).life.queued.is_some()));
            let (_folder, store) = store_that_adds(moved);
            assert_eq!(store.create_runs(&[run("f")]).unwrap()[0].folder_name(), "0006-f");
            assert_eq!(names(&store).len(), 6);
        }
    }

    #[test]
    fn what_cannot_be_shown_was_never_made() {
        for moved in 0..=3 {
            let (_folder, store) = store_that_adds(moved);
            let dirs = [3, 4, 5].map(RunId).into_iter().zip(["c", "d", "e"]);
            let dirs: Vec<RunDir> = dirs.map(|(id, name)| RunDir::new(store.root(), id, name)).collect();
            if moved == 3 {
                // As after a last step that failed: all are at their places, and said not to be there.
                durable::remove_empty_dir(&store.adding(RunId(3))).unwrap();
                assert_eq!(names(&store).len(), 5);
            }
            store.take_back(&dirs);
            assert_eq!(visible(&store), ["0001-a", "0002-b"]);
        }
        let (_folder, store) = store_that_adds(1);
        fs::create_dir(store.root().join("0004-d")).unwrap();
        assert!(store.settle().is_err(), "something is in the way");
        assert_eq!(names(&store), ["0001-a", "0002-b"]);
        fs::remove_dir(store.root().join("0004-d")).unwrap();
        store.settle().unwrap();
        assert_eq!(names(&store).len(), 5);
    }

    #[test]
    fn a_name_that_is_in_the_way_or_no_name_makes_nothing() {
        let (_folder, store) = store();
        fs::write(store.root().join("0002-b"), "a file").unwrap();
        assert_eq!(store.create_runs(&[run("a"), run("b")]).unwrap()[0].id(), RunId(3), "its number is taken");
        for name in ["", "a/b", "../x", "a\u{1b}b", "a\n"] {
            assert!(matches!(store.create_runs(&[run("fine"), run(name)]), Err(Error::BadName { .. })), "{name:?}");
        }
        assert_eq!(visible(&store), ["0002-b", "0003-a", "0004-b"]);
        assert_eq!(store.create_runs(&[]).unwrap(), []);
    }
}
