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
