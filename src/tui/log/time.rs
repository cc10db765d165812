//! The times in a log: the worker begins its lines with them, what its libraries print has none and is as old as the line
//! before. They are in order, unless the clock went back.

use super::source::Source;
use super::window::BLOCK;
use crate::base::clock::Timestamp;

/// Bytes that are read to find a time.
const PIECE: u64 = 4 * BLOCK;

/// The time that a line begins with.
pub fn of(line: &[u8]) -> Option<Timestamp> {
    let word = line.get(..line.len().min(40))?.split(|byte| *byte == b' ').next()?;
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// Where to go for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The first line of that time or later.
    Line(u64),
    /// All lines are older.
    End,
    /// No line has a time.
    Timeless,
}

/// The place of `time` in the log, found by halving.
pub fn place(log: &mut Source, time: Timestamp) -> Place {
    let length = log.length();
    let Some((first, _)) = next(log, 0, length, |_| true) else { return Place::Timeless };
    // Lines that begin before `from` are older; one that begins at `to` or later is not sought.
    let (mut from, mut to) = (first, length);
    while to - from > PIECE {
        let middle = from + (to - from) / 2;
        match next(log, middle, to, |_| true) {
            Some((line, found)) if found < time => from = line + 1,
            _ => to = middle,
        }
    }
    next(log, from, length, |found| found >= time).map_or(Place::End, |(line, _)| Place::Line(line))
}

/// The first line with a time that is sought that begins at `from` or later and before `to`.
fn next(log: &mut Source, from: u64, to: u64, is_sought: impl Fn(Timestamp) -> bool) -> Option<(u64, Timestamp)> {
    let mut at = from;
    while at < to {
        let window = log.lines(at.saturating_sub(BLOCK), at.saturating_add(PIECE));
        let lines = (0..window.lines()).filter(|&line| (at..to).contains(&window.offset(line)));
        let mut timed = lines.filter_map(|line| Some((window.offset(line), of(window.line(line))?)));
        if let Some(found) = timed.find(|&(_, time)| is_sought(time)) {
            return Some(found);
        }
        if window.has_last() || window.end() <= at {
            return None;
        }
        at = window.end();
    }
    None
}
