//! What can be wrong with the data of an experiment.

use std::io;
use std::path::PathBuf;

use super::SkippedFile;
use super::class_folders::Kind;
use super::decode::Defect;

/// Why the pictures cannot be trained on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the folder {} does not exist", .path.display())]
    MissingFolder { path: PathBuf },
    #[error("{} is not a folder", .path.display())]
    NotAFolder { path: PathBuf },
    #[error("could not read the folder {}: {source}", .path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("no class folders in {}", .path.display())]
    NoClasses { path: PathBuf, kind: Kind },
    #[error("only one class, `{class}`, in {}; two are needed to tell apart", .path.display())]
    OneClass { path: PathBuf, class: String, kind: Kind },
    #[error("the class `{class}` is empty: no {kind} in {}{}", .path.display(), ignored_files(*.ignored))]
    EmptyClass { class: String, path: PathBuf, kind: Kind, ignored: usize },
    /// Classes that only one of the two folders has.
    #[error("{} in {} but not in {}", named(.classes), .present.display(), .absent.display())]
    ClassMismatch { classes: Vec<String>, present: PathBuf, absent: PathBuf },
    #[error("the class `{class}` has no usable picture left in {}: all {lost} were skipped, the first being {} ({})",
        .folder.display(), .first.source.display(), .first.reason)]
    ClassLost { class: String, folder: PathBuf, lost: usize, first: SkippedFile },
    #[error("the class `{class}` has only one usable picture, too few for `val_split` to hold one out")]
    TooFewToSplit { class: String },
    #[error("there is nothing to validate on: neither `val` nor `val_split` is given")]
    NoValidation,
    /// A picture that was fine when it was indexed.
    #[error("could not use {} any more: {defect}", .path.display())]
    Lost { path: PathBuf, defect: Defect },
    /// A bug: a panic in a loader thread.
    #[error("a loader thread crashed on {}: {message}", .path.display())]
    Crashed { path: PathBuf, message: String },
}

impl Error {
    /// What a person can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Error::MissingFolder { .. } | Error::NotAFolder { .. } => {
                "paths under `data` are relative to the experiment file"
            }
            Error::Folder { .. } => "check the folder's permissions",
            Error::NoClasses { kind, .. } | Error::OneClass { kind, .. } => match kind {
                Kind::Pictures => {
                    "make one folder per class with its pictures in it, as data/train/cat/1.png and data/train/dog/1.png"
                }
                Kind::Texts => {
                    "make one folder per class with its texts in it, as data/train/food/1.txt and data/train/animals/1.txt"
                }
            },
            Error::EmptyClass { kind: Kind::Pictures, .. } => {
                "add .png, .jpg, .jpeg, .webp, .bmp or .gif files, or remove the folder if it is no class"
            }
            Error::EmptyClass { kind: Kind::Texts, .. } => "add .txt files, or remove the folder if it is no class",
            Error::ClassMismatch { .. } => "`train` and `val` need folders of the same names",
            Error::ClassLost { .. } => "replace the files that cannot be read",
            Error::TooFewToSplit { .. } => "add pictures to the class, or give a folder as `val`",
            Error::NoValidation => "set `val` to a folder, or `val_split` to a share such as 0.2",
            Error::Lost { .. } => "leave the pictures as they are while a run uses them, then run it again",
            Error::Crashed { .. } => return None,
        })
    }
}

fn ignored_files(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => " (1 file of another kind was ignored)".into(),
        n => format!(" ({n} files of another kind were ignored)"),
    }
}

fn named(classes: &[String]) -> String {
    let names: Vec<String> = classes.iter().map(|class| format!("`{class}`")).collect();
    match names.len() {
        1 => format!("the class {} is", names[0]),
        _ => format!("the classes {} are", names.join(", ")),
    }
}
