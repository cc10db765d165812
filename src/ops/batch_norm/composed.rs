//! Batch normalisation of Candle's operations, for devices for which we have no kernel.

use candle_core::{Result, Tensor};

use super::{BatchStatistics, Norm};

pub(super) fn batch_norm(x: &Tensor, norm: &Norm) -> Result<Tensor> {
    let deviation = (norm.variance.detach() + norm.epsilon)?.sqrt()?;
    let scale = (norm.weight / deviation)?;
    let shape = (1, scale.elem_count(), 1, 1);
    x.broadcast_sub(&norm.mean.detach().reshape(shape)?)?
        .broadcast_mul(&scale.reshape(shape)?)?
        .broadcast_add(&norm.bias.reshape(shape)?)
}

pub(super) fn batch_norm_train(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    epsilon: f64,
) -> Result<(Tensor, BatchStatistics)> {
    let (batch, channels, height, width) = x.dims4()?;
    let (count, shape) = ((batch * height * width) as f64, (1, channels, 1, 1));
    let mean = (x.sum_keepdim((0, 2, 3))? / count)?;
    let centred = x.broadcast_sub(&mean)?;
    let variance = (centred.sqr()?.sum_keepdim((0, 2, 3))? / count)?;
    let scale = weight.reshape(shape)?.div(&(&variance + epsilon)?.sqrt()?)?;
    let y = centred.broadcast_mul(&scale)?.broadcast_add(&bias.reshape(shape)?)?;
    let variance = (variance.detach().reshape(channels)? * (count / (count - 1.0)))?;
    Ok((y, BatchStatistics { mean: mean.detach().reshape(channels)?, variance }))
}
