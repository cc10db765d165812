//! Reading logs: the thread that does, and what it is asked and says.
//!
//! Invariants: a log is read only around the place that is looked at, and while it is searched; what is held of it is
//! bounded, however long it or its lines are. Asking never waits.

pub mod ansi;
pub mod find;
pub(in crate::tui) mod reading;
mod sgr;
mod source;
mod time;
pub mod window;

pub use self::sgr::shown;

use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::Duration;

use self::find::Find;
use self::reading::Reading;
use self::window::Window;
use super::action::News;
use super::pane;
use crate::base::clock::Timestamp;
use crate::base::id::RunId;
use crate::record::{Store, Watcher};

/// Least time between two looks at a log that grows: a person sees no more.
const PAUSE: Duration = Duration::from_millis(30);
/// How often to look where nothing was said: a network file system tells nothing of other machines.
const TICK: Duration = Duration::from_secs(2);

/// What the thread is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// Read the log of this run from its end on, and go on reading it; of none: stop.
    Follow(Option<RunId>),
    Show(Place),
    Find(Find),
    /// Give the search up.
    Stop,
}

/// A place in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Its end, also when it grows.
    End,
    /// The line that has this byte.
    Line(u64),
    /// The same, without going there.
    Around(u64),
    /// The first line of that time or later.
    Time(Timestamp),
}

/// Where the first line of `time` or later begins in the log at `path`: at its end where all are older, at its beginning
/// where no line has a time.
pub fn since(path: &Path, time: Timestamp) -> u64 {
    let Some(mut source) = source::Source::open(path) else { return 0 };
    match time::place(&mut source, time) {
        time::Place::Line(offset) => offset,
        time::Place::End => source.length(),
        time::Place::Timeless => 0,
    }
}

/// What the thread says.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// The lines around what is looked at, and where to go in them.
    Window { window: Window, go: Option<Place> },
    /// The log grew to so many bytes, out of sight.
    Length(u64),
    /// There is no log any more.
    Gone,
    /// The search has gone through so many percent.
    Searching(u8),
    /// It found something in the line that begins there.
    Found { window: Window, offset: u64 },
    /// There is nothing to be found.
    Nothing,
    /// No line says when it was written.
    Timeless,
}

/// The thread that reads logs.
#[derive(Debug)]
pub struct Logs {
    wake: Sender<Wake>,
}

enum Wake {
    Changed,
    Ask(Order),
}

impl Logs {
    /// Reads logs of `store` and calls `say` with what is in them, until the program ends.
    pub fn start(store: Store, say: impl Fn(News) + Send + 'static) -> Logs {
        let (wake, woken) = mpsc::channel();
        let waker = wake.clone();
        std::thread::spawn(move || Reader { store, waker, followed: None }.live(&woken, &say));
        Logs { wake }
    }

    /// Asks for something.
    pub fn ask(&self, order: Order) {
        let _ = self.wake.send(Wake::Ask(order));
    }
}

/// What the thread holds.
struct Reader {
    store: Store,
    waker: Sender<Wake>,
    followed: Option<Followed>,
}

struct Followed {
    id: RunId,
    log: Reading,
    _watcher: Watcher,
}

impl Reader {
    fn live(&mut self, woken: &Receiver<Wake>, say: &impl Fn(News)) {
        while let Ok(first) = self.wait(woken) {
            let mut changed = first.is_none();
            for wake in first.into_iter().chain(woken.try_iter()) {
                match wake {
                    Wake::Changed => changed = true,
                    Wake::Ask(order) => self.carry_out(order, say),
                }
            }
            self.said(say, |log| if changed { log.refresh() } else { None });
            let is_searching = self.followed.as_ref().is_some_and(|followed| followed.log.is_searching());
            if is_searching {
                self.said(say, Reading::step);
            } else if changed {
                std::thread::sleep(PAUSE);
            }
        }
    }

    /// What comes next; none where it is time to look again, or to search on.
    fn wait(&self, woken: &Receiver<Wake>) -> Result<Option<Wake>, ()> {
        let Some(followed) = &self.followed else { return woken.recv().map(Some).map_err(drop) };
        if followed.log.is_searching() {
            return match woken.try_recv() {
                Ok(wake) => Ok(Some(wake)),
                Err(TryRecvError::Empty) => Ok(None),
                Err(TryRecvError::Disconnected) => Err(()),
            };
        }
        match woken.recv_timeout(TICK) {
            Ok(wake) => Ok(Some(wake)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(()),
        }
    }

    fn carry_out(&mut self, order: Order, say: &impl Fn(News)) {
        match order {
            Order::Follow(id) => {
                self.followed = id.and_then(|id| self.follow(id));
                self.said(say, Reading::refresh);
            }
            Order::Show(place) => self.said(say, |log| log.show(place)),
            Order::Find(find) => self.said(say, |log| {
                log.find(find);
                None
            }),
            Order::Stop => self.said(say, |log| {
                log.stop();
                None
            }),
        }
    }

    fn follow(&self, id: RunId) -> Option<Followed> {
        let dir = self.store.find(&id.to_string()).ok()?;
        let waker = self.waker.clone();
        let _watcher = Watcher::shallow(&[dir.path()], move || drop(waker.send(Wake::Changed)));
        Some(Followed { id, log: Reading::new(dir.log_txt()), _watcher })
    }

    fn said(&mut self, say: &impl Fn(News), ask: impl FnOnce(&mut Reading) -> Option<Heard>) {
        if let Some(followed) = &mut self.followed
            && let Some(heard) = ask(&mut followed.log)
        {
            say(News::Log(pane::log::News { id: followed.id, heard }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::search::{Pattern, Way};
    use std::fs;
    use std::io::Write;

    #[test]
    fn the_thread_follows_searches_and_goes_on_to_other_runs() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("runs")).unwrap();
        let log = |name: &str| store.root().join(name).join("log.txt");
        for (name, text) in [("0007-a", "one\ntwo\n"), ("0008-b", "other\n")] {
            fs::create_dir(store.root().join(name)).unwrap();
            fs::write(log(name), text).unwrap();
        }
        let (say, said) = mpsc::channel();
        let logs = Logs::start(store.clone(), move |news| drop(say.send(news)));
        let hear = || match said.recv_timeout(Duration::from_secs(60)).unwrap() {
            News::Log(pane::log::News { id, heard }) => (id, heard),
            news => panic!("{news:?} is not of a log"),
        };
        let last = |heard: Heard| match heard {
            Heard::Window { window, .. } => String::from_utf8_lossy(window.line(window.lines() - 1)).into_owned(),
            heard => panic!("{heard:?} is no window"),
        };
        logs.ask(Order::Follow(Some(RunId(7))));
        let (id, heard) = hear();
        assert_eq!((id, last(heard).as_str()), (RunId(7), "two"));
        let mut worker = fs::OpenOptions::new().append(true).open(log("0007-a")).unwrap();
        worker.write_all(b"three\n").unwrap();
        assert_eq!(last(hear().1), "three");
        for (typed, found) in [("tw", true), ("nowhere", false)] {
            let pattern = Pattern::new(typed).unwrap();
            logs.ask(Order::Find(Find { pattern, way: Way::Forward, from: 0, inclusive: true }));
            let answer = std::iter::repeat_with(|| hear().1).find(|heard| !matches!(heard, Heard::Searching(_)));
            assert_eq!(matches!(answer, Some(Heard::Found { offset: 4, .. })), found);
        }
        logs.ask(Order::Follow(Some(RunId(8))));
        let (id, heard) = hear();
        assert_eq!((id, last(heard).as_str()), (RunId(8), "other"));
        logs.ask(Order::Follow(None));
        logs.ask(Order::Show(Place::End));
        logs.ask(Order::Follow(Some(RunId(9))));
        logs.ask(Order::Follow(Some(RunId(7))));
        assert_eq!(hear().0, RunId(7), "of no run nothing is said");
    }
}
