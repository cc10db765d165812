//! The matrix product of slices: the one place that calls into `gemm` (the very copy that Candle multiplies with).
//!
//! Invariant: no pointer leaves the slices; sizes are checked against them before each call.

use candle_core::WithDType;

/// A matrix in a slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    values: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// Row after row, without gaps; the rows follow from the length.
    pub fn new(values: &'a [T], columns: usize) -> Self {
        let rows = values.len() / columns;
        Matrix::strided(values, rows, columns, columns)
    }

    /// `rows` rows that start `row_stride` values apart.
    pub fn strided(values: &'a [T], rows: usize, columns: usize, row_stride: usize) -> Self {
        Matrix { values, rows, columns, row_stride, column_stride: 1 }
    }

    /// Rows as columns, without moving a value.
    pub fn transposed(self) -> Self {
        let Matrix { values, rows, columns, row_stride, column_stride } = self;
        Matrix { values, rows: columns, columns: rows, row_stride: column_stride, column_stride: row_stride }
    }

    /// The values that a product with these sizes visits: not one of them lies outside of the slice, or this fails as any
    /// index out of range does.
    fn visited(&self, rows: usize, columns: usize) -> &'a [T] {
        debug_assert!((rows, columns) == (self.rows, self.columns), "matrix sizes do not match");
        let last = rows.saturating_sub(1) * self.row_stride + columns.saturating_sub(1) * self.column_stride;
        &self.values[..=last]
    }
}

/// What happens to what already stands in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Onto {
    /// It is overwritten, unread.
    Fresh,
    /// It is added to.
    Sum,
}

/// `result = left × right` or `result += left × right`, row-major without gaps, on the calling thread. An element's sum
/// has an order that does not depend on how many rows or columns there are beside it.
pub(crate) fn product<T: WithDType>(left: Matrix<'_, T>, right: Matrix<'_, T>, result: &mut [T], onto: Onto) {
    multiply(left, right, result, onto, gemm::Parallelism::None);
}

/// [`product`] on all threads of the pool, which share out the elements of the result, never an element's sum.
pub(crate) fn product_on_threads<T: WithDType>(
    left: Matrix<'_, T>,
    right: Matrix<'_, T>,
    result: &mut [T],
    onto: Onto,
) {
    multiply(left, right, result, onto, gemm::Parallelism::Rayon(0));
}

fn multiply<T: WithDType>(
    left: Matrix<'_, T>,
    right: Matrix<'_, T>,
    result: &mut [T],
    onto: Onto,
    parallelism: gemm::Parallelism,
) {
    let (m, k, n) = (left.rows, left.columns, right.columns);
    debug_assert!(result.len() == m * n, "matrix sizes do not match");
    let (result, left_values, right_values) = (&mut result[..m * n], left.visited(m, k), right.visited(k, n));
    // SAFETY: the three slices were just cut to the m×k, k×n and m×n elements that these strides visit; `result` is
    // borrowed mutably, so it overlaps neither factor.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            result.as_mut_ptr(),
            1,
            n as isize,
            onto == Onto::Sum,
            left_values.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right_values.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            T::one(),
            T::one(),
            false,
            false,
            false,
            parallelism,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plainly(
        m: usize,
        k: usize,
        n: usize,
        a: impl Fn(usize, usize) -> f64,
        b: impl Fn(usize, usize) -> f64,
    ) -> Vec<f64> {
        (0..m * n).map(|i| (0..k).map(|l| a(i / n, l) * b(l, i % n)).sum()).collect()
    }

    #[test]
    fn agrees_with_three_loops_in_every_orientation() {
        for (m, k, n) in [(1, 1, 1), (3, 5, 7), (16, 9, 33), (65, 40, 17)] {
            let gap = 3;
            let a: Vec<f64> = (0..m.max(k) * (m.max(k) + gap)).map(|i| (i as f64 * 0.7).sin()).collect();
            let b: Vec<f64> = (0..k * n).map(|i| (i as f64 * 0.3).cos()).collect();
            for (at, bt) in [(false, false), (true, false), (false, true), (true, true)] {
                let wanted = plainly(
                    m,
                    k,
                    n,
                    |r, c| if at { a[c * (m + gap) + r] } else { a[r * (k + gap) + c] },
                    |r, c| if bt { b[c * k + r] } else { b[r * n + c] },
                );
                let left = if at {
                    Matrix::strided(&a, k, m, m + gap).transposed()
                } else {
                    Matrix::strided(&a, m, k, k + gap)
                };
                let right = if bt { Matrix::new(&b, k).transposed() } else { Matrix::new(&b, n) };
                let mut result = vec![1.0; m * n];
                product(left, right, &mut result, Onto::Sum);
                assert!(result.iter().zip(&wanted).all(|(r, w)| (r - 1.0 - w).abs() < 1e-12), "sum {m} {k} {n}");
                result.fill(f64::NAN);
                product(left, right, &mut result, Onto::Fresh);
                assert!(result.iter().zip(&wanted).all(|(r, w)| (r - w).abs() < 1e-12), "fresh {m} {k} {n}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "out of range")]
    fn a_matrix_that_reaches_out_is_refused() {
        let values = [0.0f32; 8];
        product(Matrix::strided(&values, 3, 2, 4), Matrix::new(&values[..4], 2), &mut [0.0; 6], Onto::Fresh);
    }
}
