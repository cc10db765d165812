use super::does_not_fit;
use crate::record::life::LifeEvent;
use crate::record::{RunDir, RunState};
use crate::runner::daemon::Daemon;
use crate::runner::protocol::{Done, Refusal};
use crate::runner::queue::Claim;
use crate::runner::supervisor::append;

impl Daemon {
    /// Changes the priority of a run that is not over.
    pub(super) fn priority(&mut self, dir: &RunDir, run: &RunState, priority: i32) -> Result<Done, Refusal> {
        let Some(claim) = self.queue.entry(dir.id()).map(|entry| entry.claim) else {
            return Err(does_not_fit(run, "only one that is not over has a priority"));
        };
        if claim.priority != priority {
            append(dir, [LifeEvent::Prioritized { priority }])?;
            self.queue.set_claim(dir.id(), Claim { priority, ..claim });
        }
        Ok(Done::Prioritized)
    }
}
