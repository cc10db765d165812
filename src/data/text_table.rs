//! Tables of texts and their classes: CSV and TSV with RFC 4180's quotes, and JSON Lines, in UTF-8.
//!
//! Invariants: every row of the file is either in `rows` or in `skipped`, in the file's order; `line` is where the row
//! begins in the file, counted from 1, also where texts span lines. Texts are kept as they are, classes without the
//! blanks around them.

mod json_lines;
mod separated;
#[cfg(test)]
mod tests;

use std::path::Path;

use super::error::Error;
use super::file::{self, Unreadable};
use super::samples::Skipped;
use crate::experiment::Texts;

/// Largest table, in bytes.
const MAX_TABLE_BYTES: u64 = 4 << 30;

/// The usable rows of a file, at least one, and those that are not.
#[derive(Debug)]
pub(crate) struct Table {
    pub rows: Vec<Row>,
    /// With the line of each, as `names.csv:12`.
    pub skipped: Vec<Skipped>,
}

/// A text and its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub line: u64,
    pub text: String,
    pub label: String,
}

/// How a table is written.
#[derive(Debug, Clone, Copy)]
enum Format {
    /// Fields between this byte.
    Separated(u8),
    JsonLines,
}

/// Reads the table at `path`: `.csv`, `.tsv`, `.jsonl` or `.ndjson`. The first line of a CSV or TSV names its columns.
pub(crate) fn read(path: &Path, texts: &Texts) -> Result<Table, Error> {
    let format = format(path)?;
    let content = content(path)?;
    let mut table = Reading { path, texts, rows: Vec::new(), skipped: Vec::new() };
    match format {
        Format::Separated(delimiter) => separated::read(&content, delimiter, &mut table)?,
        Format::JsonLines => json_lines::read(&content, &mut table)?,
    }
    table.finish()
}

/// The names of the columns of the table at `path`, blanks around them left out; of JSON Lines the fields of the first
/// object.
pub(crate) fn columns(path: &Path) -> Result<Vec<String>, Error> {
    let format = format(path)?;
    let content = content(path)?;
    let columns = match format {
        Format::Separated(delimiter) => separated::columns(&content, delimiter),
        Format::JsonLines => json_lines::columns(&content),
    };
    columns.ok_or_else(|| Error::EmptyTable { path: path.to_owned() })
}

fn content(path: &Path) -> Result<String, Error> {
    file::read_text(path, MAX_TABLE_BYTES).map_err(|defect| match defect {
        Unreadable::Missing => Error::MissingFile { path: path.to_owned() },
        defect => Error::File { path: path.to_owned(), defect },
    })
}

fn format(path: &Path) -> Result<Format, Error> {
    match &*path.extension().unwrap_or_default().to_string_lossy().to_lowercase() {
        "csv" => Ok(Format::Separated(b',')),
        "tsv" => Ok(Format::Separated(b'\t')),
        "jsonl" | "ndjson" => Ok(Format::JsonLines),
        _ => Err(Error::UnknownTable { path: path.to_owned() }),
    }
}

/// A table while it is read.
struct Reading<'a> {
    path: &'a Path,
    texts: &'a Texts,
    rows: Vec<Row>,
    skipped: Vec<Skipped>,
}

impl Reading<'_> {
    /// Takes the row that begins in `line`: its text and its class, or why it has none.
    fn take(&mut self, line: u64, cells: Result<(&str, &str), String>) {
        match cells.and_then(usable) {
            Ok((text, label)) => self.rows.push(Row { line, text: text.to_owned(), label: label.to_owned() }),
            Err(reason) => self.skipped.push(Skipped { source: place(self.path, line), reason }),
        }
    }

    fn no_column(&self, column: &str, columns: Vec<String>) -> Error {
        let nearest = nearest(column, &columns);
        Error::NoColumn { path: self.path.to_owned(), column: column.to_owned(), columns, nearest }
    }

    fn finish(self) -> Result<Table, Error> {
        let Reading { path, rows, skipped, .. } = self;
        if rows.is_empty() {
            return Err(Error::NoRows {
                path: path.to_owned(),
                skipped: skipped.len(),
                first: skipped.into_iter().next(),
            });
        }
        Ok(Table { rows, skipped })
    }
}

fn usable<'a>((text, label): (&'a str, &'a str)) -> Result<(&'a str, &'a str), String> {
    match (text.trim().is_empty(), label.trim()) {
        (true, _) => Err("the text is empty".into()),
        (_, "") => Err("the label is empty".into()),
        (false, label) => Ok((text, label)),
    }
}

/// `names.csv:12`.
pub(super) fn place(path: &Path, line: u64) -> String {
    format!("{}:{line}", path.display())
}

/// The one of `columns` that was most likely meant by `column`, if any is near.
fn nearest(column: &str, columns: &[String]) -> Option<String> {
    let likeness = |other: &str| strsim::normalized_damerau_levenshtein(&column.to_lowercase(), &other.to_lowercase());
    let near = columns.iter().filter(|other| likeness(other) >= 0.5);
    near.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).cloned()
}
