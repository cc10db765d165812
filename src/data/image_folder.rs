//! Class folders of pictures.

use std::path::Path;

use super::class_folders::{ClassFolders, Kind};
use super::error::Error;

pub type ImageFolder = ClassFolders;

impl ClassFolders {
    /// Lists the pictures in the class folders below `path`.
    pub fn list(path: &Path) -> Result<Self, Error> {
        ClassFolders::of(Kind::Pictures, path)
    }
}
