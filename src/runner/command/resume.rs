use super::{Page, does_not_fit};
use crate::record::life::LifeEvent;
use crate::runner::daemon::Daemon;
use crate::runner::outcome::Wish;
use crate::runner::protocol::{Done, Refusal};
use crate::runner::queue::Stage;

impl Daemon {
    /// Queues a paused run again.
    pub(super) fn resume(&mut self, page: &Page) -> Result<Done, Refusal> {
        match self.queue.stage(page.id()) {
            Some(Stage::Paused) => {
                page.append([LifeEvent::Resumed])?;
                self.queue.set_stage(page.id(), Stage::Waiting { not_before: None });
                Ok(Done::Queued)
            }
            Some(Stage::Waiting { .. }) => Ok(Done::Queued),
            Some(Stage::Live) if self.wished(page.id()) < Some(Wish::Pause) => Ok(Done::Running),
            Some(Stage::Live) => Err(does_not_fit(&page.run, "it is stopping: try again when it has")),
            None => Err(does_not_fit(&page.run, "only a paused one can be resumed")),
        }
    }
}
