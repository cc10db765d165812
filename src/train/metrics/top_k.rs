//! Top-k accuracy.

use super::Scored;

/// Share of the samples whose class is among the `k` most probable ones; NaN without any. Of equal logits the first class
/// comes first, as in the prediction, so that k = 1 is the accuracy. Source: scikit-learn's `top_k_accuracy_score`
/// (where of equal ones the last class comes first).
pub(super) fn top_k(scored: &[Scored], k: usize) -> f64 {
    scored.iter().filter(|scored| scored.rank < k).count() as f64 / scored.len() as f64
}
