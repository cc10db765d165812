//! Convolution by [`im2col`] over a batch: samples on threads, sums in an order of their own.

use candle_core::WithDType;
use rayon::prelude::*;

use super::{After, Case, im2col};
use crate::ops::Scratch;

/// `[batch, out, height', width']` from input, weight and bias.
pub(super) fn forward<T: WithDType>(case: &Case, x: &[T], weight: &[T], bias: Option<&[T]>, after: After) -> Vec<T> {
    let mut y = vec![T::zero(); case.batch * case.output_len()];
    let samples = y.par_chunks_exact_mut(case.output_len()).zip(x.par_chunks_exact(case.input_len()));
    samples.for_each(|(y, x)| {
        im2col::forward(&case.window, x, weight, y);
        for (out, plane) in y.chunks_exact_mut(case.window.output_len()).enumerate() {
            let bias = bias.map_or(T::zero(), |bias| bias[out]);
            match after {
                After::Nothing => plane.iter_mut().for_each(|y| *y += bias),
                // not `max`, which swallows a NaN
                After::Relu => plane.iter_mut().for_each(|y| {
                    let sum = *y + bias;
                    *y = if sum <= T::zero() { T::zero() } else { sum };
                }),
            }
        }
    });
    y
}

/// The gradient of the input from that of the result.
pub(super) fn input_gradient<T: WithDType>(case: &Case, gradient: &[T], weight: &[T]) -> Vec<T> {
    let mut planes = vec![T::zero(); case.batch * case.input_len()];
    let samples = planes.par_chunks_exact_mut(case.input_len()).zip(gradient.par_chunks_exact(case.output_len()));
    samples.for_each(|(planes, gradient)| im2col::input_gradient(&case.window, gradient, weight, planes));
    planes
}

/// Sums go over this many groups of samples, then over the groups: a number that no machine's core count changes.
const GROUPS: usize = 8;

/// The most that one of the functions here takes: the columns of a sample on each thread, and sums for each group.
pub(super) fn scratch(case: &Case) -> Scratch {
    let columns = case.channels * case.window.taps() * case.window.output_len();
    Scratch {
        shared: (GROUPS.min(case.batch) + 1) * case.weight_len(),
        per_thread: if case.window.is_pointwise() { 0 } else { columns },
    }
}

/// The gradient of the weight from that of the result.
pub(super) fn weight_gradient<T: WithDType>(case: &Case, x: &[T], gradient: &[T]) -> Vec<T> {
    let group = case.batch.div_ceil(GROUPS);
    let of_group = |(x, gradient): (&[T], &[T])| {
        let mut sum = vec![T::zero(); case.weight_len()];
        let samples = x.chunks_exact(case.input_len()).zip(gradient.chunks_exact(case.output_len()));
        samples.for_each(|(x, gradient)| im2col::add_weight_gradient(&case.window, x, gradient, &mut sum));
        sum
    };
    let groups = x.par_chunks(group * case.input_len()).zip(gradient.par_chunks(group * case.output_len()));
    let sums: Vec<Vec<T>> = groups.map(of_group).collect();
    let mut total = vec![T::zero(); case.weight_len()];
    for sum in sums {
        total.iter_mut().zip(sum).for_each(|(t, s)| *t += s);
    }
    total
}

/// The gradient of the bias from that of the result.
pub(super) fn bias_gradient<T: WithDType>(case: &Case, gradient: &[T]) -> Vec<T> {
    let of_channel = |out: usize| {
        let planes = gradient.chunks_exact(case.window.output_len()).skip(out).step_by(case.out);
        planes.fold(T::zero(), |sum, plane| sum + plane_sum(plane))
    };
    (0..case.out).into_par_iter().with_min_len(16).map(of_channel).collect()
}

/// Sums in sixteen lanes, so that it vectorises and rounds less.
fn plane_sum<T: WithDType>(plane: &[T]) -> T {
    let mut lanes = [T::zero(); 16];
    let chunks = plane.chunks_exact(16);
    let rest = chunks.remainder().iter().fold(T::zero(), |sum, v| sum + *v);
    chunks.for_each(|chunk| lanes.iter_mut().zip(chunk).for_each(|(lane, v)| *lane += *v));
    lanes.into_iter().fold(rest, |sum, v| sum + v)
}
