//! A log that is read wherever it is looked at, and nowhere else.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::window::{BLOCK, Window};
use crate::base::durable;
use crate::record::seen::Seen;

/// Lines before and after the place that is looked at, as far as there are so many.
const AROUND: usize = 200;
/// Bytes on each side beyond which no more lines are sought.
const MOST: u64 = 256 * BLOCK;

/// An open log.
#[derive(Debug)]
pub struct Source {
    file: File,
    pub seen: Seen,
    /// Bytes that were read so far.
    pub read: u64,
}

/// A log that changed under its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    None,
    /// It has more than it had, or what it has was written again.
    Grown,
    /// What was known of it no longer holds.
    Another,
    Gone,
}

impl Source {
    /// The log at `path`, if there is one.
    pub fn open(path: &Path) -> Option<Source> {
        let file = durable::open(path).ok()?;
        let seen = Seen::of(&file.metadata().ok()?);
        Some(Source { file, seen, read: 0 })
    }

    /// Looks how the log at `path`, which is this one or was, stands now.
    pub fn look(&mut self, path: &Path) -> Change {
        let Some(now) = Seen::at(path) else { return Change::Gone };
        let before = std::mem::replace(&mut self.seen, now);
        if now == before {
            Change::None
        } else if now.file != before.file || now.length < before.length {
            Change::Another
        } else {
            Change::Grown
        }
    }

    /// Bytes of the whole log.
    pub fn length(&self) -> u64 {
        self.seen.length
    }

    /// The lines from the block at `from` up to that which has the byte before `to`.
    pub fn lines(&mut self, from: u64, to: u64) -> Window {
        let length = self.length();
        let from = from.min(length) / BLOCK * BLOCK;
        let to = to.div_ceil(BLOCK).saturating_mul(BLOCK).min(length);
        let mut bytes = vec![0; usize::try_from(to.saturating_sub(from)).unwrap_or(0)];
        let got = self.fill(&mut bytes, from);
        bytes.truncate(got);
        // What could not be read is not there: the log ends before it.
        let length = if from + (got as u64) < to { from + got as u64 } else { length };
        Window::of(bytes, from, length)
    }

    fn fill(&mut self, bytes: &mut [u8], from: u64) -> usize {
        let mut got = 0;
        while got < bytes.len() {
            match self.file.read_at(&mut bytes[got..], from + got as u64) {
                Ok(0) => break,
                Ok(more) => got += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.read += got as u64;
        got
    }

    /// The lines around the byte at `offset`, enough of them for any screen.
    pub fn around(&mut self, offset: u64) -> Window {
        let mut reach = 4 * BLOCK;
        loop {
            // The line that has the byte begins at most two blocks before it.
            let window = self.lines(offset.saturating_sub(reach + 2 * BLOCK), offset.saturating_add(reach));
            let before = window.line_at(offset).unwrap_or(window.lines());
            let is_enough_before = before >= AROUND || window.has_first();
            let is_enough_after = window.lines() - before >= AROUND || window.has_last();
            if reach >= MOST || (is_enough_before && is_enough_after) {
                return window;
            }
            reach *= 4;
        }
    }
}
