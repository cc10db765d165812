//! Paths of an experiment: relative to its file's folder, made absolute lexically; and whether they are there.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::keys;
use super::mistakes::{Finding, Findings, quoted};
use super::place::Place;

/// The paths that files name, in the folders that they are relative to.
pub(super) struct Paths<'a> {
    folders: &'a [PathBuf],
    named: RefCell<BTreeSet<Named>>,
}

/// A path with the place where it was typed; the runs of a sweep share it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    path: PathBuf,
    typed: String,
    place: Place,
    wants: Wants,
}

/// What a path must lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wants {
    Folder,
    File,
    Either,
}

impl Wants {
    fn words(self) -> &'static str {
        match self {
            Wants::Folder => "a folder",
            Wants::File => "a file",
            Wants::Either => "a folder or a file",
        }
    }
}

impl<'a> Paths<'a> {
    /// Paths relative to the folder of the file that they stand in, by the numbers of the files; those of an override are
    /// relative to the first one's. The folders are absolute.
    pub fn new(folders: &'a [PathBuf]) -> Self {
        Paths { folders, named: RefCell::default() }
    }

    /// The absolute path that `typed` means; it is remembered for [`Paths::check`].
    pub fn resolve(&self, typed: &str, place: Place, wants: Wants, findings: &Findings) -> PathBuf {
        let folder = self.folders.get(place.source).or(self.folders.first());
        let path = folder.map_or_else(PathBuf::new, |folder| normalized(&folder.join(typed)));
        if typed.is_empty() {
            findings.push(Finding::new(place, format!("the path is empty, expected that of {}", wants.words())));
        } else if path.to_str().is_none() {
            // It could not be written into resolved.yaml.
            let finding = Finding::new(place, "the experiment's folder has a name that is not UTF-8");
            findings.push(finding.hint("rename the folder, or give an absolute path"));
        } else {
            self.named.borrow_mut().insert(Named { path: path.clone(), typed: typed.to_owned(), place, wants });
        }
        path
    }

    /// Looks whether what was named is there, since people mistype paths most.
    pub fn check(self, findings: &Findings) {
        for named in self.named.into_inner() {
            if let Some(finding) = named.problem() {
                findings.push(finding);
            }
        }
    }
}

/// What is wrong with the one path `path`, which is absolute and was typed as `typed`, if anything is.
pub(super) fn problem(path: PathBuf, typed: &str, place: Place, wants: Wants) -> Option<Finding> {
    Named { path: normalized(&path), typed: typed.to_owned(), place, wants }.problem()
}

impl Named {
    fn problem(&self) -> Option<Finding> {
        let shown = quoted(&self.typed);
        let wanted = self.wants.words();
        match fs::metadata(&self.path) {
            Ok(found) if self.wants == Wants::Either || found.is_dir() == (self.wants == Wants::Folder) => None,
            Ok(found) => {
                let is = if found.is_dir() { Wants::Folder.words() } else { Wants::File.words() };
                Some(Finding::new(self.place, format!("{shown} is {is}, expected {wanted}")))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let finding = Finding::new(self.place, format!("there is no {shown}, expected {wanted}"));
                Some(finding.hint(self.hint()))
            }
            Err(error) => Some(Finding::new(self.place, format!("could not look at {shown}: {error}"))),
        }
    }

    /// The nearest name where the path goes astray, or how far it leads.
    fn hint(&self) -> String {
        if self.typed.starts_with(['~', '$']) {
            return "`~` and `$` are not expanded here: write the whole path".into();
        }
        let mut missing = self.path.as_path();
        while let (Some(parent), Some(name)) = (missing.parent(), missing.file_name()) {
            if parent.is_dir() {
                let wants = if missing == self.path { self.wants } else { Wants::Folder };
                let siblings = names_in(parent, wants);
                let near = keys::nearest(&name.to_string_lossy(), siblings.iter().map(String::as_str));
                return match near {
                    Some(near) => format!("did you mean {}?", quoted(&parent.join(near).to_string_lossy())),
                    None => format!("there is no {} in {}", shown(Path::new(name)), shown(parent)),
                };
            }
            missing = parent;
        }
        "paths are relative to the experiment file".into()
    }
}

fn shown(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

/// Names in `folder` of what is wanted; a few thousand at most.
fn names_in(folder: &Path, wants: Wants) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .take(4_096)
        .flatten()
        .filter(|entry| wants == Wants::Either || entry.path().is_dir() == (wants == Wants::Folder))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// `path` without `.` and with each `..` and what it leaves removed, as far as that goes; links are not looked at.
fn normalized(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            component => normal.push(component),
        }
    }
    normal
}
