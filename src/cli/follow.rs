//! Following a run until it is over: what `-f`, `wait` and `run` have in common.

use std::time::Duration;

use crate::record::{RunDir, Watcher, view};

/// Calls `look` now and whenever the run's folder changed, until it says that it is done.
pub fn until(run: &RunDir, mut look: impl FnMut() -> bool) {
    let (_watcher, changed) = Watcher::channel(run.path());
    while !look() {
        // A wake that never comes (a removed folder) must not hold the command for ever.
        let _ = changed.recv_timeout(Duration::from_secs(5));
    }
}

/// Whether nothing more will be written to the run: it is over, or its folder is gone.
pub fn is_over(run: &RunDir) -> bool {
    !run.path().is_dir() || view::load(run).life.status.is_over()
}
