use super::does_not_fit;
use crate::base::durable;
use crate::record::life::LifeEvent;
use crate::record::state::Status;
use crate::record::{RunDir, RunState};
use crate::runner::daemon::Daemon;
use crate::runner::outcome::Wish;
use crate::runner::protocol::{Done, Refusal};
use crate::runner::queue::{Entry, Stage};
use crate::runner::supervisor::append;

const READY: Stage = Stage::Waiting { not_before: None };

impl Daemon {
    /// Queues a run again that failed or was cancelled, or ends the wait for its next attempt; if `fresh`, it begins anew.
    pub(super) fn retry(&mut self, dir: &RunDir, run: &RunState, fresh: bool) -> Result<Done, Refusal> {
        match (self.queue.stage(dir.id()), run.status()) {
            (Some(Stage::Waiting { not_before }), _) => {
                forget_if(fresh, dir)?;
                if not_before.is_some() {
                    append(dir, [LifeEvent::Resumed])?;
                    self.queue.set_stage(dir.id(), READY);
                }
                Ok(Done::Queued)
            }
            (Some(Stage::Live), _) if !fresh && self.wished(dir.id()) < Some(Wish::Pause) => Ok(Done::Running),
            (Some(Stage::Live), _) => Err(does_not_fit(run, "try again when it has ended")),
            (Some(Stage::Paused), _) => Err(does_not_fit(run, "`finetop resume` lets it go on")),
            (None, Status::Failed | Status::Cancelled) => {
                let entry = Entry::of(&run.life, READY);
                self.can_wait_for(&entry.after)?;
                forget_if(fresh, dir)?;
                append(dir, [LifeEvent::Resumed])?;
                self.queue.put(dir.id(), entry);
                Ok(Done::Queued)
            }
            (None, _) => Err(does_not_fit(run, "only a failed or cancelled one can be tried again")),
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
