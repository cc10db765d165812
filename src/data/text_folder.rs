//! Class folders of texts: each `.txt` file below the folder of its class is one sample.

use std::path::Path;

use super::class_folders::{ClassFolders, Kind};
use super::error::Error;
use super::file::{self, Unreadable};

/// Largest text, in bytes.
pub const MAX_TEXT_BYTES: u64 = 16 << 20;

/// Why a file is no usable text, in words.
#[derive(Debug, thiserror::Error)]
pub enum Defect {
    #[error(transparent)]
    File(#[from] Unreadable),
    #[error("the text is empty")]
    Empty,
}

/// Lists the texts in the class folders below `path`.
pub fn list(path: &Path) -> Result<ClassFolders, Error> {
    ClassFolders::of(Kind::Texts, path)
}

/// The text in the file at `path`.
pub fn read(path: &Path) -> Result<String, Defect> {
    let text = file::read_text(path, MAX_TEXT_BYTES)?;
    if text.trim().is_empty() { Err(Defect::Empty) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixtures::write;

    #[test]
    fn texts_are_listed_by_class_and_read() {
        let folder = tempfile::tempdir().unwrap();
        for (file, bytes) in [
            ("food/1.txt", &b"red apple\n"[..]),
            ("food/deep/2.TXT", b"\xEF\xBB\xBFgrapes"),
            ("food/3.png", b"x"),
            ("animals/1.txt", b" \r\n\t"),
            ("animals/2.txt", b"ant\nm\xE4rz"),
        ] {
            write(folder.path().join(file), bytes);
        }
        let list = list(folder.path()).unwrap();
        list.check().unwrap();
        let read =
            |class: usize, file: usize| read(&list.classes[class].files[file]).map_err(|error| error.to_string());
        assert_eq!(list.classes.iter().map(|class| class.files.len()).collect::<Vec<_>>(), [2, 2]);
        assert_eq!(read(0, 0), Err("the text is empty".to_owned()));
        assert_eq!(read(0, 1), Err("line 2 is not UTF-8".to_owned()));
        assert_eq!(read(1, 0), Ok("red apple\n".to_owned()));
        assert_eq!(read(1, 1), Ok("grapes".to_owned()));
    }

    #[test]
    fn messages_speak_of_texts() {
        let folder = tempfile::tempdir().unwrap();
        let said = || {
            let error = list(folder.path()).and_then(|list| list.check()).unwrap_err();
            let said = error.to_string().replace(&*folder.path().to_string_lossy(), "DIR");
            (said, error.hint().unwrap())
        };
        assert_eq!(
            said(),
            (
                "no class folders in DIR".into(),
                "make one folder per class with its texts in it, as data/train/food/1.txt and data/train/animals/1.txt"
            )
        );
        write(folder.path().join("food/1.txt"), b"red apple");
        write(folder.path().join("animals/1.png"), b"x");
        assert_eq!(
            said(),
            (
                "the class `animals` is empty: no texts in DIR/animals (1 file of another kind was ignored)".into(),
                "add .txt files, or remove the folder if it is no class"
            )
        );
    }

    #[test]
    fn a_huge_text_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let huge = folder.path().join("1.txt");
        std::fs::File::create(&huge).unwrap().set_len(MAX_TEXT_BYTES + 1).unwrap(); // sparse: takes no room
        assert_eq!(read(&huge).unwrap_err().to_string(), "the file is 16.0 MiB, more than 16.0 MiB");
    }
}
