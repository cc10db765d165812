//! Weights of the backbone that are drawn by the seed: nothing pretrained is used.
//!
//! Where layers of it never learn, their features stay noise, and that is a warning; where all learn, it is said in passing
//! that the model starts from nothing.

use serde_json::json;

use super::warning;
use crate::experiment::{Experiment, Weights};
use crate::record::event::{Advice, Severity};

/// `frozen`: layers of the backbone that have weights and never learn, of so many.
pub(super) fn random_weights(experiment: &Experiment, frozen: usize, layers: usize) -> Option<Advice> {
    if experiment.model.weights != Weights::Random {
        return None;
    }
    let message = match frozen {
        0 => "the weights are random: the backbone learns from nothing, which takes many samples".to_owned(),
        _ => format!(
            "the weights are random, and {frozen} of the backbone's {layers} layers never learn: they stay noise"
        ),
    };
    let evidence = [("frozen_layers", json!(frozen)), ("layers", json!(layers))];
    let advice = warning("random_weights", message, evidence, suggestion(experiment));
    Some(if frozen == 0 { Advice { severity: Severity::Info, ..advice } } else { advice })
}

/// Weights for the backbone that have a name, or the way to give some.
pub(super) fn suggestion(experiment: &Experiment) -> String {
    let known = crate::experiment::KnownWeights::all_of(experiment.model.backbone).next();
    format!("model.weights: {}", known.map_or("weights.safetensors", |known| known.name))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{experiment, is_accepted};
    use super::*;

    #[test]
    fn noise_that_stays_is_a_warning_and_learning_from_nothing_is_said() {
        let random = experiment("");
        let frozen = random_weights(&random, 9, 9).unwrap();
        assert_eq!((frozen.severity, &*frozen.suggestion), (Severity::Warning, "model.weights: imagenet"));
        is_accepted(&frozen, "");
        assert_eq!(random_weights(&random, 0, 9).unwrap().severity, Severity::Info);
        assert_eq!(random_weights(&experiment("model.weights=imagenet"), 9, 9), None);
    }
}
