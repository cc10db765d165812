//! The losses of an epoch's steps, as a mean and its noise.

use serde::{Deserialize, Serialize};

use crate::train::exact;

/// Count, mean and spread of the losses of some steps (Welford 1962), and the first of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Steps {
    pub count: u64,
    #[serde(with = "exact")]
    pub first: f64,
    #[serde(with = "exact")]
    pub mean: f64,
    /// Sum of squared distances from the mean.
    #[serde(with = "exact")]
    squares: f64,
}

impl Steps {
    /// Takes the loss of one more step.
    pub fn add(&mut self, loss: f64) {
        if self.count == 0 {
            self.first = loss;
        }
        self.count += 1;
        let off = loss - self.mean;
        self.mean += off / self.count as f64;
        self.squares += off * (loss - self.mean);
    }

    /// The variance of the mean, were the steps draws of one loss; infinite for fewer than two, which tell nothing of it.
    pub fn variance_of_mean(&self) -> f64 {
        if self.count < 2 { f64::INFINITY } else { self.squares / (self.count - 1) as f64 / self.count as f64 }
    }

    /// By how many standard errors of both its mean is above that of `other`.
    pub fn above(&self, other: &Steps) -> f64 {
        let error = (self.variance_of_mean() + other.variance_of_mean()).sqrt();
        (self.mean - other.mean) / error.max(f64::MIN_POSITIVE)
    }

    /// What is known without noise.
    pub fn exactly(mean: f64) -> Steps {
        Steps { count: u64::from(u32::MAX), first: mean, mean, squares: 0.0 }
    }
}

#[cfg(test)]
impl Steps {
    pub fn of(losses: impl IntoIterator<Item = f64>) -> Steps {
        let mut steps = Steps::default();
        losses.into_iter().for_each(|loss| steps.add(loss));
        steps
    }

    /// Of an epoch of `count` steps whose mean has this standard error.
    pub fn like(count: u64, first: f64, mean: f64, error: f64) -> Steps {
        Steps { count, first, mean, squares: error * error * (count * (count - 1)) as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_noise_are_those_of_the_formula() {
        let steps = Steps::of([1.0, 2.0, 3.0, 6.0]);
        assert_eq!((steps.count, steps.first, steps.mean), (4, 1.0, 3.0));
        // squares 4 + 1 + 0 + 9 = 14, over 3, over 4
        assert!((steps.variance_of_mean() - 14.0 / 12.0).abs() < 1e-12);
        assert!((steps.above(&Steps::exactly(1.0)) - 2.0 / (14f64 / 12.0).sqrt()).abs() < 1e-12);
        assert_eq!(Steps::of([1.0]).above(&Steps::of([0.0, 0.1])), 0.0, "one step says nothing of its noise");
        let like = Steps::like(16, 9.0, 4.0, 0.5);
        assert!((like.above(&Steps::exactly(3.0)) - 2.0).abs() < 1e-12);
    }
}
