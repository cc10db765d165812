//! Activations.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};

use super::elementwise::{map, map_pairs};
use super::real::Real;
use super::storage::{Operand, by_type, values};

/// `max(x, 0)` element by element, of any shape; its gradient at 0 is 0, and a NaN stays one. Source: PyTorch's `relu`.
pub fn relu(x: &Tensor) -> Result<Tensor> {
    if !x.device().is_cpu() {
        return composed(x);
    }
    x.contiguous()?.apply_op1(Relu)
}

/// `relu(a + b)` of two tensors of one shape, in one pass: how a residual block ends (He et al. 2015).
///
/// # Errors
/// Where the shapes differ.
pub fn add_relu(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if a.dims() != b.dims() {
        bail!("a residual of {:?} cannot be added to {:?}", b.dims(), a.dims());
    }
    if !a.device().is_cpu() {
        return composed(&(a + b)?);
    }
    a.contiguous()?.apply_op2(&b.contiguous()?, AddRelu)
}

/// What is done to each element of a result before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    Nothing,
    Relu,
}

impl After {
    /// To a tensor, where there was no way to do it before.
    pub(crate) fn apply(self, y: Tensor) -> Result<Tensor> {
        if self == After::Relu { relu(&y) } else { Ok(y) }
    }
}

/// The same of Candle's operations.
fn composed(x: &Tensor) -> Result<Tensor> {
    x.le(0.0)?.where_cond(&x.zeros_like()?, x)
}

/// `gradient` where the result `y` of a ReLU is not 0, on the CPU; both contiguous.
pub(crate) fn relu_gradient(y: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    y.apply_op2_no_bwd(gradient, &ReluGradient)
}

/// Not `max`, which swallows a NaN.
#[inline(always)]
fn rectified<T: Real>(x: T) -> T {
    if x <= T::zero() { T::zero() } else { x }
}

struct Relu;

impl CustomOp1 for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let operand = (x, layout);
        Ok((by_type!(x, forward(operand))?, layout.shape().clone()))
    }

    fn bwd(&self, _x: &Tensor, y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        relu_gradient(y, &gradient.contiguous()?).map(Some)
    }
}

fn forward<T: Real>(x: Operand) -> Result<CpuStorage> {
    Ok(T::to_cpu_storage_owned(map(values::<T>(x)?, rectified)))
}

struct AddRelu;

impl CustomOp2 for AddRelu {
    fn name(&self) -> &'static str {
        "add-relu"
    }

    fn cpu_fwd(&self, a: &CpuStorage, al: &Layout, b: &CpuStorage, bl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (first, second) = ((a, al), (b, bl));
        Ok((by_type!(a, add_forward(first, second))?, al.shape().clone()))
    }

    fn bwd(&self, a: &Tensor, b: &Tensor, y: &Tensor, gradient: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let gradient = relu_gradient(y, &gradient.contiguous()?)?;
        let of = |argument: &Tensor| argument.track_op().then(|| gradient.clone());
        Ok((of(a), of(b)))
    }
}

fn add_forward<T: Real>(a: Operand, b: Operand) -> Result<CpuStorage> {
    Ok(T::to_cpu_storage_owned(map_pairs(values::<T>(a)?, values(b)?, |a, b| rectified(a + b))))
}

/// (result, its gradient) → gradient of the argument.
struct ReluGradient;

impl CustomOp2 for ReluGradient {
    fn name(&self) -> &'static str {
        "relu-gradient"
    }

    fn cpu_fwd(&self, y: &CpuStorage, yl: &Layout, g: &CpuStorage, gl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (result, gradient) = ((y, yl), (g, gl));
        Ok((by_type!(y, backward(result, gradient))?, yl.shape().clone()))
    }
}

fn backward<T: Real>(y: Operand, gradient: Operand) -> Result<CpuStorage> {
    let masked = |y: T, gradient: T| if y == T::zero() { T::zero() } else { gradient };
    Ok(T::to_cpu_storage_owned(map_pairs(values::<T>(y)?, values(gradient)?, masked)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::gradient_check::{gradient_check, values};

    #[test]
    fn gradient() {
        gradient_check(&[values((3, 7), 1)], |x| relu(&x[0]));
        gradient_check(&[values((3, 7), 2)], |x| relu(&x[0].t()?));
        gradient_check(&[values((3, 7), 3)], |x| composed(&x[0]));
    }

    #[test]
    fn gradient_and_value_of_a_residual() {
        let both = [values((3, 7), 1), values((3, 7), 2)];
        gradient_check(&both, |x| add_relu(&x[0], &x[1]));
        gradient_check(&both, |x| add_relu(&x[0].t()?, &x[1].t()?));
        gradient_check(&both[..1], |x| add_relu(&x[0], &x[0]));
        let flat = |t: Tensor| t.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        let wanted = relu(&(&both[0] + &both[1]).unwrap()).unwrap();
        assert_eq!(flat(add_relu(&both[0], &both[1]).unwrap()), flat(wanted));
        assert!(add_relu(&both[0], &both[1].t().unwrap()).is_err());
    }

    #[test]
    fn zero_has_no_slope_and_nan_stays() {
        let x = candle_core::Var::new(&[-1.0f32, 0.0, 2.0, f32::NAN], &candle_core::Device::Cpu).unwrap();
        let y = relu(&x).unwrap();
        let gradient = y.sum_all().unwrap().backward().unwrap().get(&x).unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(gradient[..3], [0.0, 0.0, 1.0]);
        let y = y.to_vec1::<f32>().unwrap();
        assert_eq!(y[..3], [0.0, 0.0, 2.0]);
        assert!(y[3].is_nan());
    }
}
