//! Locks that the kernel drops with their holder, and whether a file system has them.

use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Result, failed, open_lock, remove_file};

/// Waits for the lock file at `path` and holds it until the value is dropped.
pub fn lock(path: &Path) -> Result<File> {
    let file = open_lock(path)?;
    file.lock().map_err(failed("lock", path))?;
    Ok(file)
}

/// Holds the lock file at `path` until the value is dropped; None where another process holds it.
pub fn try_lock(path: &Path) -> Result<Option<File>> {
    let file = open_lock(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(failed("lock", path)(error)),
    }
}

/// Whether locks in `folder` exclude each other. Some file systems have none, which is an error of the call; some let
/// everybody have them. What another machine holds cannot be tried from here (NFS mounted with `local_lock`).
pub fn lock_works(folder: &Path) -> Result<bool> {
    // Threads of one process that ask at once must not take each other's lock for one that excludes nobody.
    static ASKED: AtomicU64 = AtomicU64::new(0);
    let asked = ASKED.fetch_add(1, Ordering::Relaxed);
    let path = folder.join(format!(".lock-probe.{asked}.{}.tmp", std::process::id()));
    let tried = open_lock(&path).and_then(|first| Ok((first, open_lock(&path)?)));
    let works = tried.map(|(first, second)| excludes(&first, &second));
    remove_file(&path)?;
    works
}

/// Whether `second`, another opening of the same file, cannot be locked while `first` is.
fn excludes(first: &File, second: &File) -> bool {
    first.try_lock().is_ok() && matches!(second.try_lock(), Err(fs::TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_that_exclude_nobody_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(lock_works(folder.path()).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing stays");
        assert!(lock_works(&folder.path().join("none")).is_err());
        std::thread::scope(|scope| {
            let asked: Vec<_> = (0..8).map(|_| scope.spawn(|| lock_works(folder.path()).unwrap())).collect();
            assert!(
                asked.into_iter().all(|asked| asked.join().unwrap()),
                "those who ask at once are not in each other's way"
            );
        });
        let first = open_lock(&folder.path().join("lock")).unwrap();
        // A copy of the descriptor shares its lock, as two openings do where locks do nothing.
        let shares = first.try_clone().unwrap();
        assert!(!excludes(&first, &shares));
    }
}
