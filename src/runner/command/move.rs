use std::collections::{BTreeMap, BTreeSet};

use super::{Pen, Turn, does_not_fit};
use crate::base::id::RunId;
use crate::record::life::LifeEvent;
use crate::runner::daemon::Daemon;
use crate::runner::protocol::{Done, Place, Refusal, Response};
use crate::runner::queue::{Claim, Stage};

impl Daemon {
    /// Puts runs first, last or before another one among those of the same priority, in the order in which they are named.
    pub(super) fn move_all(&mut self, ids: &[RunId], to: Place) -> Response {
        let named: BTreeSet<RunId> = ids.iter().copied().collect();
        // From the last one on: each goes right before the one that was placed before it.
        let mut next: BTreeMap<i32, Option<RunId>> = BTreeMap::new();
        self.each(ids, Turn::LastFirst, |daemon, page| {
            let entry = daemon.queue.entry(page.id()).filter(|entry| entry.stage != Stage::Live);
            let entry = entry.ok_or_else(|| does_not_fit(&page.run, "only a queued or paused one can be moved"))?;
            let priority = entry.claim.priority;
            let before = match next.get(&priority) {
                Some(&before) => before,
                None => daemon.place_of(to, page.id(), priority, &named)?,
            };
            daemon.move_before(page.id(), before, page.pen)?;
            next.insert(priority, Some(page.id()));
            Ok(Done::Moved)
        })
    }

    /// The run before which `to` is, for one of this priority; None for the end of the line.
    fn place_of(&self, to: Place, id: RunId, priority: i32, named: &BTreeSet<RunId>) -> Result<Option<RunId>, Refusal> {
        let other = match to {
            Place::Last => return Ok(None),
            Place::First => return Ok(self.queue.first_but(priority, named)),
            Place::Before(other) => other,
        };
        if named.contains(&other) {
            return Err(Refusal::new(format!("run {other} cannot be moved before itself"), "name another one"));
        }
        match self.queue.entry(other) {
            Some(entry) if entry.stage != Stage::Live && entry.claim.priority == priority => Ok(Some(other)),
            Some(entry) if entry.stage != Stage::Live => {
                let theirs = entry.claim.priority;
                let error = format!("run {id} has priority {priority} and run {other} has {theirs}");
                Err(Refusal::new(error, &format!("`finetop priority {theirs} {id}` first")))
            }
            _ => Err(Refusal::new(format!("run {other} does not wait"), "`finetop ls` shows those that do")),
        }
    }

    fn move_before(&mut self, id: RunId, before: Option<RunId>, pen: &Pen) -> Result<(), Refusal> {
        for (id, order) in self.queue.orders_before(id, before) {
            let (Some(dir), Some(entry)) = (self.dir(id), self.queue.entry(id)) else { continue };
            let claim = Claim { order, ..entry.claim };
            pen.append(&dir, [LifeEvent::Moved { order }])?;
            self.queue.set_claim(id, claim);
        }
        Ok(())
    }
}
