//! Reads a log that grows: whole lines only, from where it left off.
//!
//! Invariants: the offset is behind a newline, so a torn tail that its writer cuts away was never read. A file that is
//! shorter than the offset, or another file under the name, is another log: it is read from the start, and said so.
//! What was read stays open until it is let go, so that its number is given to no other file, and reading on opens none.

mod parts;

use std::fs::{self, File};
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::error::Error;
use super::event::Line;
use super::seen::Seen;
use crate::base::durable;

/// A reader's place in a log.
#[derive(Debug)]
pub struct Tail<E> {
    path: PathBuf,
    /// Bytes of whole lines read so far.
    offset: u64,
    /// What the file looked like when it was read last; None while there is none.
    seen: Option<Seen>,
    /// The file that was read.
    file: Option<File>,
    kind: PhantomData<fn() -> E>,
}

/// What a log said since it was read last.
#[derive(Debug, PartialEq)]
pub struct News<E> {
    /// What was read before is no longer in the file: forget it, `lines` are all there is.
    pub restarted: bool,
    pub lines: Vec<Line<E>>,
}

/// What is told of a log, piece by piece.
#[derive(Debug, PartialEq)]
pub enum Told<T> {
    /// What was read before is no longer in the file: forget it.
    Restart,
    /// What comes next.
    Part(T),
}

impl<E> News<E> {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        !self.restarted && self.lines.is_empty()
    }
}

impl<E: DeserializeOwned + Send> Tail<E> {
    /// A reader at the start of the log at `path`, which need not exist yet.
    pub fn new(path: PathBuf) -> Self {
        Tail { path, offset: 0, seen: None, file: None, kind: PhantomData }
    }

    /// A reader of what is added to the log at `path` from now on.
    pub fn at_end(path: PathBuf) -> Self {
        let seen = Seen::at(&path);
        Tail { offset: seen.map_or(0, |seen| seen.length), seen, ..Tail::new(path) }
    }

    /// The file that is read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the file looked like when it was read last; None while there is none.
    pub fn seen(&self) -> Option<Seen> {
        self.seen
    }

    /// Closes the file, of which nothing more is expected soon: of a folder that is to be removed a network file system
    /// keeps what is open.
    pub fn let_go(&mut self) {
        self.file = None;
    }

    /// The whole lines that were added since the last call; those that are no lines of a log are left out. Costs one
    /// `stat` where nothing changed.
    pub fn read(&mut self) -> Result<News<E>, Error> {
        let mut news = News { restarted: false, lines: Vec::new() };
        let parse = |bytes: &[u8]| -> Vec<Line<E>> {
            bytes.split(|&b| b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
        };
        self.read_with(parse, |told| match told {
            Told::Restart => news.restarted = true,
            Told::Part(lines) => news.lines.extend(lines),
        })?;
        Ok(news)
    }

    /// Gives what `parse` makes of the whole lines that were added since the last call to `take`, in order; large parts are
    /// parsed on several threads, while `take` is called on one of them.
    pub fn read_with<T: Send>(
        &mut self,
        parse: impl Fn(&[u8]) -> T + Sync,
        mut take: impl FnMut(Told<T>) + Send,
    ) -> Result<(), Error> {
        let failed = |path: &Path, e| Error::read("read", path)(e);
        let seen = match fs::symlink_metadata(&self.path) {
            Ok(metadata) => Seen::of(&metadata),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                (self.seen, self.file) = (None, None);
                if std::mem::take(&mut self.offset) > 0 {
                    take(Told::Restart);
                }
                return Ok(());
            }
            Err(e) => return Err(failed(&self.path, e)),
        };
        if self.seen == Some(seen) {
            return Ok(());
        }
        self.read_file(seen, parse, take).map_err(|e| failed(&self.path, e))
    }

    fn read_file<T: Send>(
        &mut self,
        seen: Seen,
        parse: impl Fn(&[u8]) -> T + Sync,
        mut take: impl FnMut(Told<T>) + Send,
    ) -> io::Result<()> {
        let (file, seen) = self.open(seen)?;
        let is_another = seen.length < self.offset || self.seen.is_some_and(|before| before.file != seen.file);
        if self.offset > 0 && is_another {
            self.offset = 0;
            take(Told::Restart);
        }
        let (done, result) = parts::read(&file, self.offset..seen.length, parse, |part| take(Told::Part(part)));
        self.offset = done;
        // Where it could not be read to its end, it is to look as if there were more.
        self.seen = Some(if result.is_ok() { seen } else { Seen { length: done, ..seen } });
        self.file = Some(file);
        result
    }

    /// The file under the name, which looks so, and mostly is the one that was read before.
    fn open(&mut self, seen: Seen) -> io::Result<(File, Seen)> {
        match self.file.take() {
            Some(file) if self.seen.is_some_and(|before| before.file == seen.file) => Ok((file, seen)),
            _ => {
                let file = durable::open(&self.path)?;
                let seen = Seen::of(&file.metadata()?);
                Ok((file, seen))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::life::LifeEvent;

    fn note(seq: u64, text: &str) -> String {
        format!("{{\"seq\":{seq},\"time\":\"2025-11-25T04:41:07.120Z\",\"type\":\"note\",\"text\":\"{text}\"}}\n")
    }

    fn texts(news: &News<LifeEvent>) -> Vec<&str> {
        let text = |line: &'_ Line<LifeEvent>| match &line.event {
            LifeEvent::Note { text } => Some(text.clone()),
            _ => None,
        };
        news.lines.iter().filter_map(text).map(|text| &*text.leak()).collect()
    }

    fn log() -> (tempfile::TempDir, PathBuf, Tail<LifeEvent>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        let tail = Tail::new(path.clone());
        (folder, path, tail)
    }

    #[test]
    fn a_log_that_is_not_there_yet_says_nothing() {
        let (_folder, path, mut tail) = log();
        assert!(tail.read().unwrap().is_empty());
        fs::write(&path, note(0, "a")).unwrap();
        assert_eq!(texts(&tail.read().unwrap()), ["a"]);
        assert!(tail.read().unwrap().is_empty());
    }

    #[test]
    fn a_torn_line_waits_until_it_is_whole() {
        let (_folder, path, mut tail) = log();
        let whole = note(0, "a") + &note(1, "b");
        for cut in 1..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let mut tail = Tail::<LifeEvent>::new(path.clone());
            let first = tail.read().unwrap().lines.len();
            assert_eq!(first, whole[..cut].matches('\n').count());
        }
        fs::write(&path, &whole[..whole.len() - 4]).unwrap();
        assert_eq!(texts(&tail.read().unwrap()), ["a"]);
        // Its writer died; the next one cuts the tail and writes another line.
        fs::write(&path, note(0, "a")).unwrap();
        assert!(tail.read().unwrap().is_empty());
        fs::write(&path, note(0, "a") + &note(1, "c")).unwrap();
        assert_eq!(texts(&tail.read().unwrap()), ["c"]);
    }

    #[test]
    fn garbage_and_unknown_types_do_not_stop_it() {
        let (_folder, path, mut tail) = log();
        let unknown = note(1, "x").replace("note", "from_the_future");
        let extra = note(2, "b").replace("\"text\"", "\"new\":{\"deep\":[1]},\"text\"");
        let garbage = b"\xff\xfe\0\0\n[]\n{}\n\n{\"seq\":1}\nnull\n";
        fs::write(&path, [note(0, "a").as_bytes(), garbage, unknown.as_bytes(), extra.as_bytes()].concat()).unwrap();
        let news = tail.read().unwrap();
        assert_eq!(texts(&news), ["a", "b"]);
        assert_eq!(news.lines.len(), 3);
        assert_eq!(news.lines[1].event, LifeEvent::Unknown);
    }

    #[test]
    fn a_log_that_shrank_vanished_or_was_replaced_starts_over() {
        let (folder, path, mut tail) = log();
        fs::write(&path, note(0, "a") + &note(1, "b")).unwrap();
        tail.read().unwrap();
        fs::write(&path, note(0, "c")).unwrap();
        let shrunk = tail.read().unwrap();
        assert!(shrunk.restarted && texts(&shrunk) == ["c"]);
        let other = folder.path().join("other");
        fs::write(&other, note(0, "d") + &note(1, "e")).unwrap();
        fs::rename(&other, &path).unwrap();
        let replaced = tail.read().unwrap();
        assert!(replaced.restarted && texts(&replaced) == ["d", "e"]);
        fs::remove_file(&path).unwrap();
        assert_eq!(tail.read().unwrap(), News { restarted: true, lines: vec![] });
        assert!(tail.read().unwrap().is_empty());
    }

    #[test]
    fn a_log_that_was_replaced_twice_between_two_readings_is_another() {
        let (_folder, path, mut tail) = log();
        let (removed, new) = (path.with_extension("removed"), path.with_extension("new"));
        fs::write(&path, note(0, "a")).unwrap();
        tail.read().unwrap();
        for text in ["b", "c", "d"] {
            // Most file systems give the number of what was removed last to what is made next.
            fs::write(&removed, "").unwrap();
            fs::rename(&removed, &path).unwrap();
            fs::write(&new, note(0, text) + &note(1, text)).unwrap();
            fs::rename(&new, &path).unwrap();
            let replaced = tail.read().unwrap();
            assert!(replaced.restarted && texts(&replaced) == [text, text]);
        }
    }
}
