//! Overfitting: the validation loss goes up while the training loss goes down.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{EpochEnd, warning};
use crate::base::text;
use crate::experiment::{Experiment, HeadLayer, Task};
use crate::record::event::Advice;

/// Epochs in a row after which it is said.
const EPOCHS: usize = 3;

/// Watches the losses of one phase.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Overfitting {
    /// (loss, val_loss) since the validation loss last fell or the training loss last rose.
    stretch: Vec<(f64, f64)>,
}

impl Overfitting {
    pub fn epoch_end(&mut self, end: &EpochEnd) -> Option<Advice> {
        let EpochEnd { loss, val_loss, experiment, .. } = *end;
        if self.stretch.last().is_some_and(|&(before, val_before)| loss >= before || val_loss <= val_before) {
            self.stretch.clear();
        }
        self.stretch.push((loss, val_loss));
        if self.stretch.len() <= EPOCHS {
            return None;
        }
        let epochs = self.stretch.len() - 1;
        let (from, val_from) = self.stretch[0];
        let message = format!(
            "val_loss rose for {epochs} epochs, {} → {}, while loss fell, {} → {}",
            text::metric(val_from),
            text::metric(val_loss),
            text::metric(from),
            text::metric(loss)
        );
        let evidence =
            [("epochs", json!(epochs)), ("loss", json!([from, loss])), ("val_loss", json!([val_from, val_loss]))];
        Some(warning("overfitting", message, evidence, suggestion(experiment).to_owned()))
    }
}

/// The first remedy that the experiment does not have yet.
fn suggestion(experiment: &Experiment) -> &'static str {
    let is_strong = |layer: &HeadLayer| matches!(layer, HeadLayer::Dropout(rate) if *rate >= 0.5);
    if !experiment.model.head.iter().any(is_strong) {
        "model.head: [ { dropout: 0.5 } ]"
    } else if experiment.task == Task::ImageClassification && experiment.data.augment().is_none() {
        "data.augment: { rotation: 20, zoom: 0.2, horizontal_flip: true }"
    } else {
        "train.early_stopping: { monitor: val_loss, patience: 2, restore_best_weights: true }"
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Told, epoch, experiment};
    use super::*;

    fn told(losses: &[(f64, f64)]) -> Vec<usize> {
        let (mut watch, experiment) = (Overfitting::default(), experiment(""));
        let end = |&(loss, val_loss)| EpochEnd { loss, val_loss, ..epoch(&experiment) };
        Told::of(losses.iter().map(|figures| watch.epoch_end(&end(figures)))).epochs
    }

    #[test]
    fn it_is_said_after_three_epochs_apart() {
        let apart = [(0.9, 0.5), (0.8, 0.6), (0.7, 0.7), (0.6, 0.8), (0.5, 0.9)];
        assert_eq!(told(&apart), [3, 4]);
        let both_fall = [(0.9, 0.5), (0.8, 0.4), (0.7, 0.3), (0.6, 0.2), (0.5, 0.1)];
        assert!(told(&both_fall).is_empty());
        let both_rise = [(0.5, 0.5), (0.6, 0.6), (0.7, 0.7), (0.8, 0.8), (0.9, 0.9)];
        assert!(told(&both_rise).is_empty(), "that is a rate too high");
        let interrupted = [(0.9, 0.5), (0.8, 0.6), (0.7, 0.7), (0.6, 0.6), (0.5, 0.7), (0.4, 0.8)];
        assert!(told(&interrupted).is_empty());
    }

    #[test]
    fn the_suggestion_is_something_not_yet_done() {
        assert!(suggestion(&experiment("")).contains("dropout"));
        let dropout = "model.head=[ { dropout: 0.5 } ]";
        assert!(suggestion(&experiment(dropout)).contains("data.augment"));
        let augmented = experiment(&format!("{dropout}\ndata.augment.rotation=20"));
        assert!(suggestion(&augmented).contains("early_stopping"));
        let texts = Experiment { task: Task::TextClassification, ..experiment(dropout) };
        assert!(suggestion(&texts).contains("early_stopping"), "texts are not augmented");
    }
}
