//! What is kept of a training when another attempt goes on with it.

use std::sync::Arc;

use super::{Shared, Training};
use crate::base::clock::Timestamp;
use crate::record::event::{Best, Event, RunStarted};

impl Training {
    /// A new attempt goes on after the epoch of its checkpoint; what an earlier one trained beyond is trained again.
    pub(super) fn begin_attempt(&mut self, started: RunStarted, time: Timestamp) {
        let kept = started.resumed_from.map_or(0, |from| from.epoch);
        self.keep_epochs(self.epochs.partition_point(|epoch| epoch.epoch <= kept));
        let trained = self.place_of(kept, started.resumed_from.map_or(0, |from| from.epoch_steps));
        self.steps.truncate(self.steps.place().partition_point(|place| place <= trained));
        retain(&mut self.phases, |&(first_epoch, _)| first_epoch <= kept);
        retain(&mut self.lr_changes, |change| change.epoch <= kept);
        retain(&mut self.unfreezings, |unfroze| unfroze.epoch <= kept);
        retain(&mut self.early_stops, |stop| stop.epoch <= kept);
        if self.best.as_ref().is_some_and(|best| best.epoch > kept) {
            self.best = self.best_within(kept);
        }
        if self.confusion.as_ref().is_some_and(|confusion| confusion.epoch > kept) {
            self.confusion = None;
        }
        if kept == 0 {
            self.advice = Shared::default();
            self.skipped = Shared::default();
            self.misclassified = Shared::default();
            self.augmented = Shared::default();
        }
        self.step = None;
        self.stage = None;
        self.finished = None;
        self.failed = None;
        self.plan = Some(Arc::new(started));
        let trained = [self.steps.seconds().last(), self.epoch_seconds.last()].into_iter().flatten();
        self.timer.go_on(time, trained.fold(0.0, f64::max));
    }

    /// Where the curve of steps is after so many epochs and so many steps of the next one.
    fn place_of(&self, epochs: u32, steps: u32) -> f64 {
        let begin = f64::from(epochs);
        // The first step of an epoch is where one of its parts ends.
        let places = self.steps.place();
        let first = places.get(places.partition_point(|place| place - begin <= 1e-9)).map(|place| place - begin);
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

fn retain<T: Clone>(list: &mut Shared<T>, keep: impl Fn(&T) -> bool) {
    if !list.iter().all(&keep) {
        Arc::make_mut(list).retain(keep);
    }
}
