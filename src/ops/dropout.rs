//! Inverted dropout.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::real::Real;
use super::storage::{Operand, by_type, values};
use super::vectorized::vectorized;
use crate::base::random::Stream;

/// Sets each element of `x` to zero with probability `rate` (in `0..1`) and divides the others by `1 - rate`. Whether
/// element `i` (row-major) stays is a function of `stream` and `i` alone. Source: Keras' `Dropout` while training.
pub fn dropout(x: &Tensor, rate: f64, stream: &Stream) -> Result<Tensor> {
    if !(0.0..1.0).contains(&rate) {
        bail!("a dropout rate lies in 0..1, got {rate}");
    }
    if rate == 0.0 {
        return Ok(x.clone());
    }
    if x.device().is_cpu() {
        return x.contiguous()?.apply_op1(Dropout(Dropped::new(rate, stream.clone())));
    }
    composed(x, rate, stream)
}

/// The same of Candle's operations.
fn composed(x: &Tensor, rate: f64, stream: &Stream) -> Result<Tensor> {
    let dropped = Dropped::new(rate, stream.clone());
    let mask: Vec<f32> = (0..x.elem_count() as u64).map(|i| dropped.factor(i)).collect();
    x * Tensor::from_vec(mask, x.shape(), x.device())?.to_dtype(x.dtype())?
}

/// What each element is multiplied with.
#[derive(Debug, Clone)]
pub(crate) struct Dropped {
    stream: Stream,
    /// The rate as a part of 2⁵³, rounded up.
    threshold: u64,
    kept: f64,
}

impl Dropped {
    pub fn new(rate: f64, stream: Stream) -> Dropped {
        Dropped { stream, threshold: (rate * (1u64 << 53) as f64).ceil() as u64, kept: 1.0 / (1.0 - rate) }
    }

    /// Multiplies the elements whose counters begin with `first`.
    pub fn apply<T: Real>(&self, first: u64, row: &mut [T]) {
        multiply(self, first, row);
    }

    /// 0 or `1 / (1 - rate)`, for the element at `counter`.
    #[inline(always)]
    fn factor<T: Real>(&self, counter: u64) -> T {
        // what `uniform_at(counter) < rate` says, in whole numbers
        if self.stream.bits_at(counter) >> 11 < self.threshold { T::zero() } else { T::near(self.kept) }
    }
}

/// Its own adjoint.
#[derive(Debug, Clone)]
struct Dropout(Dropped);

impl CustomOp1 for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (dropped, operand) = (&self.0, (x, layout));
        Ok((by_type!(x, forward(dropped, operand))?, layout.shape().clone()))
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        gradient.contiguous()?.apply_op1_no_bwd(self).map(Some)
    }
}

/// Elements that one task takes.
const TASK: usize = 16 * 1024;

fn forward<T: Real>(dropped: &Dropped, x: Operand) -> Result<CpuStorage> {
    let x = values::<T>(x)?;
    let mut y = vec![T::zero(); x.len()];
    y.par_chunks_mut(TASK).zip(x.par_chunks(TASK)).enumerate().for_each(|(task, (y, x))| {
        y.copy_from_slice(x);
        dropped.apply((task * TASK) as u64, y);
    });
    Ok(T::to_cpu_storage_owned(y))
}

/// Times 0 where an element is dropped, so that a NaN stays one.
fn multiply<T: Real>(dropped: &Dropped, first: u64, row: &mut [T]) {
    vectorized(
        #[inline(always)]
        || {
            let dropped = dropped.clone();
            row.iter_mut().zip(first..).for_each(|(element, i)| *element *= dropped.factor(i));
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Purpose;
    use crate::ops::gradient_check::{gradient_check, values};
    use candle_core::{DType, Device};

    fn stream(seed: u64, step: u64, layer: u64) -> Stream {
        Stream::new(seed, Purpose::Dropout, step, layer)
    }

    #[test]
    fn gradient() {
        gradient_check(&[values((4, 6), 1)], |x| dropout(&x[0], 0.4, &stream(1, 2, 3)));
        gradient_check(&[values((4, 6), 1)], |x| dropout(&x[0].t()?, 0.4, &stream(1, 2, 3)));
        gradient_check(&[values((4, 6), 1)], |x| dropout(&x[0], 0.0, &stream(1, 2, 3)));
        gradient_check(&[values((4, 6), 1)], |x| composed(&x[0], 0.4, &stream(1, 2, 3)));
    }

    #[test]
    fn both_homes_drop_the_same() {
        let x = values((5, 4000), 1).to_dtype(DType::F32).unwrap();
        let flat = |x: Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let stream = stream(1, 2, 3);
        assert_eq!(flat(dropout(&x, 0.1, &stream).unwrap()), flat(composed(&x, 0.1, &stream).unwrap()));
        let uniform = |i: usize| if stream.uniform_at(i as u64) < 0.1 { 0.0 } else { 1.0 / 0.9 };
        let one = dropout(&Tensor::ones(5000, DType::F64, &Device::Cpu).unwrap(), 0.1, &stream).unwrap();
        assert_eq!(one.to_vec1::<f64>().unwrap(), (0..5000).map(uniform).collect::<Vec<f64>>());
        let nan = Tensor::full(f32::NAN, 64, &Device::Cpu).unwrap();
        assert!(flat(dropout(&nan, 0.5, &stream).unwrap()).iter().all(|x| x.is_nan()));
    }

    #[test]
    fn a_mask_belongs_to_seed_step_and_layer() {
        let x = Tensor::ones((64, 100), DType::F32, &Device::Cpu).unwrap();
        let mask = |s: Stream| dropout(&x, 0.25, &s).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let first = mask(stream(1, 1, 1));
        assert_eq!(first, mask(stream(1, 1, 1)));
        for other in [stream(2, 1, 1), stream(1, 2, 1), stream(1, 1, 2)] {
            assert_ne!(first, mask(other));
        }
        assert!(first.iter().all(|&v| v == 0.0 || v == 1.0 / 0.75));
        let dropped = first.iter().filter(|&&v| v == 0.0).count();
        assert!((1_450..1_750).contains(&dropped), "{dropped} of 6400");
        assert!(dropout(&x, 1.0, &stream(1, 1, 1)).is_err());
    }
}
