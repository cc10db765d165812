//! A run's epochs and steps as points of a chart.

use std::ops::Range;

use super::XAxis;
use super::points::Points;
use crate::record::event::Epoch;
use crate::record::series::{Column, Span};
use crate::record::state::{RunState, Training};
use crate::record::steps::Steps;

/// A metric of a run's epochs, each at its end.
pub struct Epochs<'a> {
    pub run: &'a RunState,
    /// By its name in the record.
    pub metric: &'a str,
    pub axis: XAxis,
}

impl Points for Epochs<'_> {
    fn len(&self) -> usize {
        self.run.training.epochs.len()
    }

    fn x(&self, index: usize) -> f64 {
        epoch_x(&self.run.training, self.axis, index)
    }

    fn y(&self, index: usize) -> f64 {
        self.run.training.epochs.get(index).and_then(|epoch| figure(epoch, self.metric)).unwrap_or(f64::NAN)
    }
}

/// A figure of a run's steps, each at its end.
pub struct StepsOf<'a> {
    pub steps: &'a Steps,
    pub figure: &'a Column,
    pub axis: XAxis,
}

impl Points for StepsOf<'_> {
    fn len(&self) -> usize {
        self.figure.len()
    }

    fn x(&self, index: usize) -> f64 {
        let at = match self.axis {
            XAxis::Step => return index as f64 + 1.0,
            XAxis::Epoch => self.steps.place().get(index),
            XAxis::Time => self.steps.seconds().get(index),
        };
        at.unwrap_or(f64::NAN)
    }

    fn y(&self, index: usize) -> f64 {
        self.figure.get(index).unwrap_or(f64::NAN)
    }

    fn span(&self, range: Range<usize>) -> Option<Span> {
        self.figure.span(range)
    }

    fn find(&self, x: f64) -> usize {
        match self.axis {
            XAxis::Step => ((x - 1.0).ceil().max(0.0) as usize).min(self.len()),
            XAxis::Epoch => self.steps.place().partition_point(|at| at < x),
            XAxis::Time => self.steps.seconds().partition_point(|at| at < x),
        }
    }
}

/// Where the end of the epoch of this index stands on an axis.
pub fn epoch_x(training: &Training, axis: XAxis, index: usize) -> f64 {
    let Some(epoch) = training.epochs.get(index) else { return f64::NAN };
    match axis {
        XAxis::Epoch => f64::from(epoch.epoch),
        XAxis::Time => training.epoch_seconds.get(index).unwrap_or(f64::NAN),
        XAxis::Step => x(training, axis, f64::from(epoch.epoch)),
    }
}

/// Where a place, in epochs trained, stands on an axis.
pub fn x(training: &Training, axis: XAxis, place: f64) -> f64 {
    let steps = training.steps.place().partition_point(|at| at <= place);
    match axis {
        XAxis::Epoch => place,
        XAxis::Step if training.steps.is_empty() => place,
        XAxis::Step => steps as f64,
        XAxis::Time => {
            let epochs = training.epochs.partition_point(|epoch| f64::from(epoch.epoch) <= place);
            let ends = epochs.checked_sub(1).and_then(|last| training.epoch_seconds.get(last));
            let step = steps.checked_sub(1).and_then(|last| training.steps.seconds().get(last));
            ends.into_iter().chain(step).fold(0.0, f64::max)
        }
    }
}

/// The place, in epochs trained, of what an axis says; the other way round than [`x`].
pub fn place(training: &Training, axis: XAxis, x: f64) -> f64 {
    let steps = &training.steps;
    let index = match axis {
        XAxis::Epoch => return x,
        XAxis::Step if steps.is_empty() => return x,
        XAxis::Step => x.round().max(1.0) as usize - 1,
        XAxis::Time => steps.seconds().partition_point(|at| at < x),
    };
    steps.place().get(index.min(steps.len().saturating_sub(1))).unwrap_or(0.0)
}

/// The figure of an epoch that has this name in the record.
pub fn figure(epoch: &Epoch, metric: &str) -> Option<f64> {
    match metric {
        "loss" => Some(epoch.loss),
        "accuracy" => Some(epoch.accuracy),
        "val_loss" => Some(epoch.val_loss),
        "val_accuracy" => Some(epoch.val_accuracy),
        "lr" => Some(epoch.lr),
        "samples_per_s" => Some(epoch.samples_per_s),
        further => epoch.metrics.get(further).copied(),
    }
}
