//! The thread that reads the store and the followed log, and says what is new.

use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use super::action::News;
use super::pane;
use super::runs::Delta;
use crate::base::durable;
use crate::base::id::RunId;
use crate::record::state::RunState;
use crate::record::summary::Row;
use crate::record::{Store, StoreView, Watcher};

/// Least time between two readings: a person sees no more.
const PAUSE: Duration = Duration::from_millis(30);
/// Bytes at the end of a log that are shown.
const LOG_END: u64 = 512 * 1024;
/// Lines that are kept of a log that goes on.
const LOG_LINES: usize = 10_000;

/// What wakes the reader.
enum Wake {
    StoreChanged,
    Follow(Option<RunId>),
    Want(BTreeSet<RunId>),
}

/// The reading thread. Asking it for something never waits, also while a disk keeps it.
pub struct Reader {
    wake: Sender<Wake>,
}

impl Reader {
    /// Reads `store` and calls `say` with what is new, until the program ends.
    pub fn start(store: Store, say: impl Fn(News) + Send + 'static) -> Reader {
        let (wake, woken) = mpsc::channel();
        let changed = wake.clone();
        std::thread::spawn(move || {
            // Any number of changes that nobody has looked at yet are one.
            let is_told = Arc::new(AtomicBool::new(false));
            let tell = Arc::clone(&is_told);
            let _watcher = Watcher::new(store.root(), move || {
                if !tell.swap(true, Ordering::AcqRel) {
                    let _ = changed.send(Wake::StoreChanged);
                }
            });
            let mut view = StoreView::open(store);
            say_runs(&view, &say);
            let mut log: Option<Log> = None;
            while let Ok(first) = woken.recv() {
                let mut changed = false;
                for wake in std::iter::once(first).chain(woken.try_iter()) {
                    match wake {
                        Wake::StoreChanged => {
                            is_told.store(false, Ordering::Release);
                            changed = true;
                        }
                        Wake::Want(ids) => drop(ids),
                        Wake::Follow(id) => log = id.and_then(|id| Log::of(&view, id)),
                    }
                }
                #[cfg(debug_assertions)]
                super::panic_where_asked("reader");
                if changed && view.refresh() {
                    say_runs(&view, &say);
                }
                if let Some(news) = log.as_mut().and_then(Log::read) {
                    say(news);
                }
                std::thread::sleep(PAUSE);
            }
        });
        Reader { wake }
    }

    /// Reads these runs whole from now on.
    pub fn want(&self, ids: BTreeSet<RunId>) {
        let _ = self.wake.send(Wake::Want(ids));
    }

    /// Reads the log of this run from now on, or none.
    pub fn follow(&self, id: Option<RunId>) {
        let _ = self.wake.send(Wake::Follow(id));
    }
}

fn say_runs(view: &StoreView, say: &impl Fn(News)) {
    let row = |run: &Arc<RunState>| Some(Arc::new(Row::new(run, view.dir(run.id)?.path())));
    let rows = view.runs.values().filter_map(row).collect();
    let problem = view.problem.as_ref().map(ToString::to_string);
    say(News::Runs(Delta { rows, gone: Vec::new(), whole: view.runs.values().cloned().collect(), problem }));
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
