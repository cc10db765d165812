use super::{Page, does_not_fit};
use crate::runner::daemon::Daemon;
use crate::runner::outcome::Wish;
use crate::runner::protocol::{Done, Refusal};
use crate::runner::queue::Stage;

impl Daemon {
    /// Removes a run and its files. Only with `force`: a live one, when its worker is killed, and one that another waits
    /// for, which is cancelled then.
    pub(super) fn rm(&mut self, page: &Page, force: bool) -> Result<Done, Refusal> {
        let id = page.id();
        if let Some(dependant) = self.queue.dependants(id).first().filter(|_| !force) {
            let hint = format!("`finetop rm {dependant}` too, or add --force, which cancels it");
            return Err(Refusal::unfit(format!("run {dependant} is to start after run {id}"), &hint));
        }
        match self.queue.stage(id) {
            Some(Stage::Live) if force => {
                self.doom(id);
                self.wish(id, Wish::Kill);
                Ok(Done::Removing)
            }
            Some(Stage::Live) => Err(does_not_fit(&page.run, "`finetop cancel` it first, or add --force")),
            None if page.run.status().is_live() => {
                Err(does_not_fit(&page.run, "it runs in the foreground: press Ctrl-C where it was started"))
            }
            Some(Stage::Waiting { .. } | Stage::Paused) | None => {
                page.pen.remove(&page.dir)?;
                self.queue.remove(id);
                self.dirs.forget(id);
                Ok(Done::Removed)
            }
        }
    }
}
