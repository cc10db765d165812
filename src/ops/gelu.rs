//! The Gaussian error linear unit (Hendrycks and Gimpel 2016), exact and as its older approximation.

use candle_core::{Result, Tensor};

/// `x Φ(x)`, with Φ the normal distribution function, of any shape. Source: PyTorch's `gelu`, transformers' `gelu`.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    composed(x)
}

/// `x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`, of any shape. Source: PyTorch's `gelu(approximate="tanh")`,
/// transformers' `gelu_new`.
pub fn gelu_tanh(x: &Tensor) -> Result<Tensor> {
    tanh_composed(x)
}

/// [`gelu`] of Candle's operations (its own `gelu_erf` has a derivative of six digits).
fn composed(x: &Tensor) -> Result<Tensor> {
    let normal = ((x * std::f64::consts::FRAC_1_SQRT_2)?.erf()? + 1.0)?;
    (x * normal)? * 0.5
}

/// [`gelu_tanh`] of Candle's operations.
fn tanh_composed(x: &Tensor) -> Result<Tensor> {
    let inner = ((x.sqr()? * 0.044715)? + 1.0)?.mul(&(x * (2.0 / std::f64::consts::PI).sqrt())?)?;
    (x * (inner.tanh()? + 1.0)?)? * 0.5
}
