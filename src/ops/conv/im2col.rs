//! Convolution of any kernel, stride and padding: windows unrolled into columns, then one matrix product a sample, for
//! one sample at a time.

use candle_core::WithDType;

use crate::ops::product::{Matrix, Onto, product};
use crate::ops::window::Window;

/// Unrolls `planes` (`channels` planes) into a matrix of `channels × taps` rows and one column an output position.
pub(crate) fn unroll<T: WithDType>(window: &Window, planes: &[T], columns: &mut [T]) {
    let rows = planes.chunks_exact(window.input_len()).flat_map(|plane| taps(window).map(move |tap| (plane, tap)));
    for ((plane, (ky, kx)), row) in rows.zip(columns.chunks_exact_mut(window.output_len())) {
        let (inside_rows, inside) = (window.rows_inside(ky), window.columns_inside(kx));
        for (oy, line) in row.chunks_exact_mut(window.output.1).enumerate() {
            if !inside_rows.contains(&oy) || inside.is_empty() {
                line.fill(T::zero());
                continue;
            }
            line[..inside.start].fill(T::zero());
            line[inside.end..].fill(T::zero());
            let start = (oy * window.stride + ky - window.padding) * window.input.1
                + (inside.start * window.stride + kx - window.padding);
            let line = &mut line[inside.clone()];
            if window.stride == 1 {
                line.copy_from_slice(&plane[start..start + line.len()]);
            } else {
                let source = plane[start..].iter().step_by(window.stride);
                line.iter_mut().zip(source).for_each(|(to, from)| *to = *from);
            }
        }
    }
}

/// The reverse of [`unroll`]: adds each element of `columns` to the input element that it was taken from.
pub(crate) fn roll<T: WithDType>(window: &Window, columns: &[T], planes: &mut [T]) {
    planes.fill(T::zero());
    let per_plane = window.taps() * window.output_len();
    for (plane, columns) in planes.chunks_exact_mut(window.input_len()).zip(columns.chunks_exact(per_plane)) {
        for ((ky, kx), row) in taps(window).zip(columns.chunks_exact(window.output_len())) {
            let inside = window.columns_inside(kx);
            if inside.is_empty() {
                continue;
            }
            for oy in window.rows_inside(ky) {
                let line = &row[oy * window.output.1..][inside.clone()];
                let start = (oy * window.stride + ky - window.padding) * window.input.1
                    + (inside.start * window.stride + kx - window.padding);
                let target = plane[start..].iter_mut().step_by(window.stride);
                line.iter().zip(target).for_each(|(from, to)| *to += *from);
            }
        }
    }
}

fn taps(window: &Window) -> impl Iterator<Item = (usize, usize)> + use<> {
    let (height, width) = window.kernel;
    (0..height).flat_map(move |ky| (0..width).map(move |kx| (ky, kx)))
}

/// One sample's convolution with a weight of `[out, in, taps]`: `result` is `[out, positions]`.
pub(crate) fn forward<T: WithDType>(window: &Window, planes: &[T], weight: &[T], result: &mut [T]) {
    let positions = window.output_len();
    let depth = weight.len() / (result.len() / positions);
    with_columns(window, planes, |columns| {
        product(Matrix::new(weight, depth), Matrix::new(columns, positions), result, Onto::Fresh);
    });
}

/// One sample's gradient of the input planes.
pub(crate) fn input_gradient<T: WithDType>(window: &Window, gradient: &[T], weight: &[T], planes: &mut [T]) {
    let positions = window.output_len();
    let depth = weight.len() / (gradient.len() / positions);
    let (weight, gradient) = (Matrix::new(weight, depth).transposed(), Matrix::new(gradient, positions));
    if window.is_pointwise() {
        return product(weight, gradient, planes, Onto::Fresh);
    }
    let mut columns = vec![T::zero(); depth * positions];
    product(weight, gradient, &mut columns, Onto::Fresh);
    roll(window, &columns, planes);
}

/// Adds one sample's gradient of the weight `[out, in, taps]` to `sum`.
pub(crate) fn add_weight_gradient<T: WithDType>(window: &Window, planes: &[T], gradient: &[T], sum: &mut [T]) {
    let positions = window.output_len();
    with_columns(window, planes, |columns| {
        let columns = Matrix::new(columns, positions).transposed();
        product(Matrix::new(gradient, positions), columns, sum, Onto::Sum);
    });
}

/// The planes as columns; those of a 1×1 kernel are the planes themselves.
fn with_columns<T: WithDType, R>(window: &Window, planes: &[T], use_columns: impl FnOnce(&[T]) -> R) -> R {
    if window.is_pointwise() {
        return use_columns(planes);
    }
    let channels = planes.len() / window.input_len();
    let mut columns = vec![T::zero(); channels * window.taps() * window.output_len()];
    unroll(window, planes, &mut columns);
    use_columns(&columns)
}
