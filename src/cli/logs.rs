//! `finetop logs ID`.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::ExitCode;

use super::failure::Failure;
pub use super::select::Reading as Args;
use super::{follow, output, select};
use crate::base::durable;
use crate::record::RunDir;

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let run = select::run(store, &args.run)?;
    let mut log = Log { offset: 0, rest: String::new() };
    if args.follow {
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
