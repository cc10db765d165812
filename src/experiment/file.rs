//! Experiment files as they lie on a disk: what can be read as a text, and where a text comes from.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::mistakes::Finding;
use crate::base::text;

/// The largest experiment file, in bytes.
pub const MAX_BYTES: u64 = 1 << 20;

/// Where a text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// What the file is called in messages: its path as the user typed it.
    pub shown: String,
    /// The file's folder, absolute: what paths in it are relative to.
    pub folder: PathBuf,
    /// The file's name without its ending: what the experiment is called where it does not say.
    pub stem: String,
}

impl Origin {
    /// The file at `path`.
    ///
    /// # Errors
    /// If the working folder is gone and `path` is relative.
    pub fn of(path: &Path) -> io::Result<Self> {
        let absolute = std::path::absolute(path)?;
        Ok(Origin {
            shown: path.to_string_lossy().into_owned(),
            folder: absolute.parent().unwrap_or(&absolute).to_owned(),
            stem: absolute.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        })
    }
}

/// The text of the file at `path` and where it comes from.
pub(super) fn read(path: &Path) -> Result<(String, Origin), Finding> {
    let text = read_text(path)?;
    let origin = Origin::of(path).map_err(|error| Finding::whole(error.to_string()))?;
    Ok((text, origin))
}

/// That a file of `bytes` is no experiment.
pub(super) fn too_large(bytes: u64) -> Finding {
    let message = format!("the file has {}, an experiment has at most {}", text::bytes(bytes), text::bytes(MAX_BYTES));
    Finding::whole(message).hint("is this the right file?")
}

fn read_text(path: &Path) -> Result<String, Finding> {
    let failed = |error: io::Error| Finding::whole(format!("could not read the file: {error}"));
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(Finding::whole("this is a folder, expected an experiment file").hint("name a .yaml file in it"));
    }
    if !metadata.is_file() {
        return Err(Finding::whole("this is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_large(metadata.len().max(MAX_BYTES + 1)));
    }
    decoded(bytes)
}

fn decoded(bytes: Vec<u8>) -> Result<String, Finding> {
    if bytes.contains(&0) {
        return Err(Finding::whole("the file is binary, expected YAML text in UTF-8").hint("is this the right file?"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let message = format!("the file is not UTF-8: line {line} holds a byte that is no text");
        Finding::whole(message).hint("save it as UTF-8")
    })
}
