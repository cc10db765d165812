//! Functions of one or two elements, over whole tensors.

use rayon::prelude::*;

use super::real::Real;
use super::vectorized::vectorized;

/// Elements that one task takes; small tensors stay on their thread.
const TASK: usize = 32 * 1024;

/// `f` of every element; it must inline to vectorise.
pub(crate) fn map<T: Real>(x: &[T], f: impl Fn(T) -> T + Sync) -> Vec<T> {
    let mut result = vec![T::zero(); x.len()];
    result.par_chunks_mut(TASK).zip(x.par_chunks(TASK)).for_each(|(result, x)| {
        vectorized(|| result.iter_mut().zip(x).for_each(|(result, x)| *result = f(*x)));
    });
    result
}

/// `f` of every pair of elements; it must inline to vectorise.
pub(crate) fn map_pairs<T: Real>(a: &[T], b: &[T], f: impl Fn(T, T) -> T + Sync) -> Vec<T> {
    let mut result = vec![T::zero(); a.len()];
    let tasks = result.par_chunks_mut(TASK).zip(a.par_chunks(TASK)).zip(b.par_chunks(TASK));
    tasks.for_each(|((result, a), b)| {
        vectorized(|| {
            let pairs = a.iter().zip(b);
            result.iter_mut().zip(pairs).for_each(|(result, (a, b))| *result = f(*a, *b));
        });
    });
    result
}
