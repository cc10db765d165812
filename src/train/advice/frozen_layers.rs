//! A phase in which nothing learns: no layer is trainable, or the rate of all that are is 0.

use serde_json::json;

use super::warning;
use crate::experiment::Experiment;
use crate::record::event::Advice;

/// `trainable`: of each phase, the most scalars that learn at once.
pub(super) fn frozen_layers(experiment: &Experiment, trainable: &[usize]) -> Option<Advice> {
    let phase = trainable.iter().position(|&parameters| parameters == 0)?;
    let spec = experiment.train.phases.get(phase)?;
    let message = format!("nothing learns in phase {}: all layers are frozen", spec.name);
    let evidence = [("phase", json!(spec.name)), ("epochs", json!(spec.epochs))];
    Some(warning("frozen_layers", message, evidence, format!("train.phases.{phase}.trainable: head")))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{experiment, is_accepted};
    use super::*;

    #[test]
    fn a_phase_without_anything_to_learn_is_told() {
        const FROZEN: &str = "train.phases.0.trainable=none";
        let frozen = experiment(FROZEN);
        let advice = frozen_layers(&frozen, &[0]).unwrap();
        assert_eq!(advice.message, "nothing learns in phase head: all layers are frozen");
        assert_eq!(advice.suggestion, "train.phases.0.trainable: head");
        assert_eq!(frozen_layers(&experiment(""), &[10]), None);
        let second = experiment("train.phases=[ {}, { name: still, trainable: none } ]");
        assert!(frozen_layers(&second, &[10, 0]).unwrap().suggestion.contains("phases.1"));
        is_accepted(&advice, FROZEN);
    }
}
