//! The loops of batch normalisation: planes on threads, sums in f64 by plane and then over the batch, in its order.

use std::ops::Range;

use rayon::prelude::*;

use crate::ops::After;
use crate::ops::real::{Real, sums};
use crate::ops::vectorized::vectorized;

/// Elements that one task takes.
const TASK: usize = 16 * 1024;

/// How the values fall into planes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planes {
    pub channels: usize,
    /// Elements of a plane.
    pub len: usize,
}

impl Planes {
    /// Planes that one task takes.
    fn together(&self) -> usize {
        (TASK / self.len).max(1)
    }

    /// `of_plane(channel, range)` for every plane, in order.
    fn map<R: Send>(&self, elements: usize, of_plane: impl Fn(usize, Range<usize>) -> R + Sync) -> Vec<R> {
        let (count, together) = (elements / self.len, self.together());
        let task = |first: usize| {
            let planes = first * together..count.min((first + 1) * together);
            let of = |i: usize| of_plane(i % self.channels, i * self.len..(i + 1) * self.len);
            planes.map(of).collect::<Vec<R>>()
        };
        (0..count.div_ceil(together)).into_par_iter().flat_map_iter(task).collect()
    }

    /// Writes every plane by `of_plane(channel, range, plane)`.
    fn write<T: Real>(&self, elements: usize, of_plane: impl Fn(usize, Range<usize>, &mut [T]) + Sync) -> Vec<T> {
        let mut written = vec![T::zero(); elements];
        let together = self.together();
        written.par_chunks_mut(together * self.len).enumerate().for_each(|(task, planes)| {
            for (i, plane) in planes.chunks_exact_mut(self.len).enumerate() {
                let i = task * together + i;
                of_plane(i % self.channels, i * self.len..(i + 1) * self.len, plane);
            }
        });
        written
    }
}

/// Mean and biased variance of each channel: of each plane in two passes, then together (Chan, Golub and LeVeque 1983).
pub(super) fn moments<T: Real>(planes: Planes, x: &[T]) -> Vec<(f64, f64)> {
    let of_planes = planes.map(x.len(), |_, range| plane_moments(&x[range]));
    let batch = (of_planes.len() / planes.channels) as f64;
    let of_channel = |channel: usize| {
        let of_channel = || of_planes.iter().skip(channel).step_by(planes.channels);
        let mean = of_channel().map(|(mean, _)| mean).sum::<f64>() / batch;
        let within = of_channel().map(|(_, variance)| variance).sum::<f64>();
        let between = of_channel().map(|(of_plane, _)| (of_plane - mean).powi(2)).sum::<f64>();
        (mean, (within + between) / batch)
    };
    (0..planes.channels).map(of_channel).collect()
}

fn plane_moments<T: Real>(plane: &[T]) -> (f64, f64) {
    vectorized(
        #[inline(always)]
        || {
            let count = plane.len() as f64;
            let [sum] = sums([plane], |[x]| [x.wide()]);
            let mean = sum / count;
            let [squares] = sums([plane], |[x]| [(x.wide() - mean) * (x.wide() - mean)]);
            (mean, squares / count)
        },
    )
}

/// A channel's normalisation: `(x - mean) × scale + shift`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Affine {
    pub mean: f64,
    pub scale: f64,
    pub shift: f64,
}

pub(super) fn forward<T: Real>(planes: Planes, x: &[T], affine: &[Affine], after: After) -> Vec<T> {
    planes.write(x.len(), |channel, range, y| normalise(affine[channel], after, &x[range], y))
}

fn normalise<T: Real>(affine: Affine, after: After, x: &[T], y: &mut [T]) {
    vectorized(
        #[inline(always)]
        || {
            let Affine { mean, scale, shift } = affine;
            let (mean, scale, shift) = (T::near(mean), T::near(scale), T::near(shift));
            // nothing is below a NaN
            let floor = T::near(if after == After::Relu { 0.0 } else { f64::NAN });
            for (y, x) in y.iter_mut().zip(x) {
                let value = (*x - mean).mul_add(scale, shift);
                // not `max`, which swallows a NaN
                *y = if value <= floor { T::zero() } else { value };
            }
        },
    )
}

/// The gradient at an element before the ReLU: 0 where the result `y` is.
#[inline(always)]
fn before<T: Real>(after: After, y: T, gradient: T) -> T {
    if after == After::Relu && y == T::zero() { T::zero() } else { gradient }
}

/// What an operation backwards reads: its input, its result and the gradient of that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backward<'a, T> {
    pub x: &'a [T],
    pub y: &'a [T],
    pub gradient: &'a [T],
    pub after: After,
}

impl<T> Backward<'_, T> {
    fn plane(&self, range: Range<usize>) -> Self {
        let Backward { x, y, gradient, after } = *self;
        Backward { x: &x[range.clone()], y: &y[range.clone()], gradient: &gradient[range], after }
    }
}

/// For each channel `(Σ gradient, Σ gradient × (x - mean))`.
pub(super) fn gradient_sums<T: Real>(planes: Planes, of: Backward<T>, means: &[f64]) -> Vec<(f64, f64)> {
    let of_planes = planes.map(of.x.len(), |channel, range| plane_gradient_sums(of.plane(range), means[channel]));
    let of_channel = |channel: usize| {
        let of_channel = of_planes.iter().skip(channel).step_by(planes.channels);
        of_channel.fold((0.0, 0.0), |sum, of_plane| (sum.0 + of_plane[0], sum.1 + of_plane[1]))
    };
    (0..planes.channels).map(of_channel).collect()
}

fn plane_gradient_sums<T: Real>(of: Backward<'_, T>, mean: f64) -> [f64; 2] {
    vectorized(
        #[inline(always)]
        || {
            sums([of.x, of.y, of.gradient], |[x, y, gradient]| {
                let gradient = before(of.after, y, gradient).wide();
                [gradient, gradient * (x.wide() - mean)]
            })
        },
    )
}

/// A channel's gradient of the input: `gradient × scale`, and where the statistics are the batch's own also
/// `- (x - mean) × slope - offset`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slope {
    pub scale: f64,
    pub through_statistics: Option<ThroughStatistics>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct ThroughStatistics {
    pub mean: f64,
    pub slope: f64,
    pub offset: f64,
}

pub(super) fn input_gradient<T: Real>(planes: Planes, of: Backward<T>, slopes: &[Slope]) -> Vec<T> {
    planes.write(of.x.len(), |channel, range, result| plane_gradient(of.plane(range), slopes[channel], result))
}

fn plane_gradient<T: Real>(of: Backward<'_, T>, slope: Slope, result: &mut [T]) {
    vectorized(
        #[inline(always)]
        || {
            let scale = T::near(slope.scale);
            let elements = result.iter_mut().zip(of.y).zip(of.gradient);
            match slope.through_statistics {
                None => {
                    for ((result, y), gradient) in elements {
                        *result = before(of.after, *y, *gradient) * scale;
                    }
                }
                Some(ThroughStatistics { mean, slope, offset }) => {
                    let (mean, slope, offset) = (T::near(mean), T::near(-slope), T::near(-offset));
                    for (((result, y), gradient), x) in elements.zip(of.x) {
                        let direct = before(of.after, *y, *gradient).mul_add(scale, offset);
                        *result = (*x - mean).mul_add(slope, direct);
                    }
                }
            }
        },
    )
}
