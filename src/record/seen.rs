//! What a file looked like when it was read.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// A log that looks the same says the same: it grows, or is another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Device and inode.
    pub file: (u64, u64),
    /// Bytes.
    pub length: u64,
    /// Seconds since 1970, and nanoseconds of the second.
    pub modified: (i64, i64),
}

impl Seen {
    /// The file at `path`, as it looks now; None where there is none.
    pub fn at(path: &Path) -> Option<Seen> {
        fs::symlink_metadata(path).ok().map(|metadata| Seen::of(&metadata))
    }

    /// A file of which this is known.
    pub fn of(metadata: &fs::Metadata) -> Seen {
        Seen {
            file: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}
