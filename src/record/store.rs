//! A store: a folder of runs.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::format;
use super::new_run::adding_from;
use super::run_dir::RunDir;
use crate::base::id::RunId;
use crate::base::{clock, durable};

/// A folder of runs that exists; its path is absolute and without links, so that two names of one store are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// Opens the store at `path`, which must be there.
    pub fn open(path: &Path) -> Result<Store, Error> {
        let root = match path.canonicalize() {
            Ok(root) => root,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(Error::NoStore { path: path.to_owned() }),
            Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
                return Err(Error::NotAFolder { path: path.to_owned() });
            }
            Err(e) => return Err(Error::read("open the store", path)(e)),
        };
        if !root.is_dir() {
            return Err(Error::NotAFolder { path: path.to_owned() });
        }
        format::check(&root)?;
        Ok(Store { root })
    }

    /// Opens the store at `path`, making the folder where it is missing; for whoever is about to make runs.
    pub fn create(path: &Path) -> Result<Store, Error> {
        let store = match Store::open(path) {
            Err(Error::NoStore { .. }) => {
                durable::create_dir_all(path)?;
                Store::open(path)?
            }
            opened => opened?,
        };
        format::write(&store.root)?;
        Ok(store)
    }

    /// An error where locks in the store's folder exclude nobody.
    pub fn require_locks(&self) -> Result<(), Error> {
        if durable::lock_works(&self.root)? { Ok(()) } else { Err(Error::NoLocks { store: self.root.clone() }) }
    }

    /// The folder, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file that the one live runner holds.
    pub fn runner_lock(&self) -> PathBuf {
        self.root.join("runner.lock")
    }

    /// What the runner itself has to say.
    pub fn runner_log(&self) -> PathBuf {
        self.root.join("runner.log")
    }

    /// The number that the next run gets, so that one is never given twice, even after the last run was removed.
    pub(super) fn next_id(&self) -> PathBuf {
        self.root.join(".next_id")
    }

    /// Held while runs are made: a runner and a foreground run may do so at once.
    pub(super) fn id_lock(&self) -> PathBuf {
        self.root.join(".next_id.lock")
    }

    /// All runs by number; of two folders with one number only the first by name is a run, and a link to a folder is none.
    pub fn runs(&self) -> Result<Vec<RunDir>, Error> {
        let mut scan = self.scan()?;
        // Of what is on its way none is shown; somebody may have begun or finished to make runs while we looked.
        for _ in 0..3 {
            let again = self.scan_if_changed(&scan)?;
            match again {
                Some(again) => scan = again,
                None => break,
            }
        }
        let mut runs = scan.folders;
        if let Some(first) = scan.adding {
            runs.retain(|run| run.id() < first);
        }
        runs.dedup_by_key(|run| run.id());
        Ok(runs)
    }

    /// What is in the store's folder now.
    pub(super) fn scan(&self) -> Result<Scan, Error> {
        let failed = || Error::read("list the store", &self.root);
        let mut scan = Scan { changed: changed(&self.root), ..Scan::default() };
        for entry in fs::read_dir(&self.root).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            match RunDir::at(&entry.path()) {
                Some(run) => {
                    scan.highest = scan.highest.max(run.id().0);
                    if is_folder { scan.folders.push(run) } else { scan.others.push(run) }
                }
                None => scan.adding = scan.adding.or(entry.file_name().to_str().and_then(adding_from)),
            }
        }
        scan.folders.sort_by(|a, b| (a.id(), a.path()).cmp(&(b.id(), b.path())));
        Ok(scan)
    }

    fn scan_if_changed(&self, scan: &Scan) -> Result<Option<Scan>, Error> {
        if changed(&self.root) == scan.changed { Ok(None) } else { self.scan().map(Some) }
    }

    /// The run that `text` means: its number (`7`, `0007`), its name, or the beginning of its folder's name or name.
    /// A name that several runs have, or a beginning that several share, is an error that lists them.
    pub fn find(&self, text: &str) -> Result<RunDir, Error> {
        let runs = self.runs()?;
        let text = text.trim().trim_end_matches('/');
        if let Ok(id) = text.parse::<RunId>() {
            return one(text, self, &runs, |run| run.id() == id);
        }
        let exact = |run: &RunDir| run.name() == text || run.path().file_name().is_some_and(|name| name == text);
        if runs.iter().any(exact) {
            return one(text, self, &runs, exact);
        }
        one(text, self, &runs, |run| {
            !text.is_empty() && (run.folder_name().starts_with(text) || run.name().starts_with(text))
        })
    }
}

/// What a store's folder has.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// By number, then by name.
    pub folders: Vec<RunDir>,
    /// Named as runs are, but no folders.
    pub others: Vec<RunDir>,
    /// The highest number that anything has; 0 where nothing has one.
    pub highest: u32,
    /// From this number on, runs are on their way.
    pub adding: Option<RunId>,
    changed: Option<(i64, i64)>,
}

/// The names in a store's folder, as of when they were listed.
#[derive(Debug)]
pub(super) struct Listed {
    changed: Option<(i64, i64)>,
    /// Whether a later change would show: a file system's clock stands still for a while.
    is_settled: bool,
}

impl Listed {
    /// To be asked for before the folder at `root` is listed.
    pub fn now(root: &Path) -> Listed {
        const STILL: i64 = 2;
        let changed = changed(root);
        let now = clock::now().as_millis() / 1000;
        Listed { changed, is_settled: changed.is_some_and(|(seconds, _)| seconds + STILL < now) }
    }

    /// Whether the folder at `root` has the same names still.
    pub fn is_still(&self, root: &Path) -> bool {
        self.is_settled && self.changed == changed(root)
    }
}

/// When names in the folder changed last.
fn changed(folder: &Path) -> Option<(i64, i64)> {
    fs::metadata(folder).ok().map(|metadata| (metadata.mtime(), metadata.mtime_nsec()))
}

/// The only one of `runs` that is `wanted`.
fn one(text: &str, store: &Store, runs: &[RunDir], wanted: impl Fn(&RunDir) -> bool) -> Result<RunDir, Error> {
    let found: Vec<&RunDir> = runs.iter().filter(|run| wanted(run)).collect();
    let names = |runs: &[&RunDir]| runs.iter().map(|run| run.folder_name()).collect();
    match found.as_slice() {
        [run] => Ok((*run).clone()),
        [] => {
            let all: Vec<&RunDir> = runs.iter().rev().collect();
            Err(Error::NoSuchRun { text: text.to_owned(), store: store.root.clone(), runs: names(&all) })
        }
        several => Err(Error::Ambiguous { text: text.to_owned(), runs: names(several) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store_with(folders: &[&str]) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("runs")).unwrap();
        folders.iter().for_each(|name| fs::create_dir(store.root().join(name)).unwrap());
        (folder, store)
    }

    #[test]
    fn a_run_is_found_by_number_name_and_beginning() {
        let (_folder, store) = store_with(&["0001-emoji", "0002-emoji-lr", "0007-vgg16", "0012-vgg16", "x", ".0009-t"]);
        fs::write(store.root().join("0008-file"), "").unwrap();
        let found = |text: &str| store.find(text).map(|run| run.id().0).map_err(|e| e.to_string());
        for (text, id) in [
            ("7", 7),
            ("0007", 7),
            ("emoji", 1),
            ("emoji-l", 2),
            ("0002-em", 2),
            ("0001-emoji", 1),
            ("0001-emoji/", 1),
            ("0012-", 12),
        ] {
            assert_eq!(found(text), Ok(id), "{text}");
        }
        assert_eq!(store.find("vgg").unwrap_err().to_string(), "`vgg` could be any of 2: 0007-vgg16, 0012-vgg16");
        assert!(found("vgg16").unwrap_err().contains("0007-vgg16"), "a name that two runs have");
        for text in ["99", "nothing", "", "8", "../x"] {
            let missing = store.find(text).unwrap_err();
            assert!(missing.hint().unwrap().starts_with("the store has 0012-vgg16, 0007-vgg16"), "{text}");
        }
    }

    #[test]
    fn a_store_that_is_missing_or_no_folder_is_said_so() {
        let (folder, store) = store_with(&[]);
        assert!(matches!(Store::open(&folder.path().join("none")), Err(Error::NoStore { .. })));
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(Store::open(&file), Err(Error::NotAFolder { .. })));
        assert!(matches!(Store::create(&file.join("below")), Err(Error::NotAFolder { .. })));
        assert_eq!(Store::open(&folder.path().join("runs/../runs")).unwrap(), store);
        assert_eq!(store.find("1").unwrap_err().hint().unwrap(), "the store has no runs yet");
    }

    #[test]
    fn of_two_folders_with_one_number_the_first_counts() {
        let (_folder, store) = store_with(&["0001-b", "0001-a"]);
        let names: Vec<String> = store.runs().unwrap().iter().map(|run| run.folder_name()).collect();
        assert_eq!(names, ["0001-a"]);
    }
}
