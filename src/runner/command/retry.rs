use super::does_not_fit;
use crate::base::durable;
use crate::record::life::LifeEvent;
use crate::record::state::Status;
use crate::record::{RunDir, RunState};
use crate::runner::daemon::Daemon;
use crate::runner::protocol::{Done, Refusal};
use crate::runner::queue::Stage;
use crate::runner::recover::claim;
use crate::runner::supervisor::append;

impl Daemon {
    /// Queues a run again that failed or was cancelled, or ends the wait for its next attempt.
    pub(super) fn retry(&mut self, dir: &RunDir, run: &RunState, fresh: bool) -> Result<Done, Refusal> {
        let is_open = match (self.queue.stage(dir.id()), run.status()) {
            (Some(Stage::Waiting { not_before }), _) => not_before.is_some(),
            (Some(Stage::Paused | Stage::Live), _) => false,
            (None, status) => matches!(status, Status::Failed | Status::Cancelled),
        };
        if !is_open {
            return Err(does_not_fit(run, "only a failed or cancelled one can be tried again"));
        }
        if fresh {
            forget(dir)?;
        }
        append(dir, [LifeEvent::Resumed])?;
        self.queue.put(dir.id(), claim(&run.life), Stage::Waiting { not_before: None });
        Ok(Done::Queued)
    }
}

/// Takes away what an attempt would go on from.
fn forget(dir: &RunDir) -> Result<(), durable::Error> {
    for folder in [dir.checkpoints(), dir.model()] {
        if folder.exists() {
            durable::remove_dir_all(&folder)?;
        }
    }
    Ok(())
}
