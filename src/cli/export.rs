//! `finetop export RUN…`: the figures of runs for other programs.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;

use super::failure::Failure;
use super::output;
use super::select::Runs;
use crate::base::text::counted;
use crate::record::export::{self, Format, What};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Columns of epochs: run, name, time, phase, epoch, phase_epoch, lr, loss, accuracy, val_loss, val_accuracy, seconds, \
samples_per_s, then whatever else was measured, by name. Of steps: run, name, time, phase, epoch, step, steps, loss, \
accuracy, lr, samples_per_s. Times are RFC 3339 in UTC. Numbers have all their digits; NaN and infinity are empty in CSV and \
null in JSON, which is a list of objects, one a line.")]
pub struct Args {
    #[command(flatten)]
    runs: Runs,
    /// How it is written; by the ending of --out, else csv.
    #[arg(long, value_enum)]
    format: Option<Written>,
    /// A row for each optimizer step in place of each epoch.
    #[arg(long)]
    steps: bool,
    /// Into this file, which is replaced as a whole, in place of standard output.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Written {
    Csv,
    Json,
}

impl From<export::Error> for Failure {
    fn from(error: export::Error) -> Self {
        Failure::failed(error.to_string())
    }
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let runs = args.runs.select(store)?.runs;
    let what = if args.steps { What::Steps } else { What::Epochs };
    let format = match args.format {
        Some(Written::Csv) => Format::Csv,
        Some(Written::Json) => Format::Json,
        None => args.out.as_deref().map_or(Format::Csv, Format::of),
    };
    match &args.out {
        Some(path) => {
            let count = export::to_file(&runs, what, format, path)?;
            let runs = counted(count.runs as u64, "run");
            output::note(&format!("{} of {runs} are in {}", what.counted(count.rows), path.display()));
        }
        None => match export::write(&runs, what, format, &mut io::stdout().lock()) {
            Ok(_) => {}
            // A reader that went away (`| head`) ends it quietly, as Unix tools do.
            Err(export::Error::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) => return Err(error.into()),
        },
    }
    Ok(ExitCode::SUCCESS)
}
