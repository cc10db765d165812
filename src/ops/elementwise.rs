//! Functions of one or two elements, over whole tensors.

use rayon::prelude::*;

use super::real::Real;
use super::vectorized::vectorized;

/// Elements that one task takes; small tensors stay on their thread.
const TASK: usize = 32 * 1024;

/// `f` of every element; it must be small, or its parts `#[inline(always)]`, to vectorise.
pub(crate) fn map<T: Real>(x: &[T], f: impl Fn(T) -> T + Copy + Sync) -> Vec<T> {
    let mut result = vec![T::zero(); x.len()];
    result.par_chunks_mut(TASK).zip(x.par_chunks(TASK)).for_each(|(result, x)| of_each(x, f, result));
    result
}

/// `f` of every pair of elements; it must be small, or its parts `#[inline(always)]`, to vectorise.
pub(crate) fn map_pairs<T: Real>(a: &[T], b: &[T], f: impl Fn(T, T) -> T + Copy + Sync) -> Vec<T> {
    let mut result = vec![T::zero(); a.len()];
    let tasks = result.par_chunks_mut(TASK).zip(a.par_chunks(TASK)).zip(b.par_chunks(TASK));
    tasks.for_each(|((result, a), b)| of_each_pair(a, b, f, result));
    result
}

fn of_each<T: Real, F: Fn(T) -> T>(x: &[T], f: F, result: &mut [T]) {
    vectorized(
        #[inline(always)]
        || {
            for (result, x) in result.iter_mut().zip(x) {
                *result = f(*x);
            }
        },
    )
}

fn of_each_pair<T: Real, F: Fn(T, T) -> T>(a: &[T], b: &[T], f: F, result: &mut [T]) {
    vectorized(
        #[inline(always)]
        || {
            for (result, (a, b)) in result.iter_mut().zip(a.iter().zip(b)) {
                *result = f(*a, *b);
            }
        },
    )
}
