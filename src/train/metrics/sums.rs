//! Loss and accuracy. All sums are over samples and in f64, so that a last, smaller batch weighs what it should.

use serde::{Deserialize, Serialize};

use super::Scored;

/// Running sums of loss and accuracy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    #[serde(with = "crate::train::exact")]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_are_over_samples_not_batches() {
        let batch = |losses: &[f64], label| {
            let mut sums = Sums::default();
            losses.iter().for_each(|&loss| sums.add(&Scored { loss, predicted: 0, probability: 1.0, rank: 0 }, label));
            sums
        };
        let mut epoch = batch(&[1.0, 1.0, 1.0], 0);
        epoch.merge(&batch(&[5.0], 1));
        assert_eq!((epoch.loss(), epoch.accuracy(), epoch.samples()), (2.0, 0.75, 4));
        assert!(Sums::default().loss().is_nan());
    }
}
