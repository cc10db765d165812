//! Losses.

use candle_core::{D, Result, Tensor, bail};

/// What samples are to be taken for.
#[derive(Debug, Clone, Copy)]
pub enum Targets<'a> {
    /// The class of each: `[batch]` (u32).
    Labels(&'a Tensor),
    /// The share that each class has in each, which sum up to 1: `[batch, classes]` (f32).
    Shares(&'a Tensor),
}

/// Softmax cross-entropy of `logits` `[batch, classes]` with `labels` `[batch]` (u32), averaged over the batch, in nats.
/// Stable for logits of any size. Source: Keras' `SparseCategoricalCrossentropy(from_logits=True)`.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    cross_entropy_per_sample(logits, Targets::Labels(labels), 0.0)?.mean_all()
}

/// Softmax cross-entropy of `logits` `[batch, classes]`, one value a sample: `[batch]`, in nats. `smoothing` of each
/// target, 0 to below 1, is spread evenly over all classes, its own included. Source: Keras'
/// `CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)`.
pub fn cross_entropy_per_sample(logits: &Tensor, targets: Targets, smoothing: f64) -> Result<Tensor> {
    check(logits, targets)?;
    // the largest logit only moves the numbers to where exp is exact: no gradient flows through it
    let largest = logits.max_keepdim(D::Minus1)?.detach();
    let shifted = logits.broadcast_sub(&largest)?;
    let log_sum = shifted.exp()?.sum(D::Minus1)?.log()?;
    let of_target = match targets {
        Targets::Labels(labels) => shifted.gather(&labels.unsqueeze(1)?, 1)?.squeeze(1)?,
        Targets::Shares(shares) => (&shifted * shares)?.sum(D::Minus1)?,
    };
    if smoothing == 0.0 {
        return log_sum - of_target;
    }
    let spread = shifted.mean(D::Minus1)?;
    log_sum - ((of_target * (1.0 - smoothing))? + (spread * smoothing)?)?
}

fn check(logits: &Tensor, targets: Targets) -> Result<()> {
    let (batch, classes) = logits.dims2()?;
    match targets {
        Targets::Labels(labels) if labels.dims() != [batch] => {
            bail!("cross-entropy of {batch} samples takes {batch} labels, got {:?}", labels.dims())
        }
        Targets::Shares(shares) if shares.dims() != [batch, classes] => {
            bail!("cross-entropy of {batch} samples takes {batch} × {classes} shares, got {:?}", shares.dims())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::gradient_check::{gradient_check, values};
    use candle_core::Device;

    fn shares(rows: [[f64; 5]; 2]) -> Tensor {
        Tensor::new(&rows, &Device::Cpu).unwrap()
    }

    #[test]
    fn gradient() {
        let labels = Tensor::new(&[2u32, 0, 4, 4], &Device::Cpu).unwrap();
        gradient_check(&[values((4, 5), 1)], |x| cross_entropy(&x[0], &labels));
        for smoothing in [0.0, 0.1, 0.7] {
            gradient_check(&[values((4, 5), 2)], |x| {
                cross_entropy_per_sample(&(&x[0] * 30.0)?, Targets::Labels(&labels), smoothing)
            });
            let mixed = shares([[0.25, 0.0, 0.0, 0.75, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0]]);
            gradient_check(&[values((2, 5), 3)], |x| {
                cross_entropy_per_sample(&(&x[0] * 30.0)?, Targets::Shares(&mixed), smoothing)
            });
        }
    }

    #[test]
    fn is_stable_and_right() {
        let labels = Tensor::new(&[0u32, 1, 1], &Device::Cpu).unwrap();
        let logits = Tensor::new(&[[0.0f32, 0.0], [1e4, -1e4], [-1e4, 1e4]], &Device::Cpu).unwrap();
        let losses = cross_entropy_per_sample(&logits, Targets::Labels(&labels), 0.0).unwrap();
        assert_eq!(losses.to_vec1::<f32>().unwrap(), [2.0f32.ln(), 2e4, 0.0]);
        let mean = cross_entropy(&logits, &labels).unwrap().to_scalar::<f32>().unwrap();
        assert!((mean - (2.0f32.ln() + 2e4) / 3.0).abs() < 1e-2);
        assert!(cross_entropy(&logits, &labels.narrow(0, 0, 2).unwrap()).is_err());
        assert!(cross_entropy_per_sample(&logits, Targets::Shares(&logits.narrow(1, 0, 1).unwrap()), 0.0).is_err());
    }

    /// Keras smooths a target `y` to `y * (1 - smoothing) + smoothing / classes`.
    #[test]
    fn smoothed_targets_are_those_of_keras() {
        let rows = [[0.0f64, 0.0, 1.0, 0.0, 0.0], [0.5, 0.0, 0.0, 0.5, 0.0]];
        let logits = values((2, 5), 4);
        let x = logits.to_vec2::<f64>().unwrap();
        for smoothing in [0.0, 0.1, 0.5] {
            let losses = cross_entropy_per_sample(&logits, Targets::Shares(&shares(rows)), smoothing).unwrap();
            for ((loss, row), y) in losses.to_vec1::<f64>().unwrap().into_iter().zip(&x).zip(rows) {
                let sum: f64 = row.iter().map(|x| x.exp()).sum();
                let log_p = row.iter().map(|&x| x - sum.ln());
                let smooth = y.map(|y| y * (1.0 - smoothing) + smoothing / 5.0);
                let expected: f64 = log_p.zip(smooth).map(|(log_p, y)| -y * log_p).sum();
                assert!((loss - expected).abs() < 1e-12, "{smoothing}: {loss} {expected}");
            }
        }
        let label = Tensor::new(&[2u32], &Device::Cpu).unwrap();
        let [of_label, of_share] = [Targets::Labels(&label), Targets::Shares(&shares(rows).narrow(0, 0, 1).unwrap())]
            .map(|targets| cross_entropy_per_sample(&logits.narrow(0, 0, 1).unwrap(), targets, 0.2).unwrap());
        assert_eq!(of_label.to_vec1::<f64>().unwrap(), of_share.to_vec1::<f64>().unwrap());
    }
}
