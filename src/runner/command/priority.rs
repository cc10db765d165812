use super::{Page, does_not_fit};
use crate::record::life::LifeEvent;
use crate::runner::daemon::Daemon;
use crate::runner::protocol::{Done, Refusal};
use crate::runner::queue::Claim;

impl Daemon {
    /// Changes the priority of a run that is not over.
    pub(super) fn priority(&mut self, page: &Page, priority: i32) -> Result<Done, Refusal> {
        let Some(claim) = self.queue.entry(page.id()).map(|entry| entry.claim) else {
            return Err(does_not_fit(&page.run, "only one that is not over has a priority"));
        };
        if claim.priority != priority {
            page.append([LifeEvent::Prioritized { priority }])?;
            self.queue.set_claim(page.id(), Claim { priority, ..claim });
        }
        Ok(Done::Prioritized)
    }
}
