//! Precision, recall and F1 of each class, and their means. Source: scikit-learn's `precision_recall_fscore_support`.
//!
//! As there, means are over the classes that are there or are predicted, and a share of nothing among those (the
//! precision of a class that is never predicted, the recall of one that is not there) counts as 0 (`zero_division=0`).
//! A class that neither is there nor is predicted has no score.

use crate::experiment::Score;

/// What was counted of each class.
#[derive(Debug, Clone)]
pub(super) struct ClassScores(Vec<Counts>);

/// Samples of a class.
#[derive(Debug, Clone, Copy)]
struct Counts {
    /// Of it and predicted as it.
    hits: u64,
    predicted: u64,
    /// Of it.
    support: u64,
}

impl ClassScores {
    /// Of `confusion[true][predicted]`.
    pub fn of(confusion: &[Vec<u64>]) -> ClassScores {
        let of_class = |class: usize| Counts {
            hits: confusion[class][class],
            predicted: confusion.iter().map(|row| row[class]).sum(),
            support: confusion[class].iter().sum(),
        };
        ClassScores((0..confusion.len()).map(of_class).collect())
    }

    /// Of one class.
    pub fn of_class(&self, score: Score, class: usize) -> f64 {
        self.0.get(class).map_or(f64::NAN, |counts| counts.score(score))
    }

    /// The mean over the classes (`average="macro"`).
    pub fn average(&self, score: Score) -> f64 {
        self.mean(score, |_| 1.0)
    }

    /// The mean over the classes, each weighing as much as it has samples (`average="weighted"`).
    pub fn weighted(&self, score: Score) -> f64 {
        self.mean(score, |counts| counts.support as f64)
    }

    fn mean(&self, score: Score, weight: impl Fn(&Counts) -> f64) -> f64 {
        let known = || self.0.iter().filter(|counts| counts.predicted + counts.support > 0);
        let sum: f64 = known().map(|counts| weight(counts) * counts.score(score)).sum();
        sum / known().map(weight).sum::<f64>()
    }
}

impl Counts {
    fn score(&self, score: Score) -> f64 {
        let Counts { hits, predicted, support } = *self;
        let share = |of: u64| if of == 0 { 0.0 } else { hits as f64 / of as f64 };
        match score {
            _ if predicted + support == 0 => f64::NAN,
            Score::Precision => share(predicted),
            Score::Recall => share(support),
            Score::F1 => 2.0 * hits as f64 / (predicted + support) as f64,
        }
    }
}
