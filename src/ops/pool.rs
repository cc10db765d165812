//! Pooling over windows and over whole planes.

use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Tensor, WithDType, bail};
use rayon::prelude::*;

use super::storage::{Operand, by_type, values};
use super::vectorized::vectorized;
use super::window::{Rounding, Window};

/// The largest of each window of `x` `[batch, channels, height, width]`; padding never wins. With `ceil`, a last window
/// that only partly fits counts too. The gradient goes to the first of equals; a NaN wins. Source: PyTorch's
/// `max_pool2d`.
pub fn max_pool2d(x: &Tensor, kernel: usize, stride: usize, padding: usize, ceil: bool) -> Result<Tensor> {
    let (_, _, height, width) = x.dims4()?;
    let window = max_pool2d_window((height, width), kernel, stride, padding, ceil)?;
    if x.device().is_cpu() { x.contiguous()?.apply_op1(MaxPool(window)) } else { max_composed(x, &window) }
}

/// How [`max_pool2d`] goes over a plane of this height and width.
pub(crate) fn max_pool2d_window(
    plane: (usize, usize),
    kernel: usize,
    stride: usize,
    padding: usize,
    ceil: bool,
) -> Result<Window> {
    if 2 * padding > kernel {
        bail!("a max pool's padding is at most half its kernel, got {padding} for {kernel}");
    }
    Window::new((kernel, kernel), stride, padding, plane, if ceil { Rounding::Ceil } else { Rounding::Floor })
}

/// The average of each window of `x` `[batch, channels, height, width]`, without padding; a last window that only partly
/// fits is left out. Source: PyTorch's `avg_pool2d`.
pub fn avg_pool2d(x: &Tensor, kernel: usize, stride: usize) -> Result<Tensor> {
    let (_, _, height, width) = x.dims4()?;
    let window = Window::new((kernel, kernel), stride, 0, (height, width), Rounding::Floor)?;
    let mut views = shifted_views(x, &window, 0.0)?.into_iter();
    let Some(first) = views.next() else { bail!("a window sees at least one element") };
    let sum = views.try_fold(first, |sum, view| sum + view)?;
    sum / window.taps() as f64
}

/// `[batch, channels, height, width]` → `[batch, channels]`, the mean of each plane. Source: Keras'
/// `GlobalAveragePooling2D`.
pub fn global_avg_pool2d(x: &Tensor) -> Result<Tensor> {
    x.flatten_from(2)?.mean(2)
}

/// `[batch, channels, height, width]` → `[batch, channels]`, the largest of each plane. Source: Keras'
/// `GlobalMaxPooling2D`.
pub fn global_max_pool2d(x: &Tensor) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    let window = Window::new((height, width), 1, 0, (height, width), Rounding::Floor)?;
    let y = if x.device().is_cpu() { x.contiguous()?.apply_op1(MaxPool(window))? } else { max_composed(x, &window)? };
    y.reshape((batch, channels))
}

/// For each tap of the kernel, what it sees at every output position: `[batch, channels, height', width']`.
fn shifted_views(x: &Tensor, window: &Window, fill: f64) -> Result<Vec<Tensor>> {
    let Window { kernel, stride, padding, output, .. } = *window;
    let reach = |output: usize, kernel: usize| (output - 1) * stride + kernel + stride;
    let x = padded(x, 2, padding, reach(output.0, kernel.0), fill)?;
    let x = padded(&x, 3, padding, reach(output.1, kernel.1), fill)?;
    let every = |x: &Tensor, dim: usize, first: usize, count: usize| -> Result<Tensor> {
        let mut shape = x.dims().to_vec();
        shape[dim] = count;
        shape.insert(dim + 1, stride);
        x.narrow(dim, first, count * stride)?.contiguous()?.reshape(shape)?.narrow(dim + 1, 0, 1)?.squeeze(dim + 1)
    };
    let taps = (0..kernel.0).flat_map(|ky| (0..kernel.1).map(move |kx| (ky, kx)));
    taps.map(|(ky, kx)| every(&every(&x, 2, ky, output.0)?, 3, kx, output.1)).collect()
}

/// `x` with `before` elements of `fill` before it along `dim` and as many after it as make it at least `size`.
fn padded(x: &Tensor, dim: usize, before: usize, size: usize, fill: f64) -> Result<Tensor> {
    let block = |count: usize| {
        let mut shape = x.dims().to_vec();
        shape[dim] = count;
        Tensor::full(fill, shape, x.device())?.to_dtype(x.dtype())
    };
    let after = size.saturating_sub(before + x.dim(dim)?);
    Tensor::cat(&[&block(before)?, x, &block(after)?], dim)
}

/// The same of Candle's operations, with the same choice among equals.
fn max_composed(x: &Tensor, window: &Window) -> Result<Tensor> {
    let mut views = shifted_views(x, window, f64::NEG_INFINITY)?.into_iter();
    let Some(first) = views.next() else { bail!("a window sees at least one element") };
    views.try_fold(first, |best, view| {
        let wins = (view.gt(&best)? + view.ne(&view)?)?;
        wins.where_cond(&view, &best)
    })
}

struct MaxPool(Window);

impl MaxPool {
    fn output_shape(&self, input: &Shape) -> Result<Shape> {
        let (batch, channels, _, _) = input.dims4()?;
        Ok(Shape::from((batch, channels, self.0.output.0, self.0.output.1)))
    }
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "max-pool2d"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (window, operand) = (&self.0, (x, layout));
        Ok((by_type!(x, forward(window, operand))?, self.output_shape(layout.shape())?))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        x.apply_op3_no_bwd(y, &gradient.contiguous()?, &MaxPoolGradient(self.0)).map(Some)
    }
}

fn forward<T: WithDType>(window: &Window, x: Operand) -> Result<CpuStorage> {
    let x = values::<T>(x)?;
    let planes = x.len() / window.input_len();
    let mut y = vec![T::zero(); planes * window.output_len()];
    let planes = y.par_chunks_exact_mut(window.output_len()).zip(x.par_chunks_exact(window.input_len()));
    planes.for_each(|(y, x)| largest(window, x, y));
    Ok(T::to_cpu_storage_owned(y))
}

/// The largest of each window of a plane: of its rows first, then along them.
fn largest<T: WithDType>(window: &Window, x: &[T], y: &mut [T]) {
    vectorized(
        #[inline(always)]
        || {
            let width = window.input.1;
            let nothing = T::from_f64(f64::NEG_INFINITY);
            let reach = (window.output.1 - 1) * window.stride + window.kernel.1;
            // a row between its paddings; a last window that only partly fits reaches beyond
            let mut tallest = vec![nothing; reach.max(window.padding + width)];
            let mut widest = vec![nothing; reach + 1 - window.kernel.1];
            for (row, line) in y.chunks_exact_mut(window.output.1).enumerate() {
                let (rows, _) = seen(window, row, 0);
                let inside = &mut tallest[window.padding..][..width];
                inside.copy_from_slice(&x[rows.start * width..][..width]);
                for other in rows.skip(1) {
                    inside
                        .iter_mut()
                        .zip(&x[other * width..][..width])
                        .for_each(|(best, value)| *best = larger(*best, *value));
                }
                widest.iter_mut().zip(&tallest).for_each(|(to, from)| *to = *from);
                for tap in 1..window.kernel.1 {
                    widest.iter_mut().zip(&tallest[tap..]).for_each(|(best, value)| *best = larger(*best, *value));
                }
                line.iter_mut().zip(widest.iter().step_by(window.stride)).for_each(|(to, from)| *to = *from);
            }
        },
    )
}

#[inline(always)]
fn larger<T: WithDType>(best: T, value: T) -> T {
    if wins(value, best) { value } else { best }
}

/// Whether `value` takes the place of `best`: a NaN does, and is replaced by nothing.
#[inline(always)]
#[expect(clippy::eq_op, reason = "only a NaN differs from itself")]
fn wins<T: WithDType>(value: T, best: T) -> bool {
    // no short cut, so that it vectorises
    (value > best) | ((value != value) & (best == best))
}

/// The rows and columns that the window at an output position sees.
fn seen(window: &Window, row: usize, column: usize) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    let along = |at: usize, kernel: usize, input: usize| {
        let start = at * window.stride;
        start.saturating_sub(window.padding)..(start + kernel).saturating_sub(window.padding).min(input)
    };
    (along(row, window.kernel.0, window.input.0), along(column, window.kernel.1, window.input.1))
}

/// The place of the largest input of the window at output position `i`.
fn winner<T: WithDType>(window: &Window, plane: &[T], i: usize) -> usize {
    let (rows, columns) = seen(window, i / window.output.1, i % window.output.1);
    let mut best = rows.start * window.input.1 + columns.start;
    for y in rows {
        for at in y * window.input.1 + columns.start..y * window.input.1 + columns.end {
            if wins(plane[at], plane[best]) {
                best = at;
            }
        }
    }
    best
}

/// (input, result, gradient of the result) → gradient of the input.
struct MaxPoolGradient(Window);

impl CustomOp3 for MaxPoolGradient {
    fn name(&self) -> &'static str {
        "max-pool2d-gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        _y: &CpuStorage,
        _yl: &Layout,
        g: &CpuStorage,
        gl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (window, operand, gradient) = (&self.0, (x, xl), (g, gl));
        Ok((by_type!(x, backward(window, operand, gradient))?, xl.shape().clone()))
    }
}

fn backward<T: WithDType>(window: &Window, x: Operand, gradient: Operand) -> Result<CpuStorage> {
    let (x, gradient) = (values::<T>(x)?, values::<T>(gradient)?);
    let mut result = vec![T::zero(); x.len()];
    let planes = result.par_chunks_exact_mut(window.input_len()).zip(x.par_chunks_exact(window.input_len()));
    planes.zip(gradient.par_chunks_exact(window.output_len())).for_each(|((result, x), gradient)| {
        for (i, g) in gradient.iter().enumerate() {
            result[winner(window, x, i)] += *g;
        }
    });
    Ok(T::to_cpu_storage_owned(result))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::gradient_check::{gradient_check, gradients, values};
    use candle_core::{Device, Var};

    /// (height, width, kernel, stride, padding, ceil)
    const CASES: [(usize, usize, usize, usize, usize, bool); 11] = [
        // ResNet's
        (8, 6, 3, 2, 1, false),
        (7, 9, 3, 2, 1, false),
        (1, 4, 5, 1, 2, false),
        (8, 8, 2, 2, 0, false),
        (8, 7, 3, 2, 0, false),
        (8, 7, 3, 2, 0, true),
        (7, 8, 3, 2, 1, true),
        (5, 6, 3, 1, 1, false),
        (9, 4, 2, 3, 1, true),
        (6, 6, 3, 3, 0, true),
        (3, 5, 2, 2, 0, true),
    ];

    fn window((h, w, kernel, stride, padding, ceil): (usize, usize, usize, usize, usize, bool)) -> Window {
        let rounding = if ceil { Rounding::Ceil } else { Rounding::Floor };
        Window::new((kernel, kernel), stride, padding, (h, w), rounding).unwrap()
    }

    #[test]
    fn max_pool_gradient_in_both_homes() {
        for case @ (h, w, kernel, stride, padding, ceil) in CASES {
            let x = [values((2, 3, h, w), 1)];
            gradient_check(&x, |x| max_pool2d(&x[0], kernel, stride, padding, ceil));
            gradient_check(&x, |x| max_composed(&x[0], &window(case)));
        }
        gradient_check(&[values((7, 8, 2, 2), 1)], |x| max_pool2d(&x[0].permute((2, 3, 1, 0))?, 3, 2, 0, true));
    }

    #[test]
    fn max_pool_is_what_its_windows_see() {
        for case @ (h, w, kernel, stride, padding, ceil) in CASES {
            let x = values((1, 1, h, w), 2);
            let y = max_pool2d(&x, kernel, stride, padding, ceil).unwrap();
            let composed = max_composed(&x, &window(case)).unwrap();
            let plane = x.flatten_all().unwrap().to_vec1::<f64>().unwrap();
            let seen = |o: usize, size: usize| {
                (o * stride..o * stride + kernel)
                    .filter(move |i| (padding..size + padding).contains(i))
                    .map(move |i| i - padding)
            };
            let (_, _, oh, ow) = y.dims4().unwrap();
            let wanted: Vec<f64> = (0..oh * ow)
                .map(|i| {
                    let elements = seen(i / ow, h).flat_map(|r| seen(i % ow, w).map(move |c| r * w + c));
                    elements.map(|at| plane[at]).fold(f64::NEG_INFINITY, f64::max)
                })
                .collect();
            assert_eq!(y.flatten_all().unwrap().to_vec1::<f64>().unwrap(), wanted);
            assert_eq!(composed.flatten_all().unwrap().to_vec1::<f64>().unwrap(), wanted);
        }
    }

    #[test]
    fn the_first_of_equals_gets_the_gradient_in_both_homes() {
        let x = [Tensor::zeros((1, 1, 5, 6), candle_core::DType::F64, &Device::Cpu).unwrap()];
        let ours = gradients(&x, &[true], &|x: &[Tensor]| max_pool2d(&x[0], 3, 2, 1, true));
        let composed = gradients(&x, &[true], &|x: &[Tensor]| max_composed(&x[0], &window((5, 6, 3, 2, 1, true))));
        assert_eq!(ours, composed);
        let gradient = ours[0].clone().unwrap();
        let places: Vec<usize> = (0..30).filter(|&at| gradient[at] != 0.0).collect();
        let starts = [0, 1, 3].iter().flat_map(|row| [0, 1, 3, 5].map(|column| row * 6 + column));
        assert_eq!(places, starts.collect::<Vec<_>>(), "each window starts at an element of its own");
    }

    #[test]
    fn a_nan_wins() {
        let mut values = vec![1.0f32; 16];
        values[5] = f32::NAN;
        let x = Var::from_vec(values, (1, 1, 4, 4), &Device::Cpu).unwrap();
        for y in [max_pool2d(&x, 2, 2, 0, false).unwrap(), max_composed(&x, &window((4, 4, 2, 2, 0, false))).unwrap()] {
            let y = y.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert!(y[0].is_nan() && y[1..] == [1.0; 3]);
        }
    }

    #[test]
    fn average_pool_gradient_and_value() {
        for (h, w, kernel, stride) in [(8, 8, 2, 2), (8, 7, 3, 2), (5, 6, 2, 3), (4, 4, 3, 1)] {
            gradient_check(&[values((2, 2, h, w), 1)], |x| avg_pool2d(&x[0], kernel, stride));
            let x = values((2, 2, h, w), 1);
            let wanted = x.avg_pool2d_with_stride(kernel, stride).unwrap();
            assert!(
                crate::ops::gradient_check::relative_error(&avg_pool2d(&x, kernel, stride).unwrap(), &wanted) < 1e-12
            );
        }
    }

    #[test]
    fn global_pool_gradients() {
        for shape in [(2, 3, 4, 5), (1, 2, 1, 1), (3, 1, 8, 7)] {
            gradient_check(&[values(shape, 1)], |x| global_avg_pool2d(&x[0]));
            gradient_check(&[values(shape, 1)], |x| global_max_pool2d(&x[0]));
        }
    }
}
