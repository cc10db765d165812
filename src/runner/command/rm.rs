use super::does_not_fit;
use crate::base::durable;
use crate::record::{RunDir, RunState};
use crate::runner::daemon::Daemon;
use crate::runner::outcome::Wish;
use crate::runner::protocol::{Done, Refusal};
use crate::runner::queue::Stage;

impl Daemon {
    /// Removes a run and its files; a live one only with `force`, when its worker is killed.
    pub(super) fn rm(&mut self, dir: &RunDir, run: &RunState, force: bool) -> Result<Done, Refusal> {
        let id = dir.id();
        match self.queue.stage(id) {
            Some(Stage::Live) if force => {
                self.doom(id);
                self.wish(id, Wish::Kill);
                Ok(Done::Removing)
            }
            Some(Stage::Live) => Err(does_not_fit(run, "`finetop cancel` it first, or add --force")),
            None if run.status().is_live() => {
                Err(does_not_fit(run, "it runs in the foreground: press Ctrl-C where it was started"))
            }
            Some(Stage::Waiting { .. } | Stage::Paused) | None => {
                durable::remove_dir_all(dir.path())?;
                self.queue.remove(id);
                Ok(Done::Removed)
            }
        }
    }
}
