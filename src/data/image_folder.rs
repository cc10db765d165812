//! A folder with one folder per class, read as Keras' `flow_from_directory` reads it: classes in sorted order, the
//! pictures of folders inside a class belong to it, hidden names and files of other kinds are ignored.
//!
//! Symbolic links are followed, each folder is read once per class, and a folder above the class never: a loop ends.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::Error;

const EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "bmp", "gif"];

/// The classes below `path`, sorted by name; at least one.
#[derive(Debug)]
pub struct ImageFolder {
    pub path: PathBuf,
    pub classes: Vec<Class>,
}

/// A class and its files, sorted by path; not looked into yet.
#[derive(Debug)]
pub struct Class {
    pub name: String,
    pub path: PathBuf,
    pub files: Vec<PathBuf>,
    /// Files that are no pictures by their extension.
    ignored: usize,
}

impl ImageFolder {
    /// Lists the folder at `path`.
    pub fn list(path: &Path) -> Result<Self, Error> {
        let metadata = fs::metadata(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::MissingFolder { path: path.to_owned() },
            _ => Error::Folder { path: path.to_owned(), source },
        })?;
        if !metadata.is_dir() {
            return Err(Error::NotAFolder { path: path.to_owned() });
        }
        let mut folders: Vec<_> = visible_entries(path)?.into_iter().filter(|entry| entry.is_dir()).collect();
        folders.sort();
        let classes = folders.into_iter().map(|folder| Class::list(path, folder)).collect::<Result<Vec<_>, _>>()?;
        if classes.is_empty() {
            return Err(Error::NoClasses { path: path.to_owned() });
        }
        Ok(ImageFolder { path: path.to_owned(), classes })
    }

    /// Refuses a single class and empty ones.
    pub fn check(&self) -> Result<(), Error> {
        if let [only] = &*self.classes {
            return Err(Error::OneClass { path: self.path.clone(), class: only.name.clone() });
        }
        match self.classes.iter().find(|class| class.files.is_empty()) {
            Some(empty) => {
                Err(Error::EmptyClass { class: empty.name.clone(), path: empty.path.clone(), ignored: empty.ignored })
            }
            None => Ok(()),
        }
    }

    /// Refuses a class that only one of the two has.
    pub fn check_same_classes(&self, other: &ImageFolder) -> Result<(), Error> {
        for (here, there) in [(self, other), (other, self)] {
            let known: HashSet<&str> = there.classes.iter().map(|class| &*class.name).collect();
            let alone = here.classes.iter().filter(|class| !known.contains(&*class.name));
            let classes: Vec<String> = alone.map(|class| class.name.clone()).collect();
            if !classes.is_empty() {
                return Err(Error::ClassMismatch { classes, present: here.path.clone(), absent: there.path.clone() });
            }
        }
        Ok(())
    }
}

impl Class {
    fn list(root: &Path, path: PathBuf) -> Result<Self, Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut class = Class { name, path: path.clone(), files: Vec::new(), ignored: 0 };
        let mut seen = HashSet::from([real(root)?]);
        let mut pending = vec![path];
        while let Some(folder) = pending.pop() {
            if !seen.insert(real(&folder)?) {
                continue;
            }
            for entry in visible_entries(&folder)? {
                if entry.is_dir() {
                    pending.push(entry);
                } else if is_picture(&entry) {
                    class.files.push(entry);
                } else {
                    class.ignored += 1;
                }
            }
        }
        class.files.sort();
        Ok(class)
    }
}

fn visible_entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::Folder { path: folder.to_owned(), source };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            entries.push(entry.path());
        }
    }
    Ok(entries)
}

fn real(folder: &Path) -> Result<PathBuf, Error> {
    fs::canonicalize(folder).map_err(|source| Error::Folder { path: folder.to_owned(), source })
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    EXTENSIONS.contains(&&*extension)
}
