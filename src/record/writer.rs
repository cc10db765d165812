//! Writes the lines of one log: numbered from 0 without gaps, timed, whole.
//!
//! Invariant: what a call that failed was to write is not in the log, neither now nor later; lines that wait from
//! earlier calls keep their numbers, and go out with the next call that succeeds.

use std::marker::PhantomData;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::{Event, Line};
use super::life::LifeEvent;
use crate::base::clock::{self, Stopwatch};
use crate::base::durable::{self, Appender};

/// Lines that may wait are written at most this often.
const BATCH: Duration = Duration::from_millis(100);

/// How soon a line has to be in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// With others, at most ten times a second.
    Batched,
    /// At once.
    Now,
    /// At once, and on the disk before the program goes on.
    Durable,
}

/// What a log can hold.
pub trait Record: Serialize {
    /// How soon it has to be written.
    fn urgency(&self) -> Urgency;
}

impl Record for LifeEvent {
    fn urgency(&self) -> Urgency {
        Urgency::Durable
    }
}

impl Record for Event {
    fn urgency(&self) -> Urgency {
        match self {
            Event::Step(_) => Urgency::Batched,
            Event::Epoch(_) | Event::Checkpoint(_) | Event::Finished(_) | Event::Failed(_) => Urgency::Durable,
            Event::RunStarted(_)
            | Event::Stage(_)
            | Event::PhaseStarted(_)
            | Event::LrChanged(_)
            | Event::Unfroze(_)
            | Event::Best(_)
            | Event::EarlyStopped(_)
            | Event::Confusion(_)
            | Event::Samples(_)
            | Event::Advice(_)
            | Event::Skipped(_)
            | Event::Log(_)
            | Event::Unknown => Urgency::Now,
        }
    }
}

/// The one writer of a log. What is still waiting is written when it is dropped.
#[derive(Debug)]
pub struct Writer<E: Record> {
    log: Appender,
    next: u64,
    waiting: Vec<u8>,
    /// Since the last write; None before the first.
    written: Option<Stopwatch>,
    kind: PhantomData<fn(E)>,
}

impl<E: Record> Writer<E> {
    /// Opens the log at `path`, creating it where missing; a torn last line is cut, and numbering goes on.
    pub fn open(path: &Path) -> Result<Self, durable::Error> {
        let mut log = Appender::open(path)?;
        let next = next_number(&log.read()?);
        Ok(Writer { log, next, waiting: Vec::new(), written: None, kind: PhantomData })
    }

    /// Appends one event.
    pub fn write(&mut self, event: E) -> Result<(), durable::Error> {
        self.write_all([event])
    }

    /// Appends `events` in one `write`, so that a reader finds all of them or none.
    pub fn write_all(&mut self, events: impl IntoIterator<Item = E>) -> Result<(), durable::Error> {
        let (next, waiting) = (self.next, self.waiting.len());
        self.add_all(events).inspect_err(|_| {
            self.next = next;
            self.waiting.truncate(waiting);
        })
    }

    /// Appends `events` in one `write`, whatever their urgency; whoever asks sees to it that they come to the disk.
    pub fn write_all_unsynced(&mut self, events: impl IntoIterator<Item = E>) -> Result<(), durable::Error> {
        let (next, waiting) = (self.next, self.waiting.len());
        events.into_iter().for_each(|event| self.add(event));
        self.flush().inspect_err(|_| {
            self.next = next;
            self.waiting.truncate(waiting);
        })
    }

    fn add_all(&mut self, events: impl IntoIterator<Item = E>) -> Result<(), durable::Error> {
        let mut urgency = Urgency::Batched;
        for event in events {
            urgency = most_urgent(urgency, event.urgency());
            self.add(event);
        }
        let is_due = self.written.is_none_or(|since| since.elapsed() >= BATCH);
        match urgency {
            Urgency::Batched if !is_due => Ok(()),
            Urgency::Batched | Urgency::Now => self.flush(),
            Urgency::Durable => self.flush_with(Appender::append_synced),
        }
    }

    /// Writes what is waiting.
    pub fn flush(&mut self) -> Result<(), durable::Error> {
        self.flush_with(Appender::append)
    }

    fn flush_with(
        &mut self,
        append: impl FnOnce(&mut Appender, &[u8]) -> Result<(), durable::Error>,
    ) -> Result<(), durable::Error> {
        if !self.waiting.is_empty() {
            append(&mut self.log, &self.waiting)?;
            self.waiting.clear();
            self.written = Some(Stopwatch::start());
        }
        Ok(())
    }

    fn add(&mut self, event: E) {
        if add_line(&mut self.waiting, self.next, event) {
            self.next += 1;
        }
    }
}

/// The lines that a new log begins with.
pub(super) fn first_lines<E: Record>(events: impl IntoIterator<Item = E>) -> Vec<u8> {
    let mut lines = Vec::new();
    let mut next = 0;
    for event in events {
        next += u64::from(add_line(&mut lines, next, event));
    }
    lines
}

/// Adds a line; whether it did.
fn add_line<E: Record>(lines: &mut Vec<u8>, seq: u64, event: E) -> bool {
    let before = lines.len();
    // An event is plain data with string keys, which always becomes JSON; half a line must not stay all the same.
    let written = serde_json::to_writer(&mut *lines, &Line { seq, time: clock::now(), event });
    match written {
        Ok(()) => lines.push(b'\n'),
        Err(_) => lines.truncate(before),
    }
    written.is_ok()
}

impl<E: Record> Drop for Writer<E> {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

fn most_urgent(a: Urgency, b: Urgency) -> Urgency {
    if a as u8 >= b as u8 { a } else { b }
}

/// The number after that of the last line with one; garbage after it counts as lines too.
fn next_number(bytes: &[u8]) -> u64 {
    #[derive(Deserialize)]
    struct Numbered {
        seq: u64,
    }
    let lines = bytes.split(|&b| b == b'\n').rev().filter(|line| !line.is_empty());
    let mut after = 0;
    for line in lines {
        after += 1;
        if let Ok(Numbered { seq }) = serde_json::from_slice(line) {
            return seq.saturating_add(after);
        }
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::event::{Level, Log, Step};
    use std::fs;

    fn step(step: u32) -> Event {
        Event::Step(Step {
            phase: "head".into(),
            epoch: 1,
            step,
            steps: 1000,
            loss: f64::NAN,
            accuracy: 0.5,
            lr: 1e-3,
            samples_per_s: 10.0,
        })
    }

    fn log(message: &str) -> Event {
        Event::Log(Log { level: Level::Info, message: message.into() })
    }

    fn numbers(path: &Path) -> Vec<u64> {
        let text = fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str::<Line<Event>>(line).unwrap().seq).collect()
    }

    #[test]
    fn numbers_go_on_without_gaps_over_writers_and_torn_tails() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        {
            let mut writer = Writer::open(&path).unwrap();
            writer.write(log("a")).unwrap();
            writer.write_all([step(1), log("b")]).unwrap();
        }
        let mut torn = fs::read(&path).unwrap();
        torn.extend_from_slice(b"{\"seq\":3,\"ti");
        fs::write(&path, torn).unwrap();
        Writer::open(&path).unwrap().write(log("c")).unwrap();
        assert_eq!(numbers(&path), [0, 1, 2, 3]);
    }

    #[test]
    fn steps_are_batched_and_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut writer = Writer::open(&path).unwrap();
        let watch = Stopwatch::start();
        (1..=500).for_each(|n| writer.write(step(n)).unwrap());
        let on_disk = numbers(&path).len();
        assert!(on_disk < 500 || watch.elapsed() >= BATCH, "{on_disk} lines were written one by one");
        writer.write(log("now")).unwrap();
        assert_eq!(numbers(&path).len(), 501, "an urgent line takes the waiting ones along, in order");
        writer.write(step(501)).unwrap();
        drop(writer);
        assert_eq!(numbers(&path), (0..502).collect::<Vec<_>>());
    }

    #[test]
    fn what_could_not_be_written_is_not_written_later_either() {
        use crate::base::fault::on_this_thread;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let failed = |message: &str| {
            Event::Failed(crate::record::event::Failed {
                cause: crate::record::life::Cause::DiskFull,
                error: message.into(),
                causes: Vec::new(),
                hint: None,
            })
        };
        for fault in ["append#1=short", "append#1=enospc", "append.sync#1=eio"] {
            let mut writer = Writer::open(&path).unwrap();
            let before = fs::read(&path).unwrap();
            on_this_thread(&format!("*:{fault}"), || writer.write(failed("lost"))).unwrap_err();
            assert_eq!(fs::read(&path).unwrap(), before, "{fault}");
            drop(writer);
            assert_eq!(fs::read(&path).unwrap(), before, "{fault}");
            let mut writer = Writer::open(&path).unwrap();
            writer.write(log("first")).unwrap();
            writer.write(step(1)).unwrap();
            on_this_thread(&format!("*:{fault}"), || writer.write(failed("lost"))).unwrap_err();
            writer.write(failed("after it")).unwrap();
        }
        assert_eq!(numbers(&path), (0..9).collect::<Vec<_>>(), "steps that waited are not lost");
        assert!(!fs::read_to_string(&path).unwrap().contains("\"lost\""));
    }

    #[test]
    fn the_next_number_is_known_after_garbage() {
        for (bytes, next) in [
            (&b""[..], 0),
            (b"{\"seq\":4,\"type\":\"x\"}\n", 5),
            (b"{\"seq\":4}\nnonsense\n\0\0\n", 7),
            (b"nonsense\n", 1),
        ] {
            assert_eq!(next_number(bytes), next);
        }
    }
}
