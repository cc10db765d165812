//! What can be wrong with the data of an experiment.

use std::io;
use std::path::PathBuf;

use super::class_folders::Kind;
use super::decode::Defect;
use super::file::Unreadable;
use super::samples::Skipped;

/// Why the samples cannot be trained on.
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
    #[error("the class `{class}` has no usable sample left in {}: all {lost} were skipped, the first being {} ({})",
        .folder.display(), .first.source, .first.reason)]
    ClassLost { class: String, folder: PathBuf, lost: usize, first: Skipped },
    #[error("the class `{class}` has only one usable sample, too few for `val_split` to hold one out")]
    TooFewToSplit { class: String },
    #[error("the file {} does not exist", .path.display())]
    MissingFile { path: PathBuf },
    #[error("could not read {}: {defect}", .path.display())]
    File { path: PathBuf, defect: Unreadable },
    #[error("{} is no table that can be read: .csv, .tsv, .jsonl and .ndjson are", .path.display())]
    UnknownTable { path: PathBuf },
    #[error("{} is empty", .path.display())]
    EmptyTable { path: PathBuf },
    #[error("there is no column `{column}` in {}; {}{}", .path.display(), listed(.columns), meant(.nearest))]
    NoColumn { path: PathBuf, column: String, columns: Vec<String>, nearest: Option<String> },
    #[error("the column `{column}` is there more than once in {}", .path.display())]
    TwoColumns { path: PathBuf, column: String },
    /// All of the file behind the quote would be one field.
    #[error("the quote that opens in line {line} of {} is never closed", .path.display())]
    OpenQuote { path: PathBuf, line: u64 },
    #[error("there is no usable row in {}{}", .path.display(), all_skipped(*.skipped, .first))]
    NoRows { path: PathBuf, skipped: usize, first: Option<Skipped> },
    #[error("the tokenizer {} does not exist", .path.display())]
    MissingTokenizer { path: PathBuf },
    #[error("{} is no tokenizer that can be read: a tokenizer.json and a vocab.txt are", .path.display())]
    UnknownTokenizer { path: PathBuf },
    #[error("could not make a tokenizer of {}: {reason}", .path.display())]
    Tokenizer { path: PathBuf, reason: String },
    /// The marks of a text's ends alone take all tokens that are allowed.
    #[error("{max_length} tokens leave no room for a text: {} puts {ends} around each", .path.display())]
    NoRoom { path: PathBuf, max_length: usize, ends: usize },
    #[error("could not make tokens of a text: {reason}")]
    NotEncoded { reason: String },
    #[error("somebody asked to stop")]
    Stopped,
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
            Error::TooFewToSplit { .. } => "add samples to the class, or give a `val` of its own",
            Error::NoValidation => "set `val`, or `val_split` to a share such as 0.2",
            Error::Lost { .. } => "leave the pictures as they are while a run uses them, then run it again",
            Error::MissingFile { .. } => "paths under `data` are relative to the experiment file",
            Error::File { defect: Unreadable::NotUtf8 { .. }, .. } => "save the file as UTF-8",
            Error::File { defect: Unreadable::Failed(_), .. } => "check the file's permissions",
            Error::UnknownTable { .. } => "give a table, or a folder with one folder of .txt files per class",
            Error::EmptyTable { .. } | Error::NoRows { .. } => {
                "the first line of a .csv or .tsv names its columns, as text,label; a .jsonl has an object in each line, as \
                 {\"text\": \"red apple\", \"label\": \"food\"}"
            }
            Error::NoColumn { columns, .. } if matches!(&columns[..], [only] if only.contains([';', '\t', ',', '|'])) => {
                "the fields of a .csv have commas between them, those of a .tsv tabs"
            }
            Error::NoColumn { .. } => "name the columns with `data.text_column` and `data.label_column`",
            Error::TwoColumns { .. } => "give each column a name of its own",
            Error::OpenQuote { .. } => {
                "put a field with quotes, separators or line breaks in quotes, and double the quotes in it (RFC 4180)"
            }
            Error::MissingTokenizer { .. } => "`model.tokenizer` is relative to the experiment file",
            Error::UnknownTokenizer { .. } | Error::Tokenizer { .. } => {
                "take the tokenizer.json, or the vocab.txt of a BERT, that comes with the model"
            }
            Error::NoRoom { .. } => "raise `data.max_length`",
            Error::File { .. } | Error::NotEncoded { .. } | Error::Crashed { .. } | Error::Stopped => return None,
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

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => "it has none".into(),
        1 => format!("its only one is {}", shown[0]),
        n if n > SHOWN => format!("its columns are {} and {} more", shown.join(", "), n - SHOWN),
        _ => format!("its columns are {}", shown.join(", ")),
    }
}

fn meant(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|nearest| format!(" (did you mean `{nearest}`?)")).unwrap_or_default()
}

fn all_skipped(count: usize, first: &Option<Skipped>) -> String {
    let Some(Skipped { source, reason }) = first else { return String::new() };
    format!(": all {count} were skipped, the first being {} ({reason})", source)
}
