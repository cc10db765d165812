//! The matrix product of slices: the one place that calls into `gemm` (the very copy that Candle multiplies with).
//!
//! Invariant: no pointer leaves the slices; sizes are checked against them before each call.

use candle_core::WithDType;

/// A row-major matrix as it lies in memory, or its transpose.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Matrix<'a, T> {
    /// `rows × columns` from `columns` values a row.
    Plain(&'a [T]),
    /// The transpose of a matrix in memory: row `r`, column `c` lies at `c × rows + r`.
    Transposed(&'a [T]),
}

impl<'a, T> Matrix<'a, T> {
    /// The values, and the distances between neighbours in a column and in a row.
    fn strided(self, rows: usize, columns: usize) -> (&'a [T], usize, usize) {
        match self {
            Matrix::Plain(values) => (values, columns, 1),
            Matrix::Transposed(values) => (values, 1, rows),
        }
    }
}

/// What happens to what already stands in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Into {
    /// It is overwritten, unread.
    Fresh,
    /// It is added to.
    Sum,
}

/// `result = left × right` or `result += left × right`, with `left` of `m × k`, `right` of `k × n` and a row-major
/// result of `m × n`, on the calling thread.
pub(crate) fn product<T: WithDType>(
    (m, k, n): (usize, usize, usize),
    left: Matrix<'_, T>,
    right: Matrix<'_, T>,
    result: &mut [T],
    into: Into,
) {
    let (left, left_row, left_column) = left.strided(m, k);
    let (right, right_row, right_column) = right.strided(k, n);
    assert!(left.len() == m * k && right.len() == k * n && result.len() == m * n, "matrix sizes do not match");
    // SAFETY: the strides visit each of the m×k, k×n and m×n elements once, and the slices were just found to have
    // exactly that many; `result` is borrowed mutably, so it overlaps neither factor.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            result.as_mut_ptr(),
            1,
            n as isize,
            into == Into::Sum,
            left.as_ptr(),
            left_column as isize,
            left_row as isize,
            right.as_ptr(),
            right_column as isize,
            right_row as isize,
            T::one(),
            T::one(),
            false,
            false,
            false,
            gemm::Parallelism::None,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plainly(
        (m, k, n): (usize, usize, usize),
        a: impl Fn(usize, usize) -> f64,
        b: impl Fn(usize, usize) -> f64,
    ) -> Vec<f64> {
        let at = |i: usize| (0..k).map(|l| a(i / n, l) * b(l, i % n)).sum();
        (0..m * n).map(at).collect()
    }

    #[test]
    fn agrees_with_three_loops_in_every_orientation() {
        for (m, k, n) in [(1, 1, 1), (3, 5, 7), (16, 9, 33), (65, 40, 17)] {
            let a: Vec<f64> = (0..m * k).map(|i| (i as f64 * 0.7).sin()).collect();
            let b: Vec<f64> = (0..k * n).map(|i| (i as f64 * 0.3).cos()).collect();
            for (at, bt) in [(false, false), (true, false), (false, true), (true, true)] {
                let wanted = plainly(
                    (m, k, n),
                    |r, c| if at { a[c * m + r] } else { a[r * k + c] },
                    |r, c| if bt { b[c * k + r] } else { b[r * n + c] },
                );
                let left = if at { Matrix::Transposed(&a[..]) } else { Matrix::Plain(&a[..]) };
                let right = if bt { Matrix::Transposed(&b[..]) } else { Matrix::Plain(&b[..]) };
                let mut result = vec![1.0; m * n];
                product((m, k, n), left, right, &mut result, Into::Sum);
                assert!(result.iter().zip(&wanted).all(|(r, w)| (r - 1.0 - w).abs() < 1e-12), "sum {m} {k} {n}");
                result.fill(f64::NAN);
                product((m, k, n), left, right, &mut result, Into::Fresh);
                assert!(result.iter().zip(&wanted).all(|(r, w)| (r - w).abs() < 1e-12), "fresh {m} {k} {n}");
            }
        }
    }
}
