//! Stores and runs as they are named on the command line.

use std::path::Path;

use super::failure::Failure;
use crate::record::{self, RunDir, Store};

/// Some runs.
#[derive(Debug, clap::Args)]
pub struct Runs {
    /// Numbers, names, or beginnings that only one run has.
    #[arg(value_name = "ID", required = true)]
    pub runs: Vec<String>,
}

/// A run that is read, and whether to the end of what is there or of the run.
#[derive(Debug, clap::Args)]
pub struct Reading {
    /// Number, name, or a beginning that only one run has.
    #[arg(value_name = "ID")]
    pub run: String,
    /// Go on until the run is over.
    #[arg(short, long)]
    pub follow: bool,
}

impl From<record::Error> for Failure {
    fn from(error: record::Error) -> Self {
        let failure = match &error {
            record::Error::Read { .. }
            | record::Error::Write(_)
            | record::Error::NewerFormat { .. }
            | record::Error::NoFormat { .. } => Failure::failed(error.to_string()),
            record::Error::NoStore { .. }
            | record::Error::NotAFolder { .. }
            | record::Error::BadName { .. }
            | record::Error::NoSuchRun { .. }
            | record::Error::Ambiguous { .. } => Failure::usage(error.to_string()),
        };
        failure.maybe_hint(error.hint())
    }
}

/// The runs that `texts` name, each once, in the order given. Every text must name one.
pub fn runs(store: &Path, texts: &[String]) -> Result<(Store, Vec<RunDir>), Failure> {
    let store = open(store, texts)?;
    let mut runs: Vec<RunDir> = Vec::new();
    for text in texts {
        let run = store.find(text)?;
        if !runs.contains(&run) {
            runs.push(run);
        }
    }
    Ok((store, runs))
}

/// The one run that `text` names.
pub fn run(store: &Path, text: &str) -> Result<RunDir, Failure> {
    Ok(open(store, &[text.to_owned()])?.find(text)?)
}

/// A store that is not there has no such run: the message names both.
fn open(store: &Path, texts: &[String]) -> Result<Store, Failure> {
    Store::open(store).map_err(|error| match error {
        record::Error::NoStore { path } => {
            let wanted = texts.join(", ");
            Failure::usage(format!("there is no run `{wanted}`: there is no store at {}", path.display()))
                .hint("choose the store with --store DIR, or queue an experiment with `finetop add`")
        }
        error => error.into(),
    })
}
