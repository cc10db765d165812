use super::{Page, does_not_fit};
use crate::base::durable;
use crate::record::life::{LifeEvent, Needs};
use crate::runner::daemon::Daemon;
use crate::runner::protocol::{Done, Refusal};
use crate::runner::queue::Stage;

impl Daemon {
    /// Replaces what a run that waits or is paused will run; the client has validated it.
    pub(super) fn edit(&mut self, page: &Page, resolved: &str, needs: Needs) -> Result<Done, Refusal> {
        if !matches!(self.queue.stage(page.id()), Some(Stage::Waiting { .. } | Stage::Paused)) {
            return Err(does_not_fit(&page.run, "only a queued or paused one can be edited"));
        }
        if std::fs::read(page.dir.resolved_yaml()).is_ok_and(|now| now == resolved.as_bytes())
            && page.run.life.needs == needs
        {
            return Ok(Done::Edited);
        }
        durable::write(&page.dir.resolved_yaml(), resolved.as_bytes())?;
        page.append([LifeEvent::Edited { needs }])?;
        self.queue.set_needs(page.id(), needs);
        Ok(Done::Edited)
    }
}
