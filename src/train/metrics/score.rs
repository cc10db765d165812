//! What the network made of one sample, from its logits.

/// What the network made of one sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Categorical cross-entropy, in nats.
    pub loss: f64,
    pub predicted: usize,
    /// Softmax of the predicted class.
    pub probability: f64,
    /// Classes that are more probable than the right one, or equally and come before it.
    pub rank: usize,
}

impl Scored {
    /// Of a sample that was not looked at yet.
    pub const NONE: Scored = Scored { loss: f64::NAN, predicted: 0, probability: f64::NAN, rank: usize::MAX };
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
    let own = logits.get(label as usize).copied().unwrap_or(f32::NAN);
    let is_before = |(class, &logit): (usize, &f32)| logit > own || (logit == own && class < label as usize);
    let rank = logits.iter().enumerate().filter(|&at| is_before(at)).count();
    Scored { loss: sum.ln() + highest - f64::from(own), predicted, probability: 1.0 / sum, rank }
}

/// The probability of each class.
pub fn softmax(logits: &[f32]) -> Vec<f64> {
    let highest = logits.iter().fold(f32::NEG_INFINITY, |highest, &logit| highest.max(logit));
    let exps: Vec<f64> = logits.iter().map(|&logit| (f64::from(logit) - f64::from(highest)).exp()).collect();
    let sum: f64 = exps.iter().sum();
    exps.into_iter().map(|exp| exp / sum).collect()
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
}
