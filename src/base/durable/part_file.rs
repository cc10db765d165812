//! A file that is too long to come in one piece.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::{Result, failed, open_lock, rename};
use crate::base::fault;

/// A file that comes piece by piece, perhaps over several attempts, under a name of its own until it is whole.
#[derive(Debug)]
pub struct PartFile {
    file: File,
    path: PathBuf,
    length: u64,
}

impl PartFile {
    /// Opens `path`, creating it where missing; what an earlier attempt left is kept.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = open_lock(path)?;
        let length = file.seek(SeekFrom::End(0)).map_err(failed("read", path))?;
        Ok(PartFile { file, path: path.to_owned(), length })
    }

    /// Bytes that are there.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Drops what is there.
    pub fn restart(&mut self) -> Result<()> {
        self.length = 0;
        self.cut().map_err(failed("write", &self.path))
    }

    /// Adds `bytes`; after an error none of them stays.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if let Err(source) = fault::write_all("append", &mut self.file, bytes) {
            let _ = self.cut();
            return Err(failed("write", &self.path)(source));
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.seek(SeekFrom::Start(self.length)).map(|_| ())
    }

    /// Waits until all that was added is on the disk.
    pub fn sync(&mut self) -> Result<()> {
        fault::at("append.sync").and_then(|()| self.file.sync_all()).map_err(failed("write", &self.path))
    }

    /// Gives the whole file its name, durably.
    pub fn finish(mut self, name: &Path) -> Result<()> {
        self.sync()?;
        rename(&self.path, name)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_part_grows_over_attempts_and_gets_its_name_when_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (part, whole) = (folder.path().join("x.part"), folder.path().join("x"));
        let mut first = PartFile::open(&part).unwrap();
        first.append(b"one").unwrap();
        drop(first);
        let mut second = PartFile::open(&part).unwrap();
        assert_eq!(second.length(), 3);
        second.append(b" two").unwrap();
        assert!(!whole.exists());
        second.finish(&whole).unwrap();
        assert_eq!(fs::read(&whole).unwrap(), b"one two");
        assert!(!part.exists());
        let mut third = PartFile::open(&part).unwrap();
        third.append(b"wrong").unwrap();
        third.restart().unwrap();
        third.append(b"new").unwrap();
        third.finish(&whole).unwrap();
        assert_eq!(fs::read(&whole).unwrap(), b"new");
    }
}
