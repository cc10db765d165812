use super::does_not_fit;
use crate::record::life::LifeEvent;
use crate::record::{RunDir, RunState};
use crate::runner::daemon::Daemon;
use crate::runner::outcome::Wish;
use crate::runner::protocol::{Done, Refusal};
use crate::runner::queue::Stage;
use crate::runner::supervisor::append;

impl Daemon {
    /// Queues a paused run again.
    pub(super) fn resume(&mut self, dir: &RunDir, run: &RunState) -> Result<Done, Refusal> {
        match self.queue.stage(dir.id()) {
            Some(Stage::Paused) => {
                append(dir, [LifeEvent::Resumed])?;
                self.queue.set_stage(dir.id(), Stage::Waiting { not_before: None });
                Ok(Done::Queued)
            }
            Some(Stage::Waiting { .. }) => Ok(Done::Queued),
            Some(Stage::Live) if self.wished(dir.id()) < Some(Wish::Pause) => Ok(Done::Running),
            Some(Stage::Live) => Err(does_not_fit(run, "it is stopping: try again when it has")),
            None => Err(does_not_fit(run, "only a paused one can be resumed")),
        }
    }
}
