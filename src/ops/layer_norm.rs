//! Layer normalisation (Ba, Kiros and Hinton 2016).

use candle_core::{D, Result, Tensor, bail};

/// Brings each row of `x` `[…, features]` to mean 0 and variance 1 (the biased one, plus `epsilon`), then scales it by
/// `weight` `[features]` and adds `bias` `[features]`. Source: PyTorch's `layer_norm`.
///
/// # Errors
/// Where the shapes do not fit.
pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, epsilon: f64) -> Result<Tensor> {
    let features = x.dim(D::Minus1)?;
    if weight.dims() != [features] || bias.dims() != [features] {
        bail!("layer norm of {features} features got weight {:?} and bias {:?}", weight.dims(), bias.dims());
    }
    composed(x, weight, bias, epsilon)
}

/// The same of Candle's operations.
fn composed(x: &Tensor, weight: &Tensor, bias: &Tensor, epsilon: f64) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let deviation = (centred.sqr()?.mean_keepdim(D::Minus1)? + epsilon)?.sqrt()?;
    centred.broadcast_div(&deviation)?.broadcast_mul(weight)?.broadcast_add(bias)
}
