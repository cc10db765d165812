//! Figures of an epoch, from logits.
//!
//! Loss and accuracy are there for both sides. Further metrics (`train.metrics`) are of the validation samples alone:
//! those of a training epoch would mix what the network was at each of its steps, with dropout and augmentation.
//!
//! Invariant: a figure depends on what the network made of the samples, not on their order or their batches. One that is
//! not defined, as the recall of a class without samples, is NaN.

mod auroc;
mod calibration;
mod class_scores;
mod confusion;
mod score;
mod sums;
mod top_k;

use std::collections::BTreeMap;

use super::error::Error;
use crate::base::text;
use crate::experiment::{Figure, Measure, Metric};
use auroc::auroc;
use calibration::calibration_error;
use class_scores::ClassScores;
pub use confusion::confusion;
pub use score::{Scored, score, softmax};
pub use sums::Sums;
use top_k::top_k;

/// What the network made of the samples of a side; everything in their order.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'a> {
    /// The names of the classes, by their index.
    pub classes: &'a [String],
    pub labels: &'a [u32],
    pub scored: &'a [Scored],
    /// `[samples, classes]`, row-major; empty unless [`takes_probabilities`].
    pub probabilities: &'a [f32],
}

/// Whether `measures` are defined for these classes.
pub(super) fn check(measures: &[Measure], classes: &[String]) -> Result<(), Error> {
    let wrong = |metric: &Figure, reason, hint| Err(Error::Metric { metric: metric.to_string(), reason, hint });
    for measure in measures {
        match measure {
            Measure::One(figure @ Figure::TopK(k)) if *k >= classes.len() => {
                let reason = format!("of {} classes is always 1", classes.len());
                return wrong(figure, reason, format!("use a number below {}", classes.len()));
            }
            Measure::One(figure @ Figure::OfClass(_, class)) if !classes.contains(class) => {
                let hint = format!("the classes are {}", text::truncated(&classes.join(", "), 200));
                return wrong(figure, "is of a class that is not there".to_owned(), hint);
            }
            Measure::One(_) | Measure::PerClass(_) => {}
        }
    }
    Ok(())
}

/// Whether any of `measures` is of the probabilities of all classes.
pub fn takes_probabilities(measures: &[Measure]) -> bool {
    measures.contains(&Measure::One(Figure::Auroc))
}

/// The figures that `measures` give, by their names in the record.
pub fn further(measures: &[Measure], outcome: &Outcome) -> BTreeMap<String, f64> {
    let pairs = outcome.labels.iter().copied().zip(outcome.scored.iter().map(|scored| scored.predicted));
    let scores = ClassScores::of(&confusion(outcome.classes.len(), pairs));
    let of_class = |score, class: &str| match outcome.classes.iter().position(|name| name == class) {
        Some(at) => scores.of_class(score, at),
        None => f64::NAN,
    };
    let value = |figure: &Figure| match figure {
        Figure::TopK(k) => top_k(outcome.scored, *k),
        Figure::Macro(score) => scores.average(*score),
        Figure::Weighted(score) => scores.weighted(*score),
        Figure::OfClass(score, class) => of_class(*score, class),
        Figure::Auroc => auroc(outcome.classes.len(), outcome.labels, outcome.probabilities),
        Figure::Ece => calibration_error(outcome.labels, outcome.scored),
    };
    figures(measures, outcome.classes).map(|figure| (Metric::Val(figure.clone()).name(), value(&figure))).collect()
}

/// The figures that `measures` are for these classes.
fn figures<'a>(measures: &'a [Measure], classes: &'a [String]) -> impl Iterator<Item = Figure> + 'a {
    measures.iter().flat_map(|measure| match measure {
        Measure::One(figure) => vec![figure.clone()],
        Measure::PerClass(score) => classes.iter().map(|class| Figure::OfClass(*score, class.clone())).collect(),
    })
}

#[cfg(test)]
mod tests;
