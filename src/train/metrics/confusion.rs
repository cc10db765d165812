//! What was taken for what.

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
    fn confusion_counts_true_by_predicted() {
        let pairs = [(0, 0), (0, 1), (2, 1), (0, 1)];
        assert_eq!(confusion(3, pairs.into_iter()), [[1, 2, 0], [0, 0, 0], [0, 1, 0]]);
    }
}
