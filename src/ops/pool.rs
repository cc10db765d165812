//! Pooling over windows and over whole planes.

use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Tensor, WithDType, bail};
use rayon::prelude::*;

use super::conv::{Operand, values};
use super::window::{Rounding, Window};

/// The largest of each window of `x` `[batch, channels, height, width]`; padding never wins. With `ceil`, a last window
/// that only partly fits counts too. The gradient goes to the first of equals; a NaN wins. Source: PyTorch's
/// `max_pool2d`.
pub fn max_pool2d(x: &Tensor, kernel: usize, stride: usize, padding: usize, ceil: bool) -> Result<Tensor> {
    let (_, _, height, width) = x.dims4()?;
    if 2 * padding > kernel {
        bail!("a max pool's padding is at most half its kernel, got {padding} for {kernel}");
    }
    let rounding = if ceil { Rounding::Ceil } else { Rounding::Floor };
    let window = Window::new((kernel, kernel), stride, padding, (height, width), rounding)?;
    if x.device().is_cpu() { x.contiguous()?.apply_op1(MaxPool(window)) } else { max_composed(x, &window) }
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
        let storage = match x {
            CpuStorage::F32(_) => forward::<f32>(&self.0, (x, layout))?,
            CpuStorage::F64(_) => forward::<f64>(&self.0, (x, layout))?,
            _ => bail!("max_pool2d takes f32 or f64"),
        };
        Ok((storage, self.output_shape(layout.shape())?))
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
    planes.for_each(|(y, x)| {
        for (i, y) in y.iter_mut().enumerate() {
            *y = x[winner(window, x, i)];
        }
    });
    Ok(T::to_cpu_storage_owned(y))
}

/// The place of the largest input of the window at output position `i`.
fn winner<T: WithDType>(window: &Window, plane: &[T], i: usize) -> usize {
    let seen = |at: usize, kernel: usize, input: usize| {
        let start = at * window.stride;
        start.saturating_sub(window.padding)..(start + kernel).saturating_sub(window.padding).min(input)
    };
    let rows = seen(i / window.output.1, window.kernel.0, window.input.0);
    let columns = seen(i % window.output.1, window.kernel.1, window.input.1);
    let mut best = rows.start * window.input.1 + columns.start;
    for y in rows {
        for at in y * window.input.1 + columns.start..y * window.input.1 + columns.end {
            let (value, largest) = (plane[at], plane[best]);
            #[expect(clippy::eq_op, reason = "only a NaN differs from itself")]
            if value > largest || (value != value && largest == largest) {
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
        let storage = match x {
            CpuStorage::F32(_) => backward::<f32>(&self.0, (x, xl), (g, gl))?,
            CpuStorage::F64(_) => backward::<f64>(&self.0, (x, xl), (g, gl))?,
            _ => bail!("max_pool2d takes f32 or f64"),
        };
        Ok((storage, xl.shape().clone()))
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
