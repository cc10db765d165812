//! Named tensors and one note in a `.safetensors` file, written in one durable step.
//!
//! Invariant: the same tensors and note give the same bytes. (The metadata is a map of random order, so it has one key.)

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use safetensors::SafeTensors;

use crate::base::durable;

/// Tensors by name, as a file has them.
pub type NamedTensors = HashMap<String, Tensor>;

/// Why such a file could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Write(#[from] durable::Error),
    #[error("could not read {path}: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("{path} is damaged: {reason}")]
    Damaged { path: String, reason: String },
}

/// Writes the file and returns its length in bytes.
pub fn write(path: &Path, tensors: &[(String, Tensor)], key: &str, note: &str) -> Result<u64, Error> {
    let metadata = HashMap::from([(key.to_owned(), note.to_owned())]);
    let views = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor));
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(|e| damaged(path, &e))?;
    durable::write(path, &bytes)?;
    Ok(bytes.len() as u64)
}

/// Reads the file's tensors and the note under `key`; None if there is no such file.
pub fn read(path: &Path, key: &str, device: &Device) -> Result<Option<(NamedTensors, String)>, Error> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::Read { path: path.display().to_string(), source }),
    };
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(path, &e))?;
    let note = metadata.metadata().as_ref().and_then(|metadata| metadata.get(key)).cloned();
    let note = note.ok_or_else(|| damaged(path, &format!("it has no {key}")))?;
    let tensors = candle_core::safetensors::load_buffer(&bytes, device).map_err(|e| damaged(path, &e))?;
    Ok(Some((tensors, note)))
}

/// An error about the content of `path`.
pub fn damaged(path: &Path, reason: &dyn std::fmt::Display) -> Error {
    Error::Damaged { path: path.display().to_string(), reason: reason.to_string() }
}
