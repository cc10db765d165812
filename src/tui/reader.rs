//! The thread that reads the store, and says what is new.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use super::action::News;
use super::runs::Delta;
use crate::base::id::RunId;
use crate::record::state::RunState;
use crate::record::summary::Row;
use crate::record::{Store, StoreView, Watcher};

/// Least time between two readings: a person sees no more.
const PAUSE: Duration = Duration::from_millis(30);

/// What wakes the reader.
enum Wake {
    StoreChanged,
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
            while let Ok(first) = woken.recv() {
                let mut changed = false;
                for wake in std::iter::once(first).chain(woken.try_iter()) {
                    match wake {
                        Wake::StoreChanged => {
                            is_told.store(false, Ordering::Release);
                            changed = true;
                        }
                        Wake::Want(ids) => drop(ids),
                    }
                }
                #[cfg(debug_assertions)]
                super::panic_where_asked("reader");
                if changed && view.refresh() {
                    say_runs(&view, &say);
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
}

fn say_runs(view: &StoreView, say: &impl Fn(News)) {
    let row = |run: &Arc<RunState>| Some(Arc::new(Row::new(run, view.dir(run.id)?.path())));
    let rows = view.runs.values().filter_map(row).collect();
    let problem = view.problem.as_ref().map(ToString::to_string);
    say(News::Runs(Delta { rows, gone: Vec::new(), whole: view.runs.values().cloned().collect(), problem }));
}
