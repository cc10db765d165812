//! How much data there is, at a glance: names are listed and counted, a table's beginning is read, and no sample is looked
//! at.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::class_folders::Kind;

/// A dataset's size, before anything of it was read. What cannot be listed counts nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    pub samples: usize,
    /// Where folders tell.
    pub classes: Option<usize>,
    /// Of all samples as they lie on the disk, where one file has them all.
    pub bytes: u64,
    /// Bytes of the longest sample, where all of a table were seen.
    pub longest: Option<usize>,
}

/// Names that are listed at most; where there are more, there may be any number.
const MOST_NAMES: usize = 200_000;
/// Bytes of a table that are read at most.
const BEGINNING: u64 = 256 << 10;

impl Extent {
    /// Of the class folders or the table at `path`.
    pub fn of(path: &Path, kind: Kind) -> Extent {
        if path.is_dir() { Extent::of_folders(path, kind) } else { Extent::of_table(path).unwrap_or_default() }
    }

    /// This one and `other`, with the same classes.
    pub fn and(self, other: Extent) -> Extent {
        Extent {
            samples: self.samples + other.samples,
            classes: self.classes.max(other.classes),
            bytes: self.bytes + other.bytes,
            longest: self.longest.zip(other.longest).map(|(one, other)| one.max(other)),
        }
    }

    fn of_folders(path: &Path, kind: Kind) -> Extent {
        let (_, classes) = list(path);
        let mut samples = 0;
        let mut pending = classes.clone();
        while let Some(folder) = pending.pop() {
            let (files, folders) = list(&folder);
            samples += files.iter().filter(|file| kind.has(file)).count();
            pending.extend(folders);
            if samples > MOST_NAMES {
                samples = usize::MAX >> 32;
                break;
            }
        }
        Extent { samples, classes: Some(classes.len()), bytes: 0, longest: None }
    }

    /// A line is taken for a sample.
    fn of_table(path: &Path) -> Option<Extent> {
        let file = fs::File::open(path).ok()?;
        let bytes = file.metadata().ok()?.len();
        let mut beginning = Vec::new();
        file.take(BEGINNING).read_to_end(&mut beginning).ok()?;
        let lines = beginning.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let (count, longest) = lines.fold((0, 0), |(count, longest), line| (count + 1, line.len().max(longest)));
        let is_whole = beginning.len() as u64 == bytes;
        let samples = (count as u64 * bytes).div_ceil((beginning.len() as u64).max(1));
        Some(Extent { samples: samples as usize, classes: None, bytes, longest: is_whole.then_some(longest) })
    }
}

/// The visible files and folders in `folder`. Links to folders are not followed here, lest they go round.
fn list(folder: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return Default::default() };
    let entries = entries.flatten().take(MOST_NAMES + 1);
    let visible = entries.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    let (folders, files): (Vec<_>, Vec<_>) =
        visible.partition(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let paths = |entries: Vec<fs::DirEntry>| entries.into_iter().map(|entry| entry.path()).collect();
    (paths(files), paths(folders))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixtures::write;

    #[test]
    fn folders_are_counted_by_their_names() {
        let root = tempfile::tempdir().unwrap();
        for name in ["a/1.png", "a/2.JPG", "a/deep/3.png", "a/.hidden.png", "a/4.txt", "b/1.png", "c/.keep", "5.png"] {
            write(root.path().join(name), b"no picture");
        }
        let extent = Extent::of(root.path(), Kind::Pictures);
        assert_eq!(extent, Extent { samples: 4, classes: Some(3), bytes: 0, longest: None });
        assert_eq!(Extent::of(root.path(), Kind::Texts).samples, 1);
        assert_eq!(Extent::of(&root.path().join("nowhere"), Kind::Pictures), Extent::default());
    }

    #[test]
    fn tables_are_counted_by_their_lines() {
        let root = tempfile::tempdir().unwrap();
        let (small, large) = (root.path().join("small.csv"), root.path().join("large.csv"));
        write(small.clone(), b"text,label\nred apple,food\nant,animal\n");
        let extent = Extent::of(&small, Kind::Texts);
        assert_eq!(extent, Extent { samples: 3, classes: None, bytes: 37, longest: Some(14) });
        write(large.clone(), "a text of no great length,food\n".repeat(30_000).as_bytes());
        let extent = Extent::of(&large, Kind::Texts);
        assert!(extent.samples.abs_diff(30_000) < 100 && extent.longest.is_none(), "{extent:?}");
        let both = extent.and(Extent::of(&small, Kind::Texts));
        assert_eq!((both.samples, both.bytes, both.longest), (extent.samples + 3, extent.bytes + 37, None));
    }
}
