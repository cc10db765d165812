//! Finding all texts of an experiment, in a table or in class folders, and taking them apart into tokens.

use std::collections::BTreeSet;
use std::path::Path;

use rayon::prelude::*;

use super::class_folders::Kind;
use super::error::Error;
use super::samples::{Indexed, Skipped, Text};
use super::split::stratified;
use super::text_folder;
use super::text_table;
use super::tokenizer::Tokenizer;
use crate::experiment::{Data, Texts};

/// Texts that are taken apart before progress is told.
const PORTION: usize = 1024;

/// Reads the tables or folders of `spec`. Without a tokenizer, which only a look ahead can do without, texts have no
/// tokens. `progress` hears how many are taken apart, of how many, and answers whether to go on.
pub(super) fn index(
    spec: &Data,
    texts: &Texts,
    tokenizer: Option<&Tokenizer>,
    seed: u64,
    progress: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<Indexed<Text>, Error> {
    let mut skipped = Vec::new();
    let train = rows(&spec.train, texts, &mut skipped)?;
    let val = spec.val.as_deref().map(|path| rows(path, texts, &mut skipped)).transpose()?;
    let classes = classes(&train);
    check(&classes, &spec.train, val.as_deref().zip(spec.val.as_deref()))?;

    let total = (train.len() + val.as_ref().map_or(0, Vec::len)) as u64;
    let mut done = 0;
    let mut texts = |rows: Vec<Row>| tokenized(rows, &classes, tokenizer, &mut done, &mut |done| progress(done, total));
    let train = texts(train)?;
    let (train, val) = match (val, spec.val_split) {
        (Some(val), _) => (train, texts(val)?),
        (None, Some(share)) => stratified(by_class(train, classes.len()), share, seed, &classes)?,
        (None, None) => return Err(Error::NoValidation),
    };
    Ok(Indexed { classes, train, val, skipped })
}

/// A text, where it is from, and the name of its class.
struct Row {
    source: String,
    text: String,
    label: String,
}

/// The usable texts of the table or the class folders at `path`; what is not usable goes to `skipped`.
fn rows(path: &Path, texts: &Texts, skipped: &mut Vec<Skipped>) -> Result<Vec<Row>, Error> {
    if path.is_dir() {
        return of_folders(path, skipped);
    }
    let mut table = text_table::read(path, texts)?;
    skipped.append(&mut table.skipped);
    let row = |text_table::Row { line, text, label }| Row { source: text_table::place(path, line), text, label };
    Ok(table.rows.into_iter().map(row).collect())
}

fn of_folders(path: &Path, skipped: &mut Vec<Skipped>) -> Result<Vec<Row>, Error> {
    let folders = text_folder::list(path)?;
    folders.check()?;
    let mut rows = Vec::new();
    for class in &folders.classes {
        let skipped_before = skipped.len();
        let rows_before = rows.len();
        for file in &class.files {
            let source = file.display().to_string();
            match text_folder::read(file) {
                Ok(text) => rows.push(Row { source, text, label: class.name.clone() }),
                Err(defect) => skipped.push(Skipped { source, reason: defect.to_string() }),
            }
        }
        if let (true, Some(first)) = (rows.len() == rows_before, skipped.get(skipped_before)) {
            return Err(Error::ClassLost {
                class: class.name.clone(),
                folder: path.to_owned(),
                lost: class.files.len(),
                first: first.clone(),
            });
        }
    }
    Ok(rows)
}

/// The labels that occur, sorted.
fn classes(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| row.label.as_str()).collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect()
}

/// Refuses a single class, and a class that only one side has.
fn check(of_train: &[String], train: &Path, val: Option<(&[Row], &Path)>) -> Result<(), Error> {
    if let [only] = of_train {
        return Err(Error::OneClass { path: train.to_owned(), class: only.clone(), kind: Kind::Texts });
    }
    let Some((rows, val)) = val else { return Ok(()) };
    let of_val = classes(rows);
    for (here, present, there, absent) in [(of_train, train, &*of_val, val), (&*of_val, val, of_train, train)] {
        let alone: Vec<String> = here.iter().filter(|class| !there.contains(class)).cloned().collect();
        if !alone.is_empty() {
            return Err(Error::ClassMismatch {
                classes: alone,
                present: present.to_owned(),
                absent: absent.to_owned(),
            });
        }
    }
    Ok(())
}

/// `rows` as samples, in their order.
fn tokenized(
    rows: Vec<Row>,
    classes: &[String],
    tokenizer: Option<&Tokenizer>,
    done: &mut u64,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Vec<Text>, Error> {
    let mut texts = Vec::with_capacity(rows.len());
    for portion in rows.chunks(PORTION) {
        let some: Result<Vec<Text>, Error> = portion.par_iter().map(|row| text(row, classes, tokenizer)).collect();
        texts.extend(some?);
        *done += portion.len() as u64;
        if !progress(*done) {
            return Err(Error::Stopped);
        }
    }
    Ok(texts)
}

fn text(row: &Row, classes: &[String], tokenizer: Option<&Tokenizer>) -> Result<Text, Error> {
    let tokens = tokenizer.map(|tokenizer| tokenizer.encode(&row.text)).transpose()?.unwrap_or_default();
    // `check` made sure that the label is a class
    let label = classes.binary_search(&row.label).unwrap_or(0) as u32;
    Ok(Text { source: row.source.clone(), label, text: row.text.as_str().into(), tokens: tokens.into() })
}

fn by_class(texts: Vec<Text>, classes: usize) -> Vec<Vec<Text>> {
    let mut of_classes: Vec<Vec<Text>> = (0..classes).map(|_| Vec::new()).collect();
    texts.into_iter().for_each(|text| of_classes[text.label as usize].push(text));
    of_classes
}
