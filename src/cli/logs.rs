//! `finetop logs ID`.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::ExitCode;

use super::failure::Failure;
use super::select::Reading;
use super::since::Since;
use super::{follow, output, select};
use crate::base::durable;
use crate::record::RunDir;
use crate::tui::log;

/// A line of the log is as old as the time that it begins with, or the last line before it that begins with one; `--since`
/// finds the first of them by halving, so that little is read of a long log.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    since: Since,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let run = select::run(store, &args.reading.run)?;
    let offset = args.since.time.map_or(0, |time| log::since(&run.log_txt(), time));
    let mut log = Log { offset, rest: String::new() };
    if args.reading.follow {
        follow::until(&run, || {
            let over = follow::is_over(&run);
            log.print_new(&run);
            over
        });
    } else {
        log.print_new(&run);
    }
    if !log.rest.is_empty() {
        output::line(&log.rest);
    }
    Ok(ExitCode::SUCCESS)
}

/// A place in `log.txt`.
struct Log {
    offset: u64,
    /// A last line without its end.
    rest: String,
}

impl Log {
    /// Prints the lines that came since. A log that is not there yet has none.
    fn print_new(&mut self, run: &RunDir) {
        let mut bytes = Vec::new();
        let Ok(mut file) = durable::open(&run.log_txt()) else { return };
        if file.seek(SeekFrom::Start(self.offset)).and_then(|_| file.read_to_end(&mut bytes)).is_err() {
            return;
        }
        self.offset += bytes.len() as u64;
        self.rest.push_str(&String::from_utf8_lossy(&bytes));
        if let Some(end) = self.rest.rfind('\n') {
            let whole: String = self.rest.drain(..=end).collect();
            whole.lines().for_each(output::line);
        }
    }
}
