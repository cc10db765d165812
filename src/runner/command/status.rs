use crate::runner::daemon::Daemon;
use crate::runner::lock::host;
use crate::runner::protocol::{Machine, Runs, Status};

impl Daemon {
    /// How the runner is.
    pub(super) fn status(&self) -> Status {
        let capacity = self.queue.capacity();
        Status {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            host: host(),
            store: self.store.root().to_owned(),
            since: self.since,
            stopping: self.stopping,
            slots: capacity.slots,
            machine: Machine {
                cores: capacity.cores,
                threads: capacity.threads(),
                memory_budget: capacity.memory,
                memory_kept: self.queue.memory_kept(),
                gpus: capacity.gpus.clone(),
                runs_per_gpu: capacity.runs_per_gpu,
            },
            runs: Runs {
                live: self.queue.live().collect(),
                waiting: self.queue.waiting(),
                paused: self.queue.paused(),
            },
        }
    }
}
