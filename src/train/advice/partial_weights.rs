//! Pretrained weights of which a part is left out: the file has layers of the same kind as those that were taken from it,
//! which the network does not have, as where VGG19's weights go into VGG16. (Tensors that are missing in the file, or of
//! another shape, end the run.)
//!
//! Of the same kind are names that differ in their numbers alone: `features.34.weight` where `features.28.weight` was
//! taken. The old output layer and heads of other tasks are not.

use serde_json::json;

use super::{random_weights, warning};
use crate::experiment::{Backbone, Experiment};
use crate::record::event::Advice;

/// `left_out`: names of such tensors in the file; `loaded`: how many were taken.
pub(super) fn partial_weights(experiment: &Experiment, left_out: &[String], loaded: usize) -> Option<Advice> {
    let first = left_out.first()?;
    let message = format!(
        "{} tensors of the weights' file are of layers that {} does not have, as {first}: they are for a larger model",
        left_out.len(),
        experiment.model.backbone.name()
    );
    let evidence = [("left_out", json!(left_out)), ("loaded", json!(loaded))];
    let suggestion = match larger(experiment.model.backbone) {
        Some(backbone) => format!("model.backbone: {}", backbone.name()),
        None => random_weights::suggestion(experiment),
    };
    Some(warning("partial_weights", message, evidence, suggestion))
}

/// The backbone that has the layers of this one and more.
fn larger(backbone: Backbone) -> Option<Backbone> {
    match backbone {
        Backbone::Vgg16 => Some(Backbone::Vgg19),
        Backbone::ResNet18 => Some(Backbone::ResNet34),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{experiment, is_accepted};
    use super::*;

    #[test]
    fn layers_that_are_left_out_are_told_with_the_backbone_that_has_them() {
        let names = ["features.34.weight".to_owned(), "features.34.bias".to_owned()];
        for (backbone, suggestion) in [
            ("vgg16", "model.backbone: vgg19"),
            ("resnet18", "model.backbone: resnet34"),
            ("squeezenet1_1", "model.weights: imagenet"),
        ] {
            let advice = partial_weights(&experiment(&format!("model.backbone={backbone}")), &names, 26).unwrap();
            assert!(
                advice.message.starts_with("2 tensors of the weights' file are of layers that"),
                "{}",
                advice.message
            );
            assert_eq!(advice.suggestion, suggestion);
            is_accepted(&advice, "");
        }
        assert_eq!(partial_weights(&experiment(""), &[], 26), None);
    }
}
