//! Batch normalisation (Ioffe and Szegedy 2015), with or without a ReLU after it.

mod composed;
mod kernel;
mod op;
#[cfg(test)]
mod tests;

use candle_core::{DType, Result, Tensor, bail};

use super::After;
use op::{BatchNorm, Moments, Origin};

/// What a batch normalisation in inference mode is made of; each tensor is `[channels]`.
#[derive(Debug, Clone, Copy)]
pub struct Norm<'a> {
    pub weight: &'a Tensor,
    pub bias: &'a Tensor,
    /// The running mean: a constant.
    pub mean: &'a Tensor,
    /// The running variance: a constant.
    pub variance: &'a Tensor,
    pub epsilon: f64,
}

/// Mean and variance of the channels of a batch, each `[channels]`, without gradient: what running statistics move to.
#[derive(Debug, Clone)]
pub struct BatchStatistics {
    pub mean: Tensor,
    /// The unbiased one (over n - 1), as PyTorch's running variance takes it.
    pub variance: Tensor,
}

/// `(x - mean) / √(variance + epsilon) × weight + bias` for each channel of `x` `[batch, channels, height, width]`, then
/// `after`. Source: PyTorch's `batch_norm(training=False)`.
///
/// # Errors
/// Where the shapes do not fit.
pub fn batch_norm(x: &Tensor, norm: &Norm, after: After) -> Result<Tensor> {
    check_channels(x, &[norm.weight, norm.bias, norm.mean, norm.variance])?;
    if !x.device().is_cpu() || x.elem_count() == 0 {
        return after.apply(composed::batch_norm(x, norm)?);
    }
    let wide = |tensor: &Tensor| tensor.to_dtype(DType::F64)?.to_vec1::<f64>();
    let moments = wide(norm.mean)?.into_iter().zip(wide(norm.variance)?).collect();
    let op = BatchNorm { moments, origin: Origin::Running, epsilon: norm.epsilon, after };
    x.contiguous()?.apply_op3(&norm.weight.contiguous()?, &norm.bias.contiguous()?, op)
}

/// As [`batch_norm`] with the mean and the biased variance of the batch itself, through which the gradient flows.
/// Running statistics are the caller's to update. Source: PyTorch's `batch_norm(training=True)`.
///
/// # Errors
/// Where the shapes do not fit, or a channel has one value only, which has no variance.
pub fn batch_norm_train(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    epsilon: f64,
    after: After,
) -> Result<(Tensor, BatchStatistics)> {
    check_channels(x, &[weight, bias])?;
    let (batch, _, height, width) = x.dims4()?;
    if batch * height * width < 2 {
        bail!("batch norm needs more than one value a channel while training, got {:?}", x.dims());
    }
    if !x.device().is_cpu() || x.elem_count() == 0 {
        let (y, statistics) = composed::batch_norm_train(x, weight, bias, epsilon)?;
        return Ok((after.apply(y)?, statistics));
    }
    let x = x.contiguous()?;
    let moments: Vec<(f64, f64)> =
        x.apply_op1_no_bwd(&Moments)?.to_vec2::<f64>()?.into_iter().map(|pair| (pair[0], pair[1])).collect();
    let count = (batch * height * width) as f64;
    let of_channels = |value: &dyn Fn(&(f64, f64)) -> f64| {
        Tensor::new(moments.iter().map(value).collect::<Vec<f64>>(), x.device())?.to_dtype(x.dtype())
    };
    let mean = of_channels(&|(mean, _)| *mean)?;
    let variance = of_channels(&|(_, variance)| variance * (count / (count - 1.0)))?;
    let op = BatchNorm { moments, origin: Origin::Batch, epsilon, after };
    let y = x.apply_op3(&weight.contiguous()?, &bias.contiguous()?, op)?;
    Ok((y, BatchStatistics { mean, variance }))
}

fn check_channels(x: &Tensor, of_channels: &[&Tensor]) -> Result<()> {
    let (_, channels, _, _) = x.dims4()?;
    match of_channels.iter().find(|tensor| tensor.dims() != [channels]) {
        None => Ok(()),
        Some(other) => bail!("batch norm of {channels} channels got a tensor of {:?}", other.dims()),
    }
}
