//! A log: it grows by whole lines, and what a failed write left of one is cut away.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Result, failed, open_lock, sync_parent};
use crate::base::fault;

/// A log that grows by whole lines.
#[derive(Debug)]
pub struct Appender {
    file: File,
    path: PathBuf,
    /// Bytes of whole lines; the file is cut back to here when a write failed halfway.
    length: u64,
    /// Whether there may be more in the file than that.
    is_torn: bool,
}

impl Appender {
    /// Opens `path`, creating it where missing. A torn last line, left by a writer that died, is cut back.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = open_lock(path)?;
        let length = whole_lines(&mut file).map_err(failed("read", path))?;
        let mut log = Appender { file, path: path.to_owned(), length, is_torn: true };
        log.cut().map_err(failed("repair", path))?;
        // Where lines are, whoever wrote the first has seen to the name.
        if length == 0 {
            sync_parent(path)?;
        }
        Ok(log)
    }

    /// All whole lines that are there.
    pub fn read(&mut self) -> Result<Vec<u8>> {
        let mut lines = Vec::new();
        let read =
            self.file.rewind().and_then(|()| Read::by_ref(&mut self.file).take(self.length).read_to_end(&mut lines));
        read.and_then(|_| self.file.seek(SeekFrom::Start(self.length))).map_err(failed("read", &self.path))?;
        Ok(lines)
    }

    /// Appends `lines`, which must end with a newline, in one `write`; after an error none of it stays.
    pub fn append(&mut self, lines: &[u8]) -> Result<()> {
        self.append_and(lines, |_| Ok(()))
    }

    /// As [`Appender::append`], and all that was appended is on the disk before it returns.
    pub fn append_synced(&mut self, lines: &[u8]) -> Result<()> {
        self.append_and(lines, |file| fault::at("append.sync").and_then(|()| file.sync_data()))
    }

    fn append_and(&mut self, lines: &[u8], then: impl FnOnce(&File) -> io::Result<()>) -> Result<()> {
        debug_assert!(lines.is_empty() || lines.ends_with(b"\n"), "only whole lines are appended");
        let appended =
            self.is_there().and_then(|()| self.cut()).and_then(|()| fault::write_all("append", &mut self.file, lines));
        let appended = appended.and_then(|()| then(&self.file));
        match appended {
            Ok(()) => self.length += lines.len() as u64,
            Err(source) => {
                self.is_torn = true;
                let _ = self.cut();
                return Err(failed("append to", &self.path)(source));
            }
        }
        Ok(())
    }

    /// A file that somebody removed takes writes for ever, and nobody will read them.
    fn is_there(&self) -> io::Result<()> {
        match self.file.metadata()?.nlink() {
            0 => Err(io::Error::new(io::ErrorKind::NotFound, "it was removed")),
            _ => Ok(()),
        }
    }

    /// Nothing is written behind half a line.
    fn cut(&mut self) -> io::Result<()> {
        if self.is_torn {
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
            self.is_torn = false;
        }
        Ok(())
    }
}

/// Bytes up to and with the last newline, found from the end.
pub fn whole_lines(file: &mut File) -> io::Result<u64> {
    const BLOCK: u64 = 64 * 1024;
    let mut end = file.metadata()?.len();
    let mut block = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        block.clear();
        Read::by_ref(file).take(end - start).read_to_end(&mut block)?;
        if let Some(at) = block.iter().rposition(|&b| b == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_torn_tail_is_cut_and_lines_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let long = "x".repeat(200_000);
        for (before, kept) in
            [("", ""), ("a\nb\n", "a\nb\n"), ("a\nb", "a\n"), ("torn", ""), (&*format!("a\n{long}"), "a\n")]
        {
            fs::write(&path, before).unwrap();
            let mut log = Appender::open(&path).unwrap();
            log.append_synced(b"next\n").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{kept}next\n"));
        }
    }

    #[test]
    fn nothing_is_written_to_a_log_that_was_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut log = Appender::open(&path).unwrap();
        log.append(b"a\n").unwrap();
        fs::remove_file(&path).unwrap();
        let error = log.append(b"b\n").unwrap_err();
        assert!(error.to_string().ends_with("events.jsonl: it was removed"), "{error}");
        assert!(!path.exists());
    }
}
