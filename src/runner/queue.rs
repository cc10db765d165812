//! Which run is next: a pure core without files, clock or processes.
//!
//! Invariants: no more runs are started than there are slots; a run is started only while it waits; among those that may
//! start, the one of the highest priority goes first, then the smallest order, then the oldest.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::base::clock::Timestamp;
use crate::base::id::RunId;

/// Where a run is that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Ready as soon as there is a slot, but not before this moment.
    Waiting { not_before: Option<Timestamp> },
    /// Not to be started until a person says so.
    Paused,
    /// It has a worker, and takes a slot.
    Live,
}

/// A run's claim to be next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    pub priority: i32,
    /// Place among equals; smaller is sooner.
    pub order: i64,
}

/// The runs that are not over, and the slots that they share.
#[derive(Debug, Clone)]
pub struct Queue {
    slots: usize,
    runs: BTreeMap<RunId, (Claim, Stage)>,
}

impl Queue {
    /// An empty queue; at least one slot is given.
    pub fn new(slots: usize) -> Self {
        Queue { slots: slots.max(1), runs: BTreeMap::new() }
    }

    /// Runs that may be live at once.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Changes the number of slots, at least one; runs that are live stay so.
    pub fn set_slots(&mut self, slots: usize) {
        self.slots = slots.max(1);
    }

    /// Adds a run, or puts a known one where `stage` says.
    pub fn put(&mut self, id: RunId, claim: Claim, stage: Stage) {
        self.runs.insert(id, (claim, stage));
    }

    /// Forgets a run that is over.
    pub fn remove(&mut self, id: RunId) {
        self.runs.remove(&id);
    }

    /// Where a run is; None when it is over or was never there.
    pub fn stage(&self, id: RunId) -> Option<Stage> {
        self.runs.get(&id).map(|&(_, stage)| stage)
    }

    /// A run's claim.
    pub fn claim(&self, id: RunId) -> Option<Claim> {
        self.runs.get(&id).map(|&(claim, _)| claim)
    }

    /// Moves a known run to another stage.
    pub fn set_stage(&mut self, id: RunId, stage: Stage) {
        if let Some((_, known)) = self.runs.get_mut(&id) {
            *known = stage;
        }
    }

    /// Changes a known run's claim.
    pub fn set_claim(&mut self, id: RunId, claim: Claim) {
        if let Some((known, _)) = self.runs.get_mut(&id) {
            *known = claim;
        }
    }

    /// Takes the run that is to start now, if there is one and a slot for it; it is live from then on.
    pub fn take_next(&mut self, now: Timestamp) -> Option<RunId> {
        if self.live().count() >= self.slots {
            return None;
        }
        let id = self.waiting().into_iter().find(|&id| self.is_ready(id, now))?;
        self.set_stage(id, Stage::Live);
        Some(id)
    }

    fn is_ready(&self, id: RunId, now: Timestamp) -> bool {
        matches!(self.stage(id), Some(Stage::Waiting { not_before }) if not_before.is_none_or(|time| time <= now))
    }

    /// The next moment at which a waiting run becomes ready by itself.
    pub fn next_ready(&self, now: Timestamp) -> Option<Timestamp> {
        let later = |stage| match stage {
            Stage::Waiting { not_before } => not_before.filter(|&time| time > now),
            Stage::Paused | Stage::Live => None,
        };
        self.runs.values().filter_map(|&(_, stage)| later(stage)).min()
    }

    /// The waiting runs, the next one first.
    pub fn waiting(&self) -> Vec<RunId> {
        self.sorted(|stage| matches!(stage, Stage::Waiting { .. }))
    }

    /// The paused runs, in the order in which they would wait.
    pub fn paused(&self) -> Vec<RunId> {
        self.sorted(|stage| stage == Stage::Paused)
    }

    /// The runs that have a worker, by number.
    pub fn live(&self) -> impl Iterator<Item = RunId> {
        self.runs.iter().filter(|(_, (_, stage))| *stage == Stage::Live).map(|(&id, _)| id)
    }

    fn sorted(&self, is_meant: impl Fn(Stage) -> bool) -> Vec<RunId> {
        let meant = self.runs.iter().filter(|(_, (_, stage))| is_meant(*stage));
        let mut ids: Vec<_> = meant.map(|(&id, &(claim, _))| (Reverse(claim.priority), claim.order, id)).collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, _, id)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const READY: Stage = Stage::Waiting { not_before: None };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn queue(slots: usize, runs: &[(u32, i32, i64)]) -> Queue {
        let mut queue = Queue::new(slots);
        runs.iter().for_each(|&(id, priority, order)| queue.put(RunId(id), Claim { priority, order }, READY));
        queue
    }

    #[test]
    fn priority_then_order_then_age() {
        let mut queue = queue(9, &[(1, 0, 1), (2, 0, 2), (3, 5, 3), (4, 0, 0), (5, 0, 2)]);
        let started: Vec<u32> = std::iter::from_fn(|| queue.take_next(at(0))).map(|id| id.0).collect();
        assert_eq!(started, [3, 4, 1, 2, 5]);
    }

    #[test]
    fn a_retry_waits_for_its_time_and_lets_others_by() {
        let mut queue = queue(1, &[(1, 9, 1), (2, 0, 2)]);
        queue.set_stage(RunId(1), Stage::Waiting { not_before: Some(at(10)) });
        assert_eq!(queue.next_ready(at(3)), Some(at(10)));
        assert_eq!(queue.take_next(at(3)), Some(RunId(2)));
        assert_eq!(queue.take_next(at(11)), None, "the only slot is taken");
        queue.remove(RunId(2));
        assert_eq!(queue.take_next(at(11)), Some(RunId(1)));
        assert_eq!(queue.next_ready(at(11)), None);
    }

    #[derive(Debug, Clone)]
    enum Act {
        Put(u32, i32, i64, Option<i64>),
        Pause(u32),
        Resume(u32),
        End(u32),
        Slots(usize),
        Start(i64),
    }

    fn any_act() -> impl Strategy<Value = Act> {
        prop_oneof![
            (0..12u32, -1..2i32, 0..4i64, prop::option::of(0..20i64)).prop_map(|(id, p, o, t)| Act::Put(id, p, o, t)),
            (0..12u32).prop_map(Act::Pause),
            (0..12u32).prop_map(Act::Resume),
            (0..12u32).prop_map(Act::End),
            (0..4usize).prop_map(Act::Slots),
            (0..20i64).prop_map(Act::Start),
        ]
    }

    proptest! {
        #[test]
        fn only_the_first_ready_run_starts_and_only_into_a_free_slot(acts in prop::collection::vec(any_act(), 0..80)) {
            let mut queue = Queue::new(2);
            for act in acts {
                let before = queue.clone();
                match act {
                    Act::Put(id, priority, order, not_before) => {
                        if before.stage(RunId(id)) != Some(Stage::Live) {
                            let not_before = not_before.map(at);
                            queue.put(RunId(id), Claim { priority, order }, Stage::Waiting { not_before });
                        }
                    }
                    Act::Pause(id) if before.stage(RunId(id)) != Some(Stage::Live) => {
                        queue.set_stage(RunId(id), Stage::Paused);
                    }
                    Act::Resume(id) if before.stage(RunId(id)) == Some(Stage::Paused) => {
                        queue.set_stage(RunId(id), READY);
                    }
                    Act::Pause(_) | Act::Resume(_) => {}
                    Act::End(id) => queue.remove(RunId(id)),
                    Act::Slots(slots) => queue.set_slots(slots),
                    Act::Start(second) => {
                        let now = at(second);
                        let started = queue.take_next(now);
                        let live = before.live().count();
                        let ready: Vec<RunId> = before.waiting().into_iter().filter(|&id| before.is_ready(id, now)).collect();
                        if live >= before.slots() || ready.is_empty() {
                            prop_assert_eq!(started, None);
                        } else {
                            let id = started.unwrap();
                            prop_assert!(ready.contains(&id));
                            prop_assert_eq!(queue.stage(id), Some(Stage::Live));
                            prop_assert_eq!(queue.live().count(), live + 1);
                            let claim = |id: RunId| { let c = before.claim(id).unwrap(); (Reverse(c.priority), c.order, id) };
                            prop_assert!(ready.iter().all(|&other| claim(id) <= claim(other)));
                        }
                    }
                }
                let counted = queue.waiting().len() + queue.paused().len() + queue.live().count();
                prop_assert_eq!(counted, queue.runs.len(), "every run is in one place");
                prop_assert!(queue.slots() >= 1);
            }
        }
    }
}
