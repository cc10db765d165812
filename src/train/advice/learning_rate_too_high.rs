//! A learning rate that is too high: the training loss goes up against its start, or bounces.
//!
//! - Blown up: the average of an epoch is above four times the start of the stretch. In the first phase the start is the
//!   loss of its first step, at least that of a guess, ln of the classes; in later phases, and once more layers learn, it
//!   is the higher one of the loss and the val_loss of the epoch before.
//! - Up: two epochs in a row are above the start by half of it. Here the start in the first phase is the average of its
//!   first epoch, since one step is a sample of few.
//! - Bouncing: among the last eight epochs the loss rose twice from one to the next, by a fifth.
//!
//! In all of them "above" is by more than three standard errors, from the losses of the steps, and by more than a tenth of
//! the loss of a guess; in the first epoch of all, in which a step may be huge and its noise with it, by four times alone.
//! A loss that is NaN or infinite ends the run, and the hint of that names the rate.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::steps::Steps;
use super::{EpochEnd, rate_times, rounded, warning};
use crate::base::text;
use crate::record::event::Advice;

/// Standard errors that are more than noise.
const NOISE: f64 = 3.0;
/// Share of the loss of a guess that is more than nothing.
const LEAST: f64 = 0.1;
/// Times the start that a loss must be above to have blown up.
const BLOWN_UP: f64 = 4.0;
/// Times the start that a loss must be above to have gone up.
const UP: f64 = 1.5;
/// Epochs in a row for which it must be there.
const EPOCHS_UP: usize = 2;
/// Times a loss that the next must be above to bounce.
const RISE: f64 = 1.2;
const RISES: usize = 2;
/// Epochs in which they are counted.
const WINDOW: usize = 8;

/// Watches the training loss while the same layers learn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct LearningRateTooHigh {
    /// Of a guess.
    guess: f64,
    /// The loss of the first step, or what it was before the stretch.
    start: f64,
    /// What the average of an epoch is compared with, and its noise.
    level: Steps,
    is_first: bool,
    /// The latest epochs.
    epochs: Vec<Steps>,
}

impl LearningRateTooHigh {
    /// Before the first epoch, whose `steps` are known, of a stretch after one with the (loss, val_loss) `before`.
    pub fn new(before: Option<(f64, f64)>, steps: &Steps, classes: usize) -> Self {
        let guess = (classes as f64).ln();
        let (start, level) = match before {
            Some((loss, val_loss)) => (loss.max(val_loss), Steps::exactly(loss.max(val_loss))),
            None => (steps.first.max(guess), *steps),
        };
        LearningRateTooHigh { guess, start, level, is_first: before.is_none(), epochs: Vec::new() }
    }

    pub fn epoch_end(&mut self, steps: &Steps, end: &EpochEnd) -> Option<Advice> {
        self.epochs.push(*steps);
        let excess = self.epochs.len().saturating_sub(WINDOW);
        self.epochs.drain(..excess);
        let losses: Vec<f64> = self.epochs.iter().map(|epoch| epoch.mean).collect();
        let is_blown_up = self.is_blown_up();
        let message = if is_blown_up || self.is_up() {
            let start = text::metric(if is_blown_up { self.start } else { self.level.mean });
            let loss = text::metric(steps.mean);
            format!("loss went up from {start} to {loss} at a learning rate of {}", text::learning_rate(end.lr))
        } else if self.rises() >= RISES {
            let (rises, epochs) = (self.rises(), self.epochs.len());
            format!(
                "loss rose {rises} times in {epochs} epochs by more than its noise, at a learning rate of {}",
                text::learning_rate(end.lr)
            )
        } else {
            return None;
        };
        let losses: Vec<_> = losses.into_iter().map(rounded).collect();
        let evidence = [("start", rounded(self.start)), ("loss", json!(losses)), ("lr", json!(end.lr))];
        Some(warning("learning_rate_too_high", message, evidence, rate_times(0.1, end.experiment, end.phase)))
    }

    fn is_blown_up(&self) -> bool {
        let Some(last) = self.epochs.last() else { return false };
        let is_beyond_noise = self.is_first || last.above(&self.level) > NOISE;
        last.mean > BLOWN_UP * self.start && last.mean - self.start > LEAST * self.guess && is_beyond_noise
    }

    fn is_up(&self) -> bool {
        self.epochs.len() >= EPOCHS_UP
            && self.epochs.iter().rev().take(EPOCHS_UP).all(|epoch| self.is_above(epoch, &self.level, UP))
    }

    fn rises(&self) -> usize {
        self.epochs.windows(2).filter(|pair| self.is_above(&pair[1], &pair[0], RISE)).count()
    }

    fn is_above(&self, epoch: &Steps, before: &Steps, times: f64) -> bool {
        let difference = epoch.mean - before.mean;
        epoch.mean > times * before.mean && difference > LEAST * self.guess && epoch.above(before) > NOISE
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Told, epoch, experiment};
    use super::*;

    /// Epochs of 16 steps as (first step, mean, its standard error).
    fn told(before: Option<(f64, f64)>, epochs: &[(f64, f64, f64)]) -> Told {
        let experiment = experiment("");
        let steps = |&(first, mean, error)| Steps::like(16, first, mean, error);
        let mut watch = LearningRateTooHigh::new(before, &steps(&epochs[0]), 3);
        Told::of(epochs.iter().map(|figures| watch.epoch_end(&steps(figures), &epoch(&experiment))))
    }

    /// Figures of real runs of experiments/emoji-lr-1e-2.yaml at that rate and others.
    #[test]
    fn real_runs_are_told_apart() {
        let at_1e_1 = [(5.463, 143.3737, 75.2265), (0.833, 1.2698, 0.1559), (0.980, 0.9429, 0.0323)];
        assert_eq!(told(None, &at_1e_1).epochs, [0]);
        let at_1 = [(5.463, 7274.2968, 4551.9), (1.041, 3.4751, 1.0409)];
        let told_at_1 = told(None, &at_1);
        assert_eq!(told_at_1.epochs, [0]);
        assert!(told_at_1.first().message.contains("loss went up from 5.463 to 7274"), "{}", told_at_1.first().message);
        assert_eq!(told_at_1.first().suggestion, "train.phases.0.optimizer.adam.lr: 1e-4");
        let at_1e_2 =
            [(5.463, 11.1862, 3.4827), (1.028, 0.6144, 0.0657), (0.279, 0.3559, 0.0358), (0.45, 0.2456, 0.0692)];
        assert!(told(None, &at_1e_2).epochs.is_empty(), "a high first epoch that it recovers from");
        let at_1e_6 =
            [(5.463, 8.0031, 0.3274), (7.035, 7.5257, 0.5365), (7.359, 8.0698, 0.2839), (6.581, 7.9173, 0.3573)];
        assert!(told(None, &at_1e_6).epochs.is_empty(), "the first step was of easy samples");
        let late = [(0.084, 0.1091, 0.0354), (0.055, 0.1210, 0.0188), (0.066, 0.0569, 0.0126), (0.187, 0.1040, 0.0177)];
        assert!(told(None, &late).epochs.is_empty(), "small losses differ by noise");
    }

    #[test]
    fn a_later_phase_is_held_against_the_one_before() {
        let up = [(0.3, 0.9, 0.1), (1.1, 1.0, 0.1)];
        assert_eq!(told(Some((0.3, 0.4)), &up).epochs, [1]);
        assert!(told(Some((0.3, 0.8)), &up).epochs.is_empty(), "validation said so before");
        assert!(told(Some((0.3, 0.4)), &[(0.3, 0.9, 0.1), (0.3, 0.4, 0.1)]).epochs.is_empty(), "it recovers");
        assert_eq!(told(Some((0.3, 0.4)), &[(0.3, 2.0, 0.3)]).epochs, [0]);
        assert!(told(Some((0.3, 0.4)), &[(0.3, 2.0, 0.8), (0.3, 0.4, 0.1)]).epochs.is_empty(), "one bad step");
        assert!(told(Some((0.001, 0.002)), &[(0.001, 0.05, 0.01); 4]).epochs.is_empty(), "nothing to speak of");
    }

    #[test]
    fn bouncing_is_more_than_noise() {
        let bouncing = [(1.0, 1.0, 0.02), (1.0, 0.6, 0.02), (1.0, 0.9, 0.02), (1.0, 0.5, 0.02), (1.0, 0.95, 0.02)];
        let bounced = told(None, &bouncing);
        assert_eq!(bounced.epochs, [4]);
        assert!(bounced.first().message.contains("rose 2 times in 5 epochs"), "{}", bounced.first().message);
        assert!(told(None, &bouncing.map(|(first, mean, _)| (first, mean, 0.12))).epochs.is_empty());
        let one = Steps::like(1, 0.5, 0.5, 0.0);
        let mut watch = LearningRateTooHigh::new(None, &one, 3);
        let of_one_step = [0.5, 2.0, 0.4, 2.0, 0.3, 2.0];
        let experiment = experiment("");
        let all = of_one_step.map(|loss| watch.epoch_end(&Steps::of([loss]), &epoch(&experiment)));
        assert!(all.iter().all(Option::is_none), "one step an epoch says nothing of its noise");
    }
}
