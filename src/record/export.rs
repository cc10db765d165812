//! The figures of runs as a table for other programs: an epoch or a step a row, of all runs one below the other.
//!
//! Invariants: the columns and their order are those of [`table`]; numbers have all their digits, what is no finite number
//! is empty (null); what was trained again after an interruption is there once, as it was trained last. Of the steps no
//! more than those of one run are held in memory.

mod history;
mod table;
mod write;

use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use self::history::History;
use self::write::Sink;
use super::run_dir::RunDir;
use crate::base::durable;
use crate::base::id::RunId;

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Epochs,
    Steps,
}

/// How the table is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A head with the names of the columns, then a row a line.
    #[default]
    Csv,
    /// A list of objects, one a line.
    Json,
}

/// How much was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub runs: usize,
    pub rows: usize,
}

/// Why nothing, or not all, was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not read the events of run {run}: {error}")]
    Read { run: RunId, error: io::Error },
    #[error("could not write the table: {0}")]
    Write(#[from] io::Error),
    #[error(transparent)]
    File(#[from] durable::Error),
}

impl Format {
    /// By the ending of a file's name; CSV where that says nothing.
    pub fn of(path: &Path) -> Format {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some(ending) if ending.eq_ignore_ascii_case("json") => Format::Json,
            _ => Format::Csv,
        }
    }
}

impl What {
    /// So many rows in words.
    pub fn counted(self, rows: usize) -> String {
        crate::base::text::counted(rows as u64, if self == What::Epochs { "epoch" } else { "step" })
    }
}

/// Writes the table of `runs` to `out`. A run that has not trained has no rows.
pub fn write(runs: &[RunDir], what: What, format: Format, out: &mut dyn Write) -> Result<Count, Error> {
    let mut out = io::BufWriter::new(out);
    let count = match what {
        What::Epochs => {
            let all = runs.iter().map(|dir| history(dir, what)).collect::<Result<Vec<_>, _>>()?;
            let metrics = table::metrics(&all);
            let mut sink = Sink::begin(format, table::epoch_columns(&metrics), &mut out)?;
            for (dir, history) in runs.iter().zip(&all) {
                table::epochs(dir, history, &metrics, &mut sink)?;
            }
            sink.end()?
        }
        What::Steps => {
            let mut sink = Sink::begin(format, table::step_columns(), &mut out)?;
            for dir in runs {
                table::steps(dir, &history(dir, what)?, &mut sink)?;
            }
            sink.end()?
        }
    };
    out.flush()?;
    Ok(Count { runs: runs.len(), rows: count })
}

/// Writes the table of `runs` into the file at `path`, which is there whole or as it was before.
pub fn to_file(runs: &[RunDir], what: What, format: Format, path: &Path) -> Result<Count, Error> {
    let mut count = Ok(Count::default());
    durable::write_with(path, |out| {
        count = write(runs, what, format, out);
        match &count {
            Ok(_) => Ok(()),
            Err(error) => Err(io::Error::other(error.to_string())),
        }
    })?;
    count
}

fn history(dir: &RunDir, what: What) -> Result<History, Error> {
    History::read(&dir.events(), what == What::Steps).map_err(|error| Error::Read { run: dir.id(), error })
}

#[cfg(test)]
mod tests;
