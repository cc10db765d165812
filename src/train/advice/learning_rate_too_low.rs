//! A learning rate that is too low: over the first three epochs the training loss does not move against the noise of its
//! steps, and neither do the validation loss and the weights.
//!
//! The fall of the loss from the first epoch to the third is within two standard errors of the two, the third is above half
//! the loss of a guess (so that there is something left to learn), val_loss, which has no such noise, changed by less than a
//! twentieth, and of the weights that learn, some that are looked at moved by less than a hundredth of their norm between
//! the ends of the two. Where the loss stands still while the weights move, the rate is not what is wrong. Epochs of a
//! warm-up, at less than half of the phase's rate, do not count.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::steps::Steps;
use super::{EpochEnd, rate_times, rounded, warning};
use crate::base::text;
use crate::record::event::Advice;

const EPOCHS: usize = 3;
/// Standard errors that are within the noise.
const NOISE: f64 = 2.0;
/// Share of the loss of a guess above which there is something left to learn.
const LEFT: f64 = 0.5;
/// Share of the weights' norm that they move by at least where they learn.
const MOVED: f64 = 0.01;

/// Share of val_loss that it changes by at least where something is learned.
const CHANGED: f64 = 0.05;

/// Watches the first epochs of a stretch in which the same layers learn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct LearningRateTooLow {
    /// The first that count.
    epochs: Vec<Steps>,
    /// At the end of the first.
    val_loss: f64,
    /// Weights at the end of the first.
    weights: Vec<f32>,
}

impl LearningRateTooLow {
    pub fn epoch_end(&mut self, steps: &Steps, end: &EpochEnd) -> Option<Advice> {
        let full = end.experiment.train.phases.get(end.phase)?.optimizer.lr();
        if self.epochs.len() >= EPOCHS || end.weights.is_empty() || (self.epochs.is_empty() && end.lr < full / 2.0) {
            return None;
        }
        if self.epochs.is_empty() {
            self.weights = end.weights.to_vec();
            self.val_loss = end.val_loss;
        }
        self.epochs.push(*steps);
        if self.epochs.len() < EPOCHS {
            return None;
        }
        let (first, moved) = (self.epochs[0], moved(&std::mem::take(&mut self.weights), end.weights));
        let is_still = first.above(steps).abs() < NOISE && first.count > 1 && steps.count > 1;
        let is_left = steps.mean > LEFT * (end.samples.len() as f64).ln();
        let changed = (end.val_loss - self.val_loss).abs() / self.val_loss.max(f64::MIN_POSITIVE);
        if !is_still || !is_left || changed >= CHANGED || moved >= MOVED {
            return None;
        }
        let message = format!(
            "loss stood still for {EPOCHS} epochs, {} → {}, and the weights hardly moved, at a learning rate of {}",
            text::metric(first.mean),
            text::metric(steps.mean),
            text::learning_rate(end.lr)
        );
        let noise = (first.variance_of_mean() + steps.variance_of_mean()).sqrt();
        let losses: Vec<_> = self.epochs.iter().map(|epoch| rounded(epoch.mean)).collect();
        let evidence = [
            ("loss", json!(losses)),
            ("noise", rounded(noise)),
            ("val_loss", json!([rounded(self.val_loss), rounded(end.val_loss)])),
            ("moved", rounded(moved)),
            ("lr", json!(end.lr)),
        ];
        Some(warning("learning_rate_too_low", message, evidence, rate_times(10.0, end.experiment, end.phase)))
    }
}

/// How far weights moved, as a share of their norm.
fn moved(from: &[f32], to: &[f32]) -> f64 {
    let squares = |values: &mut dyn Iterator<Item = f32>| values.map(|value| f64::from(value).powi(2)).sum::<f64>();
    let way = squares(&mut from.iter().zip(to).map(|(from, to)| to - from));
    (way / squares(&mut from.iter().copied()).max(f64::MIN_POSITIVE)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Told, epoch, experiment};
    use super::*;

    /// Epochs of 16 steps as (mean, its standard error), in each of which each weight of 0.1 moves by `step`.
    fn told(epochs: &[(f64, f64)], step: f32) -> Told {
        let (mut watch, experiment) = (LearningRateTooLow::default(), experiment(""));
        Told::of(epochs.iter().enumerate().map(|(number, &(mean, error))| {
            let weights = [0.1 + step * number as f32; 4];
            watch.epoch_end(&Steps::like(16, mean, mean, error), &EpochEnd { weights: &weights, ..epoch(&experiment) })
        }))
    }

    /// Figures of real runs of experiments/emoji-lr-1e-2.yaml at other rates; an epoch has 16 steps.
    #[test]
    fn real_runs_are_told_apart() {
        let at_1e_6 = [(8.0031, 0.3274), (7.5257, 0.5365), (8.0698, 0.2839), (7.9173, 0.3573)];
        let told_at_1e_6 = told(&at_1e_6, 16e-6);
        assert_eq!(told_at_1e_6.epochs, [2]);
        assert_eq!(told_at_1e_6.first().suggestion, "train.phases.0.optimizer.adam.lr: 1e-2");
        let at_1e_5 = [(7.6392, 0.3007), (6.4992, 0.4571), (6.4086, 0.2306), (5.8122, 0.2875)];
        assert!(told(&at_1e_5, 16e-5).epochs.is_empty(), "slow, but it falls");
        let at_1e_4 = [(5.4234, 0.2756), (3.0897, 0.1800), (2.3715, 0.1427)];
        assert!(told(&at_1e_4, 16e-4).epochs.is_empty());
        let fine_tuned = [(0.2444, 0.0413), (0.1894, 0.0264), (0.2318, 0.0414)];
        assert!(told(&fine_tuned, 16e-6).epochs.is_empty(), "little is left to learn");
    }

    #[test]
    fn what_moves_and_does_not_learn_is_not_slow() {
        assert!(told(&[(1.1, 0.01); 5], 1e-3).epochs.is_empty());
        assert_eq!(told(&[(1.1, 0.01); 5], 1e-5).epochs, [2]);
    }

    /// Figures of a phase of five steps an epoch, at 1e-5 after a head that was not done.
    #[test]
    fn few_steps_are_noisy_and_validation_sees_what_they_learn() {
        let (mut watch, experiment) = (LearningRateTooLow::default(), experiment(""));
        let epochs = [(1.4956, 0.3559, 1.4013), (1.0055, 0.1529, 0.9942), (0.6989, 0.2650, 0.6848)];
        for (mean, error, val_loss) in epochs {
            let end = EpochEnd { val_loss, weights: &[0.1], ..epoch(&experiment) };
            assert_eq!(watch.epoch_end(&Steps::like(5, mean, mean, error), &end), None);
        }
    }

    #[test]
    fn what_warms_up_or_is_frozen_is_not_slow() {
        let experiment = experiment("");
        for (lr, weights, told) in [(1e-3, &[0.1][..], true), (1e-4, &[0.1], false), (1e-3, &[], false)] {
            let mut watch = LearningRateTooLow::default();
            let end = EpochEnd { lr, weights, ..epoch(&experiment) };
            let mut answers = (0..4).map(|_| watch.epoch_end(&Steps::like(8, 1.1, 1.1, 0.1), &end));
            assert_eq!(answers.any(|advice| advice.is_some()), told, "{lr} {weights:?}");
        }
    }
}
