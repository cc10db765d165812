//! Experiment files as they are named on the command line: all of them must be right before anything is done with one.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::output;
use crate::experiment::{Loaded, Override};
use crate::train;

/// Keys that are changed from the command line.
#[derive(Debug, Default, clap::Args)]
pub struct Changes {
    /// Override a key, as `train.batch_size=64`; may be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<Override>,
}

/// Experiments to be read.
#[derive(Debug, clap::Args)]
pub struct Files {
    /// Experiment files, or folders of them.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    changes: Changes,
}

/// An experiment file with its runs: one, or those of a sweep.
#[derive(Debug)]
pub struct Read {
    pub path: PathBuf,
    pub runs: Vec<Loaded>,
}

impl Files {
    /// Reads them, as [`all`] does.
    pub fn load(&self) -> Result<Vec<Loaded>, Failure> {
        all(&self.paths, &self.changes)
    }

    /// Reads them, as [`each`] does.
    pub fn load_each(&self) -> Result<Vec<Read>, Failure> {
        each(&self.paths, &self.changes)
    }
}

impl Changes {
    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }
}

/// Reads the experiments in `paths`, as [`each`] does: all runs of all files in their order.
///
/// # Errors
/// As of [`each`].
pub fn all(paths: &[PathBuf], changes: &Changes) -> Result<Vec<Loaded>, Failure> {
    Ok(each(paths, changes)?.into_iter().flat_map(|file| file.runs).collect())
}

/// Reads the files in `paths`: files, and folders, of which each `.yaml` and `.yml` in them counts.
///
/// # Errors
/// Every mistake of every file was printed; nothing of any of them may be used.
pub fn each(paths: &[PathBuf], changes: &Changes) -> Result<Vec<Read>, Failure> {
    let mut read = Vec::new();
    let mut wrong = 0;
    for path in files(paths)? {
        match train::load_all(&path, &changes.set) {
            Ok(runs) => read.push(Read { path, runs }),
            Err(mistakes) => {
                output::mistakes(&mistakes);
                wrong += mistakes.iter().count();
            }
        }
    }
    match wrong {
        0 => Ok(read),
        1 => Err(Failure::usage("an experiment has a mistake; nothing was done")),
        n => Err(Failure::usage(format!("the experiments have {n} mistakes; nothing was done"))),
    }
}

fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(in_folder(path)?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error| Failure::failed(format!("could not read {}: {error}", folder.display()));
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let is_experiment =
        |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_experiment).collect();
    found.sort();
    if found.is_empty() {
        return Err(Failure::usage(format!("there is no .yaml file in {}", folder.display())));
    }
    Ok(found)
}
