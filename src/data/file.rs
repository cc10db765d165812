//! Files of a data set, read whole: their size is bounded before anything is read, and texts are checked to be UTF-8.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::base::text;

/// Why a file cannot be read, in words.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("the file is gone")]
    Missing,
    #[error("could not be read: {0}")]
    Failed(io::Error),
    #[error("not a regular file")]
    NotAFile,
    #[error("the file is {}, more than {}", text::bytes(*.bytes), text::bytes(*.most))]
    Huge { bytes: u64, most: u64 },
    /// `line` counts from 1.
    #[error("line {line} is not UTF-8")]
    NotUtf8 { line: u64 },
}

/// The file at `path`, if it has at most `most` bytes.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, Unreadable> {
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(Unreadable::NotAFile); // opening a pipe would wait for a writer
    }
    if metadata.len() > most {
        return Err(Unreadable::Huge { bytes: metadata.len(), most });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(failed)?;
    Ok(bytes)
}

/// The text of the file at `path`, without a byte order mark, if it has at most `most` bytes.
pub fn read_text(path: &Path, most: u64) -> Result<String, Unreadable> {
    let mut text = String::from_utf8(read(path, most)?).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        Unreadable::NotUtf8 { line: 1 + newlines(valid) }
    })?;
    if text.starts_with('\u{FEFF}') {
        text.drain(..'\u{FEFF}'.len_utf8());
    }
    Ok(text)
}

/// Lines that end in `bytes`.
pub fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

fn failed(error: io::Error) -> Unreadable {
    match error.kind() {
        io::ErrorKind::NotFound => Unreadable::Missing,
        _ => Unreadable::Failed(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_of_a_sensible_size_is_refused_unopened() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        rustix::fs::mknodat(rustix::fs::CWD, path("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        File::create(path("huge")).unwrap().set_len(1025).unwrap();
        File::create(path("most")).unwrap().set_len(1024).unwrap();
        for (name, words) in [
            ("none", "the file is gone"),
            ("pipe", "not a regular file"),
            ("", "not a regular file"),
            ("huge", "the file is 1.0 KiB, more than 1.0 KiB"),
        ] {
            assert_eq!(read(&path(name), 1024).unwrap_err().to_string(), words);
        }
        assert_eq!(read(&path("most"), 1024).unwrap().len(), 1024);
    }

    #[test]
    fn a_text_is_utf_8_without_its_byte_order_mark() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.txt");
        for (bytes, text) in [
            (&b"\xEF\xBB\xBFgr\xC3\xBC\xC3\x9Fe\r\n"[..], Ok("grüße\r\n")),
            (b"", Ok("")),
            (b"one\ntwo\r\ngr\xFC\xDFe\n", Err("line 3 is not UTF-8")),
            (b"\xFF\xFEa\0\n\0", Err("line 1 is not UTF-8")),
            (b"cut\n\xF0\x9F\x8D", Err("line 2 is not UTF-8")),
        ] {
            fs::write(&path, bytes).unwrap();
            let read = read_text(&path, 1024).map_err(|error| error.to_string());
            assert_eq!(read, text.map(String::from).map_err(String::from));
        }
    }
}
