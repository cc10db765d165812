//! The training as the worker told it.
//!
//! Invariant: whatever a log holds, epochs and phases are in order and none is there twice; what is told again replaces
//! what was told before.

mod attempt;

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
            // Epochs that are trained again say again what they said.
            Event::Advice(advice) if self.advice.contains(advice) => {}
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

    /// Epochs over all phases, as planned.
    pub fn planned_epochs(&self) -> u32 {
        self.plan.as_ref().map_or(0, |plan| plan.phases.iter().fold(0, |sum, phase| sum.saturating_add(phase.epochs)))
    }

    /// Name of the phase that is training or trained last.
    pub fn phase(&self) -> Option<&str> {
        self.phases.last().map(|(_, phase)| phase.phase.as_str())
    }
}
