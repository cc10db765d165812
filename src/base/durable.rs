//! The only place where files of a store are written. A whole file is replaced by temp file, fsync, rename, fsync of
//! the folder; a log grows by whole lines, one `write` a batch. Whatever happens in between, a reader finds the old file
//! or the new one, and whole lines up to at most one torn tail.

#![allow(clippy::disallowed_methods)] // the one place that may use them

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A failed file operation: what was tried on which path.
#[derive(Debug, thiserror::Error)]
#[error("could not {action} {}: {source}", path.display())]
pub struct Error {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl Error {
    /// The kind of the underlying error, to tell a full disk or a read-only store from others.
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }

    /// What a person can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self.kind() {
            io::ErrorKind::StorageFull => {
                Some("the disk is full: free some space, or choose another store with --store")
            }
            io::ErrorKind::QuotaExceeded => {
                Some("your disk quota is used up: free some space, or choose another store with --store")
            }
            io::ErrorKind::ReadOnlyFilesystem => {
                Some("the file system is read-only: choose another store with --store")
            }
            io::ErrorKind::PermissionDenied => Some("you may not write there: choose another store with --store"),
            _ => None,
        }
    }

    /// Whether the device or the quota is full.
    pub fn is_full(&self) -> bool {
        matches!(self.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

type Result<T> = std::result::Result<T, Error>;

fn failed<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Error + 'a {
    move |source| Error { action, path: path.to_owned(), source }
}

/// Replaces the file at `path` by `content`, durably and in one step.
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    write_with(path, |file| file.write_all(content))
}

/// Replaces the file at `path` by what `fill` writes, durably and in one step; on an error the old file stays.
pub fn write_with(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let temporary = temporary_beside(path);
    let written = write_synced(&temporary, fill).and_then(|()| fs::rename(&temporary, path));
    if let Err(source) = written {
        let _ = fs::remove_file(&temporary);
        return Err(failed("write", path)(source));
    }
    sync_parent(path)
}

fn write_synced(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut buffered = io::BufWriter::with_capacity(1 << 20, File::create(path)?);
    fill(&mut buffered)?;
    buffered.into_inner().map_err(|e| e.into_error())?.sync_all()
}

/// A hidden name in the same folder, of this process alone.
fn temporary_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

fn sync_parent(path: &Path) -> Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(parent).and_then(|folder| folder.sync_all()).map_err(failed("write", path))
}

/// Creates the folder `path` and its parents; fine if it exists.
pub fn create_dir_all(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(failed("create the folder", path))
}

/// Creates the folder `path`, which must not exist; its parent must.
pub fn create_dir(path: &Path) -> Result<()> {
    fs::create_dir(path).map_err(failed("create the folder", path))?;
    sync_parent(path)
}

/// Moves `from` to `to` in one step, durably; both must be on one file system.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(failed("rename", from))?;
    sync_parent(to)
}

/// Removes the folder `path` and all in it. It is renamed first, so that no half-removed run is ever seen under its name.
pub fn remove_dir_all(path: &Path) -> Result<()> {
    let doomed = temporary_beside(path);
    fs::rename(path, &doomed).map_err(failed("remove", path))?;
    fs::remove_dir_all(&doomed).map_err(failed("remove", path))?;
    sync_parent(path)
}

/// Removes the file `path`; fine if there is none.
pub fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(e)),
        _ => Ok(()),
    }
}

/// Opens `path` for a child's output: created where missing, every write at the end.
pub fn open_log(path: &Path) -> Result<File> {
    OpenOptions::new().create(true).append(true).open(path).map_err(failed("open", path))
}

/// Waits for the lock file at `path` and holds it until the value is dropped.
pub fn lock(path: &Path) -> Result<File> {
    let file = open_lock(path)?;
    file.lock().map_err(failed("lock", path))?;
    Ok(file)
}

/// Opens `path` for reading and writing, created where missing and never cut: for a lock file.
pub fn open_lock(path: &Path) -> Result<File> {
    OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path).map_err(failed("open", path))
}

/// Replaces what `file`, opened at `path` by [`open_lock`], says; for a reader there is a moment without content.
pub fn refill(file: &mut File, path: &Path, content: &[u8]) -> Result<()> {
    let refilled = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).and_then(|_| file.write_all(content));
    refilled.map_err(failed("write", path))
}

/// A log that grows by whole lines.
#[derive(Debug)]
pub struct Appender {
    file: File,
    path: PathBuf,
    /// Bytes of whole lines; the file is cut back to here when a write failed halfway.
    length: u64,
}

impl Appender {
    /// Opens `path`, creating it where missing. A torn last line, left by a writer that died, is cut back.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(failed("open", path))?;
        let length = whole_lines(&mut file).map_err(failed("read", path))?;
        file.set_len(length).and_then(|()| file.seek(SeekFrom::Start(length))).map_err(failed("repair", path))?;
        sync_parent(path)?;
        Ok(Appender { file, path: path.to_owned(), length })
    }

    /// Appends `lines`, which must end with a newline, in one `write`; after an error none of it stays.
    pub fn append(&mut self, lines: &[u8]) -> Result<()> {
        debug_assert!(lines.is_empty() || lines.ends_with(b"\n"), "only whole lines are appended");
        if let Err(source) = self.file.write_all(lines) {
            let _ = self.file.set_len(self.length).and_then(|()| self.file.seek(SeekFrom::Start(self.length)));
            return Err(failed("append to", &self.path)(source));
        }
        self.length += lines.len() as u64;
        Ok(())
    }

    /// Waits until all that was appended is on the disk.
    pub fn sync(&mut self) -> Result<()> {
        self.file.sync_data().map_err(failed("write", &self.path))
    }
}

/// Bytes up to and with the last newline, found from the end.
fn whole_lines(file: &mut File) -> io::Result<u64> {
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
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        write(&path, b"old").unwrap();
        let failure = write_with(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        let failure = failure.unwrap_err();
        assert!(failure.is_full() && failure.hint().unwrap().contains("free some space"));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
    }

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
            log.append(b"next\n").unwrap();
            log.sync().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{kept}next\n"));
        }
    }

    #[test]
    fn removing_a_folder_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("0001-a");
        create_dir(&run).unwrap();
        write(&run.join("x"), b"1").unwrap();
        assert!(create_dir(&run).is_err(), "an id is never taken twice");
        remove_dir_all(&run).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
