//! Named tensors and one note in a `.safetensors` file, written in one durable step.
//!
//! Invariants: the same tensors and note give the same bytes (the metadata is a map of random order, so it has one key).
//! Where there is a hash, it is the last tensor of the file, the SHA-256 of all bytes before it: damage anywhere is
//! noticed, and any reader of safetensors can read the rest. A file is never held in memory to be written: its tensors go
//! out one by one.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use candle_core::{Device, Tensor};
use safetensors::tensor::{Dtype, Metadata, TensorInfo, View};
use safetensors::{SafeTensorError, SafeTensors};
use sha2::{Digest, Sha256};

use crate::base::durable;

/// Tensors by name, as a file has them.
pub type NamedTensors = HashMap<String, Tensor>;

/// The tensor that is the hash.
const HASH: &str = "sha256";
const HASH_BYTES: usize = 32;

/// Why such a file could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Write(#[from] durable::Error),
    #[error("could not read {path}: {source}")]
    Read { path: String, source: io::Error },
    #[error("{path} is damaged: {reason}")]
    Damaged { path: String, reason: String },
    #[error("{path} was written by a newer finetop (its format is {format}, and this one knows {known})")]
    Newer { path: String, format: u32, known: u32 },
    /// A bug: a panic while it was written.
    #[error("the thread that writes checkpoints crashed: {0}")]
    Crashed(String),
}

/// What a file holds.
pub struct Content {
    pub tensors: NamedTensors,
    pub note: String,
    /// Whether it has a hash, which then was right; files of earlier versions have none.
    pub is_hashed: bool,
}

/// Writes the file, without a hash, and returns its length in bytes.
pub fn write(path: &Path, tensors: &[(String, Tensor)], key: &str, note: &str) -> Result<u64, Error> {
    let layout = Layout::of(tensors, key, note, None).map_err(|e| damaged(path, &e))?;
    durable::write_with(path, |out| layout.write(&mut |bytes| out.write_all(bytes)))?;
    Ok(layout.length)
}

/// Writes the file, with a hash, and returns its length in bytes; the one that it replaces becomes `previous`.
pub fn write_hashed(
    path: &Path,
    previous: &Path,
    tensors: &[(String, Tensor)],
    key: &str,
    note: &str,
) -> Result<u64, Error> {
    let layout = Layout::of(tensors, key, note, Some(HASH)).map_err(|e| damaged(path, &e))?;
    durable::write_keeping(path, previous, |out| {
        let mut hash = Sha256::new();
        layout.write(&mut |bytes| {
            hash.update(bytes);
            out.write_all(bytes)
        })?;
        out.write_all(&hash.finalize())
    })?;
    Ok(layout.length)
}

/// The order of a file.
struct Layout<'a> {
    /// All that stands before the tensors.
    header: Vec<u8>,
    tensors: Vec<&'a (String, Tensor)>,
    /// Of the file, in bytes.
    length: u64,
}

impl<'a> Layout<'a> {
    /// `hash`: the name of the tensor at the end that is the hash, if there is to be one.
    fn of(tensors: &'a [(String, Tensor)], key: &str, note: &str, hash: Option<&str>) -> Result<Self, SafeTensorError> {
        let mut tensors: Vec<&(String, Tensor)> = tensors.iter().collect();
        // The format wants wide types first, for alignment.
        tensors.sort_by_key(|(name, tensor)| (std::cmp::Reverse(View::dtype(&tensor)), name));
        let mut at = 0;
        let mut info = |dtype, shape: &[usize], length| {
            let begin = at;
            at += length;
            TensorInfo { dtype, shape: shape.to_vec(), data_offsets: (begin, at) }
        };
        let mut infos: Vec<(String, TensorInfo)> = tensors
            .iter()
            .map(|(name, tensor)| (name.clone(), info(View::dtype(&tensor), tensor.dims(), (&tensor).data_len())))
            .collect();
        infos.extend(hash.map(|name| (name.to_owned(), info(Dtype::U8, &[HASH_BYTES], HASH_BYTES))));
        let note = HashMap::from([(key.to_owned(), note.to_owned())]);
        let mut text = serde_json::to_vec(&Metadata::new(Some(note), infos)?)?;
        text.resize(text.len().next_multiple_of(8), b' ');
        let header = [&(text.len() as u64).to_le_bytes()[..], &text].concat();
        let length = (header.len() + at) as u64;
        Ok(Layout { header, tensors, length })
    }

    /// Puts out everything but the hash.
    fn write(&self, put: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        put(&self.header)?;
        self.tensors.iter().try_for_each(|(_, tensor)| put(&View::data(&tensor)))
    }
}

/// Reads the file's tensors and the note under `key`; None if there is no such file.
pub fn read(path: &Path, key: &str, device: &Device) -> Result<Option<Content>, Error> {
    let Some(bytes) = bytes(path)? else { return Ok(None) };
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(path, &e))?;
    let is_hashed = metadata.info(HASH).is_some();
    if is_hashed && !is_whole(&bytes) {
        return Err(damaged(path, &"its content is not what its hash says"));
    }
    let note = metadata.metadata().as_ref().and_then(|metadata| metadata.get(key)).cloned();
    let note = note.ok_or_else(|| damaged(path, &format!("it has no {key}")))?;
    let mut tensors = candle_core::safetensors::load_buffer(&bytes, device).map_err(|e| damaged(path, &e))?;
    tensors.remove(HASH);
    Ok(Some(Content { tensors, note, is_hashed }))
}

fn bytes(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        // The disk has lost some of it.
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => Err(damaged(path, &e)),
        Err(source) => Err(Error::Read { path: path.display().to_string(), source }),
    }
}

fn is_whole(bytes: &[u8]) -> bool {
    bytes.split_last_chunk::<HASH_BYTES>().is_some_and(|(content, hash)| Sha256::digest(content)[..] == hash[..])
}

/// An error about the content of `path`.
pub fn damaged(path: &Path, reason: &dyn std::fmt::Display) -> Error {
    Error::Damaged { path: path.display().to_string(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensors() -> Vec<(String, Tensor)> {
        let tensor = |shape: &[usize]| Tensor::rand(-1f32, 1.0, shape, &Device::Cpu).unwrap();
        let bytes = Tensor::from_slice(&[1u8, 2, 3], 3, &Device::Cpu).unwrap();
        vec![("b".into(), bytes), ("a.weight".into(), tensor(&[3, 5])), ("a.bias".into(), tensor(&[]))]
    }

    #[test]
    fn what_is_written_reads_back_here_and_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        let tensors = tensors();
        let previous = folder.path().join("before");
        for is_hashed in [false, true] {
            let length = match is_hashed {
                false => write(&path, &tensors, "key", "a \"note\""),
                true => write_hashed(&path, &previous, &tensors, "key", "a \"note\""),
            };
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(bytes.len() as u64, length.unwrap());
            let read = read(&path, "key", &Device::Cpu).unwrap().unwrap();
            assert_eq!((&*read.note, read.is_hashed, read.tensors.len()), ("a \"note\"", is_hashed, 3));
            let elsewhere = SafeTensors::deserialize(&bytes).unwrap();
            assert_eq!(elsewhere.len(), 3 + usize::from(is_hashed));
            for (name, tensor) in &tensors {
                assert_eq!(View::data(&tensor), elsewhere.tensor(name).unwrap().data());
                assert_eq!(View::data(&&read.tensors[name]), View::data(&tensor));
            }
        }
        assert!(previous.exists());
    }

    #[test]
    fn any_bit_and_any_length_that_is_wrong_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        write_hashed(&path, &folder.path().join("before"), &tensors(), "key", "note").unwrap();
        let whole = std::fs::read(&path).unwrap();
        let is_damaged = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            match read(&path, "key", &Device::Cpu) {
                // A wrong bit in the name of the hash: who knows the format knows that there must be one.
                Ok(Some(content)) => !content.is_hashed,
                other => matches!(other, Err(Error::Damaged { .. })),
            }
        };
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(is_damaged(&bytes), "bit {bit} of {}", whole.len() * 8);
        }
        assert!((0..whole.len()).all(|length| is_damaged(&whole[..length])));
        assert!(is_damaged(&[&whole[..], b"\0"].concat()));
    }
}
