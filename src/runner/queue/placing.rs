//! Moving a run to another place in its line: which orders have to change for that.
//!
//! Invariant: nobody else's place changes; who is where it should be already changes nothing.

use std::collections::BTreeSet;

use super::line::Rank;
use super::{Queue, rank};
use crate::base::id::RunId;

impl Queue {
    /// The orders that put `id` right before another one of its priority, or behind all of its priority, in the order in
    /// which they are to be written down. A few others may get one, where there is no number left between two.
    pub fn orders_before(&self, id: RunId, next: Option<RunId>) -> Vec<(RunId, i64)> {
        let Some(moved) = self.rank_in_line(id) else { return Vec::new() };
        let next = next.filter(|&next| next != id).and_then(|next| self.rank_in_line(next));
        let next = next.filter(|next| next.0 == moved.0);
        if self.line.behind(moved).next() == next {
            return Vec::new();
        }
        let peers: Box<dyn Iterator<Item = Rank>> = match next {
            Some(next) => Box::new(self.line.before(next)),
            None => Box::new(self.line.peers(moved.0.0).rev()),
        };
        let before = peers.filter(|&peer| peer != moved);
        let mut before = before.peekable();
        match between(before.peek().copied(), id, next) {
            Some(order) => vec![(id, order)],
            None => make_room(before, id, next.map_or(i64::MAX, |next| next.1)),
        }
    }

    /// The first of a priority that is not one of `others`.
    pub fn first_but(&self, priority: i32, others: &BTreeSet<RunId>) -> Option<RunId> {
        self.line.peers(priority).map(|(_, _, id)| id).find(|id| !others.contains(id))
    }

    fn rank_in_line(&self, id: RunId) -> Option<Rank> {
        let entry = self.entries.get(&id).filter(|entry| entry.stage != super::Stage::Live)?;
        Some(rank(id, entry))
    }
}

/// An order by which `id` comes between two neighbours, where there is one.
fn between(before: Option<Rank>, id: RunId, next: Option<Rank>) -> Option<i64> {
    match (before, next) {
        (None, None) => Some(0),
        (Some((_, order, _)), None) => order.checked_add(1),
        (None, Some((_, order, _))) => order.checked_sub(1),
        (Some((_, low, low_id)), Some((_, high, high_id))) => {
            let middle = low + (high.saturating_sub(low)) / 2;
            let fits = |order: i64| (low, low_id) < (order, id) && (order, id) < (high, high_id);
            [middle, low, high].into_iter().find(|&order| fits(order))
        }
    }
}

/// Pushes those before to the front, as far as they stand close together, so that `id` has the order right below `high`.
fn make_room(before: impl Iterator<Item = Rank>, id: RunId, high: i64) -> Vec<(RunId, i64)> {
    let mut orders = vec![(id, high.saturating_sub(1))];
    let mut limit = (high.saturating_sub(1), id);
    for (_, order, peer) in before {
        if (order, peer) < limit {
            break;
        }
        let pushed = limit.0.saturating_sub(1);
        orders.push((peer, pushed));
        limit = (pushed, peer);
    }
    orders.reverse();
    orders
}
