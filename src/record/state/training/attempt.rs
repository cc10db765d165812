//! What is kept of a training when another attempt goes on with it.

use super::Training;
use crate::record::event::{Best, Event, RunStarted};

impl Training {
    /// A new attempt goes on after the epoch of its checkpoint; what an earlier one trained beyond is trained again.
    pub(super) fn begin_attempt(&mut self, started: RunStarted) {
        let kept = started.resumed_from.map_or(0, |from| from.epoch);
        self.epochs.retain(|epoch| epoch.epoch <= kept);
        let trained = self.place_of(kept, started.resumed_from.map_or(0, |from| from.epoch_steps));
        self.steps.retain(|&(place, _, _)| place <= trained);
        self.phases.retain(|&(first_epoch, _)| first_epoch <= kept);
        self.lr_changes.retain(|change| change.epoch <= kept);
        self.early_stops.retain(|stop| stop.epoch <= kept);
        if self.best.as_ref().is_some_and(|best| best.epoch > kept) {
            self.best = self.best_within(kept);
        }
        if self.confusion.as_ref().is_some_and(|confusion| confusion.epoch > kept) {
            self.confusion = None;
        }
        if kept == 0 {
            self.advice.clear();
            self.skipped.clear();
            self.misclassified.clear();
            self.augmented.clear();
        }
        self.step = None;
        self.stage = None;
        self.finished = None;
        self.failed = None;
        self.plan = Some(started);
    }

    /// Where the curve of steps is after so many epochs and so many steps of the next one.
    fn place_of(&self, epochs: u32, steps: u32) -> f64 {
        let begin = f64::from(epochs);
        // The first step of an epoch is where one of its parts ends.
        let first = self.steps.iter().map(|&(place, _, _)| place - begin).find(|&part| part > 1e-9);
        begin + (f64::from(steps) + 0.5) * first.unwrap_or(0.0).min(1.0)
    }

    /// The best of the first `epochs` epochs, as it was said last.
    fn best_within(&self, epochs: u32) -> Option<Best> {
        self.feed.iter().rev().find_map(|line| match &line.event {
            Event::Best(best) if best.epoch <= epochs => Some(best.clone()),
            _ => None,
        })
    }
}
