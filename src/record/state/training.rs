//! The training as the worker told it.
//!
//! Invariant: whatever a log holds, epochs and phases are in order and none is there twice; what is told again replaces
//! what was told before.

use crate::base::clock::Timestamp;
use crate::record::event::{
    Advice, Best, Confusion, EarlyStopped, Epoch, Event, Failed, FinishReason, Line, LrChanged, PhaseStarted,
    RunStarted, Sample, SampleKind, Skipped, Stage, Step,
};

/// What the worker wrote.
#[derive(Debug, Clone, Default)]
pub struct Training {
    /// When the worker last wrote anything.
    pub heard: Option<Timestamp>,
    pub plan: Option<RunStarted>,
    /// Work in progress that is not training; None when it is done.
    pub stage: Option<Stage>,
    /// With the epoch (from 1) that each phase begins with.
    pub phases: Vec<(u32, PhaseStarted)>,
    pub step: Option<Step>,
    /// Every step's (epoch + step/steps − 1, loss, accuracy), for the per-step curve.
    pub steps: Vec<(f64, f64, f64)>,
    pub epochs: Vec<Epoch>,
    pub lr_changes: Vec<LrChanged>,
    pub best: Option<Best>,
    pub early_stops: Vec<EarlyStopped>,
    pub confusion: Option<Confusion>,
    pub misclassified: Vec<Sample>,
    pub augmented: Vec<Sample>,
    pub advice: Vec<Advice>,
    pub skipped: Vec<Skipped>,
    pub finished: Option<(FinishReason, f64)>,
    pub failed: Option<Failed>,
    /// Every line but the steps and stages, as people read them in the events pane.
    pub feed: Vec<Line<Event>>,
}

impl Training {
    /// Takes a line of `events.jsonl`.
    pub fn take(&mut self, line: Line<Event>) {
        self.heard = self.heard.max(Some(line.time));
        match &line.event {
            Event::RunStarted(started) => self.begin_attempt(started.clone()),
            Event::Stage(stage) => {
                self.stage = (stage.done < stage.total).then(|| stage.clone());
                return;
            }
            Event::PhaseStarted(phase) => self.begin_phase(phase.clone()),
            Event::Step(step) => {
                self.take_step(step.clone());
                return;
            }
            Event::Epoch(epoch) => {
                self.stage = None;
                self.step = None;
                while self.epochs.last().is_some_and(|last| last.epoch >= epoch.epoch) {
                    self.epochs.pop();
                }
                self.epochs.push(epoch.clone());
            }
            Event::LrChanged(change) => self.lr_changes.push(change.clone()),
            Event::Best(best) if best.value.is_finite() => self.best = Some(best.clone()),
            Event::Best(_) => return,
            Event::EarlyStopped(stop) => self.early_stops.push(stop.clone()),
            Event::Checkpoint(_) => {}
            Event::Confusion(confusion) => self.confusion = Some(confusion.clone()),
            Event::Samples(samples) => match samples.kind {
                SampleKind::Augmented => self.augmented = samples.items.clone(),
                SampleKind::Misclassified => self.misclassified = samples.items.clone(),
            },
            Event::Advice(advice) => self.advice.push(advice.clone()),
            Event::Skipped(skipped) => self.skipped.push(skipped.clone()),
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
        self.feed.push(line);
    }

    fn take_step(&mut self, step: Step) {
        let place = f64::from(step.epoch.saturating_sub(1)) + f64::from(step.step) / f64::from(step.steps.max(1));
        self.steps.push((place, step.loss, step.accuracy));
        self.stage = None;
        self.step = Some(step);
    }

    /// A phase that a resumed attempt goes on with keeps the epoch that it began with.
    fn begin_phase(&mut self, phase: PhaseStarted) {
        let next = self.epochs.last().map_or(1, |epoch| epoch.epoch.saturating_add(1));
        match self.phases.last_mut() {
            Some((_, last)) if last.index == phase.index => *last = phase,
            _ => {
                self.phases.retain(|&(first, _)| first <= next);
                self.phases.push((next, phase));
            }
        }
    }

    /// A new attempt goes on after the epoch of its checkpoint; what an earlier one trained beyond is trained again.
    fn begin_attempt(&mut self, started: RunStarted) {
        let kept = started.resumed_from.map_or(0, |from| from.epoch);
        self.epochs.retain(|epoch| epoch.epoch <= kept);
        self.steps.retain(|&(place, _, _)| place <= f64::from(kept));
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

    /// The best of the first `epochs` epochs, as it was said last.
    fn best_within(&self, epochs: u32) -> Option<Best> {
        self.feed.iter().rev().find_map(|line| match &line.event {
            Event::Best(best) if best.epoch <= epochs => Some(best.clone()),
            _ => None,
        })
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
