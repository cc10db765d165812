//! Figures of an epoch, from logits. All sums are over samples and in f64, so that a last, smaller batch weighs what it
//! should.

use serde::{Deserialize, Serialize};

/// What the network made of one sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Categorical cross-entropy, in nats.
    pub loss: f64,
    pub predicted: usize,
    /// Softmax of the predicted class.
    pub probability: f64,
}

impl Scored {
    /// Of a sample that was not looked at yet.
    pub const NONE: Scored = Scored { loss: f64::NAN, predicted: 0, probability: f64::NAN };
}

/// Scores one row of logits against its label; the first of equal logits is the prediction (`numpy.argmax`).
pub fn score(logits: &[f32], label: u32) -> Scored {
    let mut predicted = 0;
    for (class, &logit) in logits.iter().enumerate() {
        if logit > logits[predicted] {
            predicted = class;
        }
    }
    let highest = logits.get(predicted).map_or(f64::NAN, |&logit| f64::from(logit));
    let sum: f64 = logits.iter().map(|&logit| (f64::from(logit) - highest).exp()).sum();
    let own = logits.get(label as usize).map_or(f64::NAN, |&logit| f64::from(logit));
    Scored { loss: sum.ln() + highest - own, predicted, probability: 1.0 / sum }
}

/// The probability of each class.
pub fn softmax(logits: &[f32]) -> Vec<f64> {
    let highest = logits.iter().fold(f32::NEG_INFINITY, |highest, &logit| highest.max(logit));
    let exps: Vec<f64> = logits.iter().map(|&logit| (f64::from(logit) - f64::from(highest)).exp()).collect();
    let sum: f64 = exps.iter().sum();
    exps.into_iter().map(|exp| exp / sum).collect()
}

/// Running sums of loss and accuracy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    #[serde(with = "super::exact")]
    loss: f64,
    correct: u64,
    samples: u64,
}

impl Sums {
    /// Takes one sample.
    pub fn add(&mut self, scored: &Scored, label: u32) {
        self.loss += scored.loss;
        self.correct += u64::from(scored.predicted == label as usize);
        self.samples += 1;
    }

    /// Takes the samples of `other`.
    pub fn merge(&mut self, other: &Sums) {
        self.loss += other.loss;
        self.correct += other.correct;
        self.samples += other.samples;
    }

    /// Adds `cost` to the loss of each sample.
    pub fn penalize(&mut self, cost: f64) {
        self.loss += cost * self.samples as f64;
    }

    /// Average over the samples; NaN without any.
    pub fn loss(&self) -> f64 {
        self.loss / self.samples as f64
    }

    /// Share of samples predicted right; NaN without any.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.samples as f64
    }

    pub fn samples(&self) -> u64 {
        self.samples
    }
}

/// `counts[true][predicted]` for `classes` classes.
pub fn confusion(classes: usize, pairs: impl Iterator<Item = (u32, usize)>) -> Vec<Vec<u64>> {
    let mut counts = vec![vec![0; classes]; classes];
    for (label, predicted) in pairs {
        if let Some(count) = counts.get_mut(label as usize).and_then(|row| row.get_mut(predicted)) {
            *count += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_softmax_and_cross_entropy() {
        let scored = score(&[1.0, 3.0, 0.5], 0);
        let exps = [1f64, 3.0, 0.5].map(f64::exp);
        let sum: f64 = exps.iter().sum();
        assert_eq!(scored.predicted, 1);
        assert!((scored.probability - exps[1] / sum).abs() < 1e-12);
        assert!((scored.loss + (exps[0] / sum).ln()).abs() < 1e-12);
    }

    #[test]
    fn large_logits_do_not_overflow_and_nan_shows() {
        assert!(score(&[1e30, -1e30], 0).loss.abs() < 1e-12);
        assert!(score(&[1e30, -1e30], 1).loss > 1e30);
        assert!(score(&[f32::NAN, 0.0], 1).loss.is_nan());
        assert!(score(&[0.0, f32::NAN], 0).loss.is_nan());
        assert!(!score(&[f32::INFINITY, 0.0], 0).loss.is_finite());
        assert_eq!(score(&[2.0, 2.0], 1).predicted, 0);
    }

    #[test]
    fn averages_are_over_samples_not_batches() {
        let batch = |losses: &[f64], label| {
            let mut sums = Sums::default();
            losses.iter().for_each(|&loss| sums.add(&Scored { loss, predicted: 0, probability: 1.0 }, label));
            sums
        };
        let mut epoch = batch(&[1.0, 1.0, 1.0], 0);
        epoch.merge(&batch(&[5.0], 1));
        assert_eq!((epoch.loss(), epoch.accuracy(), epoch.samples()), (2.0, 0.75, 4));
        assert!(Sums::default().loss().is_nan());
    }

    #[test]
    fn confusion_counts_true_by_predicted() {
        let pairs = [(0, 0), (0, 1), (2, 1), (0, 1)];
        assert_eq!(confusion(3, pairs.into_iter()), [[1, 2, 0], [0, 0, 0], [0, 1, 0]]);
    }
}
