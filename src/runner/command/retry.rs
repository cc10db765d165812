use super::{Page, does_not_fit};
use crate::base::durable;
use crate::record::RunDir;
use crate::record::life::LifeEvent;
use crate::record::state::Status;
use crate::runner::daemon::Daemon;
use crate::runner::outcome::Wish;
use crate::runner::protocol::{Done, Refusal};
use crate::runner::queue::{Entry, Stage};

const READY: Stage = Stage::Waiting { not_before: None };

impl Daemon {
    /// Queues a run again that failed or was cancelled, or ends the wait for its next attempt; if `fresh`, it begins anew.
    pub(super) fn retry(&mut self, page: &Page, fresh: bool) -> Result<Done, Refusal> {
        match (self.queue.stage(page.id()), page.run.status()) {
            (Some(Stage::Waiting { not_before }), _) => {
                forget_if(fresh, &page.dir)?;
                if not_before.is_some() {
                    page.append([LifeEvent::Resumed])?;
                    self.queue.set_stage(page.id(), READY);
                }
                Ok(Done::Queued)
            }
            (Some(Stage::Live), _) if !fresh && self.wished(page.id()) < Some(Wish::Pause) => Ok(Done::Running),
            (Some(Stage::Live), _) => Err(does_not_fit(&page.run, "try again when it has ended")),
            (Some(Stage::Paused), _) => Err(does_not_fit(&page.run, "`finetop resume` lets it go on")),
            (None, Status::Failed | Status::Cancelled) => {
                let entry = Entry::of(&page.run.life, READY);
                self.can_wait_for(&entry.after)?;
                forget_if(fresh, &page.dir)?;
                page.append([LifeEvent::Resumed])?;
                self.queue.put(page.id(), entry);
                Ok(Done::Queued)
            }
            (None, _) => Err(does_not_fit(&page.run, "only a failed or cancelled one can be tried again")),
        }
    }
}

/// Takes away what an attempt would go on from.
fn forget_if(fresh: bool, dir: &RunDir) -> Result<(), durable::Error> {
    for folder in [dir.checkpoints(), dir.model()] {
        if fresh && folder.exists() {
            durable::remove_dir_all(&folder)?;
        }
    }
    Ok(())
}
