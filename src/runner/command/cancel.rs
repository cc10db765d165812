use super::{does_not_fit, ended_unstarted};
use crate::record::life::{Cause, LifeEvent};
use crate::record::state::Status;
use crate::record::{RunDir, RunState};
use crate::runner::daemon::Daemon;
use crate::runner::outcome::Wish;
use crate::runner::protocol::{Done, Refusal};
use crate::runner::queue::Stage;
use crate::runner::supervisor::append;

impl Daemon {
    /// Ends a run: one that waits at once, a live one by asking its worker.
    pub(super) fn cancel(&mut self, dir: &RunDir, run: &RunState) -> Result<Done, Refusal> {
        match self.queue.stage(dir.id()) {
            Some(Stage::Live) => {
                if self.wished(dir.id()) < Some(Wish::Cancel) {
                    // A disk that is full must not keep a worker alive.
                    if let Err(error) = append(dir, [LifeEvent::CancelRequested]) {
                        self.log.line(&error.to_string());
                    }
                    self.wish(dir.id(), Wish::Cancel);
                }
                Ok(Done::Cancelling)
            }
            Some(Stage::Waiting { .. } | Stage::Paused) => {
                ended_unstarted(dir, Cause::User, None)?;
                self.queue.remove(dir.id());
                self.keep_summary(dir);
                Ok(Done::Cancelled)
            }
            None if run.status() == Status::Cancelled => Ok(Done::Cancelled),
            None if run.status().is_live() => {
                Err(does_not_fit(run, "it runs in the foreground: press Ctrl-C where it was started"))
            }
            None => Err(does_not_fit(run, "there is nothing left to cancel")),
        }
    }
}
