//! Runs that start after others: whether what they wait for can come, and their end when it did not.

use super::command::{FEW, Pen, cancelled};
use super::daemon::Daemon;
use super::protocol::Refusal;
use crate::base::id::RunId;
use crate::record::life::Cause;
use crate::record::state::Status;
use crate::record::view;

impl Daemon {
    /// Ends the runs that wait for one that did not finish well. One whose end cannot be written down now waits on: it is
    /// not started, and the next call comes back to it.
    pub(super) fn end_orphans(&mut self) {
        let mut ended = Vec::new();
        let pen = Pen::together();
        while let Some((id, lost)) = self.queue.orphan() {
            if let Some(dir) = self.dir(id) {
                let attempts = view::load_life(&dir).life.attempts;
                let end = cancelled(attempts, Cause::Dependency, Some(format!("run {lost} did not finish")));
                if let Err(error) = pen.append(&dir, end) {
                    self.log.line(&format!("{}: its end could not be written: {error}", dir.folder_name()));
                    break;
                }
                self.log.line(&format!("{}: cancelled, because run {lost} did not finish", dir.folder_name()));
                ended.push(dir);
            }
            self.queue.remove(id);
        }
        if let Err(error) = pen.settle(self.store.root()) {
            self.log.line(&error.to_string());
        }
        ended.iter().take(FEW).for_each(|dir| self.keep_summary(dir));
    }

    /// Whether a run can wait for each of `after`: they are to finish yet, or have done so well.
    pub(super) fn can_wait_for(&mut self, after: &[RunId]) -> Result<(), Refusal> {
        after.iter().try_for_each(|&id| self.can_wait_for_one(id))
    }

    fn can_wait_for_one(&mut self, id: RunId) -> Result<(), Refusal> {
        if self.queue.entry(id).is_some() {
            return Ok(());
        }
        let dir = self.dir(id).ok_or_else(|| {
            Refusal::new(format!("there is no run {id} that could be waited for"), "`finetop ls` lists them")
        })?;
        match view::load_life(&dir).status() {
            Status::Finished => {
                self.queue.finished(id);
                Ok(())
            }
            status if status.is_over() => Err(Refusal::new(
                format!("run {id} has ended: {}, so nothing can start after it", status.name()),
                &format!("`finetop retry {id}` first"),
            )),
            // The queue has every other run that is not over.
            _ => Err(Refusal::new(
                format!("run {id} runs in the foreground, where no runner waits for it"),
                &format!("`finetop wait {id}` waits for it"),
            )),
        }
    }
}
