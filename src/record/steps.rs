//! What a run trained step by step, as columns.
//!
//! Invariant: all columns are of one length; `place` rises strictly and `seconds` never falls, so that a stretch of either
//! is a stretch of indices. A step that is told again replaces what was told from its place on.

use super::event::Step;
use super::series::{Column, Span};

/// The steps of a run.
#[derive(Debug, Clone, Default)]
pub struct Steps {
    place: Column,
    seconds: Column,
    loss: Column,
    accuracy: Column,
    lr: Column,
    samples_per_s: Column,
}

/// A figure that each step has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StepColumn {
    Loss,
    Accuracy,
    Lr,
    SamplesPerS,
}

impl StepColumn {
    /// All of them.
    pub const ALL: [StepColumn; 4] = [StepColumn::Loss, StepColumn::Accuracy, StepColumn::Lr, StepColumn::SamplesPerS];

    /// The name that it has in the record, as an epoch's metric has it.
    pub fn name(self) -> &'static str {
        match self {
            StepColumn::Loss => "loss",
            StepColumn::Accuracy => "accuracy",
            StepColumn::Lr => "lr",
            StepColumn::SamplesPerS => "samples_per_s",
        }
    }

    /// The figure of this name.
    pub fn named(name: &str) -> Option<StepColumn> {
        StepColumn::ALL.into_iter().find(|column| column.name() == name)
    }
}

/// Where a step is among all: epochs trained when it ended, as 2.5 halfway through the third.
pub fn place(epoch: u32, step: u32, steps: u32) -> f64 {
    f64::from(epoch.saturating_sub(1)) + f64::from(step) / f64::from(steps.max(1))
}

impl Steps {
    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.place.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.place.is_empty()
    }

    /// Epochs trained at each step's end; rises.
    pub fn place(&self) -> &Column {
        &self.place
    }

    /// Seconds trained at each step's end, as the times of its lines say, without what passed between attempts.
    pub fn seconds(&self) -> &Column {
        &self.seconds
    }

    /// A figure of each step.
    pub fn column(&self, which: StepColumn) -> &Column {
        match which {
            StepColumn::Loss => &self.loss,
            StepColumn::Accuracy => &self.accuracy,
            StepColumn::Lr => &self.lr,
            StepColumn::SamplesPerS => &self.samples_per_s,
        }
    }

    /// The figure of each step that has this name in the record; None where steps have none.
    pub fn named(&self, name: &str) -> Option<&Column> {
        StepColumn::named(name).map(|which| self.column(which))
    }

    /// Takes a step that ended after so many seconds of training.
    pub fn push(&mut self, step: &Step, seconds: f64) {
        let place = place(step.epoch, step.step, step.steps);
        if self.place.last().is_some_and(|last| last >= place) {
            self.truncate(self.place.partition_point(|before| before < place));
        }
        self.place.push(place);
        self.seconds.push(seconds.max(self.seconds.last().unwrap_or(0.0)));
        self.loss.push(step.loss);
        self.accuracy.push(step.accuracy);
        self.lr.push(step.lr);
        self.samples_per_s.push(step.samples_per_s);
    }

    /// Forgets all steps from the one of this index on.
    pub fn truncate(&mut self, len: usize) {
        let Steps { place, seconds, loss, accuracy, lr, samples_per_s } = self;
        [place, seconds, loss, accuracy, lr, samples_per_s].into_iter().for_each(|column| column.truncate(len));
    }
}

/// What `y` spans in each of so many equal parts of the `window` of `x`, which rises; None for a part without a value.
/// The window's right end belongs to its last part.
pub fn spans<'a>(
    x: &'a Column,
    y: &'a Column,
    (left, right): (f64, f64),
    columns: usize,
) -> impl ExactSizeIterator<Item = Option<Span>> + 'a {
    let width = (right - left) / columns.max(1) as f64;
    let mut begin = x.partition_point(|x| x < left);
    (1..columns + 1).map(move |column| {
        let end = if column == columns {
            x.partition_point(|x| x <= right)
        } else {
            let edge = left + width * column as f64;
            x.partition_point(|x| x < edge)
        };
        let span = y.span(begin..end);
        begin = end.max(begin);
        span
    })
}

#[cfg(test)]
mod tests;
