//! Where a runner answers: a Unix socket of mode 0600 in a folder of mode 0700 that is ours.
//!
//! Invariant: nobody else can have put anything into the folder, or the socket is not used.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::process::getuid;
use tokio::net::UnixListener;

use super::error::Error;
use crate::base::durable;
use crate::record::Store;

/// A socket that is listened on; its file is removed with the value.
#[derive(Debug)]
pub struct Endpoint {
    pub listener: UnixListener,
    path: PathBuf,
    file: (u64, u64),
}

impl Endpoint {
    /// Listens for `store`, whose lock must be held: what another runner left at the path is removed.
    pub fn bind(store: &Store) -> Result<Endpoint, Error> {
        let path = socket_folder()?.join(socket_name(store));
        durable::remove_file(&path)?;
        let listener = UnixListener::bind(&path).map_err(Error::socket("listen on", &path))?;
        // Nobody else gets through the folder in the meantime.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(Error::socket("protect", &path))?;
        let file = file_of(&path).ok_or_else(|| Error::socket("find", &path)(io::ErrorKind::NotFound.into()))?;
        Ok(Endpoint { listener, path, file })
    }

    /// The socket's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the socket's file away, so that nobody new comes.
    pub fn hide(&self) {
        if self.is_there() {
            let _ = durable::remove_file(&self.path);
        }
    }

    /// Whether a client can still find it: a session's end takes its `XDG_RUNTIME_DIR` away.
    pub fn is_there(&self) -> bool {
        file_of(&self.path) == Some(self.file)
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.hide();
    }
}

/// Whether `path` is a socket of ours in a folder of ours, safe to talk to.
pub fn is_ours(path: &Path) -> bool {
    let is_socket = |metadata: fs::Metadata| metadata.file_type().is_socket() && metadata.uid() == getuid().as_raw();
    let folder_is_ours = path.parent().is_some_and(|folder| check_folder(folder).is_ok());
    folder_is_ours && fs::symlink_metadata(path).is_ok_and(is_socket)
}

fn file_of(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// `$XDG_RUNTIME_DIR/finetop` where there is one of ours, else `/tmp/finetop-UID`. A store's own folder would not do: a
/// socket's path is at most 107 bytes long, and not every file system has sockets.
fn socket_folder() -> Result<PathBuf, Error> {
    const LONGEST: usize = 107 - 1 - NAME_LENGTH;
    let session = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(folder) = session.map(|path| path.join("finetop"))
        && folder.as_os_str().len() <= LONGEST
        && make_folder(&folder).is_ok()
    {
        return Ok(folder);
    }
    let folder = PathBuf::from(format!("/tmp/finetop-{}", getuid().as_raw()));
    make_folder(&folder)?;
    Ok(folder)
}

fn make_folder(path: &Path) -> Result<(), Error> {
    match rustix::fs::mkdir(path, Mode::RWXU) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => check_folder(path),
        Err(errno) => Err(Error::socket("create the folder", path)(errno.into())),
    }
}

fn check_folder(path: &Path) -> Result<(), Error> {
    let metadata = fs::symlink_metadata(path).map_err(Error::socket("look at", path))?;
    let problem = match &metadata {
        it if !it.is_dir() => "is not a folder, so no socket can be in it",
        it if it.uid() != getuid().as_raw() => "belongs to another user, so a socket in it would not be safe",
        it if it.mode() & 0o077 != 0 => "is open to other users, so a socket in it would not be safe",
        _ => return Ok(()),
    };
    Err(Error::BadFolder { path: path.to_owned(), problem })
}

const NAME_LENGTH: usize = 16 + ".sock".len();

/// A name of fixed length for a store's path (FNV-1a, Fowler, Noll and Vo).
fn socket_name(store: &Store) -> String {
    let bytes = store.root().as_os_str().as_encoded_bytes();
    let hash = bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
    format!("{hash:016x}.sock")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_folder_that_others_can_reach_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("finetop");
        make_folder(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        make_folder(&path).unwrap();
        for (mode, is_fine) in [(0o700, true), (0o750, false), (0o701, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(make_folder(&path).is_ok(), is_fine, "{mode:o}");
        }
        let link = folder.path().join("link");
        symlink(folder.path(), &link).unwrap();
        assert!(make_folder(&link).unwrap_err().hint().is_some());
    }

    #[tokio::test]
    async fn the_socket_is_private_and_goes_with_its_runner() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let endpoint = Endpoint::bind(&store).unwrap();
        let path = endpoint.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
        assert!(endpoint.is_there() && is_ours(&path) && path.as_os_str().len() <= 107);
        let again = Endpoint::bind(&store).unwrap();
        assert!(!endpoint.is_there());
        drop(endpoint);
        assert!(again.is_there(), "only its own file is removed");
        drop(again);
        assert!(!path.exists());
    }
}
