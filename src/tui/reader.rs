//! The thread that reads the store, and says what is new.

use std::collections::BTreeSet;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::action::News;
use crate::base::clock::Stopwatch;
use crate::base::id::RunId;
use crate::record::watch::{Changes, StoreWatcher};
use crate::record::{Store, StoreView};

/// Least time between two readings: a person sees no more.
const PAUSE: Duration = Duration::from_millis(30);

/// What wakes the reader.
enum Wake {
    /// Something may have changed; what, is in the [`Told`].
    Changed,
    Want(BTreeSet<RunId>),
    /// Any run may have changed.
    LookAtAll,
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

    /// Looks at all runs: something was done to some of them.
    pub fn look_at_all(&self) {
        let _ = self.wake.send(Wake::LookAtAll);
    }
}

/// What the thread works with.
struct Reading<Say> {
    view: StoreView,
    watcher: StoreWatcher,
    told: Told,
    /// Since the store was read last because something may have changed.
    read: Option<Stopwatch>,
    say: Say,
}

impl<Say: Fn(News)> Reading<Say> {
    fn start(store: Store, say: Say, wake: Sender<Wake>) -> Self {
        // All is to be read at first, and changes that nobody has looked at yet are looked at together.
        let told = Told::default();
        let tell = Arc::clone(&told);
        let watcher = StoreWatcher::start(store.root(), move |changes| {
            // The lock is free again before the reader wakes, which takes it.
            let is_first = match tell.lock().as_deref_mut() {
                Ok(Some(before)) => {
                    before.add(changes);
                    false
                }
                Ok(none) => {
                    *none = Some(changes);
                    true
                }
                Err(_) => false,
            };
            if is_first {
                let _ = wake.send(Wake::Changed);
            }
        });
        let mut reading = Reading { view: StoreView::new(store), watcher, told, read: None, say };
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
            let (mut is_asked, mut look_at_all) = (false, false);
            for wake in first.into_iter().chain(woken.try_iter()) {
                match wake {
                    Wake::Changed => is_due = true,
                    Wake::Want(ids) => {
                        self.view.want(ids);
                        is_asked = true;
                    }
                    Wake::LookAtAll => look_at_all = true,
                }
            }
            #[cfg(debug_assertions)]
            super::panic_where_asked("reader");
            if look_at_all {
                self.refresh(&Changes::All);
            } else if is_due && self.read.is_none_or(|read| read.elapsed() >= PAUSE) {
                is_due = false;
                let changes = self.told.lock().ok().and_then(|mut told| told.take()).unwrap_or_default();
                self.refresh(&changes);
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::life::LifeEvent;
    use crate::record::{NewRun, Writer};

    #[test]
    fn what_is_there_wanted_or_written_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let run = NewRun { name: "a".into(), experiment: String::new(), resolved: String::new(), life: Vec::new() };
        let dir = store.create_runs(&[run]).unwrap().remove(0);
        let (say, heard) = mpsc::channel();
        let reader = Reader::start(store, move |news| drop(say.send(news)));
        let next = || loop {
            if let News::Runs(delta) = heard.recv_timeout(Duration::from_secs(20)).unwrap() {
                return delta;
            }
        };
        let first = next();
        assert_eq!((first.rows.len(), first.whole.len()), (1, 0));
        reader.want(BTreeSet::from([dir.id()]));
        assert_eq!(next().whole.len(), 1);
        Writer::open(&dir.run_log()).unwrap().write(LifeEvent::Tagged { tags: vec!["good".into()] }).unwrap();
        assert_eq!(next().rows[0].place.tags, ["good"]);
    }
}
