//! `finetop events ID`.

use std::path::Path;
use std::process::ExitCode;

use super::failure::Failure;
use super::select::Reading;
use super::since::Since;
use super::{follow, output, select};
use crate::record::event::{Event, Line};
use crate::record::{Tail, words};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    since: Since,
    /// Print the events as JSON, a line each, steps included.
    #[arg(long)]
    json: bool,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let run = select::run(store, &args.reading.run)?;
    let mut tail = Tail::<Event>::new(run.events());
    let mut print_new = || -> Result<(), Failure> {
        let news = tail.read()?;
        let wanted = news.lines.iter().filter(|line| args.since.time.is_none_or(|since| line.time >= since));
        wanted.for_each(|line| print(line, args.json));
        Ok(())
    };
    if !args.reading.follow {
        print_new()?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut result = Ok(());
    follow::until(&run, || {
        let over = follow::is_over(&run);
        result = print_new();
        over || result.is_err()
    });
    result.map(|()| ExitCode::SUCCESS)
}

fn print(line: &Line<Event>, json: bool) {
    if json {
        if let Ok(text) = serde_json::to_string(line) {
            output::raw(&(text + "\n"));
        }
    } else if !matches!(line.event, Event::Step(_) | Event::Stage(_) | Event::Unknown) {
        let text = words::words(&line.event);
        output::line(&format!("{}  {:<6}  {text}", line.time.local_time(), words::kind(&line.event)));
    }
}
