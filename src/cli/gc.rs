//! `finetop gc`.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::failure::Failure;
use super::output;
use crate::base::clock;
use crate::base::text::bytes;
use crate::record::gc::{self, Keep, Old};
use crate::record::{self, Store};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Keep the checkpoints of runs that ended in the last so many days; 7 where --keep is not given either.
    #[arg(long, value_name = "DAYS")]
    keep_days: Option<u32>,
    /// Keep the checkpoints of so many runs that ended last.
    #[arg(long, value_name = "RUNS")]
    keep: Option<usize>,
    /// Also those of failed and cancelled runs, which `retry` then starts anew.
    #[arg(long)]
    all: bool,
    /// Only say what would be freed.
    #[arg(long)]
    dry_run: bool,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let old = match Store::open(store) {
        Ok(store) => gc::old(&store, args.keep(), clock::now())?,
        Err(record::Error::NoStore { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    if old.is_empty() {
        output::note("there are no old checkpoints");
        return Ok(ExitCode::SUCCESS);
    }
    old.iter().for_each(say);
    let total = bytes(old.iter().map(|old| old.bytes).sum());
    if args.dry_run {
        output::line(&format!("would free {total} of {} runs", old.len()));
        return Ok(ExitCode::SUCCESS);
    }
    Ok(remove(&old))
}

impl Args {
    fn keep(&self) -> Keep {
        const A_WEEK: u32 = 7;
        let days = self.keep_days.or(self.keep.is_none().then_some(A_WEEK));
        let age = |days: u32| Duration::from_secs(u64::from(days) * 24 * 60 * 60);
        Keep { younger_than: days.map(age), latest: self.keep.unwrap_or(0), unfinished: !self.all }
    }
}

fn say(old: &Old) {
    let Old { dir, state, ended, bytes: count } = old;
    output::line(&format!("{}  {}  {}  {}", dir.folder_name(), state.name(), ended.local_date_time(), bytes(*count)));
}

/// Exit code 1 where something could not be removed.
fn remove(old: &[Old]) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    let (mut freed, mut runs) = (0, 0);
    for old in old {
        match old.remove() {
            Ok(true) => {
                freed += old.bytes;
                runs += 1;
            }
            Ok(false) => output::note(&format!("{} was queued again and keeps them", old.dir.folder_name())),
            Err(error) => {
                output::error(&error.to_string());
                code = ExitCode::from(1);
            }
        }
    }
    output::line(&format!("freed {} of {runs} runs", bytes(freed)));
    code
}
