//! A class that is too rare to be learned: it has a quarter or less of the training samples of the largest class, and of
//! its validation samples far fewer are found than of the others.
//!
//! Its recall is below that of the other samples by a fifth and by two standard errors of the difference (the pooled test
//! of two shares), in three epochs in a row. Nothing is said where `train.class_weight` weighs the classes already.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{EpochEnd, rounded, warning};
use crate::base::text::counted;
use crate::record::event::Advice;

/// Times as many samples as the rare class that the largest has at least.
const RATIO: usize = 4;
const EPOCHS: u32 = 3;
const BELOW: f64 = 0.2;
/// Standard errors that are more than noise.
const NOISE: f64 = 2.0;

/// Watches the recall of each rare class in one phase.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ClassImbalance {
    /// For each class: epochs in a row in which it fell behind.
    behind: Vec<u32>,
}

impl ClassImbalance {
    pub fn epoch_end(&mut self, end: &EpochEnd) -> Option<Advice> {
        if end.experiment.train.class_weight.is_some() {
            return None;
        }
        let largest = end.samples.iter().copied().max()?;
        self.behind.resize(end.samples.len(), 0);
        for (class, &samples) in end.samples.iter().enumerate() {
            let is_behind = samples * RATIO <= largest && is_behind(end.confusion, class);
            self.behind[class] = if is_behind { self.behind[class] + 1 } else { 0 };
        }
        let class = self.behind.iter().position(|&epochs| epochs >= EPOCHS)?;
        let (samples, [own, others]) = (end.samples[class], recalls(end.confusion, class).map(Share::value));
        let name = end.classes.get(class)?;
        let message = format!(
            "class {name} has {}, the largest {largest}, and a recall of {own:.2}, the others {others:.2}",
            counted(samples, "training sample")
        );
        let evidence = [
            ("class", json!(name)),
            ("samples", json!([samples, largest])),
            ("recall", rounded(own)),
            ("recall_of_others", rounded(others)),
        ];
        Some(warning("class_imbalance", message, evidence, "train.class_weight: balanced".to_owned()))
    }
}

/// So many of so many.
#[derive(Debug, Clone, Copy)]
struct Share {
    part: u64,
    whole: u64,
}

impl Share {
    fn value(self) -> f64 {
        self.part as f64 / self.whole as f64
    }
}

/// The recall of `class`, and of all samples of other classes.
fn recalls(confusion: &[Vec<u64>], class: usize) -> [Share; 2] {
    let mut shares = [Share { part: 0, whole: 0 }; 2];
    for (label, row) in confusion.iter().enumerate() {
        let share = &mut shares[usize::from(label != class)];
        share.part += row.get(label).copied().unwrap_or(0);
        share.whole += row.iter().sum::<u64>();
    }
    shares
}

fn is_behind(confusion: &[Vec<u64>], class: usize) -> bool {
    let [own, others] = recalls(confusion, class);
    if own.whole == 0 || others.whole == 0 {
        return false;
    }
    let pooled = (own.part + others.part) as f64 / (own.whole + others.whole) as f64;
    let error = (pooled * (1.0 - pooled) * (1.0 / own.whole as f64 + 1.0 / others.whole as f64)).sqrt();
    let below = others.value() - own.value();
    below >= BELOW && below > NOISE * error
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Told, epoch, experiment};
    use super::*;

    /// Of two classes with so many training samples; each epoch finds so many of the validation samples of each.
    fn told(changes: &str, samples: [usize; 2], of: [u64; 2], epochs: &[[u64; 2]]) -> Told {
        let (mut watch, experiment) = (ClassImbalance::default(), experiment(changes));
        let classes = ["common", "rare"].map(str::to_owned);
        Told::of(epochs.iter().map(|found| {
            let confusion = [vec![found[0], of[0] - found[0]], vec![of[1] - found[1], found[1]]];
            let end = EpochEnd { confusion: &confusion, classes: &classes, samples: &samples, ..epoch(&experiment) };
            watch.epoch_end(&end)
        }))
    }

    #[test]
    fn a_rare_class_that_is_not_found_is_told() {
        let missed = told("", [100, 10], [50, 10], &[[49, 1]; 4]);
        assert_eq!(missed.epochs, [2, 3]);
        let message = &missed.first().message;
        assert_eq!(
            message,
            "class rare has 10 training samples, the largest 100, and a recall of 0.10, the others 0.98"
        );
    }

    #[test]
    fn what_is_not_rare_found_well_or_of_few_samples_is_not() {
        for (what, changes, samples, of, epochs) in [
            ("not rare", "", [100, 40], [50, 10], [[49, 1]; 4]),
            ("found", "", [100, 10], [50, 10], [[45, 8]; 4]),
            ("two samples", "", [100, 10], [4, 2], [[4, 1]; 4]),
            ("none at all", "", [100, 10], [50, 0], [[49, 0]; 4]),
            ("now and then", "", [100, 10], [50, 10], [[49, 1], [49, 1], [49, 9], [49, 1]]),
            ("weighed already", "train.class_weight=balanced", [100, 10], [50, 10], [[49, 1]; 4]),
        ] {
            assert!(told(changes, samples, of, &epochs).epochs.is_empty(), "{what}");
        }
    }
}
