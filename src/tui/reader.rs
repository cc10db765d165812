//! The thread that reads the store and the followed log, and says what is new.

use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::action::News;
use super::pane;
use crate::base::clock::Stopwatch;
use crate::base::durable;
use crate::base::id::RunId;
use crate::record::watch::{Changes, StoreWatcher};
use crate::record::{Store, StoreView};

/// Least time between two readings: a person sees no more.
const PAUSE: Duration = Duration::from_millis(30);
/// Bytes at the end of a log that are shown.
const LOG_END: u64 = 512 * 1024;
/// Lines that are kept of a log that goes on.
const LOG_LINES: usize = 10_000;

/// What wakes the reader.
enum Wake {
    /// Something may have changed; what, is in the [`Told`].
    Changed,
    Want(BTreeSet<RunId>),
    Follow(Option<RunId>),
}

/// What may have changed and nobody has looked at yet; None where nothing.
type Told = Arc<Mutex<Option<Changes>>>;

/// The reading thread. Asking it for something never waits, also while a disk keeps it.
pub struct Reader {
    wake: Sender<Wake>,
}

impl Reader {
    /// Reads `store` and calls `say` with what is new, until the program ends.
    pub fn start(store: Store, say: impl Fn(News) + Send + 'static) -> Reader {
        let (wake, woken) = mpsc::channel();
        let changed = wake.clone();
        std::thread::spawn(move || Reading::start(store, say, changed).live(&woken));
        Reader { wake }
    }

    /// Reads these runs whole from now on, and besides them the live ones alone.
    pub fn want(&self, ids: BTreeSet<RunId>) {
        let _ = self.wake.send(Wake::Want(ids));
    }

    /// Reads the log of this run from now on, or none.
    pub fn follow(&self, id: Option<RunId>) {
        let _ = self.wake.send(Wake::Follow(id));
    }
}

/// What the thread works with.
struct Reading<Say> {
    view: StoreView,
    watcher: StoreWatcher,
    told: Told,
    /// Since the store was read last because something may have changed.
    read: Option<Stopwatch>,
    log: Option<Log>,
    say: Say,
}

impl<Say: Fn(News)> Reading<Say> {
    fn start(store: Store, say: Say, wake: Sender<Wake>) -> Self {
        // All is to be read at first, and changes that nobody has looked at yet are looked at together.
        let told = Told::default();
        let tell = Arc::clone(&told);
        let watcher = StoreWatcher::start(store.root(), move |changes| {
            let Ok(mut told) = tell.lock() else { return };
            match &mut *told {
                Some(before) => before.add(changes),
                none => {
                    *none = Some(changes);
                    let _ = wake.send(Wake::Changed);
                }
            }
        });
        let mut reading = Reading { view: StoreView::new(store), watcher, told, read: None, log: None, say };
        reading.refresh(&Changes::default());
        reading
    }

    fn live(mut self, woken: &Receiver<Wake>) {
        let mut is_due = false;
        loop {
            let pause = self.read.map_or(Duration::ZERO, |read| PAUSE.saturating_sub(read.elapsed()));
            let first = if is_due { woken.recv_timeout(pause) } else { woken.recv().map_err(Into::into) };
            if matches!(first, Err(RecvTimeoutError::Disconnected)) {
                return;
            }
            let mut is_asked = false;
            for wake in first.into_iter().chain(woken.try_iter()) {
                match wake {
                    Wake::Changed => is_due = true,
                    Wake::Want(ids) => {
                        self.view.want(ids);
                        is_asked = true;
                    }
                    Wake::Follow(id) => {
                        self.log = id.and_then(|id| Log::of(&self.view, id));
                        self.read_log();
                    }
                }
            }
            #[cfg(debug_assertions)]
            super::panic_where_asked("reader");
            if is_due && self.read.is_none_or(|read| read.elapsed() >= PAUSE) {
                is_due = false;
                let changes = self.told.lock().ok().and_then(|mut told| told.take()).unwrap_or_default();
                self.refresh(&changes);
                self.read_log();
                self.read = Some(Stopwatch::start());
            } else if is_asked {
                // A person waits for it.
                self.refresh(&Changes::default());
            }
        }
    }

    fn refresh(&mut self, changes: &Changes) {
        let delta = self.view.refresh(changes);
        if !delta.is_empty() {
            (self.say)(News::Runs(delta));
        }
        if let Some(folders) = self.view.restless() {
            self.watcher.watch(folders);
        }
    }

    fn read_log(&mut self) {
        if let Some(news) = self.log.as_mut().and_then(Log::read) {
            (self.say)(news);
        }
    }
}

/// A log that is followed from near its end.
struct Log {
    id: RunId,
    path: PathBuf,
    /// None before the first reading.
    offset: Option<u64>,
    lines: Vec<String>,
    /// A last line without its end.
    rest: Vec<u8>,
}

impl Log {
    fn of(view: &StoreView, id: RunId) -> Option<Log> {
        let path = view.dir(id)?.log_txt();
        Some(Log { id, path, offset: None, lines: Vec::new(), rest: Vec::new() })
    }

    /// The log with what came since, if anything did; the first time in any case, if there is a log.
    fn read(&mut self) -> Option<News> {
        let mut file = durable::open(&self.path).ok()?;
        let length = file.metadata().ok()?.len();
        let first = self.offset.is_none_or(|offset| offset > length);
        if first {
            self.lines.clear();
            self.rest.clear();
        }
        let from = if first { length.saturating_sub(LOG_END) } else { self.offset.unwrap_or(0) };
        if from == length && !first {
            return None;
        }
        file.seek(SeekFrom::Start(from)).ok()?;
        let read = file.take(length - from).read_to_end(&mut self.rest).ok()?;
        self.offset = Some(from + read as u64);
        self.split_lines();
        if first && from > 0 && !self.lines.is_empty() {
            self.lines.remove(0);
        }
        let surplus = self.lines.len().saturating_sub(LOG_LINES);
        self.lines.drain(..surplus);
        Some(News::Log(pane::log::News { id: self.id, lines: Arc::new(self.lines.clone()) }))
    }

    fn split_lines(&mut self) {
        let Some(end) = self.rest.iter().rposition(|&b| b == b'\n') else { return };
        let whole: Vec<u8> = self.rest.drain(..=end).collect();
        let lines = whole[..whole.len() - 1].split(|&b| b == b'\n');
        self.lines.extend(lines.map(|line| String::from_utf8_lossy(line).into_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn lines(news: Option<News>) -> Option<Vec<String>> {
        match news? {
            News::Log(news) => Some(news.lines.to_vec()),
            _ => None,
        }
    }

    #[test]
    fn a_log_is_read_by_whole_lines_and_from_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.txt");
        let mut log = Log { id: RunId(1), path: path.clone(), offset: None, lines: Vec::new(), rest: Vec::new() };
        assert!(log.read().is_none(), "no log yet");
        fs::write(&path, "a\nb\nhal").unwrap();
        assert_eq!(lines(log.read()).unwrap(), ["a", "b"]);
        assert!(log.read().is_none());
        fs::write(&path, "a\nb\nhalf\n").unwrap();
        assert_eq!(lines(log.read()).unwrap(), ["a", "b", "half"]);
        fs::write(&path, "x\n").unwrap();
        assert_eq!(lines(log.read()).unwrap(), ["x"], "a log that was cut is read anew");
        let long: String = (0..200_000).map(|n| format!("line {n}\n")).collect();
        fs::write(&path, &long).unwrap();
        let mut log = Log { offset: None, ..log };
        let end = lines(log.read()).unwrap();
        assert_eq!(end.last().unwrap(), "line 199999");
        assert!(end.len() <= LOG_LINES && end.iter().all(|line| line.starts_with("line ")));
    }
}
