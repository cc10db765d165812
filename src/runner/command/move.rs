use super::does_not_fit;
use crate::base::id::RunId;
use crate::record::life::LifeEvent;
use crate::record::{RunDir, RunState};
use crate::runner::daemon::Daemon;
use crate::runner::protocol::{Done, Place, Refusal, Response};
use crate::runner::queue::{Claim, Stage};
use crate::runner::supervisor::append;

impl Daemon {
    /// Puts runs first or last among those of the same priority, in the order in which they are named.
    pub(super) fn move_all(&mut self, ids: &[RunId], to: Place) -> Response {
        let one_by_one = |daemon: &mut Daemon, dir: &RunDir, run: &RunState| daemon.move_one(dir, run, to);
        match to {
            Place::Last => self.each(ids, one_by_one),
            Place::First => {
                // The one that is named first is put first last.
                let reversed: Vec<RunId> = ids.iter().rev().copied().collect();
                match self.each(&reversed, one_by_one) {
                    Response::Answers { answers } => Response::Answers { answers: answers.into_iter().rev().collect() },
                    other => other,
                }
            }
        }
    }

    fn move_one(&mut self, dir: &RunDir, run: &RunState, to: Place) -> Result<Done, Refusal> {
        let claim = match (self.queue.stage(dir.id()), self.queue.claim(dir.id())) {
            (Some(Stage::Waiting { .. } | Stage::Paused), Some(claim)) => claim,
            _ => return Err(does_not_fit(run, "only a queued or paused one can be moved")),
        };
        let order = self.order_at(to, claim);
        append(dir, [LifeEvent::Moved { order }])?;
        self.queue.set_claim(dir.id(), Claim { order, ..claim });
        Ok(Done::Moved)
    }

    fn order_at(&self, to: Place, claim: Claim) -> i64 {
        let all = self.queue.waiting().into_iter().chain(self.queue.paused());
        let orders = all.filter_map(|id| self.queue.claim(id)).filter(|other| other.priority == claim.priority);
        let orders = orders.map(|other| other.order);
        match to {
            Place::First => orders.min().unwrap_or(claim.order).saturating_sub(1),
            Place::Last => orders.max().unwrap_or(claim.order).saturating_add(1),
        }
    }
}
