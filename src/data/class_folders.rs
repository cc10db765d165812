//! A folder with one folder per class, read as Keras' `flow_from_directory` and `text_dataset_from_directory` read it:
//! classes in sorted order, the files of folders inside a class belong to it, hidden names and files of other kinds are
//! ignored.
//!
//! Symbolic links are followed, each folder is read once per class, and a folder above the class never: a loop ends.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::Error;

/// What the files of a class are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Pictures,
    Texts,
}

impl Kind {
    /// Files of this kind end in one of these, in letters of any case.
    fn extensions(self) -> &'static [&'static str] {
        match self {
            Kind::Pictures => &["png", "jpg", "jpeg", "webp", "bmp", "gif"],
            Kind::Texts => &["txt"],
        }
    }

    pub(super) fn has(self, path: &Path) -> bool {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        self.extensions().contains(&&*extension)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Pictures => "pictures",
            Kind::Texts => "texts",
        })
    }
}

/// The classes below `path`, sorted by name; at least one.
#[derive(Debug)]
pub struct ClassFolders {
    pub path: PathBuf,
    pub kind: Kind,
    pub classes: Vec<Class>,
}

/// A class and its files, sorted by path; not looked into yet.
#[derive(Debug)]
pub struct Class {
    pub name: String,
    pub path: PathBuf,
    pub files: Vec<PathBuf>,
    /// Files of another kind by their extension.
    ignored: usize,
}

impl ClassFolders {
    /// Lists the files of one kind in the folder at `path`.
    pub fn of(kind: Kind, path: &Path) -> Result<Self, Error> {
        let metadata = fs::metadata(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::MissingFolder { path: path.to_owned() },
            _ => Error::Folder { path: path.to_owned(), source },
        })?;
        if !metadata.is_dir() {
            return Err(Error::NotAFolder { path: path.to_owned() });
        }
        let mut folders: Vec<_> = visible_entries(path)?.into_iter().filter(|entry| entry.is_dir()).collect();
        folders.sort();
        let classes =
            folders.into_iter().map(|folder| Class::list(path, folder, kind)).collect::<Result<Vec<_>, _>>()?;
        if classes.is_empty() {
            return Err(Error::NoClasses { path: path.to_owned(), kind });
        }
        Ok(ClassFolders { path: path.to_owned(), kind, classes })
    }

    /// Refuses a single class and empty ones.
    pub fn check(&self) -> Result<(), Error> {
        if let [only] = &*self.classes {
            return Err(Error::OneClass { path: self.path.clone(), class: only.name.clone(), kind: self.kind });
        }
        match self.classes.iter().find(|class| class.files.is_empty()) {
            Some(Class { name, path, ignored, .. }) => {
                Err(Error::EmptyClass { class: name.clone(), path: path.clone(), kind: self.kind, ignored: *ignored })
            }
            None => Ok(()),
        }
    }

    /// Refuses a class that only one of the two has.
    pub fn check_same_classes(&self, other: &ClassFolders) -> Result<(), Error> {
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
    fn list(root: &Path, path: PathBuf, kind: Kind) -> Result<Self, Error> {
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
                } else if kind.has(&entry) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixtures::write;
    use std::os::unix::fs::symlink;

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        files.iter().for_each(|file| write(folder.path().join(file), b"x"));
        folder
    }

    fn listed(folder: &Path) -> Vec<(String, Vec<String>)> {
        let shown = |class: &Class, file: &PathBuf| file.strip_prefix(&class.path).unwrap().display().to_string();
        let list = ClassFolders::of(Kind::Pictures, folder).unwrap();
        let files = |class: &Class| class.files.iter().map(|file| shown(class, file)).collect();
        list.classes.iter().map(|class| (class.name.clone(), files(class))).collect()
    }

    #[test]
    fn classes_and_files_are_sorted_and_others_ignored() {
        let folder = folder_with(&[
            "dog/2.png",
            "dog/10.JPG",
            "dog/more/still/3.webp",
            "dog/.hidden.png",
            "dog/.cache/4.png",
            "dog/notes.txt",
            "dog/png",
            "Cat/1.jpeg",
            "Cat/2.gif",
            "Cat/3.bmp",
            ".git/1.png",
            "loose.png",
        ]);
        let expected =
            [("Cat", vec!["1.jpeg", "2.gif", "3.bmp"]), ("dog", vec!["10.JPG", "2.png", "more/still/3.webp"])];
        let expected = expected.map(|(class, files)| (class.to_owned(), files.into_iter().map(String::from).collect()));
        assert_eq!(listed(folder.path()), expected);
        assert_eq!(ClassFolders::of(Kind::Pictures, folder.path()).unwrap().classes[1].ignored, 2);
    }

    #[test]
    fn links_are_followed_and_loops_end() {
        let folder = folder_with(&["a/1.png", "b/2.png"]);
        let elsewhere = folder_with(&["c/deep/3.png"]);
        let path = |inside: &str| folder.path().join(inside);
        symlink(elsewhere.path().join("c"), path("c")).unwrap();
        symlink(path("a"), path("a/itself")).unwrap();
        symlink("..", path("a/up")).unwrap();
        symlink(path("b"), path("b/x")).unwrap();
        symlink("../b/2.png", path("a/borrowed.png")).unwrap();
        let files = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let expected = [
            ("a".to_owned(), files(&["1.png", "borrowed.png"])),
            ("b".to_owned(), files(&["2.png"])),
            ("c".to_owned(), files(&["deep/3.png"])),
        ];
        assert_eq!(listed(folder.path()), expected);
    }

    fn complaint(files: &[&str]) -> String {
        let folder = folder_with(files);
        let error = ClassFolders::of(Kind::Pictures, folder.path()).and_then(|list| list.check()).unwrap_err();
        assert!(error.hint().is_some());
        error.to_string().replace(&*folder.path().to_string_lossy(), "DIR")
    }

    #[test]
    fn what_is_no_set_of_classes_is_refused() {
        assert_eq!(complaint(&["1.png", ".git/x.png"]), "no class folders in DIR");
        assert_eq!(complaint(&["cat/1.png"]), "only one class, `cat`, in DIR; two are needed to tell apart");
        assert_eq!(
            complaint(&["cat/1.png", "dog/1.txt"]),
            "the class `dog` is empty: no pictures in DIR/dog (1 file of another kind was ignored)"
        );
        assert_eq!(complaint(&["cat/1.png", "dog/.x"]), "the class `dog` is empty: no pictures in DIR/dog");
        let folder = folder_with(&["file"]);
        assert!(matches!(
            ClassFolders::of(Kind::Pictures, &folder.path().join("none")),
            Err(Error::MissingFolder { .. })
        ));
        assert!(matches!(ClassFolders::of(Kind::Pictures, &folder.path().join("file")), Err(Error::NotAFolder { .. })));
    }

    #[test]
    fn a_class_on_one_side_only_is_named() {
        let [train, val] =
            [&["a/1.png", "b/1.png"][..], &["a/1.png", "b/1.png", "c/1.png", "d/1.png"]].map(folder_with);
        let [train, val] = [&train, &val].map(|folder| ClassFolders::of(Kind::Pictures, folder.path()).unwrap());
        assert!(train.check_same_classes(&train).is_ok());
        for (one, other) in [(&train, &val), (&val, &train)] {
            let said = one.check_same_classes(other).unwrap_err().to_string();
            let (val, train) = (val.path.display(), train.path.display());
            assert_eq!(said, format!("the classes `c`, `d` are in {val} but not in {train}"));
        }
    }
}
