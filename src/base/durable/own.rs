//! Files of a run are only those in its folder: a symbolic link there is neither read nor written through, or a store that
//! came from elsewhere could show or overwrite any file of its reader. Whoever can change the folder meanwhile is its owner.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::{Error, Result, failed};
use crate::base::fault;

/// What to do about a link.
pub const LINK_HINT: &str = "it is a symbolic link, and those are not followed in a store: put the file itself there";

/// What every file of a store is opened with.
pub(super) const NO_LINK: i32 = rustix::fs::OFlags::NOFOLLOW.bits() as i32;

/// Opens the file `path` for reading, unless it is a link. Never waits, as for the other end of a pipe.
pub fn open(path: &Path) -> io::Result<File> {
    const NO_WAIT: i32 = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(NO_LINK | NO_WAIT).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    Ok(file)
}

/// The content of the file `path`, unless it is a link.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Makes the folder `path` in that of a run; fine if it exists, refused where it is a link to one.
pub fn create_own_dir(path: &Path) -> Result<()> {
    match fault::at("folder").and_then(|()| fs::create_dir(path)) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => refuse_link(path),
        made => made.map_err(failed("create the folder", path)),
    }
}

/// An error where `path` is a link; fine where there is nothing.
pub fn refuse_link(path: &Path) -> Result<()> {
    let is_link = path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
    if is_link { Err(failed("use", path)(link())) } else { Ok(()) }
}

/// The error of opening a link.
fn link() -> io::Error {
    rustix::io::Errno::LOOP.into()
}

impl Error {
    /// Whether it was a symbolic link, which is not followed.
    pub(super) fn is_link(&self) -> bool {
        is_link(&self.source)
    }
}

/// Whether a file could not be opened because it is a symbolic link.
pub fn is_link(error: &io::Error) -> bool {
    error.raw_os_error() == link().raw_os_error()
}

#[cfg(test)]
mod tests {
    use super::super::{Appender, open_lock, open_log, write};
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_neither_read_nor_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let (outside, link) = (folder.path().join("outside"), folder.path().join("link"));
        fs::write(&outside, "secret\n").unwrap();
        symlink(&outside, &link).unwrap();
        assert!(open(&link).is_err() && read(&link).is_err());
        for error in [
            Appender::open(&link).map(drop).unwrap_err(),
            open_log(&link).map(drop).unwrap_err(),
            open_lock(&link).map(drop).unwrap_err(),
            refuse_link(&link).unwrap_err(),
        ] {
            assert!(error.hint().unwrap().contains("symbolic link"), "{error}");
        }
        write(&link, b"new").unwrap();
        assert_eq!((fs::read(&outside).unwrap(), fs::read(&link).unwrap()), (b"secret\n".to_vec(), b"new".to_vec()));
        assert_eq!(read(&outside).unwrap(), b"secret\n");
    }

    #[test]
    fn a_link_to_a_folder_is_no_folder_and_a_pipe_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        create_own_dir(&at("checkpoints")).unwrap();
        create_own_dir(&at("checkpoints")).unwrap();
        symlink(at("checkpoints"), at("link")).unwrap();
        assert!(create_own_dir(&at("link")).is_err());
        rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), rustix::fs::Mode::RUSR).unwrap();
        assert!(open(&at("pipe")).is_err(), "and it does not hang");
        assert!(open(&at("checkpoints")).is_err());
        assert_eq!(open(&at("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
