use crate::runner::daemon::Daemon;
use crate::runner::lock::host;
use crate::runner::protocol::{Runs, Status};

impl Daemon {
    /// How the runner is.
    pub(super) fn status(&self) -> Status {
        Status {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            host: host(),
            store: self.store.root().to_owned(),
            since: self.since,
            stopping: self.stopping,
            slots: self.queue.slots(),
            runs: Runs {
                live: self.queue.live().collect(),
                waiting: self.queue.waiting(),
                paused: self.queue.paused(),
            },
        }
    }
}
