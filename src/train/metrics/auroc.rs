//! Area under the receiver operating characteristic.

use rayon::prelude::*;

/// The probability that a sample of a class gets a higher probability of it than one of another class, a tie counting
/// half (Mann and Whitney 1947; Hanley and McNeil 1982). With two classes that of the second one; with more the mean
/// over the classes, each against the rest. Source: scikit-learn's `roc_auc_score` with `multi_class="ovr"`,
/// `average="macro"`; where that refuses, the mean is over the classes that have samples.
///
/// `probabilities` is `[samples, classes]`. NaN without samples of two classes, or where a probability is NaN.
pub(super) fn auroc(classes: usize, labels: &[u32], probabilities: &[f32]) -> f64 {
    let of_class = |class: usize| {
        let of_samples = probabilities.chunks_exact(classes.max(1)).zip(labels);
        one_against_rest(of_samples.map(|(row, &label)| (row[class], label as usize == class)).collect())
    };
    let first = if classes == 2 { 1 } else { 0 };
    let areas: Vec<f64> = (first..classes).into_par_iter().filter_map(of_class).collect();
    areas.iter().sum::<f64>() / areas.len() as f64
}

/// The area of one class; None where it has no samples or all of them. Each sample is its probability, and whether it
/// is of the class.
fn one_against_rest(mut samples: Vec<(f32, bool)>) -> Option<f64> {
    let own = samples.iter().filter(|(_, is_own)| *is_own).count() as f64;
    let others = samples.len() as f64 - own;
    if own == 0.0 || others == 0.0 {
        return None;
    }
    if samples.iter().any(|(probability, _)| probability.is_nan()) {
        return Some(f64::NAN);
    }
    samples.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    // Pairs of one of the class and another below it.
    let (mut pairs, mut others_below) = (0.0, 0.0);
    for equal in samples.chunk_by(|a, b| a.0 == b.0) {
        let own_here = equal.iter().filter(|(_, is_own)| *is_own).count() as f64;
        let others_here = equal.len() as f64 - own_here;
        pairs += own_here * (others_below + others_here / 2.0);
        others_below += others_here;
    }
    Some(pairs / (own * others))
}
