//! The loops of batch normalisation: planes on threads, sums in f64 by plane and then over the batch, in its order.

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
    fn map<R: Send>(&self, elements: usize, of_plane: impl Fn(usize, std::ops::Range<usize>) -> R + Sync) -> Vec<R> {
        let (count, together) = (elements / self.len, self.together());
        let task = |first: usize| {
            let planes = first * together..count.min((first + 1) * together);
            vectorized(|| {
                let of = |i: usize| of_plane(i % self.channels, i * self.len..(i + 1) * self.len);
                planes.map(of).collect::<Vec<R>>()
            })
        };
        (0..count.div_ceil(together)).into_par_iter().flat_map_iter(task).collect()
    }

    /// Writes every plane by `of_plane(channel, range, plane)`.
    fn write<T: Real>(
        &self,
        elements: usize,
        of_plane: impl Fn(usize, std::ops::Range<usize>, &mut [T]) + Sync,
    ) -> Vec<T> {
        let mut written = vec![T::zero(); elements];
        let together = self.together();
        written.par_chunks_mut(together * self.len).enumerate().for_each(|(task, planes)| {
            vectorized(|| {
                for (i, plane) in planes.chunks_exact_mut(self.len).enumerate() {
                    let i = task * together + i;
                    of_plane(i % self.channels, i * self.len..(i + 1) * self.len, plane);
                }
            });
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

#[inline(always)]
fn plane_moments<T: Real>(plane: &[T]) -> (f64, f64) {
    let count = plane.len() as f64;
    let [sum] = sums(plane.len(), |i| [plane[i].wide()]);
    let mean = sum / count;
    let [squares] = sums(plane.len(), |i| [(plane[i].wide() - mean) * (plane[i].wide() - mean)]);
    (mean, squares / count)
}

/// A channel's normalisation: `(x - mean) × scale + shift`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Affine {
    pub mean: f64,
    pub scale: f64,
    pub shift: f64,
}

pub(super) fn forward<T: Real>(planes: Planes, x: &[T], affine: &[Affine], after: After) -> Vec<T> {
    planes.write(x.len(), |channel, range, y| {
        let Affine { mean, scale, shift } = affine[channel];
        let (mean, scale, shift) = (T::near(mean), T::near(scale), T::near(shift));
        let normalised = |x: T| (x - mean).mul_add(scale, shift);
        let elements = y.iter_mut().zip(&x[range]);
        match after {
            After::Nothing => elements.for_each(|(y, x)| *y = normalised(*x)),
            // not `max`, which swallows a NaN
            After::Relu => elements.for_each(|(y, x)| {
                let value = normalised(*x);
                *y = if value <= T::zero() { T::zero() } else { value };
            }),
        }
    })
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

/// For each channel `(Σ gradient, Σ gradient × (x - mean))`.
pub(super) fn gradient_sums<T: Real>(planes: Planes, of: Backward<T>, means: &[f64]) -> Vec<(f64, f64)> {
    let of_planes = planes.map(of.x.len(), |channel, range| {
        let (x, y, gradient) = (&of.x[range.clone()], &of.y[range.clone()], &of.gradient[range]);
        let mean = means[channel];
        sums(gradient.len(), |i| {
            let gradient = before(of.after, y[i], gradient[i]).wide();
            [gradient, gradient * (x[i].wide() - mean)]
        })
    });
    let of_channel = |channel: usize| {
        let of_channel = of_planes.iter().skip(channel).step_by(planes.channels);
        of_channel.fold((0.0, 0.0), |sum, of_plane| (sum.0 + of_plane[0], sum.1 + of_plane[1]))
    };
    (0..planes.channels).map(of_channel).collect()
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
    planes.write(of.x.len(), |channel, range, result| {
        let scale = T::near(slopes[channel].scale);
        let (x, y, gradient) = (&of.x[range.clone()], &of.y[range.clone()], &of.gradient[range]);
        let elements = result.iter_mut().zip(y).zip(gradient);
        match slopes[channel].through_statistics {
            None => elements.for_each(|((r, y), g)| *r = before(of.after, *y, *g) * scale),
            Some(ThroughStatistics { mean, slope, offset }) => {
                let (mean, slope, offset) = (T::near(mean), T::near(-slope), T::near(-offset));
                elements.zip(x).for_each(|(((r, y), g), x)| {
                    let direct = before(of.after, *y, *g).mul_add(scale, offset);
                    *r = (*x - mean).mul_add(slope, direct);
                });
            }
        }
    })
}
