//! What a run trained step by step, as columns.
//!
//! Invariant: all columns are of one length; `place` rises strictly and `seconds` never falls, so that a stretch of either
//! is a stretch of indices. A step that is told again replaces what was told from its place on.

use rayon::prelude::*;

use super::event::Step;
use super::series::{Column, Span};

/// Steps whose columns are worth other threads.
const MANY: usize = 500;

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

/// Steps that are still to be taken, as columns.
#[derive(Debug)]
pub(super) struct Rows {
    place: Vec<f64>,
    /// In the order of [`StepColumn::ALL`].
    figures: [Vec<f64>; 4],
    /// Whether each place is behind the one before.
    rises: bool,
}

impl Rows {
    /// None yet, with room for so many.
    pub fn with_capacity(count: usize) -> Self {
        let room = || Vec::with_capacity(count);
        Rows { place: room(), figures: [room(), room(), room(), room()], rises: true }
    }

    pub fn push(&mut self, place: f64, figures: [f64; 4]) {
        self.rises &= self.place.last().is_none_or(|&last| last < place);
        self.place.push(place);
        self.figures.iter_mut().zip(figures).for_each(|(column, value)| column.push(value));
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
        let figures = [step.loss, step.accuracy, step.lr, step.samples_per_s];
        self.put(place(step.epoch, step.step, step.steps), figures, seconds);
    }

    /// Takes steps, each after so many seconds of training.
    pub(super) fn extend(&mut self, rows: Rows, mut seconds: Vec<f64>) {
        let follows = self.place.last().is_none_or(|last| rows.place.first().is_some_and(|&first| last < first));
        if !(rows.rises && follows) {
            for (n, seconds) in seconds.into_iter().enumerate() {
                let figures = rows.figures.each_ref().map(|figures| figures.get(n).copied().unwrap_or(f64::NAN));
                self.put(rows.place.get(n).copied().unwrap_or(0.0), figures, seconds);
            }
            return;
        }
        let mut before = self.seconds.last().unwrap_or(0.0);
        seconds.iter_mut().for_each(|seconds| {
            before = seconds.max(before);
            *seconds = before;
        });
        let [loss, accuracy, lr, samples_per_s] = &rows.figures;
        let columns = [
            (&mut self.place, &rows.place),
            (&mut self.seconds, &seconds),
            (&mut self.loss, loss),
            (&mut self.accuracy, accuracy),
            (&mut self.lr, lr),
            (&mut self.samples_per_s, samples_per_s),
        ];
        if seconds.len() < MANY {
            columns.into_iter().for_each(|(column, values)| column.extend(values));
        } else {
            columns.into_par_iter().for_each(|(column, values)| column.extend(values));
        }
    }

    fn put(&mut self, place: f64, figures: [f64; 4], seconds: f64) {
        if self.place.last().is_some_and(|last| last >= place) {
            self.truncate(self.place.partition_point(|before| before < place));
        }
        let seconds = seconds.max(self.seconds.last().unwrap_or(0.0));
        self.place.push(place);
        self.seconds.push(seconds);
        let columns = [&mut self.loss, &mut self.accuracy, &mut self.lr, &mut self.samples_per_s];
        columns.into_iter().zip(figures).for_each(|(column, value)| column.push(value));
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
