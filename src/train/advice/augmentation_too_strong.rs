//! An augmentation so strong that the changed training pictures are much harder than the real ones: the training accuracy
//! stays far below the validation accuracy.
//!
//! On average over four epochs it is below by 0.12, or by 0.2 where the head has dropout, which makes training harder too,
//! and by two and a half standard errors of the difference of the two shares. The first epoch of a phase does not count: its
//! average has the steps before anything was learned. Nothing is said of mixed pictures, whose classes are mixed too.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{EpochEnd, rounded, warning};
use crate::experiment::{Augment, HeadLayer};
use crate::record::event::Advice;

const EPOCHS: usize = 4;
const BELOW: f64 = 0.12;
const BELOW_WITH_DROPOUT: f64 = 0.2;
/// Standard errors that are more than noise.
const NOISE: f64 = 2.5;

/// Watches the accuracies of one phase.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct AugmentationTooStrong {
    has_begun: bool,
    /// (accuracy, val_accuracy) of the latest epochs that count.
    epochs: Vec<(f64, f64)>,
}

impl AugmentationTooStrong {
    pub fn epoch_end(&mut self, end: &EpochEnd) -> Option<Advice> {
        let augment = end.experiment.data.augment();
        if !std::mem::replace(&mut self.has_begun, true) || augment.is_none() || augment.mixes() {
            return None;
        }
        self.epochs.push((end.accuracy, end.val_accuracy));
        if self.epochs.len() > EPOCHS {
            self.epochs.remove(0);
        }
        let average = |of: fn(&(f64, f64)) -> f64| self.epochs.iter().map(of).sum::<f64>() / self.epochs.len() as f64;
        let (accuracy, val_accuracy) = (average(|epoch| epoch.0), average(|epoch| epoch.1));
        if self.epochs.len() < EPOCHS || !is_far_below(accuracy, val_accuracy, end) {
            return None;
        }
        let message = format!(
            "accuracy stayed far below val_accuracy for {EPOCHS} epochs, {accuracy:.2} and {val_accuracy:.2}: augmented \
             pictures are much harder to know"
        );
        let evidence =
            [("epochs", json!(EPOCHS)), ("accuracy", rounded(accuracy)), ("val_accuracy", rounded(val_accuracy))];
        Some(warning("augmentation_too_strong", message, evidence, weaker(&augment)))
    }
}

fn is_far_below(accuracy: f64, val_accuracy: f64, end: &EpochEnd) -> bool {
    let val_samples: u64 = end.confusion.iter().flatten().sum();
    let samples: usize = end.samples.iter().sum();
    let variance = |share: f64, count: f64| share * (1.0 - share) / count.max(1.0);
    let error = (variance(accuracy, samples as f64) + variance(val_accuracy, val_samples as f64)).sqrt();
    let has_dropout =
        end.experiment.model.head.iter().any(|layer| matches!(layer, HeadLayer::Dropout(rate) if *rate > 0.0));
    let below = val_accuracy - accuracy;
    below >= if has_dropout { BELOW_WITH_DROPOUT } else { BELOW } && below > NOISE * error
}

/// Half of the change that is the strongest against what is usual, as in the article; none at all where it is another.
fn weaker(augment: &Augment) -> String {
    let changes = [
        ("rotation", augment.rotation, 20.0),
        ("zoom", augment.zoom, 0.2),
        ("shear", augment.shear, 20.0),
        ("channel_shift", augment.channel_shift, 30.0),
        ("contrast", augment.contrast, 0.2),
        ("width_shift", augment.width_shift, 0.1),
        ("height_shift", augment.height_shift, 0.1),
    ];
    let strongest =
        changes.into_iter().max_by(|(_, a, usual_a), (_, b, usual_b)| (a / usual_a).total_cmp(&(b / usual_b)));
    match strongest {
        Some((name, value, usual)) if value > 0.0 => format!("data.augment.{name}: {}", (value / 2.0).min(usual)),
        _ => "data.augment: {}".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Told, epoch, experiment};
    use super::*;

    const STRONG: &str = "data.augment={ rotation: 170, zoom: 0.3 }";

    /// Epochs as (accuracy, val_accuracy), on 300 training and `val` validation samples.
    fn told(changes: &str, val: u64, epochs: &[(f64, f64)]) -> Told {
        let (mut watch, experiment) = (AugmentationTooStrong::default(), experiment(changes));
        let confusion = [vec![val]];
        Told::of(epochs.iter().map(|&(accuracy, val_accuracy)| {
            watch.epoch_end(&EpochEnd { accuracy, val_accuracy, confusion: &confusion, ..epoch(&experiment) })
        }))
    }

    #[test]
    fn training_that_stays_far_below_is_told() {
        let far = told(STRONG, 100, &[(0.5, 0.8); 7]);
        assert_eq!(far.epochs, [4, 5, 6]);
        assert_eq!(far.first().suggestion, "data.augment.rotation: 20");
        assert_eq!(
            weaker(&experiment("data.augment.height_shift=0.1").data.augment()),
            "data.augment.height_shift: 0.05"
        );
    }

    /// Figures of a real run on emoji, turned by any angle and shifted by up to four fifths.
    #[test]
    fn a_real_run_is_told() {
        let real = [(0.33, 0.476), (0.428, 0.53), (0.416, 0.61), (0.508, 0.634), (0.533, 0.671), (0.52, 0.689)];
        let strong = "data.augment={ rotation: 180, zoom: 0.95, width_shift: 0.8, height_shift: 0.8 }";
        let real = told(strong, 164, &real);
        assert_eq!(real.epochs, [4, 5]);
        assert_eq!(real.first().suggestion, "data.augment.rotation: 20");
    }

    /// The last is a real run of experiments/emoji.yaml.
    #[test]
    fn what_is_not_augmented_or_catches_up_is_not() {
        let dropout = format!("{STRONG}\nmodel.head=[ {{ dropout: 0.5 }} ]");
        let emoji = [(0.508, 0.799), (0.732, 0.817), (0.783, 0.817), (0.807, 0.860), (0.842, 0.860), (0.852, 0.860)];
        for (what, changes, val, epochs) in [
            ("not augmented", "", 100, &[(0.5, 0.8); 8][..]),
            ("dropout does it too", &dropout, 100, &[(0.62, 0.8); 8]),
            ("few samples", STRONG, 8, &[(0.5, 0.8); 8]),
            ("late", STRONG, 100, &[(0.3, 0.8), (0.6, 0.8), (0.7, 0.8), (0.75, 0.8), (0.75, 0.8), (0.75, 0.8)]),
            ("emoji", STRONG, 164, &emoji),
        ] {
            assert!(told(changes, val, epochs).epochs.is_empty(), "{what}");
        }
    }
}
