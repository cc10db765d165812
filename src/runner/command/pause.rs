use super::does_not_fit;
use crate::record::life::LifeEvent;
use crate::record::{RunDir, RunState};
use crate::runner::daemon::Daemon;
use crate::runner::outcome::Wish;
use crate::runner::protocol::{Done, Refusal};
use crate::runner::queue::Stage;
use crate::runner::supervisor::append;

impl Daemon {
    /// Keeps a waiting run back, or stops a live one at a checkpoint.
    pub(super) fn pause(&mut self, dir: &RunDir, run: &RunState) -> Result<Done, Refusal> {
        match self.queue.stage(dir.id()) {
            Some(Stage::Live) => match self.wished(dir.id()) {
                Some(Wish::Pause) => Ok(Done::Pausing),
                Some(Wish::Cancel | Wish::Kill) => Err(does_not_fit(run, "it was asked to end for good")),
                _ => {
                    append(dir, [LifeEvent::PauseRequested])?;
                    self.wish(dir.id(), Wish::Pause);
                    Ok(Done::Pausing)
                }
            },
            Some(Stage::Waiting { .. }) => {
                append(dir, [LifeEvent::Paused])?;
                self.queue.set_stage(dir.id(), Stage::Paused);
                Ok(Done::Paused)
            }
            Some(Stage::Paused) => Ok(Done::Paused),
            None => Err(does_not_fit(run, "only a queued or running one can be paused")),
        }
    }
}
