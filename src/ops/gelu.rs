//! The Gaussian error linear unit (Hendrycks and Gimpel 2016), exact and as its older approximation.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

use super::elementwise::{map, map_pairs};
use super::real::Real;
use super::storage::{Operand, by_type, values};

/// `x Φ(x)`, with Φ the normal distribution function, of any shape. Source: PyTorch's `gelu`, transformers' `gelu`.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    if x.device().is_cpu() { x.contiguous()?.apply_op1(Gelu::Exact) } else { composed(x) }
}

/// `x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`, of any shape. Source: PyTorch's `gelu(approximate="tanh")`,
/// transformers' `gelu_new`.
pub fn gelu_tanh(x: &Tensor) -> Result<Tensor> {
    if x.device().is_cpu() { x.contiguous()?.apply_op1(Gelu::Tanh) } else { tanh_composed(x) }
}

/// [`gelu`] of Candle's operations (its own `gelu_erf` has a derivative of six digits).
fn composed(x: &Tensor) -> Result<Tensor> {
    let normal = ((x * std::f64::consts::FRAC_1_SQRT_2)?.erf()? + 1.0)?;
    (x * normal)? * 0.5
}

/// [`gelu_tanh`] of Candle's operations.
fn tanh_composed(x: &Tensor) -> Result<Tensor> {
    let inner = ((x.sqr()? * CUBIC)? + 1.0)?.mul(&(x * SLOPE)?)?;
    (x * (inner.tanh()? + 1.0)?)? * 0.5
}

/// √(2/π)
const SLOPE: f64 = 0.797_884_560_802_865_4;
const CUBIC: f64 = 0.044715;

#[derive(Debug, Clone, Copy)]
enum Gelu {
    Exact,
    Tanh,
}

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (gelu, operand) = (*self, (x, layout));
        Ok((by_type!(x, forward(gelu, operand))?, layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        x.apply_op2_no_bwd(&gradient.contiguous()?, &GeluGradient(*self)).map(Some)
    }
}

fn forward<T: Real>(gelu: Gelu, x: Operand) -> Result<CpuStorage> {
    let x = values::<T>(x)?;
    Ok(T::to_cpu_storage_owned(match gelu {
        Gelu::Exact => map(x, |x| x * x.normal().0),
        Gelu::Tanh => map(x, |x| x * share(x).0),
    }))
}

/// (input, gradient of the result) → gradient of the input.
struct GeluGradient(Gelu);

impl CustomOp2 for GeluGradient {
    fn name(&self) -> &'static str {
        "gelu-gradient"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, g: &CpuStorage, gl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (gelu, operand, gradient) = (self.0, (x, xl), (g, gl));
        Ok((by_type!(x, backward(gelu, operand, gradient))?, xl.shape().clone()))
    }
}

fn backward<T: Real>(gelu: Gelu, x: Operand, gradient: Operand) -> Result<CpuStorage> {
    let (x, gradient) = (values::<T>(x)?, values(gradient)?);
    let slope = |(share, slope): (T, T), x: T| slope.mul_add(x, share);
    Ok(T::to_cpu_storage_owned(match gelu {
        Gelu::Exact => map_pairs(x, gradient, |x, g| g * slope(x.normal(), x)),
        Gelu::Tanh => map_pairs(x, gradient, |x, g| g * slope(share(x), x)),
    }))
}

/// `(1 + tanh u) / 2 = 1 / (1 + e^(-2u))` for the approximation's `u`, and its derivative by `x`.
#[inline(always)]
fn share<T: Real>(x: T) -> (T, T) {
    let near = |value: f64| T::near(value);
    let square = x * x;
    let twice = x * square.mul_add(near(2.0 * SLOPE * CUBIC), near(2.0 * SLOPE));
    let small = (if twice > T::zero() { T::zero() - twice } else { twice }).exp_of_negative();
    let inverse = T::one() / (T::one() + small);
    let (larger, smaller) = (inverse, small * inverse);
    let share = if twice > T::zero() { larger } else { smaller };
    (share, larger * smaller * square.mul_add(near(6.0 * SLOPE * CUBIC), near(2.0 * SLOPE)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::gradient_check::{gradient_check, values};
    use candle_core::{DType, Device};

    #[test]
    fn gradients_in_both_homes() {
        let x = [(values((3, 7), 1) * 4.0).unwrap()];
        for f in [gelu, gelu_tanh, composed, tanh_composed] {
            gradient_check(&x, |x| f(&x[0]));
            gradient_check(&x, |x| f(&x[0].t()?));
        }
    }

    fn flat(y: Tensor) -> Vec<f64> {
        y.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
    }

    #[test]
    fn both_homes_agree_in_both_types() {
        let x = Tensor::arange_step(-12.0f64, 12.0, 1.0 / 512.0, &Device::Cpu).unwrap();
        let single = x.to_dtype(DType::F32).unwrap();
        type Function = fn(&Tensor) -> Result<Tensor>;
        // far out on the left the approximation's exponent has a digit less than the exact function's
        let cases: [(Function, Function, f64); 2] = [(gelu, composed, 4e-7), (gelu_tanh, tanh_composed, 1e-5)];
        for (ours, theirs, relative) in cases {
            let (exact, composed) = (flat(ours(&x).unwrap()), flat(theirs(&x).unwrap()));
            let single = flat(ours(&single).unwrap());
            for ((e, c), s) in exact.iter().zip(composed).zip(single) {
                assert!((e - c).abs() <= 1e-14, "{e} and {c}");
                assert!((e - s).abs() <= relative * e.abs() + 1e-36, "{e} and {s}");
            }
        }
    }

    /// The formulas of PyTorch's documentation, worked out in 40 digits.
    #[test]
    fn values_are_pytorchs() {
        let x = Tensor::new(&[-3.0f64, -1.0, 0.5, 2.0], &Device::Cpu).unwrap();
        let near = |found: Vec<f64>, wanted: [f64; 4]| {
            found.iter().zip(wanted).for_each(|(f, w)| assert!((f - w).abs() < 1e-14, "{f} instead of {w}"));
        };
        near(
            flat(gelu(&x).unwrap()),
            [-0.0040496940948902836, -0.15865525393145705, 0.34573123063700655, 1.9544997361036416],
        );
        near(
            flat(gelu_tanh(&x).unwrap()),
            [-0.0036373920817730188, -0.1588080093917233, 0.34571400982514392, 1.954597694087775],
        );
    }

    #[test]
    fn a_nan_stays_one() {
        let x = Tensor::new(&[f32::NAN, 1.0, f32::INFINITY], &Device::Cpu).unwrap();
        for f in [gelu, gelu_tanh] {
            let y = f(&x).unwrap().to_vec1::<f32>().unwrap();
            assert!(y[0].is_nan() && y[1] > 0.8 && y[2] == f32::INFINITY, "{y:?}");
        }
    }
}
