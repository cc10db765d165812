//! Following runs until they are over: what `-f`, `wait` and `run` have in common.

use std::path::Path;
use std::time::Duration;

use crate::base::clock::Stopwatch;
use crate::record::{RunDir, Watcher, view};

/// A wake that never comes (a removed folder) must not hold a command for ever.
const LOOK: Duration = Duration::from_secs(5);

/// Calls `look` now and whenever the run's folder changed, until it says that it is done.
pub fn until(run: &RunDir, look: impl FnMut() -> bool) {
    until_late(run.path(), &Patience::endless(), look);
}

/// The same for any folder, at most as long as there is patience; whether it came to be done.
pub fn until_late(folder: &Path, patience: &Patience, mut look: impl FnMut() -> bool) -> bool {
    let (_watcher, changed) = Watcher::channel(folder);
    while !look() {
        match patience.left() {
            Some(left) if left.is_zero() => return false,
            left => drop(changed.recv_timeout(left.map_or(LOOK, |left| left.min(LOOK)))),
        }
    }
    true
}

/// How long somebody waits in all.
#[derive(Debug)]
pub struct Patience {
    since: Stopwatch,
    limit: Option<Duration>,
}

impl Patience {
    /// Waits as long as `limit` says from now on, for ever without one.
    pub fn of(limit: Option<Duration>) -> Self {
        Patience { since: Stopwatch::start(), limit }
    }

    /// Waits for ever.
    pub fn endless() -> Self {
        Patience::of(None)
    }

    fn left(&self) -> Option<Duration> {
        self.limit.map(|limit| limit.saturating_sub(self.since.elapsed()))
    }
}

/// Whether nothing more will be written to the run: it is over, or its folder is gone.
pub fn is_over(run: &RunDir) -> bool {
    !run.path().is_dir() || view::load_life(run).life.status.is_over()
}
