use super::{Page, Pen, cancelled, does_not_fit};
use crate::record::life::{Cause, LifeEvent};
use crate::record::state::Status;
use crate::runner::daemon::Daemon;
use crate::runner::outcome::Wish;
use crate::runner::protocol::{Done, Refusal};
use crate::runner::queue::Stage;

impl Daemon {
    /// Ends a run: one that waits at once, a live one by asking its worker.
    pub(super) fn cancel(&mut self, page: &Page) -> Result<Done, Refusal> {
        match self.queue.stage(page.id()) {
            Some(Stage::Live) => {
                if self.wished(page.id()) < Some(Wish::Cancel) {
                    // A disk that is full must not keep a worker alive.
                    if let Err(error) = page.append([LifeEvent::CancelRequested]) {
                        self.log.line(&error.to_string());
                    }
                    self.wish(page.id(), Wish::Cancel);
                }
                Ok(Done::Cancelling)
            }
            Some(Stage::Waiting { .. } | Stage::Paused) => {
                page.append(cancelled(page.run.life.attempts, Cause::User, None))?;
                self.queue.remove(page.id());
                // A summary is a cache: where there are many they are not worth as many waits for the disk.
                if matches!(page.pen, Pen::AtOnce) {
                    self.keep_summary(&page.dir);
                }
                Ok(Done::Cancelled)
            }
            None if page.run.status() == Status::Cancelled => Ok(Done::Cancelled),
            None if page.run.status().is_live() => {
                Err(does_not_fit(&page.run, "it runs in the foreground: press Ctrl-C where it was started"))
            }
            None => Err(does_not_fit(&page.run, "there is nothing left to cancel")),
        }
    }
}
