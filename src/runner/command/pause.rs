use super::{Page, does_not_fit};
use crate::record::life::LifeEvent;
use crate::runner::daemon::Daemon;
use crate::runner::outcome::Wish;
use crate::runner::protocol::{Done, Refusal};
use crate::runner::queue::Stage;

impl Daemon {
    /// Keeps a waiting run back, or stops a live one at a checkpoint.
    pub(super) fn pause(&mut self, page: &Page) -> Result<Done, Refusal> {
        match self.queue.stage(page.id()) {
            Some(Stage::Live) => match self.wished(page.id()) {
                Some(Wish::Pause) => Ok(Done::Pausing),
                Some(Wish::Cancel | Wish::Kill) => Err(does_not_fit(&page.run, "it was asked to end for good")),
                _ => {
                    page.append([LifeEvent::PauseRequested])?;
                    self.wish(page.id(), Wish::Pause);
                    Ok(Done::Pausing)
                }
            },
            Some(Stage::Waiting { .. }) => {
                page.append([LifeEvent::Paused])?;
                self.queue.set_stage(page.id(), Stage::Paused);
                Ok(Done::Paused)
            }
            Some(Stage::Paused) => Ok(Done::Paused),
            None => Err(does_not_fit(&page.run, "only a queued or running one can be paused")),
        }
    }
}
