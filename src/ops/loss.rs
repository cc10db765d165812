//! Losses.

use candle_core::{D, Result, Tensor, bail};

/// Softmax cross-entropy of `logits` `[batch, classes]` with `labels` `[batch]` (u32), averaged over the batch, in nats.
/// Stable for logits of any size. Source: Keras' `SparseCategoricalCrossentropy(from_logits=True)`.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    cross_entropy_per_sample(logits, labels)?.mean_all()
}

/// As [`cross_entropy`], one value a sample: `[batch]`; for sums over a validation set.
pub fn cross_entropy_per_sample(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    let (batch, _) = logits.dims2()?;
    if labels.dims() != [batch] {
        bail!("cross-entropy of {batch} samples takes {batch} labels, got {:?}", labels.dims());
    }
    // the largest logit only moves the numbers to where exp is exact: no gradient flows through it
    let largest = logits.max_keepdim(D::Minus1)?.detach();
    let shifted = logits.broadcast_sub(&largest)?;
    let log_sum = shifted.exp()?.sum(D::Minus1)?.log()?;
    let of_label = shifted.gather(&labels.unsqueeze(1)?, 1)?.squeeze(1)?;
    log_sum - of_label
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::gradient_check::{gradient_check, values};
    use candle_core::Device;

    #[test]
    fn gradient() {
        let labels = Tensor::new(&[2u32, 0, 4, 4], &Device::Cpu).unwrap();
        gradient_check(&[values((4, 5), 1)], |x| cross_entropy(&x[0], &labels));
        gradient_check(&[values((4, 5), 2)], |x| cross_entropy_per_sample(&(&x[0] * 30.0)?, &labels));
    }

    #[test]
    fn is_stable_and_right() {
        let labels = Tensor::new(&[0u32, 1, 1], &Device::Cpu).unwrap();
        let logits = Tensor::new(&[[0.0f32, 0.0], [1e4, -1e4], [-1e4, 1e4]], &Device::Cpu).unwrap();
        let losses = cross_entropy_per_sample(&logits, &labels).unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(losses, [2.0f32.ln(), 2e4, 0.0]);
        let mean = cross_entropy(&logits, &labels).unwrap().to_scalar::<f32>().unwrap();
        assert!((mean - (2.0f32.ln() + 2e4) / 3.0).abs() < 1e-2);
        assert!(cross_entropy(&logits, &labels.narrow(0, 0, 2).unwrap()).is_err());
    }
}
