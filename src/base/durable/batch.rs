//! Many new files that reach the disk together: one wait for all of them, where one for each would take seconds.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::{Result, failed};
use crate::base::fault;

/// Files and folders that were made or changed and may not be on the disk yet.
#[derive(Debug, Default)]
pub struct Batch {
    made: Vec<PathBuf>,
}

/// Up to so many are synced one by one: syncing the whole file system also waits for what others write there.
const FEW: usize = 24;

impl Batch {
    /// Makes the folder `path`, which must not exist; its parent must.
    pub fn create_dir(&mut self, path: PathBuf) -> Result<()> {
        fault::at("folder").and_then(|()| fs::create_dir(&path)).map_err(failed("create the folder", &path))?;
        self.made.push(path);
        Ok(())
    }

    /// Makes the file `path`, which must not exist.
    pub fn write(&mut self, path: PathBuf, content: &[u8]) -> Result<()> {
        let made = fault::at("create").and_then(|()| OpenOptions::new().write(true).create_new(true).open(&path));
        made.and_then(|mut file| fault::write_all("write", &mut file, content)).map_err(failed("write", &path))?;
        self.made.push(path);
        Ok(())
    }

    /// Takes note of a file or folder that was changed elsewhere.
    pub fn changed(&mut self, path: PathBuf) {
        self.made.push(path);
    }

    /// Waits until all of it, which must be on the file system of the folder `root`, is on the disk.
    pub fn sync(self, root: &Path) -> Result<()> {
        if self.made.len() > FEW && sync_file_system(root).map_err(failed("write", root))? {
            return Ok(());
        }
        for path in &self.made {
            let synced = fault::at("sync").and_then(|()| File::open(path)).and_then(|file| file.sync_all());
            synced.map_err(failed("write", path))?;
        }
        Ok(())
    }
}

/// Writes all that the file system of `root` has in memory to its disk; false where it cannot be asked to. Linux before
/// 5.8 does not tell of errors here.
#[cfg(target_os = "linux")]
fn sync_file_system(root: &Path) -> io::Result<bool> {
    use rustix::io::Errno;
    fault::at("sync")?;
    match rustix::fs::syncfs(File::open(root)?) {
        Ok(()) => Ok(true),
        Err(Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_root: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Moves each of `names` from the folder `from` to the folder `to`, all or none: where one cannot be moved, those before
/// it are moved back. Not on the disk until [`super::sync_folder`].
pub fn move_all(names: &[String], from: &Path, to: &Path) -> Result<()> {
    for (moved, name) in names.iter().enumerate() {
        let (there, here) = (to.join(name), from.join(name));
        // A folder that is empty would be replaced without a word.
        let outcome = if there.symlink_metadata().is_ok() {
            Err(io::ErrorKind::AlreadyExists.into())
        } else {
            fault::at("rename").and_then(|()| fs::rename(&here, &there))
        };
        if let Err(source) = outcome {
            names[..moved].iter().for_each(|name| drop(fs::rename(to.join(name), from.join(name))));
            return Err(failed("move a folder to", &there)(source));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_files_are_written() {
        for count in [1, FEW * 2] {
            let folder = tempfile::tempdir().unwrap();
            let mut batch = Batch::default();
            let inside = folder.path().join("new");
            batch.create_dir(inside.clone()).unwrap();
            (0..count).for_each(|n| batch.write(inside.join(n.to_string()), b"x").unwrap());
            assert!(batch.write(inside.join("0"), b"y").is_err(), "what is there is not written over");
            batch.sync(folder.path()).unwrap();
            assert_eq!(fs::read_dir(&inside).unwrap().count(), count);
            assert_eq!(fs::read(inside.join("0")).unwrap(), b"x");
        }
    }

    #[test]
    fn all_are_moved_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        let names = ["a", "b", "c"].map(str::to_owned);
        fs::create_dir(&to).unwrap();
        names.iter().for_each(|name| fs::create_dir_all(from.join(name)).unwrap());
        fs::create_dir(to.join("c")).unwrap();
        let error = move_all(&names, &from, &to).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_dir(&from).unwrap().count(), 3);
        fs::remove_dir(to.join("c")).unwrap();
        move_all(&names, &from, &to).unwrap();
        assert_eq!((fs::read_dir(&from).unwrap().count(), fs::read_dir(&to).unwrap().count()), (0, 3));
    }
}
