//! Overfitting: the validation loss goes up while the training loss goes down.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::base::text;
use crate::experiment::{Experiment, HeadLayer, Task};
use crate::record::event::{Advice, Severity};

/// Epochs in a row after which it is said.
const EPOCHS: usize = 3;

/// Watches the losses of one phase, and says so once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Overfitting {
    /// (loss, val_loss) since the validation loss last fell or the training loss last rose.
    stretch: Vec<(f64, f64)>,
    is_told: bool,
}

impl Overfitting {
    /// Takes the losses of an epoch.
    pub fn epoch_end(&mut self, loss: f64, val_loss: f64, experiment: &Experiment) -> Option<Advice> {
        if self.stretch.last().is_some_and(|&(before, val_before)| loss >= before || val_loss <= val_before) {
            self.stretch.clear();
        }
        self.stretch.push((loss, val_loss));
        if self.is_told || self.stretch.len() <= EPOCHS {
            return None;
        }
        self.is_told = true;
        let (from, val_from) = self.stretch[0];
        let evidence =
            [("epochs", json!(EPOCHS)), ("loss", json!([from, loss])), ("val_loss", json!([val_from, val_loss]))];
        Some(Advice {
            kind: "overfitting".to_owned(),
            severity: Severity::Warning,
            message: format!(
                "val_loss rose for {EPOCHS} epochs, {} → {}, while loss fell, {} → {}",
                text::metric(val_from),
                text::metric(val_loss),
                text::metric(from),
                text::metric(loss)
            ),
            evidence: evidence.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<BTreeMap<_, _>>(),
            suggestion: suggestion(experiment).to_owned(),
        })
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
    use super::*;
    use crate::experiment::{Origin, parse};

    fn experiment(augment: &str, head: &str) -> Experiment {
        let origin = Origin { shown: "a.yaml".into(), folder: "/".into(), stem: "a".into() };
        let text = format!(
            "data: {{ train: t, val: v, augment: {{ {augment} }} }}\n\
             model: {{ backbone: squeezenet1_1, weights: random, head: [ {head} ] }}"
        );
        parse(&text, &origin, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    fn told(losses: &[(f64, f64)]) -> Vec<usize> {
        let (mut overfitting, plain) = (Overfitting::default(), experiment("", ""));
        let told = losses.iter().map(|&(loss, val_loss)| overfitting.epoch_end(loss, val_loss, &plain).is_some());
        told.enumerate().filter_map(|(epoch, told)| told.then_some(epoch)).collect()
    }

    #[test]
    fn it_is_said_once_after_three_epochs_apart() {
        let apart = [(0.9, 0.5), (0.8, 0.6), (0.7, 0.7), (0.6, 0.8), (0.5, 0.9), (0.4, 1.0)];
        assert_eq!(told(&apart), [3]);
        let both_fall = [(0.9, 0.5), (0.8, 0.4), (0.7, 0.3), (0.6, 0.2), (0.5, 0.1)];
        assert!(told(&both_fall).is_empty());
        let both_rise = [(0.5, 0.5), (0.6, 0.6), (0.7, 0.7), (0.8, 0.8), (0.9, 0.9)];
        assert!(told(&both_rise).is_empty(), "that is a rate too high");
        let interrupted = [(0.9, 0.5), (0.8, 0.6), (0.7, 0.7), (0.6, 0.6), (0.5, 0.7), (0.4, 0.8)];
        assert!(told(&interrupted).is_empty());
    }

    #[test]
    fn the_suggestion_is_something_not_yet_done() {
        assert!(suggestion(&experiment("", "")).contains("dropout"));
        assert!(suggestion(&experiment("", "{ dropout: 0.5 }")).contains("data.augment"));
        assert!(suggestion(&experiment("rotation: 20", "{ dropout: 0.5 }")).contains("early_stopping"));
        let texts = Experiment { task: Task::TextClassification, ..experiment("", "{ dropout: 0.5 }") };
        assert!(suggestion(&texts).contains("early_stopping"), "texts are not augmented");
    }
}
