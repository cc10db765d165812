use super::does_not_fit;
use crate::record::life::LifeEvent;
use crate::record::{RunDir, RunState};
use crate::runner::daemon::Daemon;
use crate::runner::protocol::{Done, Refusal};
use crate::runner::queue::Stage;
use crate::runner::supervisor::append;

impl Daemon {
    /// Queues a paused run again.
    pub(super) fn resume(&mut self, dir: &RunDir, run: &RunState) -> Result<Done, Refusal> {
        if self.queue.stage(dir.id()) != Some(Stage::Paused) {
            return Err(does_not_fit(run, "only a paused one can be resumed"));
        }
        append(dir, [LifeEvent::Resumed])?;
        self.queue.set_stage(dir.id(), Stage::Waiting { not_before: None });
        Ok(Done::Queued)
    }
}
