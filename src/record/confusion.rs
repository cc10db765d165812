//! What a confusion matrix says of each class: precision, recall and F1, as scikit-learn defines them.

use super::event::Confusion;

/// The figures of one class; None where they would be 0/0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OfClass {
    /// Samples of the class.
    pub support: u64,
    /// Share of what was predicted to be of the class that is.
    pub precision: Option<f64>,
    /// Share of the class that was predicted to be of it.
    pub recall: Option<f64>,
    /// Harmonic mean of both.
    pub f1: Option<f64>,
}

impl Confusion {
    /// How many samples of class `label` were taken for `predicted`.
    pub fn count(&self, label: usize, predicted: usize) -> u64 {
        self.counts.get(label).and_then(|row| row.get(predicted)).copied().unwrap_or(0)
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.counts.iter().map(Vec::len).max().unwrap_or(0).max(self.counts.len())
    }

    /// Samples of class `label`.
    pub fn support(&self, label: usize) -> u64 {
        self.counts.get(label).map_or(0, |row| sum(row.iter().copied()))
    }

    /// Samples that were taken for class `predicted`.
    pub fn predicted(&self, predicted: usize) -> u64 {
        sum((0..self.counts.len()).map(|label| self.count(label, predicted)))
    }

    /// The figures of a class.
    pub fn of_class(&self, class: usize) -> OfClass {
        let (right, support, predicted) = (self.count(class, class), self.support(class), self.predicted(class));
        OfClass {
            support,
            precision: share(right, predicted),
            recall: share(right, support),
            f1: share(right.saturating_mul(2), support.saturating_add(predicted)),
        }
    }

    /// What is most often taken for what; None where nothing is mistaken.
    pub fn commonest_mistake(&self) -> Option<(usize, usize)> {
        let rows = self.counts.iter().enumerate();
        let cells = rows.flat_map(|(label, row)| row.iter().enumerate().map(move |(at, &count)| (count, label, at)));
        let mistakes = cells.filter(|&(count, label, predicted)| label != predicted && count > 0);
        let first_of_most =
            |most: (u64, usize, usize), one: (u64, usize, usize)| if one.0 > most.0 { one } else { most };
        mistakes.reduce(first_of_most).map(|(_, label, predicted)| (label, predicted))
    }

    /// All samples.
    pub fn total(&self) -> u64 {
        sum((0..self.counts.len()).map(|label| self.support(label)))
    }

    /// Samples that were predicted right.
    pub fn right(&self) -> u64 {
        sum((0..self.classes()).map(|class| self.count(class, class)))
    }

    /// Share of the samples that were predicted right; None without any.
    pub fn accuracy(&self) -> Option<f64> {
        share(self.right(), self.total())
    }

    /// Mean of the classes' F1, all classes being equal; one without any counts as 0.
    pub fn macro_f1(&self) -> Option<f64> {
        let classes = self.classes();
        let sum: f64 = (0..classes).map(|class| self.of_class(class).f1.unwrap_or(0.0)).sum();
        (classes > 0).then(|| sum / classes as f64)
    }
}

/// Counts come from a file, and may be any.
fn sum(counts: impl Iterator<Item = u64>) -> u64 {
    counts.fold(0, u64::saturating_add)
}

fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confusion(counts: &[&[u64]]) -> Confusion {
        Confusion { epoch: 1, counts: counts.iter().map(|row| row.to_vec()).collect() }
    }

    fn close(value: Option<f64>, expected: f64) -> bool {
        value.is_some_and(|value| (value - expected).abs() < 1e-12)
    }

    #[test]
    fn figures_are_those_worked_out_by_hand() {
        // 10 of a: 8 right, 2 taken for b. 5 of b: 1 taken for a, 3 right, 1 for c. 5 of c: 5 right.
        let confusion = confusion(&[&[8, 2, 0], &[1, 3, 1], &[0, 0, 5]]);
        for (class, support, precision, recall, f1) in [
            (0, 10, 8.0 / 9.0, 8.0 / 10.0, 16.0 / 19.0),
            (1, 5, 3.0 / 5.0, 3.0 / 5.0, 3.0 / 5.0),
            (2, 5, 5.0 / 6.0, 1.0, 10.0 / 11.0),
        ] {
            let of = confusion.of_class(class);
            assert_eq!(of.support, support);
            let all = [(of.precision, precision), (of.recall, recall), (of.f1, f1)];
            assert!(all.iter().all(|&(value, expected)| close(value, expected)), "{class}: {of:?}");
            // F1 is the harmonic mean of the two.
            assert!(close(of.f1, 2.0 * precision * recall / (precision + recall)));
        }
        assert_eq!((confusion.total(), confusion.right(), confusion.predicted(0)), (20, 16, 9));
        assert_eq!(confusion.commonest_mistake(), Some((0, 1)));
        assert!(close(confusion.accuracy(), 0.8));
        assert!(close(confusion.macro_f1(), (16.0 / 19.0 + 0.6 + 10.0 / 11.0) / 3.0));
    }

    #[test]
    fn what_would_be_nought_by_nought_is_nothing() {
        let never = confusion(&[&[3, 0], &[2, 0]]);
        let of = never.of_class(1);
        assert_eq!((of.support, of.precision, of.recall, of.f1), (2, None, Some(0.0), Some(0.0)));
        assert_eq!(confusion(&[]).accuracy(), None);
        assert_eq!(confusion(&[]).macro_f1(), None);
        assert_eq!(confusion(&[&[1, 0], &[0, 1]]).commonest_mistake(), None);
        let empty = confusion(&[&[0, 0], &[0, 0]]).of_class(0);
        assert_eq!((empty.precision, empty.recall, empty.f1), (None, None, None));
    }

    #[test]
    fn any_counts_of_a_file_are_taken() {
        let odd = confusion(&[&[u64::MAX, u64::MAX], &[1], &[0, 0, 7]]);
        assert_eq!(odd.classes(), 3);
        assert_eq!(odd.support(0), u64::MAX);
        assert!(odd.of_class(2).recall == Some(1.0) && odd.count(9, 9) == 0);
        assert!(odd.accuracy().is_some_and(f64::is_finite));
    }
}
