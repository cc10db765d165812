//! The training as the worker told it.
//!
//! Invariants: whatever a log holds, epochs and phases are in order and none is there twice; what is told again replaces
//! what was told before. A clone shares whatever grows with the training, and costs the same however long that is.

mod attempt;
mod batch;
mod timer;

use std::sync::Arc;

pub use self::batch::Batch;
use self::timer::Timer;
use crate::base::clock::Timestamp;
use crate::record::event::{
    Advice, Best, Confusion, EarlyStopped, Epoch, Event, Failed, FinishReason, Line, LrChanged, PhaseStarted,
    RunStarted, Sample, SampleKind, Skipped, Stage, Step, Unfroze,
};
use crate::record::series::Column;
use crate::record::steps::Steps;

/// A list that is shared until it is added to.
pub type Shared<T> = Arc<Vec<T>>;

/// What the worker wrote.
#[derive(Debug, Clone, Default)]
pub struct Training {
    /// When the worker last wrote anything.
    pub heard: Option<Timestamp>,
    pub plan: Option<Arc<RunStarted>>,
    /// Work in progress that is not training; None when it is done.
    pub stage: Option<Stage>,
    /// With the epoch (from 1) that each phase begins with.
    pub phases: Shared<(u32, PhaseStarted)>,
    pub step: Option<Step>,
    /// All steps, for the curves.
    pub steps: Steps,
    pub epochs: Shared<Arc<Epoch>>,
    /// Seconds trained at the end of each of `epochs`, without what passed between attempts.
    pub epoch_seconds: Column,
    pub lr_changes: Shared<LrChanged>,
    /// Each once, in order.
    pub unfreezings: Shared<Unfroze>,
    pub best: Option<Best>,
    pub early_stops: Shared<EarlyStopped>,
    pub confusion: Option<Arc<Confusion>>,
    pub misclassified: Shared<Sample>,
    pub augmented: Shared<Sample>,
    pub advice: Shared<Advice>,
    pub skipped: Shared<Skipped>,
    pub finished: Option<(FinishReason, f64)>,
    pub failed: Option<Failed>,
    /// Every line but the steps and stages, as people read them in the events pane.
    pub feed: Shared<Arc<Line<Event>>>,
    timer: Timer,
}

impl Training {
    /// Takes a line of `events.jsonl`.
    pub fn take(&mut self, line: Line<Event>) {
        self.heard = self.heard.max(Some(line.time));
        match &line.event {
            Event::RunStarted(started) => self.begin_attempt(started.clone(), line.time),
            Event::Stage(stage) => {
                self.stage = (stage.done < stage.total).then(|| stage.clone());
                return;
            }
            Event::PhaseStarted(phase) => self.begin_phase(phase.clone()),
            Event::Step(step) => {
                self.take_step(step.clone(), line.time);
                return;
            }
            Event::Epoch(epoch) => self.take_epoch(epoch.clone(), line.time),
            Event::LrChanged(change) => push(&mut self.lr_changes, change.clone()),
            Event::Unfroze(unfroze) if self.unfreezings.contains(unfroze) => {}
            Event::Unfroze(unfroze) => push(&mut self.unfreezings, unfroze.clone()),
            Event::Best(best) if best.value.is_finite() => self.best = Some(best.clone()),
            Event::Best(_) => return,
            Event::EarlyStopped(stop) => push(&mut self.early_stops, stop.clone()),
            Event::Checkpoint(_) => {}
            Event::Confusion(confusion) => self.confusion = Some(Arc::new(confusion.clone())),
            Event::Samples(samples) => match samples.kind {
                SampleKind::Augmented => self.augmented = Arc::new(samples.items.clone()),
                SampleKind::Misclassified => self.misclassified = Arc::new(samples.items.clone()),
            },
            // Epochs that are trained again say again what they said.
            Event::Advice(advice) if self.advice.contains(advice) => {}
            Event::Advice(advice) => push(&mut self.advice, advice.clone()),
            Event::Skipped(skipped) => push(&mut self.skipped, skipped.clone()),
            Event::Log(_) => {}
            Event::Finished(finished) => {
                self.stage = None;
                self.step = None;
                self.finished = Some((finished.reason, finished.seconds));
            }
            Event::Failed(failed) => {
                self.stage = None;
                self.step = None;
                self.failed = Some(failed.clone());
            }
            Event::Unknown => return,
        }
        push(&mut self.feed, Arc::new(line));
    }

    fn take_step(&mut self, step: Step, time: Timestamp) {
        self.steps.push(&step, self.timer.seconds(time));
        self.stage = None;
        self.step = Some(step);
    }

    fn take_epoch(&mut self, epoch: Epoch, time: Timestamp) {
        self.stage = None;
        self.step = None;
        let kept = self.epochs.partition_point(|before| before.epoch < epoch.epoch);
        self.keep_epochs(kept);
        let seconds = self.timer.seconds(time).max(self.epoch_seconds.last().unwrap_or(0.0));
        self.epoch_seconds.push(seconds);
        push(&mut self.epochs, Arc::new(epoch));
    }

    fn keep_epochs(&mut self, count: usize) {
        if count < self.epochs.len() {
            Arc::make_mut(&mut self.epochs).truncate(count);
            self.epoch_seconds.truncate(count);
        }
    }

    /// A phase that a resumed attempt goes on with keeps the epoch that it began with.
    fn begin_phase(&mut self, phase: PhaseStarted) {
        let next = self.epochs.last().map_or(1, |epoch| epoch.epoch.saturating_add(1));
        let phases = Arc::make_mut(&mut self.phases);
        match phases.last_mut() {
            Some((_, last)) if last.index == phase.index => *last = phase,
            _ => {
                phases.retain(|&(first, _)| first <= next);
                phases.push((next, phase));
            }
        }
    }

    /// Epochs over all phases, as planned.
    pub fn planned_epochs(&self) -> u32 {
        self.plan.as_ref().map_or(0, |plan| plan.phases.iter().fold(0, |sum, phase| sum.saturating_add(phase.epochs)))
    }

    /// Name of the phase that is training or trained last.
    pub fn phase(&self) -> Option<&str> {
        self.phases.last().map(|(_, phase)| phase.phase.as_str())
    }
}

fn push<T: Clone>(list: &mut Shared<T>, item: T) {
    Arc::make_mut(list).push(item);
}
