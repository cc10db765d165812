//! Overfitting: the training samples are learned by heart; the validation loss has turned and goes up while the training
//! loss goes down.
//!
//! For three epochs in a row the val_loss is above its lowest of the phase by a tenth, the loss is below half of what it was
//! in the epoch of that lowest, and the accuracy is above the val_accuracy. (A val_loss that goes up and down by less, or
//! while the loss stands still, is noise or a rate too high; where val_accuracy is above accuracy, nothing is known by heart.)

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{EpochEnd, flow, rounded, warning};
use crate::base::text;
use crate::experiment::{Experiment, HeadLayer, Task};
use crate::record::event::Advice;

/// Epochs in a row after which it is said.
const EPOCHS: u32 = 3;
/// Times its lowest that the val_loss is above.
const UP: f64 = 1.1;
/// Share of what it was then that the loss is below.
const DOWN: f64 = 0.5;

/// Watches the losses of one phase.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Overfitting {
    /// (loss, val_loss) of the epoch with the lowest val_loss.
    lowest: Option<(f64, f64)>,
    /// Epochs in a row for which the two were apart.
    apart: u32,
}

impl Overfitting {
    pub fn epoch_end(&mut self, end: &EpochEnd) -> Option<Advice> {
        let EpochEnd { loss, val_loss, accuracy, val_accuracy, .. } = *end;
        let Some((from, val_from)) = self.lowest.filter(|(_, lowest)| val_loss >= *lowest) else {
            *self = Overfitting { lowest: Some((loss, val_loss)), apart: 0 };
            return None;
        };
        let is_apart = val_loss > UP * val_from && loss < DOWN * from && accuracy > val_accuracy;
        self.apart = if is_apart { self.apart + 1 } else { 0 };
        if self.apart < EPOCHS {
            return None;
        }
        let message = format!(
            "val_loss went up from {} to {} while loss went down from {} to {}",
            text::metric(val_from),
            text::metric(val_loss),
            text::metric(from),
            text::metric(loss)
        );
        let evidence = [
            ("epochs", json!(self.apart)),
            ("loss", json!([rounded(from), rounded(loss)])),
            ("val_loss", json!([rounded(val_from), rounded(val_loss)])),
        ];
        Some(warning("overfitting", message, evidence, suggestion(end.experiment)))
    }
}

/// The first remedy that the experiment does not have yet: more pictures, then dropout, then to stop in time. (In the
/// experiments of this repository augmentation lowers the val_loss, and dropout puts its turn off.)
fn suggestion(experiment: &Experiment) -> String {
    const STRONG: f64 = 0.5;
    let is_strong = |layer: &HeadLayer| matches!(layer, HeadLayer::Dropout(rate) if *rate >= STRONG);
    let head = &experiment.model.head;
    if experiment.task == Task::ImageClassification && experiment.data.augment().is_none() {
        "data.augment: { rotation: 20, zoom: 0.2, horizontal_flip: true }".to_owned()
    } else if !head.iter().any(is_strong) {
        let mut with_dropout = head.clone();
        match with_dropout.last_mut() {
            Some(HeadLayer::Dropout(rate)) => *rate = STRONG,
            _ => with_dropout.push(HeadLayer::Dropout(STRONG)),
        }
        format!("model.head: {}", flow::written(&with_dropout))
    } else {
        "train.early_stopping: { monitor: val_loss, patience: 2, restore_best_weights: true }".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Told, epoch, experiment};
    use super::*;

    /// Epochs as (loss, val_loss), in which the training samples are known better.
    fn told(losses: &[(f64, f64)]) -> Vec<usize> {
        let (mut watch, experiment) = (Overfitting::default(), experiment(""));
        let end = |&(loss, val_loss)| EpochEnd { loss, val_loss, accuracy: 0.9, ..epoch(&experiment) };
        Told::of(losses.iter().map(|figures| watch.epoch_end(&end(figures)))).epochs
    }

    #[test]
    fn it_is_said_after_three_epochs_apart() {
        let apart = [(0.9, 0.5), (0.4, 0.6), (0.3, 0.57), (0.2, 0.7), (0.1, 0.8)];
        assert_eq!(told(&apart), [3, 4]);
        let by_and_by = [(0.9, 0.5), (0.6, 0.52), (0.4, 0.54), (0.3, 0.56), (0.2, 0.58), (0.1, 0.6)];
        assert_eq!(told(&by_and_by), [5]);
    }

    #[test]
    fn what_only_looks_like_it_is_not() {
        for (what, losses) in [
            ("both fall", [(0.9, 0.5), (0.4, 0.4), (0.2, 0.3), (0.1, 0.2), (0.05, 0.1)]),
            ("both rise: a rate too high", [(0.5, 0.5), (0.6, 0.6), (0.7, 0.7), (0.8, 0.8), (0.9, 0.9)]),
            ("it stands still and has noise", [(0.9, 0.5), (0.4, 0.52), (0.3, 0.51), (0.2, 0.54), (0.1, 0.53)]),
            ("loss fell little", [(0.9, 0.5), (0.6, 0.6), (0.6, 0.6), (0.5, 0.7), (0.5, 0.8)]),
            ("now and then", [(0.9, 0.5), (0.4, 0.6), (0.3, 0.6), (0.2, 0.5), (0.1, 0.6)]),
            ("a new lowest", [(0.9, 0.5), (0.4, 0.6), (0.3, 0.6), (0.2, 0.4), (0.1, 0.43)]),
        ] {
            assert!(told(&losses).is_empty(), "{what}");
        }
        let (mut watch, experiment) = (Overfitting::default(), experiment(""));
        for loss in [0.9, 0.4, 0.3, 0.2, 0.1] {
            let end = EpochEnd { loss, val_loss: 1.0 - loss, accuracy: 0.7, val_accuracy: 0.8, ..epoch(&experiment) };
            assert_eq!(watch.epoch_end(&end), None, "known by heart is not what is known worse");
        }
    }

    #[test]
    fn the_suggestion_is_something_not_yet_done() {
        assert!(suggestion(&experiment("")).starts_with("data.augment: "));
        let augmented = "data.augment={ rotation: 20 }";
        for (head, suggested) in [
            ("[]", "[ { dropout: 0.5 } ]"),
            ("[ { dropout: 0.3 } ]", "[ { dropout: 0.5 } ]"),
            (
                "[ { dropout: 0.2 }, { dense: { units: 8, activation: relu } } ]",
                "[ { dropout: 0.2 }, { dense: { units: 8, activation: relu } }, { dropout: 0.5 } ]",
            ),
        ] {
            let advised = suggestion(&experiment(&format!("{augmented}\nmodel.head={head}")));
            assert_eq!(advised, format!("model.head: {suggested}"));
        }
        let strong = experiment(&format!("{augmented}\nmodel.head=[ {{ dropout: 0.5 }} ]"));
        assert!(suggestion(&strong).contains("early_stopping"));
        let texts = Experiment { task: Task::TextClassification, ..experiment("") };
        assert_eq!(suggestion(&texts), "model.head: [ { dropout: 0.5 } ]", "texts are not augmented");
    }
}
