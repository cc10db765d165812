//! Layer normalisation (Ba, Kiros and Hinton 2016).

use std::ops::Range;

use candle_core::{CpuStorage, CustomOp2, CustomOp3, D, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::columns::over_rows;
use super::real::{Real, sums};
use super::storage::{Operand, by_type, values};
use super::vectorized::vectorized;

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
    if !x.device().is_cpu() || x.elem_count() == 0 {
        return composed(x, weight, bias, epsilon);
    }
    x.contiguous()?.apply_op3(&weight.contiguous()?, &bias.contiguous()?, LayerNorm { epsilon })
}

/// The same of Candle's operations.
fn composed(x: &Tensor, weight: &Tensor, bias: &Tensor, epsilon: f64) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let deviation = (centred.sqr()?.mean_keepdim(D::Minus1)? + epsilon)?.sqrt()?;
    centred.broadcast_div(&deviation)?.broadcast_mul(weight)?.broadcast_add(bias)
}

#[derive(Debug, Clone, Copy)]
struct LayerNorm {
    epsilon: f64,
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "layer-norm"
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
        let (epsilon, operand, weight, bias) = (self.epsilon, (x, xl), (w, wl), (b, bl));
        Ok((by_type!(x, forward(epsilon, operand, weight, bias))?, xl.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _y: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let for_x = || x.apply_op3_no_bwd(weight, &gradient, &InputGradient(*self));
        let parameters = weight.track_op() || bias.track_op();
        let for_both = parameters.then(|| x.apply_op2_no_bwd(&gradient, &ParameterGradients(*self))).transpose()?;
        let part =
            |of: &Tensor, i: usize| for_both.as_ref().filter(|_| of.track_op()).map(|both| both.get(i)).transpose();
        Ok((x.track_op().then(for_x).transpose()?, part(weight, 0)?, part(bias, 1)?))
    }
}

/// Elements that one task takes.
const TASK: usize = 16 * 1024;

/// Writes every row of `features` elements by `of_row(range, row)`.
fn rows<T: Real>(elements: usize, features: usize, of_row: impl Fn(Range<usize>, &mut [T]) + Sync) -> Vec<T> {
    let mut result = vec![T::zero(); elements];
    let task = (TASK / features).max(1) * features;
    result.par_chunks_mut(task).enumerate().for_each(|(index, rows)| {
        for (i, row) in rows.chunks_exact_mut(features).enumerate() {
            let first = index * task + i * features;
            of_row(first..first + features, row);
        }
    });
    result
}

/// The row's mean and the inverse of its deviation, in two passes.
#[inline(always)]
fn moments<T: Real>(row: &[T], epsilon: f64) -> (T, T) {
    let [sum] = sums([row], |[x]| [x]);
    let mean = T::near(sum.wide() / row.len() as f64);
    let [squares] = sums([row], |[x]| [(x - mean) * (x - mean)]);
    (mean, T::near(1.0 / (squares.wide() / row.len() as f64 + epsilon).sqrt()))
}

fn forward<T: Real>(epsilon: f64, x: Operand, weight: Operand, bias: Operand) -> Result<CpuStorage> {
    let (x, weight, bias) = (values::<T>(x)?, values::<T>(weight)?, values::<T>(bias)?);
    let of_row = |range: Range<usize>, y: &mut [T]| normalise(&x[range], weight, bias, epsilon, y);
    Ok(T::to_cpu_storage_owned(rows(x.len(), weight.len(), of_row)))
}

fn normalise<T: Real>(x: &[T], weight: &[T], bias: &[T], epsilon: f64, y: &mut [T]) {
    vectorized(
        #[inline(always)]
        || {
            let (mean, inverse) = moments(x, epsilon);
            for (((y, x), weight), bias) in y.iter_mut().zip(x).zip(weight).zip(bias) {
                *y = ((*x - mean) * inverse).mul_add(*weight, *bias);
            }
        },
    )
}

/// (input, weight, gradient of the result) → gradient of the input.
struct InputGradient(LayerNorm);

impl CustomOp3 for InputGradient {
    fn name(&self) -> &'static str {
        "layer-norm-input-gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
        g: &CpuStorage,
        gl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (epsilon, operand, weight, gradient) = (self.0.epsilon, (x, xl), (w, wl), (g, gl));
        Ok((by_type!(x, input_gradient(epsilon, operand, weight, gradient))?, xl.shape().clone()))
    }
}

fn input_gradient<T: Real>(epsilon: f64, x: Operand, weight: Operand, gradient: Operand) -> Result<CpuStorage> {
    let (x, weight, gradient) = (values::<T>(x)?, values::<T>(weight)?, values::<T>(gradient)?);
    let of_row = |range: Range<usize>, result: &mut [T]| {
        row_gradient(&x[range.clone()], weight, &gradient[range], epsilon, result);
    };
    Ok(T::to_cpu_storage_owned(rows(x.len(), weight.len(), of_row)))
}

fn row_gradient<T: Real>(x: &[T], weight: &[T], gradient: &[T], epsilon: f64, result: &mut [T]) {
    vectorized(
        #[inline(always)]
        || {
            let (mean, inverse) = moments(x, epsilon);
            let [sum, along] = sums([x, weight, gradient], |[x, weight, gradient]| {
                let gradient = gradient * weight;
                [gradient, gradient * (x - mean)]
            });
            let features = x.len() as f64;
            let offset = T::near(sum.wide() / features);
            let slope = T::near(along.wide() * inverse.wide() * inverse.wide() / features);
            for (((r, x), gradient), weight) in result.iter_mut().zip(x).zip(gradient).zip(weight) {
                *r = inverse * (*gradient * *weight - offset - (*x - mean) * slope);
            }
        },
    )
}

/// (input, gradient of the result) → gradients of weight and bias: `[2, features]`.
struct ParameterGradients(LayerNorm);

impl CustomOp2 for ParameterGradients {
    fn name(&self) -> &'static str {
        "layer-norm-parameter-gradients"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, g: &CpuStorage, gl: &Layout) -> Result<(CpuStorage, Shape)> {
        let features = xl.dims().last().copied().unwrap_or(1);
        let (epsilon, operand, gradient) = (self.0.epsilon, (x, xl), (g, gl));
        let storage = by_type!(x, parameter_gradients(epsilon, features, operand, gradient))?;
        Ok((storage, Shape::from((2, features))))
    }
}

fn parameter_gradients<T: Real>(epsilon: f64, features: usize, x: Operand, gradient: Operand) -> Result<CpuStorage> {
    let (x, gradient) = (values::<T>(x)?, values::<T>(gradient)?);
    let add = |row: usize, sums: &mut [T]| {
        let range = row * features..(row + 1) * features;
        add_parameter_gradients(&x[range.clone()], &gradient[range], epsilon, sums);
    };
    Ok(T::to_cpu_storage_owned(over_rows(x.len() / features, 2 * features, add)))
}

fn add_parameter_gradients<T: Real>(x: &[T], gradient: &[T], epsilon: f64, sums: &mut [T]) {
    vectorized(
        #[inline(always)]
        || {
            let (mean, inverse) = moments(x, epsilon);
            let (of_weight, of_bias) = sums.split_at_mut(x.len());
            for (((of_weight, of_bias), x), gradient) in of_weight.iter_mut().zip(of_bias).zip(x).zip(gradient) {
                *of_weight = ((*x - mean) * inverse).mul_add(*gradient, *of_weight);
                *of_bias += *gradient;
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::gradient_check::{gradient_check, relative_error, same_on_any_threads, values};
    use candle_core::{DType, Device};

    fn arguments(shape: &[usize]) -> [Tensor; 3] {
        let features = *shape.last().unwrap();
        [values(shape.to_vec(), 1), values(features, 2), values(features, 3)]
    }

    const SHAPES: [&[usize]; 5] = [&[3, 7], &[2, 3, 5], &[4], &[2, 1, 2, 18], &[40, 3]];

    #[test]
    fn gradients_in_both_homes() {
        for shape in SHAPES {
            let all = arguments(shape);
            gradient_check(&all, |a| layer_norm(&a[0], &a[1], &a[2], 1e-2));
            gradient_check(&all, |a| composed(&a[0], &a[1], &a[2], 1e-2));
        }
    }

    #[test]
    fn arguments_need_not_lie_in_a_row() {
        let turned = [values((5, 3, 2), 1), values((5, 2), 2), values((5, 2), 3)];
        gradient_check(&turned, |a| {
            let column = |t: &Tensor| t.narrow(1, 1, 1)?.squeeze(1);
            layer_norm(&a[0].permute((2, 1, 0))?, &column(&a[1])?, &column(&a[2])?, 1e-2)?.permute((1, 2, 0))
        });
    }

    #[test]
    fn both_homes_agree_in_both_types() {
        for shape in [&[6, 384][..], &[3, 4, 100]] {
            let all = arguments(shape);
            let run = |a: &[Tensor; 3]| layer_norm(&a[0], &a[1], &a[2], 1e-12).unwrap();
            let theirs = composed(&all[0], &all[1], &all[2], 1e-12).unwrap();
            assert!(relative_error(&run(&all), &theirs) < 1e-14);
            let single = all.each_ref().map(|t| t.to_dtype(DType::F32).unwrap());
            assert!(relative_error(&run(&single), &theirs) < 2e-6);
        }
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        let all = arguments(&[7, 90, 330]).map(|t| t.to_dtype(DType::F32).unwrap());
        let run = |a: &[Tensor]| layer_norm(&a[0], &a[1], &a[2], 1e-5);
        same_on_any_threads(&all, run);
    }

    #[test]
    fn a_nan_stays_in_its_row_and_shapes_must_fit() {
        let x = Tensor::new(&[[f32::NAN, 1.0], [1.0, 3.0]], &Device::Cpu).unwrap();
        let one = Tensor::new(&[1.0f32, 1.0], &Device::Cpu).unwrap();
        let y = layer_norm(&x, &one, &one, 0.0).unwrap().to_vec2::<f32>().unwrap();
        assert!(y[0].iter().all(|y| y.is_nan()) && y[1] == [0.0, 2.0], "{y:?}");
        assert!(layer_norm(&x, &one.narrow(0, 0, 1).unwrap(), &one, 0.0).is_err());
    }
}
