//! Expected calibration error.

use super::Scored;

/// Bins of equal width, as in the paper.
const BINS: usize = 15;

/// How far the probability of what is predicted is from how often that is right: the samples are put into 15 bins by that
/// probability, each without its lower edge, and |accuracy - mean probability| of each bin counts by its samples. NaN
/// without any. Source: Guo, Pleiss, Sun and Weinberger 2017, "On Calibration of Modern Neural Networks".
pub(super) fn calibration_error(labels: &[u32], scored: &[Scored]) -> f64 {
    let mut bins = [Bin::default(); BINS];
    for (scored, &label) in scored.iter().zip(labels) {
        let place = (scored.probability * BINS as f64).ceil() as usize;
        let bin = &mut bins[place.clamp(1, BINS) - 1];
        bin.probability += scored.probability;
        bin.hits += f64::from(u8::from(scored.predicted == label as usize));
    }
    // A bin's samples times the distance of its means is the distance of its sums.
    bins.iter().map(|bin| (bin.hits - bin.probability).abs()).sum::<f64>() / scored.len() as f64
}

/// Sums over the samples of a bin.
#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    probability: f64,
    hits: f64,
}
