use super::does_not_fit;
use crate::base::durable;
use crate::record::life::{LifeEvent, Needs};
use crate::record::{RunDir, RunState};
use crate::runner::daemon::Daemon;
use crate::runner::protocol::{Done, Refusal};
use crate::runner::queue::Stage;
use crate::runner::supervisor::append;

impl Daemon {
    /// Replaces what a run that waits or is paused will run; the client has validated it.
    pub(super) fn edit(&mut self, dir: &RunDir, run: &RunState, resolved: &str, needs: Needs) -> Result<Done, Refusal> {
        if !matches!(self.queue.stage(dir.id()), Some(Stage::Waiting { .. } | Stage::Paused)) {
            return Err(does_not_fit(run, "only a queued or paused one can be edited"));
        }
        if std::fs::read(dir.resolved_yaml()).is_ok_and(|now| now == resolved.as_bytes()) && run.life.needs == needs {
            return Ok(Done::Edited);
        }
        durable::write(&dir.resolved_yaml(), resolved.as_bytes())?;
        append(dir, [LifeEvent::Edited { needs }])?;
        self.queue.set_needs(dir.id(), needs);
        Ok(Done::Edited)
    }
}
