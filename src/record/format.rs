//! Which format a store has: `store.json`.
//!
//! Invariant: a store of a newer format than this program knows is not touched. One without the file is of format 1, which
//! stores had before there was the file.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::base::durable;

/// The format of the stores that this version makes, and the newest that it reads.
pub const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: u32,
    /// Which finetop made the store.
    version: String,
}

fn file(root: &Path) -> PathBuf {
    root.join("store.json")
}

/// An error where the store at `root` is not one that this version reads.
pub(super) fn check(root: &Path) -> Result<(), Error> {
    let path = file(root);
    let bytes = match durable::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(Error::read("read", &path)(e)),
    };
    match serde_json::from_slice::<Header>(&bytes) {
        Ok(header) if header.format <= FORMAT => Ok(()),
        Ok(Header { format, version }) => Err(Error::NewerFormat { store: root.to_owned(), format, version }),
        Err(error) => Err(Error::NoFormat { path, reason: error.to_string() }),
    }
}

/// Writes down the format of the store at `root`, where that is not known yet.
pub(super) fn write(root: &Path) -> Result<(), durable::Error> {
    let path = file(root);
    if path.exists() {
        return Ok(());
    }
    let header = Header { format: FORMAT, version: env!("CARGO_PKG_VERSION").to_owned() };
    durable::write_with(&path, |file| {
        serde_json::to_writer(&mut *file, &header)?;
        file.write_all(b"\n")
    })
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::*;
    use std::fs;

    #[test]
    fn a_newer_store_is_refused_and_an_older_one_read() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let path = file(store.root());
        let header: Header = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!((header.format, header.version.as_str()), (FORMAT, env!("CARGO_PKG_VERSION")));
        fs::write(&path, "{\"format\":2,\"version\":\"9.1.0\",\"more\":[]}").unwrap();
        for refused in [Store::open(folder.path()), Store::create(folder.path())] {
            let error = refused.unwrap_err();
            let said = format!("finetop {} reads stores of format 1, this one is 2", env!("CARGO_PKG_VERSION"));
            assert!(error.to_string().starts_with(&said), "{error}");
            assert!(error.hint().unwrap().contains("9.1.0"));
        }
        fs::write(&path, "{\"format\":").unwrap();
        assert!(matches!(Store::open(folder.path()), Err(Error::NoFormat { .. })));
        fs::remove_file(&path).unwrap();
        Store::open(folder.path()).unwrap();
        assert!(!path.exists(), "looking writes nothing");
        Store::create(folder.path()).unwrap();
        assert!(path.exists());
    }
}
