//! Activations.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, WithDType};
use rayon::prelude::*;

use super::storage::{Operand, by_type, values};

/// `max(x, 0)` element by element, of any shape; its gradient at 0 is 0, and a NaN stays one. Source: PyTorch's `relu`.
pub fn relu(x: &Tensor) -> Result<Tensor> {
    if !x.device().is_cpu() {
        return composed(x);
    }
    x.contiguous()?.apply_op1(Relu)
}

/// `relu(a + b)` of two tensors of one shape, in one pass: how a residual block ends.
///
/// # Errors
/// Where the shapes differ.
pub fn add_relu(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    relu(&(a + b)?)
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

/// Elements that one task takes; small tensors stay on their thread.
const TASK: usize = 32 * 1024;

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

fn forward<T: WithDType>(x: Operand) -> Result<CpuStorage> {
    let x = values::<T>(x)?;
    let mut y = vec![T::zero(); x.len()];
    y.par_chunks_mut(TASK).zip(x.par_chunks(TASK)).for_each(|(y, x)| {
        // not `max`, which swallows a NaN
        y.iter_mut().zip(x).for_each(|(y, x)| *y = if *x <= T::zero() { T::zero() } else { *x });
    });
    Ok(T::to_cpu_storage_owned(y))
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

fn backward<T: WithDType>(y: Operand, gradient: Operand) -> Result<CpuStorage> {
    let (y, gradient) = (values::<T>(y)?, values::<T>(gradient)?);
    let mut result = vec![T::zero(); y.len()];
    let tasks = result.par_chunks_mut(TASK).zip(y.par_chunks(TASK)).zip(gradient.par_chunks(TASK));
    tasks.for_each(|((result, y), gradient)| {
        let elements = result.iter_mut().zip(y).zip(gradient);
        elements.for_each(|((r, y), g)| *r = if *y == T::zero() { T::zero() } else { *g });
    });
    Ok(T::to_cpu_storage_owned(result))
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
