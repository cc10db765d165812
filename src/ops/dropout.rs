//! Inverted dropout.

use candle_core::{Result, Tensor, bail};

use crate::base::random::Stream;

/// Sets each element of `x` to zero with probability `rate` (in `0..1`) and divides the others by `1 - rate`. Whether
/// element `i` (row-major) stays is a function of `stream` and `i` alone. Source: Keras' `Dropout` while training.
pub fn dropout(x: &Tensor, rate: f64, stream: &Stream) -> Result<Tensor> {
    if !(0.0..1.0).contains(&rate) {
        bail!("a dropout rate lies in 0..1, got {rate}");
    }
    if rate == 0.0 {
        return Ok(x.clone());
    }
    let kept = 1.0 / (1.0 - rate);
    let factor = |i: u64| if stream.uniform_at(i) < rate { 0.0 } else { kept as f32 };
    let mask: Vec<f32> = (0..x.elem_count() as u64).map(factor).collect();
    x * Tensor::from_vec(mask, x.shape(), x.device())?.to_dtype(x.dtype())?
}
