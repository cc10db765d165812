//! A fully connected layer.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::columns::ColumnSums;
use super::product::{Matrix, Onto, product_on_threads};
use super::real::Real;
use super::storage::{Operand, by_type, values};

/// `x weightᵀ + bias` for `x` `[…, in]` of rank 2 or more, `weight` `[out, in]` and `bias` `[out]`; gives `[…, out]`.
/// Source: PyTorch's `nn.functional.linear`.
///
/// # Errors
/// Where the shapes do not fit.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (out, depth) = weight.dims2()?;
    let Some((&features, leading)) = x.dims().split_last().filter(|(_, leading)| !leading.is_empty()) else {
        bail!("linear takes [\u{2026}, in] of rank 2 or more, got {:?}", x.dims());
    };
    if features != depth {
        bail!("linear: the input has {features} features, the weight takes {depth}");
    }
    if let Some(bias) = bias.filter(|bias| bias.dims() != [out]) {
        bail!("linear: {out} outputs take as many biases, got {:?}", bias.dims());
    }
    if !x.device().is_cpu() || x.elem_count() == 0 || out == 0 {
        return composed(x, weight, bias)?.reshape([leading, &[out]].concat());
    }
    let (x, weight) = (x.contiguous()?, weight.contiguous()?);
    match bias {
        None => x.apply_op2(&weight, Linear),
        Some(bias) => x.apply_op3(&weight, &bias.contiguous()?, Linear),
    }
}

/// The same of Candle's operations, as rows.
fn composed(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let rows = x.reshape(((), weight.dim(1)?))?;
    let y = rows.matmul(&weight.t()?)?;
    match bias {
        None => Ok(y),
        Some(bias) => y.broadcast_add(bias),
    }
}

struct Linear;

impl Linear {
    const NAME: &str = "linear";

    fn forward(x: Operand, weight: Operand, bias: Option<Operand>) -> Result<(CpuStorage, Shape)> {
        let shape = with_last(x.1.dims(), weight.1.dims()[0]);
        Ok((by_type!(x.0, forward(x, weight, bias))?, shape))
    }

    /// The gradients of input, weight and bias, each only where something above it learns.
    fn gradients(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, gradient: &Tensor) -> Result<[Option<Tensor>; 3]> {
        let gradient = gradient.contiguous()?;
        let for_x = || gradient.apply_op2_no_bwd(weight, &InputGradient);
        let for_weight = || gradient.apply_op2_no_bwd(x, &WeightGradient);
        let for_bias = || gradient.apply_op1_no_bwd(&ColumnSums);
        Ok([
            x.track_op().then(for_x).transpose()?,
            weight.track_op().then(for_weight).transpose()?,
            bias.filter(|bias| bias.track_op()).map(|_| for_bias()).transpose()?,
        ])
    }
}

fn with_last(dims: &[usize], last: usize) -> Shape {
    let leading = dims.split_last().map_or(&[][..], |(_, leading)| leading);
    Shape::from([leading, &[last]].concat())
}

fn forward<T: Real>(x: Operand, weight: Operand, bias: Option<Operand>) -> Result<CpuStorage> {
    let (out, depth) = weight.1.shape().dims2()?;
    let (x, weight) = (values::<T>(x)?, values::<T>(weight)?);
    let rows = x.len() / depth;
    let (mut y, onto) = match bias {
        None => (vec![T::zero(); rows * out], Onto::Fresh),
        Some(bias) => (values::<T>(bias)?.repeat(rows), Onto::Sum),
    };
    product_on_threads(Matrix::new(x, depth), Matrix::new(weight, depth).transposed(), &mut y, onto);
    Ok(T::to_cpu_storage_owned(y))
}

impl CustomOp2 for Linear {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        Linear::forward((x, xl), (w, wl), None)
    }

    fn bwd(&self, x: &Tensor, w: &Tensor, _y: &Tensor, gradient: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [for_x, for_w, _] = Linear::gradients(x, w, None, gradient)?;
        Ok((for_x, for_w))
    }
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
        b: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Linear::forward((x, xl), (w, wl), Some((b, bl)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        _y: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [for_x, for_w, for_b] = Linear::gradients(x, w, Some(b), gradient)?;
        Ok((for_x, for_w, for_b))
    }
}

/// (gradient of the result, weight) → gradient of the input.
struct InputGradient;

impl CustomOp2 for InputGradient {
    fn name(&self) -> &'static str {
        "linear-input-gradient"
    }

    fn cpu_fwd(&self, g: &CpuStorage, gl: &Layout, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (gradient, weight) = ((g, gl), (w, wl));
        Ok((by_type!(g, input_gradient(gradient, weight))?, with_last(gl.dims(), wl.dims()[1])))
    }
}

fn input_gradient<T: Real>(gradient: Operand, weight: Operand) -> Result<CpuStorage> {
    let (out, depth) = weight.1.shape().dims2()?;
    let (gradient, weight) = (values::<T>(gradient)?, values::<T>(weight)?);
    let mut result = vec![T::zero(); gradient.len() / out * depth];
    product_on_threads(Matrix::new(gradient, out), Matrix::new(weight, depth), &mut result, Onto::Fresh);
    Ok(T::to_cpu_storage_owned(result))
}

/// (gradient of the result, input) → gradient of the weight.
struct WeightGradient;

impl CustomOp2 for WeightGradient {
    fn name(&self) -> &'static str {
        "linear-weight-gradient"
    }

    fn cpu_fwd(&self, g: &CpuStorage, gl: &Layout, x: &CpuStorage, xl: &Layout) -> Result<(CpuStorage, Shape)> {
        let last = |layout: &Layout| layout.dims().last().copied().unwrap_or(1);
        let (out, depth, gradient, operand) = (last(gl), last(xl), (g, gl), (x, xl));
        Ok((by_type!(g, weight_gradient(out, depth, gradient, operand))?, Shape::from((out, depth))))
    }
}

fn weight_gradient<T: Real>(out: usize, depth: usize, gradient: Operand, x: Operand) -> Result<CpuStorage> {
    let (gradient, x) = (Matrix::new(values::<T>(gradient)?, out), Matrix::new(values(x)?, depth));
    let mut result = vec![T::zero(); out * depth];
    product_on_threads(gradient.transposed(), x, &mut result, Onto::Fresh);
    Ok(T::to_cpu_storage_owned(result))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::gradient_check::{gradient_check, relative_error, same_on_any_threads, values};
    use candle_core::DType;

    /// (leading dimensions, in, out)
    const CASES: [(&[usize], usize, usize); 5] =
        [(&[4], 6, 3), (&[1], 1, 1), (&[2, 3], 5, 7), (&[2, 1, 3], 4, 1), (&[33], 3, 18)];

    fn arguments(leading: &[usize], depth: usize, out: usize) -> [Tensor; 3] {
        [values([leading, &[depth]].concat(), 1), values((out, depth), 2), values(out, 3)]
    }

    #[test]
    fn gradients_in_both_homes() {
        for (leading, depth, out) in CASES {
            let all = arguments(leading, depth, out);
            gradient_check(&all, |a| linear(&a[0], &a[1], Some(&a[2])));
            gradient_check(&all[..2], |a| linear(&a[0], &a[1], None));
            gradient_check(&all, |a| composed(&a[0], &a[1], Some(&a[2])));
        }
    }

    #[test]
    fn arguments_need_not_lie_in_a_row() {
        let turned = [values((5, 3, 2), 1), values((5, 4), 2), values((4, 2), 3)];
        gradient_check(&turned, |a| {
            let bias = a[2].narrow(1, 1, 1)?.squeeze(1)?;
            linear(&a[0].permute((2, 1, 0))?, &a[1].t()?, Some(&bias))?.permute((2, 0, 1))
        });
    }

    #[test]
    fn both_homes_agree() {
        for (leading, depth, out) in CASES {
            let [x, weight, bias] = arguments(leading, depth, out);
            let ours = linear(&x, &weight, Some(&bias)).unwrap();
            assert_eq!(ours.dims(), [leading, &[out]].concat());
            let theirs = composed(&x, &weight, Some(&bias)).unwrap().reshape(ours.shape()).unwrap();
            assert!(relative_error(&ours, &theirs) < 1e-14);
        }
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        for (leading, depth, out) in [(&[7usize, 90][..], 330, 200), (&[32], 512, 256), (&[3], 5, 2)] {
            let all = arguments(leading, depth, out).map(|t| t.to_dtype(DType::F32).unwrap());
            let run = |a: &[Tensor]| linear(&a[0], &a[1], Some(&a[2]));
            same_on_any_threads(&all, run);
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_errors() {
        let [x, weight, bias] = arguments(&[4], 6, 3);
        assert!(linear(&x.narrow(1, 0, 5).unwrap(), &weight, Some(&bias)).is_err());
        assert!(linear(&x, &weight, Some(&bias.narrow(0, 0, 2).unwrap())).is_err());
        assert!(linear(&x.get(0).unwrap(), &weight, None).is_err(), "a single row is a matrix of one row");
    }
}
