//! 2-D convolution with any kernel, stride and padding.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, WithDType, bail};
use rayon::prelude::*;

use super::im2col;
use super::product::Into;
use super::window::{Rounding, Window};

/// Cross-correlates `x` `[batch, in, height, width]` with `weight` `[out, in, kernel height, kernel width]` and adds
/// `bias` `[out]`; gives `[batch, out, height', width']`. Source: PyTorch's `conv2d`.
///
/// # Errors
/// Where the shapes do not fit, or the kernel is larger than the padded input.
pub fn conv2d(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, stride: usize, padding: usize) -> Result<Tensor> {
    if !x.device().is_cpu() {
        return composed(x, weight, bias, stride, padding);
    }
    let conv = Conv2d { stride, padding };
    let (x, weight) = (x.contiguous()?, weight.contiguous()?);
    match bias {
        None => x.apply_op2(&weight, conv),
        Some(bias) => x.apply_op3(&weight, &bias.contiguous()?, conv),
    }
}

/// The same of Candle's operations. Its backward is right where the windows use the whole padded input up, so the rest is
/// cut away beforehand.
fn composed(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, stride: usize, padding: usize) -> Result<Tensor> {
    let case = Case::new(x.dims(), weight.dims(), stride, padding)?;
    let used = |output: usize, kernel: usize| (output - 1) * stride + kernel;
    let (height, width) =
        (used(case.window.output.0, case.window.kernel.0), used(case.window.output.1, case.window.kernel.1));
    let padded = if padding == 0 {
        x.clone()
    } else {
        x.pad_with_zeros(2, padding, padding)?.pad_with_zeros(3, padding, padding)?
    };
    let y = padded.narrow(2, 0, height)?.narrow(3, 0, width)?.contiguous()?.conv2d(weight, 0, stride, 1, 1)?;
    match bias {
        None => Ok(y),
        Some(bias) => y.broadcast_add(&bias.reshape((1, case.out, 1, 1))?),
    }
}

/// The sizes of one call.
#[derive(Debug, Clone, Copy)]
struct Case {
    batch: usize,
    channels: usize,
    out: usize,
    window: Window,
}

impl Case {
    fn new(x: &[usize], weight: &[usize], stride: usize, padding: usize) -> Result<Case> {
        let (&[batch, channels, height, width], &[out, depth, kh, kw]) = (x, weight) else {
            bail!(
                "conv2d takes [batch, channels, height, width] and [out, in, height, width], got {x:?} and {weight:?}"
            );
        };
        if channels != depth {
            bail!("conv2d: the input has {channels} channels, the weight {depth}");
        }
        let window = Window::new((kh, kw), stride, padding, (height, width), Rounding::Floor)?;
        Ok(Case { batch, channels, out, window })
    }

    fn input_len(&self) -> usize {
        self.channels * self.window.input_len()
    }

    fn output_len(&self) -> usize {
        self.out * self.window.output_len()
    }

    fn weight_len(&self) -> usize {
        self.out * self.channels * self.window.taps()
    }

    fn output_shape(&self) -> Shape {
        Shape::from((self.batch, self.out, self.window.output.0, self.window.output.1))
    }
}

/// The operation as Candle's graph sees it.
#[derive(Debug, Clone, Copy)]
struct Conv2d {
    stride: usize,
    padding: usize,
}

impl Conv2d {
    const NAME: &str = "conv2d";

    fn forward(&self, x: Operand, weight: Operand, bias: Option<Operand>) -> Result<(CpuStorage, Shape)> {
        let case = Case::new(x.1.dims(), weight.1.dims(), self.stride, self.padding)?;
        if let Some((_, layout)) = bias
            && layout.dims() != [case.out]
        {
            bail!("conv2d: {} output channels take as many biases, got {:?}", case.out, layout.dims());
        }
        let storage = match x.0 {
            CpuStorage::F32(_) => run::<f32>(&case, x, weight, bias)?,
            CpuStorage::F64(_) => run::<f64>(&case, x, weight, bias)?,
            _ => bail!("conv2d takes f32 or f64"),
        };
        Ok((storage, case.output_shape()))
    }

    /// The gradients of input and weight, each only where something above it learns.
    fn gradients(&self, x: &Tensor, weight: &Tensor, gradient: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let case = Case::new(x.dims(), weight.dims(), self.stride, self.padding)?;
        let for_input = || gradient.apply_op2_no_bwd(weight, &InputGradient(case));
        let for_weight = || x.apply_op2_no_bwd(gradient, &WeightGradient(case));
        Ok((x.track_op().then(for_input).transpose()?, weight.track_op().then(for_weight).transpose()?))
    }
}

pub(crate) type Operand<'a> = (&'a CpuStorage, &'a Layout);

/// The values of an operand, which must lie in a row.
pub(crate) fn values<'a, T: WithDType>((storage, layout): Operand<'a>) -> Result<&'a [T]> {
    let all = T::cpu_storage_as_slice(storage)?;
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&all[start..end]),
        None => bail!("the operation takes contiguous tensors, got {layout:?}"),
    }
}

fn run<T: WithDType>(case: &Case, x: Operand, weight: Operand, bias: Option<Operand>) -> Result<CpuStorage> {
    let (x, weight) = (values::<T>(x)?, values::<T>(weight)?);
    let bias = bias.map(values::<T>).transpose()?;
    let mut y = vec![T::zero(); case.batch * case.output_len()];
    let samples = y.par_chunks_exact_mut(case.output_len()).zip(x.par_chunks_exact(case.input_len()));
    samples.for_each(|(y, x)| {
        if let Some(bias) = bias {
            let planes = y.chunks_exact_mut(case.window.output_len());
            planes.zip(bias.iter()).for_each(|(plane, b)| plane.fill(*b));
        }
        im2col::forward(&case.window, x, weight, y, if bias.is_some() { Into::Sum } else { Into::Fresh });
    });
    Ok(T::to_cpu_storage_owned(y))
}

impl CustomOp2 for Conv2d {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward((x, xl), (w, wl), None)
    }

    fn bwd(&self, x: &Tensor, w: &Tensor, _y: &Tensor, gradient: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        self.gradients(x, w, &gradient.contiguous()?)
    }
}

impl CustomOp3 for Conv2d {
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
        self.forward((x, xl), (w, wl), Some((b, bl)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        _y: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let (for_x, for_w) = self.gradients(x, w, &gradient)?;
        let for_b = b.track_op().then(|| gradient.apply_op1_no_bwd(&BiasGradient)).transpose()?;
        Ok((for_x, for_w, for_b))
    }
}

/// (gradient of the output, weight) → gradient of the input; both contiguous.
struct InputGradient(Case);

impl CustomOp2 for InputGradient {
    fn name(&self) -> &'static str {
        "conv2d-input-gradient"
    }

    fn cpu_fwd(&self, g: &CpuStorage, gl: &Layout, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        let storage = match g {
            CpuStorage::F32(_) => input_gradient::<f32>(&self.0, (g, gl), (w, wl))?,
            CpuStorage::F64(_) => input_gradient::<f64>(&self.0, (g, gl), (w, wl))?,
            _ => bail!("conv2d takes f32 or f64"),
        };
        let Case { batch, channels, window, .. } = self.0;
        Ok((storage, Shape::from((batch, channels, window.input.0, window.input.1))))
    }
}

fn input_gradient<T: WithDType>(case: &Case, gradient: Operand, weight: Operand) -> Result<CpuStorage> {
    let (gradient, weight) = (values::<T>(gradient)?, values::<T>(weight)?);
    let mut planes = vec![T::zero(); case.batch * case.input_len()];
    let samples = planes.par_chunks_exact_mut(case.input_len()).zip(gradient.par_chunks_exact(case.output_len()));
    samples.for_each(|(planes, gradient)| im2col::input_gradient(&case.window, gradient, weight, planes));
    Ok(T::to_cpu_storage_owned(planes))
}

/// (input, gradient of the output) → gradient of the weight; both contiguous.
struct WeightGradient(Case);

impl CustomOp2 for WeightGradient {
    fn name(&self) -> &'static str {
        "conv2d-weight-gradient"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, g: &CpuStorage, gl: &Layout) -> Result<(CpuStorage, Shape)> {
        let storage = match x {
            CpuStorage::F32(_) => weight_gradient::<f32>(&self.0, (x, xl), (g, gl))?,
            CpuStorage::F64(_) => weight_gradient::<f64>(&self.0, (x, xl), (g, gl))?,
            _ => bail!("conv2d takes f32 or f64"),
        };
        let Case { out, channels, window, .. } = self.0;
        Ok((storage, Shape::from((out, channels, window.kernel.0, window.kernel.1))))
    }
}

/// Sums go over this many groups of samples, then over the groups: a number that no machine's core count changes.
const GROUPS: usize = 8;

fn weight_gradient<T: WithDType>(case: &Case, x: Operand, gradient: Operand) -> Result<CpuStorage> {
    let (x, gradient) = (values::<T>(x)?, values::<T>(gradient)?);
    let group = case.batch.div_ceil(GROUPS).max(1);
    let of_group = |(x, gradient): (&[T], &[T])| {
        let mut sum = vec![T::zero(); case.weight_len()];
        let samples = x.chunks_exact(case.input_len()).zip(gradient.chunks_exact(case.output_len()));
        samples.for_each(|(x, gradient)| im2col::add_weight_gradient(&case.window, x, gradient, &mut sum));
        sum
    };
    let groups = x.par_chunks(group * case.input_len()).zip(gradient.par_chunks(group * case.output_len()));
    let sums: Vec<Vec<T>> = groups.map(of_group).collect();
    let total = sums.into_iter().reduce(|mut total, sum| {
        total.iter_mut().zip(sum).for_each(|(t, s)| *t += s);
        total
    });
    Ok(T::to_cpu_storage_owned(total.unwrap_or_else(|| vec![T::zero(); case.weight_len()])))
}

/// Gradient of the output `[batch, out, height, width]`, contiguous → gradient of the bias `[out]`.
struct BiasGradient;

impl CustomOp1 for BiasGradient {
    fn name(&self) -> &'static str {
        "conv2d-bias-gradient"
    }

    fn cpu_fwd(&self, g: &CpuStorage, gl: &Layout) -> Result<(CpuStorage, Shape)> {
        match g {
            CpuStorage::F32(_) => bias_gradient::<f32>((g, gl)),
            CpuStorage::F64(_) => bias_gradient::<f64>((g, gl)),
            _ => bail!("conv2d takes f32 or f64"),
        }
    }
}

fn bias_gradient<T: WithDType>(gradient: Operand) -> Result<(CpuStorage, Shape)> {
    let (_, out, height, width) = gradient.1.shape().dims4()?;
    let gradient = values::<T>(gradient)?;
    let mut sums = vec![T::zero(); out];
    for sample in gradient.chunks_exact((out * height * width).max(1)) {
        for (sum, plane) in sums.iter_mut().zip(sample.chunks_exact(height * width)) {
            *sum += plane_sum(plane);
        }
    }
    Ok((T::to_cpu_storage_owned(sums), Shape::from(out)))
}

/// Sums in sixteen lanes, so that it vectorises and rounds less.
fn plane_sum<T: WithDType>(plane: &[T]) -> T {
    let mut lanes = [T::zero(); 16];
    let chunks = plane.chunks_exact(16);
    let rest = chunks.remainder().iter().fold(T::zero(), |sum, v| sum + *v);
    chunks.for_each(|chunk| lanes.iter_mut().zip(chunk).for_each(|(lane, v)| *lane += *v));
    lanes.into_iter().fold(rest, |sum, v| sum + v)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::gradient_check::{gradient_check, gradients, relative_error, values};
    use candle_core::DType;

    /// ([batch, in, height, width], [out, kernel height, kernel width], stride, padding)
    const CASES: [([usize; 4], [usize; 3], usize, usize); 12] = [
        ([2, 3, 8, 7], [4, 3, 3], 2, 1),
        ([2, 3, 8, 7], [4, 3, 3], 2, 0),
        ([1, 2, 7, 8], [3, 3, 3], 1, 1),
        ([3, 2, 5, 6], [2, 3, 3], 1, 0),
        ([2, 4, 6, 5], [3, 1, 1], 1, 0),
        ([2, 2, 7, 5], [3, 1, 1], 2, 0),
        ([1, 2, 6, 9], [2, 1, 3], 1, 1),
        ([1, 2, 9, 9], [2, 5, 5], 3, 2),
        ([2, 1, 4, 4], [1, 4, 4], 1, 0),
        ([9, 1, 3, 3], [2, 3, 3], 1, 2),
        ([1, 3, 1, 1], [2, 3, 3], 1, 1),
        ([1, 1, 5, 2], [1, 2, 2], 3, 1),
    ];

    fn arguments(x: [usize; 4], [out, kh, kw]: [usize; 3]) -> [Tensor; 3] {
        [values(x.to_vec(), 1), values((out, x[1], kh, kw), 2), values(out, 3)]
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        for (x, kernel, stride, padding) in CASES {
            let all = arguments(x, kernel);
            gradient_check(&all, |a| conv2d(&a[0], &a[1], Some(&a[2]), stride, padding));
            gradient_check(&all[..2], |a| conv2d(&a[0], &a[1], None, stride, padding));
        }
    }

    #[test]
    fn gradients_of_the_composition_are_right_too() {
        for (x, kernel, stride, padding) in CASES {
            let all = arguments(x, kernel);
            gradient_check(&all, |a| composed(&a[0], &a[1], Some(&a[2]), stride, padding));
        }
    }

    #[test]
    fn arguments_need_not_lie_in_a_row() {
        let transposed = [values((7, 8, 3, 2), 1), values((3, 3, 3, 4), 2), values(4, 3)];
        gradient_check(&transposed, |a| {
            conv2d(&a[0].permute((3, 2, 1, 0))?, &a[1].permute((3, 2, 1, 0))?, Some(&a[2]), 2, 1)?.permute((1, 3, 0, 2))
        });
    }

    #[test]
    fn forward_is_candles() {
        for (x, kernel, stride, padding) in CASES {
            let [x, weight, bias] = arguments(x, kernel);
            let ours = conv2d(&x, &weight, Some(&bias), stride, padding).unwrap();
            let bias = bias.reshape((1, bias.elem_count(), 1, 1)).unwrap();
            let candles = x.conv2d(&weight, padding, stride, 1, 1).unwrap().broadcast_add(&bias).unwrap();
            assert!(relative_error(&ours, &candles) < 1e-12, "{x:?} {weight:?} {stride} {padding}");
        }
    }

    /// Sizes of real layers, and some that divide into no tile.
    const FAST_CASES: [([usize; 4], [usize; 3], usize, usize); 7] = [
        ([3, 3, 33, 31], [64, 3, 3], 2, 1),
        ([2, 16, 31, 32], [64, 3, 3], 1, 1),
        ([2, 48, 7, 8], [192, 3, 3], 1, 1),
        ([9, 64, 8, 8], [17, 3, 3], 1, 1),
        ([2, 5, 13, 6], [3, 3, 3], 1, 0),
        ([2, 128, 16, 15], [16, 1, 1], 1, 0),
        ([1, 1, 2, 1], [1, 3, 3], 1, 1),
    ];

    fn as_f32(tensors: &[Tensor; 3]) -> [Tensor; 3] {
        tensors.each_ref().map(|t| t.to_dtype(DType::F32).unwrap())
    }

    #[test]
    fn f32_agrees_with_f64() {
        for (x, kernel, stride, padding) in FAST_CASES {
            let run = |a: &[Tensor]| conv2d(&a[0], &a[1], Some(&a[2]), stride, padding);
            let exact = arguments(x, kernel);
            let fast = as_f32(&exact);
            let error = relative_error(&run(&fast).unwrap(), &run(&exact).unwrap());
            assert!(error < 2e-5, "forward {x:?} {kernel:?}: {error:e}");
            let of = |a: &[Tensor; 3]| gradients(a, &[true; 3], &run);
            for (argument, (fast, exact)) in of(&fast).into_iter().zip(of(&exact)).enumerate() {
                let tensor =
                    |v: Option<Vec<f64>>| v.map(|v| Tensor::new(v, &candle_core::Device::Cpu).unwrap()).unwrap();
                let error = relative_error(&tensor(fast), &tensor(exact));
                assert!(error < 5e-5, "gradient {argument} of {x:?} {kernel:?}: {error:e}");
            }
        }
    }

    #[test]
    fn neither_threads_nor_other_samples_change_a_bit() {
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for (x, kernel, stride, padding) in FAST_CASES {
            let all = as_f32(&arguments(x, kernel));
            let run = |a: &[Tensor]| conv2d(&a[0], &a[1], Some(&a[2]), stride, padding);
            let on = |threads: usize| pool(threads).install(|| (run(&all).unwrap(), gradients(&all, &[true; 3], &run)));
            let ((one, one_gradients), (three, three_gradients)) = (on(1), on(3));
            let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(flat(&one), flat(&three));
            assert_eq!(one_gradients, three_gradients);
            let last = x[0] - 1;
            let alone = run(&[all[0].narrow(0, last, 1).unwrap(), all[1].clone(), all[2].clone()]).unwrap();
            assert_eq!(flat(&alone), flat(&one.narrow(0, last, 1).unwrap()));
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_errors() {
        let [x, weight, _] = arguments([1, 3, 4, 4], [2, 3, 3]);
        assert!(conv2d(&x.narrow(1, 0, 2).unwrap(), &weight, None, 1, 0).is_err(), "channels");
        assert!(conv2d(&x.narrow(2, 0, 2).unwrap(), &weight, None, 1, 0).is_err(), "kernel larger than the input");
        assert!(conv2d(&x, &weight, Some(&values(3, 1)), 1, 1).is_err(), "bias");
        assert!(conv2d(&x.squeeze(0).unwrap(), &weight, None, 1, 1).is_err(), "rank");
    }
}
