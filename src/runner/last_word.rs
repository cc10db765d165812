//! The last word of a worker: how its attempt ended, in its own view, read from the end of its events.
//!
//! Invariant: nothing that an earlier attempt said counts, and the end of a long run is found as fast as that of a short
//! one: it stands in the last lines or nowhere.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::record::event::{Event, FinishReason, Line};
use crate::record::life::Cause;
use crate::record::state::Life;

/// Bytes at the end of the events in which the last word is looked for.
const BLOCK: u64 = 256 * 1024;

/// What a worker said last of its attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LastWord {
    Finished(FinishReason),
    Failed(Cause, String),
}

impl LastWord {
    /// The last word in the events at `path` that was said in the latest attempt of `life`, if it had one.
    pub fn read(path: &Path, life: &Life) -> Option<LastWord> {
        let bytes = end_of(path).ok()?;
        let lines = bytes.split(|&b| b == b'\n').rev().filter_map(|line| serde_json::from_slice(line).ok());
        LastWord::of(lines, life)
    }

    /// The same, of lines from the last one on back.
    fn of(lines: impl Iterator<Item = Line<Event>>, life: &Life) -> Option<LastWord> {
        // A quick worker may speak before its start is written down, but never before the attempt before it ended.
        let mut its_own = lines.take_while(|line| life.is_of_this_attempt(line.time));
        its_own.find_map(|line| match line.event {
            Event::Finished(finished) => Some(Some(LastWord::Finished(finished.reason))),
            Event::Failed(failed) => Some(Some(LastWord::Failed(failed.cause, failed.error))),
            Event::RunStarted(_) => Some(None),
            _ => None,
        })?
    }
}

/// The last bytes of a file, whole lines where there is more than that.
fn end_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(BLOCK)))?;
    let mut bytes = Vec::new();
    file.take(BLOCK).read_to_end(&mut bytes)?;
    Ok(bytes)
}
