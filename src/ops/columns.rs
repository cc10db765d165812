//! Sums over all rows: the gradients of what every row shares.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape};
use rayon::prelude::*;

use super::real::Real;
use super::storage::{Operand, by_type, values};
use super::vectorized::vectorized;

/// Sums go over at most this many groups of rows, then over the groups: a number that no machine's core count changes.
const GROUPS: usize = 32;
/// Rows of a group at least.
const ROWS: usize = 16;

/// `add(row, sums)` for each of `rows` rows onto `len` sums that start at 0.
pub(crate) fn over_rows<T: Real>(rows: usize, len: usize, add: impl Fn(usize, &mut [T]) + Sync) -> Vec<T> {
    let group = rows.div_ceil(GROUPS).max(ROWS);
    let of_group = |index: usize| {
        let mut sums = vec![T::zero(); len];
        (index * group..rows.min((index + 1) * group)).for_each(|row| add(row, &mut sums));
        sums
    };
    let groups: Vec<Vec<T>> = (0..rows.div_ceil(group)).into_par_iter().map(of_group).collect();
    let mut total = vec![T::zero(); len];
    for sums in groups {
        total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
    }
    total
}

/// `[…, columns]` → `[columns]`, on the CPU.
pub(crate) struct ColumnSums;

impl CustomOp1 for ColumnSums {
    fn name(&self) -> &'static str {
        "column-sums"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout) -> Result<(CpuStorage, Shape)> {
        let columns = xl.dims().last().copied().unwrap_or(1);
        let operand = (x, xl);
        Ok((by_type!(x, column_sums(columns, operand))?, Shape::from(columns)))
    }
}

fn column_sums<T: Real>(columns: usize, x: Operand) -> Result<CpuStorage> {
    let x = values::<T>(x)?;
    let add = |row: usize, sums: &mut [T]| add_row(&x[row * columns..][..columns], sums);
    Ok(T::to_cpu_storage_owned(over_rows(x.len() / columns, columns, add)))
}

fn add_row<T: Real>(row: &[T], sums: &mut [T]) {
    vectorized(
        #[inline(always)]
        || {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += *x;
            }
        },
    )
}
