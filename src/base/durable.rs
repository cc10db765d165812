//! The only place where files of a store are written. A whole file is replaced by temp file, fsync, rename, fsync of
//! the folder; a log grows by whole lines, one `write` a batch. Whatever happens in between, a reader finds the old file
//! or the new one, and whole lines up to at most one torn tail.

#![allow(clippy::disallowed_methods)] // the one place that may use them

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

mod appender;
mod batch;
mod lock;
mod mode;
mod own;
mod part_file;
#[cfg(test)]
mod tests;

pub use appender::{Appender, whole_lines};
pub use batch::{Batch, move_all};
pub use lock::{lock, lock_works, try_lock};
pub use mode::{mask, set_mode, tighten_umask};
pub use own::{LINK_HINT, create_own_dir, is_link, open, read, refuse_link};
pub use part_file::PartFile;

use super::fault;

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
        if self.is_link() {
            return Some(LINK_HINT);
        }
        if self.action == "lock" {
            return Some("the file system may have no working locks: choose a store on another one with --store");
        }
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
            // It has no kind of its own.
            _ if self.source.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                Some("the disk reports errors: `dmesg` says more; choose another store with --store")
            }
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
    let written = write_synced(&temporary, fill).and_then(|()| rename_file(&temporary, path));
    if let Err(source) = written {
        let _ = fs::remove_file(&temporary);
        return Err(failed("write", path)(source));
    }
    sync_parent(path)
}

/// As [`write_with`], but the old file, if there is one, becomes `previous`. Whatever happens in between, the old file is
/// whole under one of the two names, and the new one has its name only when it is whole.
pub fn write_keeping(path: &Path, previous: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let temporary = temporary_beside(path);
    let keep = || match rename_file(path, previous) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        // On the disk before the new one has the name: no crash shows both renames the other way round.
        renamed => renamed.and_then(|()| sync_names_beside(path)),
    };
    let written = write_synced(&temporary, fill).and_then(|()| keep()).and_then(|()| rename_file(&temporary, path));
    if let Err(source) = written {
        let _ = fs::remove_file(&temporary);
        return Err(failed("write", path)(source));
    }
    sync_parent(path)
}

/// Waits until all that anybody wrote to the file `path` is on the disk; fine if there is none.
pub fn sync_file(path: &Path) -> Result<()> {
    match fault::at("sync").and_then(|()| File::open(path)).and_then(|file| file.sync_data()) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed("write", path)(e)),
        _ => Ok(()),
    }
}

/// Removes from `folder` what processes left that were killed while they wrote a file there. For its only writer, and
/// fine if there is no such folder.
pub fn remove_leftovers(folder: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') && name.ends_with(".tmp") && path.is_file() {
            remove_file(&path)?;
        }
    }
    Ok(())
}

fn write_synced(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    fault::at("create")?;
    let mut buffered = io::BufWriter::with_capacity(1 << 20, Steps(create(path)?));
    fill(&mut buffered)?;
    let Steps(file) = buffered.into_inner().map_err(|e| e.into_error())?;
    fault::at("sync")?;
    file.sync_all()
}

/// A file each of whose writes is a step that can fail.
struct Steps(File);

impl Write for Steps {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        fault::write_all("write", &mut self.0, bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn rename_file(from: &Path, to: &Path) -> io::Result<()> {
    fault::at("rename")?;
    fs::rename(from, to)
}

/// A file of this name that is new: what a process left that had our number goes, and is not written through.
fn create(path: &Path) -> io::Result<File> {
    let _ = fs::remove_file(path);
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Replaces the file at `path` by `content` in one step, without waiting for the disk: for what can be made again. After
/// the machine died it may be empty or cut.
pub fn write_cache(path: &Path, content: &[u8]) -> Result<()> {
    let temporary = temporary_beside(path);
    let created = fault::at("create").and_then(|()| create(&temporary));
    let written = created.and_then(|mut file| fault::write_all("write", &mut file, content));
    if let Err(source) = written.and_then(|()| rename_file(&temporary, path)) {
        let _ = fs::remove_file(&temporary);
        return Err(failed("write", path)(source));
    }
    Ok(())
}

/// A hidden name in the same folder, of this process alone.
fn temporary_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

fn sync_parent(path: &Path) -> Result<()> {
    sync_names_beside(path).map_err(failed("write", path))
}

fn sync_names_beside(path: &Path) -> io::Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fault::at("sync_folder").and_then(|()| File::open(parent)).and_then(|folder| folder.sync_all())
}

/// Waits until the names in the folder `path` are on the disk.
pub fn sync_folder(path: &Path) -> Result<()> {
    let synced = fault::at("sync_folder").and_then(|()| File::open(path)).and_then(|folder| folder.sync_all());
    synced.map_err(failed("write", path))
}

/// Creates the folder `path` and its parents; fine if it exists.
pub fn create_dir_all(path: &Path) -> Result<()> {
    fault::at("folder").and_then(|()| fs::create_dir_all(path)).map_err(failed("create the folder", path))
}

/// Creates the folder `path`; fine if it exists. Its parent must, so that nothing that was removed comes back.
pub fn ensure_dir(path: &Path) -> Result<()> {
    match fault::at("folder").and_then(|()| fs::create_dir(path)) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(failed("create the folder", path)(e)),
        _ => Ok(()),
    }
}

/// Creates the folder `path`, which must not exist; its parent must.
pub fn create_dir(path: &Path) -> Result<()> {
    fault::at("folder").and_then(|()| fs::create_dir(path)).map_err(failed("create the folder", path))?;
    sync_parent(path)
}

/// Moves `from` to `to` in one step, durably; both must be on one file system.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    rename_file(from, to).map_err(failed("rename", from))?;
    sync_parent(to)
}

/// Removes the folder `path` and all in it. It is renamed first, so that no half-removed run is ever seen under its name.
pub fn remove_dir_all(path: &Path) -> Result<()> {
    remove_dir_all_unless(path, || false).map(drop)
}

/// The same, but not on the disk until [`sync_folder`] of the folder that it was in.
pub fn remove_dir_all_unsynced(path: &Path) -> Result<()> {
    let doomed = temporary_beside(path);
    rename_file(path, &doomed).map_err(failed("remove", path))?;
    fault::at("remove").and_then(|()| fs::remove_dir_all(&doomed)).map_err(failed("remove", path))
}

/// Removes the folder `path` and all in it, unless `still_wanted` when nobody finds it under its name any more; whether it
/// was removed.
pub fn remove_dir_all_unless(path: &Path, still_wanted: impl FnOnce() -> bool) -> Result<bool> {
    let doomed = temporary_beside(path);
    rename_file(path, &doomed).map_err(failed("remove", path))?;
    if still_wanted() {
        rename_file(&doomed, path).map_err(failed("put back", path))?;
        return Ok(false);
    }
    fault::at("remove").and_then(|()| fs::remove_dir_all(&doomed)).map_err(failed("remove", path))?;
    sync_parent(path)?;
    Ok(true)
}

/// The number of the process that a hidden name of ours belongs to: a file that is being written, or a folder that is
/// being removed. None for any other name.
pub fn temporary_of(name: &str) -> Option<i32> {
    name.strip_prefix('.')?.strip_suffix(".tmp")?.rsplit_once('.')?.1.parse().ok()
}

/// Removes the folder `path`, which must be empty.
pub fn remove_empty_dir(path: &Path) -> Result<()> {
    fault::at("remove").and_then(|()| fs::remove_dir(path)).map_err(failed("remove", path))?;
    sync_parent(path)
}

/// Removes the file `path`; fine if there is none.
pub fn remove_file(path: &Path) -> Result<()> {
    match fault::at("remove").and_then(|()| fs::remove_file(path)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(e)),
        _ => Ok(()),
    }
}

/// Opens `path` for a child's output: created where missing, every write at the end.
pub fn open_log(path: &Path) -> Result<File> {
    open_with(OpenOptions::new().create(true).append(true), path).map_err(failed("open", path))
}

/// Makes `path` a symbolic link to `target`, durably and in one step, whatever was there.
pub fn symlink(target: &Path, path: &Path) -> Result<()> {
    let temporary = temporary_beside(path);
    let _ = fs::remove_file(&temporary);
    let linked = fault::at("link")
        .and_then(|()| std::os::unix::fs::symlink(target, &temporary))
        .and_then(|()| rename_file(&temporary, path));
    if let Err(source) = linked {
        let _ = fs::remove_file(&temporary);
        return Err(failed("write", path)(source));
    }
    sync_parent(path)
}

/// Copies the file `from` to `to`, durably and in one step.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut source = File::open(from).map_err(failed("read", from))?;
    write_with(to, |file| io::copy(&mut source, file).map(|_| ()))
}

/// Opens `path` for reading and writing, created where missing and never cut: for a lock file.
pub fn open_lock(path: &Path) -> Result<File> {
    open_with(OpenOptions::new().create(true).truncate(false).read(true).write(true), path)
        .map_err(failed("open", path))
}

fn open_with(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    fault::at("open")?;
    options.custom_flags(own::NO_LINK).open(path)
}

/// Replaces what `file`, opened at `path` by [`open_lock`], says; for a reader there is a moment without content.
pub fn refill(file: &mut File, path: &Path, content: &[u8]) -> Result<()> {
    let refilled = file
        .set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| fault::write_all("write", file, content));
    refilled.map_err(failed("write", path))
}
