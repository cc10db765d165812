//! What lies at a path, before there is an experiment: how many samples of which classes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::class_folders::{ClassFolders, Kind};
use super::error::Error;
use super::text_table;
use crate::experiment::{self, Inputs, Texts};

/// Pictures or texts whose sizes are looked at.
const LOOKED_AT: usize = 200;

/// A set of samples as it lies on the disk; at least two classes, each with a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    pub kind: Kind,
    /// Each with its samples, sorted by name.
    pub classes: Vec<(String, usize)>,
    /// Files or rows that cannot be used, where a look tells.
    pub skipped: usize,
    /// What most samples are no larger than: of pictures the shorter side in pixels (half of them), of texts the bytes
    /// (nineteen of twenty).
    pub size: Option<usize>,
}

impl Survey {
    /// Of the class folders in `folder`: pictures, or texts where there are more of those.
    pub fn of_folder(folder: &Path) -> Result<Survey, Error> {
        let count = |list: &ClassFolders| list.classes.iter().map(|class| class.files.len()).sum::<usize>();
        let pictures = ClassFolders::of(Kind::Pictures, folder)?;
        let texts = ClassFolders::of(Kind::Texts, folder)?;
        let list = if count(&texts) > count(&pictures) { texts } else { pictures };
        list.check()?;
        let files: Vec<&PathBuf> = list.classes.iter().flat_map(|class| &class.files).collect();
        let looked_at = files.iter().step_by(files.len().div_ceil(LOOKED_AT).max(1));
        let size = match list.kind {
            Kind::Pictures => at(looked_at.filter_map(|path| shorter_side(path)).collect(), 0.5),
            Kind::Texts => {
                let bytes = looked_at.filter_map(|path| Some(std::fs::metadata(path).ok()?.len() as usize));
                at(bytes.collect(), 0.95)
            }
        };
        let classes = list.classes.iter().map(|class| (class.name.clone(), class.files.len())).collect();
        Ok(Survey { kind: list.kind, classes, skipped: 0, size })
    }

    /// Of the table at `path` with these columns.
    pub fn of_table(path: &Path, text_column: &str, label_column: &str) -> Result<Survey, Error> {
        let [text_column, label_column] = [text_column, label_column].map(str::to_owned);
        let table = text_table::read(path, &Texts { text_column, label_column, max_length: 0 })?;
        let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
        table.rows.iter().for_each(|row| *classes.entry(&row.label).or_default() += 1);
        let classes: Vec<_> = classes.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
        if let [(only, _)] = &classes[..] {
            return Err(Error::OneClass { path: path.to_owned(), class: only.clone(), kind: Kind::Texts });
        }
        let size = at(table.rows.iter().map(|row| row.text.len()).collect(), 0.95);
        Ok(Survey { kind: Kind::Texts, classes, skipped: table.skipped.len(), size })
    }

    /// All samples.
    pub fn samples(&self) -> usize {
        self.classes.iter().map(|(_, count)| count).sum()
    }

    /// How many times the smallest class goes into the largest.
    pub fn imbalance(&self) -> f64 {
        let counts = || self.classes.iter().map(|(_, count)| *count);
        counts().max().unwrap_or(1) as f64 / counts().min().unwrap_or(1).max(1) as f64
    }
}

/// The largest table that is read for the names of its classes, in bytes.
const LARGEST_TABLE: u64 = 64 << 20;

/// The names of the classes that `data` trains on; None where they cannot be told now, or not quickly.
pub fn class_names(data: &experiment::Data) -> Option<Vec<String>> {
    let of_folders = |kind| Some(ClassFolders::of(kind, &data.train).ok()?.classes.into_iter().map(|class| class.name));
    match &data.inputs {
        Inputs::Pictures(_) => Some(of_folders(Kind::Pictures)?.collect()),
        Inputs::Texts(_) if data.train.is_dir() => Some(of_folders(Kind::Texts)?.collect()),
        Inputs::Texts(texts) => {
            std::fs::metadata(&data.train).ok().filter(|table| table.len() <= LARGEST_TABLE)?;
            let rows = text_table::read(&data.train, texts).ok()?.rows;
            Some(rows.into_iter().map(|row| row.label).collect::<BTreeSet<_>>().into_iter().collect())
        }
    }
}

/// The names of the columns of the table at `path`, or of the fields of its first object.
pub fn columns(path: &Path) -> Result<Vec<String>, Error> {
    text_table::columns(path)
}

fn shorter_side(path: &Path) -> Option<usize> {
    image::image_dimensions(path).ok().map(|(width, height)| width.min(height) as usize)
}

/// The value that `share` of `values` do not exceed.
fn at(mut values: Vec<usize>, share: f64) -> Option<usize> {
    values.sort_unstable();
    let place = (values.len() as f64 * share).ceil() as usize;
    values.get(place.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixtures::{write, write_classes};

    #[test]
    fn folders_are_of_what_there_is_more_of() {
        let root = tempfile::tempdir().unwrap();
        write_classes(root.path(), &[("a", 6), ("b", 2)]);
        write(root.path().join("a/readme.txt"), b"x");
        let survey = Survey::of_folder(root.path()).unwrap();
        assert_eq!((survey.kind, survey.samples(), survey.imbalance()), (Kind::Pictures, 8, 3.0));
        assert!(survey.size.is_some_and(|side| side > 0));
        for at in 0..9 {
            write(root.path().join(format!("a/{at}.txt")), b"red apple");
            write(root.path().join(format!("b/{at}.txt")), b"red apple");
        }
        let survey = Survey::of_folder(root.path()).unwrap();
        assert_eq!((survey.kind, survey.size), (Kind::Texts, Some(9)));
    }

    #[test]
    fn tables_are_counted_by_class() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.csv");
        write(path.clone(), b" review ,stars\ngood,5\nbad,1\n,3\nfine,5\n");
        assert_eq!(columns(&path).unwrap(), ["review", "stars"]);
        let survey = Survey::of_table(&path, "review", "stars").unwrap();
        assert_eq!(survey.classes, [("1".to_owned(), 1), ("5".to_owned(), 2)]);
        assert_eq!((survey.skipped, survey.size), (1, Some(4)));
        let lines = root.path().join("a.jsonl");
        write(lines.clone(), b"\n{\"b\":1,\"a\":\"x\"}\n");
        assert_eq!(columns(&lines).unwrap().len(), 2);
    }

    #[test]
    fn a_share_of_values() {
        assert_eq!(at(vec![], 0.5), None);
        assert_eq!(at(vec![3, 1, 2], 0.5), Some(2));
        assert_eq!(at((1..=100).collect(), 0.95), Some(95));
    }
}
