//! Joining feature maps.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, WithDType, bail};
use rayon::prelude::*;

use super::storage::{Operand, by_type, values};

/// The channels of `a` `[batch, channels, height, width]`, then those of `b`. As `Tensor::cat` along 1, on threads, and
/// with a gradient that lies in a row (Candle's is two views, which every later sum reads slowly).
pub fn concat_channels(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let ((batch, _, height, width), other) = (a.dims4()?, b.dims4()?);
    if (batch, height, width) != (other.0, other.2, other.3) {
        bail!("feature maps of {:?} and {:?} cannot be joined", a.dims(), b.dims());
    }
    if !a.device().is_cpu() || a.elem_count() == 0 || b.elem_count() == 0 {
        return Tensor::cat(&[a, b], 1);
    }
    a.contiguous()?.apply_op2(&b.contiguous()?, Concat)
}

struct Concat;

impl CustomOp2 for Concat {
    fn name(&self) -> &'static str {
        "concat-channels"
    }

    fn cpu_fwd(&self, a: &CpuStorage, al: &Layout, b: &CpuStorage, bl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, channels, height, width) = al.shape().dims4()?;
        let (first, second) = ((a, al), (b, bl));
        Ok((by_type!(a, join(batch, first, second))?, Shape::from((batch, channels + bl.dims()[1], height, width))))
    }

    fn bwd(&self, a: &Tensor, b: &Tensor, _y: &Tensor, gradient: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let part = |of: &Tensor, first| {
            let part = Channels { first, shape: of.shape().clone() };
            of.track_op().then(|| gradient.apply_op1_no_bwd(&part)).transpose()
        };
        Ok((part(a, 0)?, part(b, a.dim(1)?)?))
    }
}

fn join<T: WithDType>(batch: usize, a: Operand, b: Operand) -> Result<CpuStorage> {
    let (a, b) = (values::<T>(a)?, values::<T>(b)?);
    let (of_a, of_b) = (a.len() / batch, b.len() / batch);
    let mut joined = vec![T::zero(); a.len() + b.len()];
    let samples = joined.par_chunks_exact_mut(of_a + of_b).zip(a.par_chunks_exact(of_a)).zip(b.par_chunks_exact(of_b));
    samples.for_each(|((joined, a), b)| {
        joined[..of_a].copy_from_slice(a);
        joined[of_a..].copy_from_slice(b);
    });
    Ok(T::to_cpu_storage_owned(joined))
}

/// The channels from `first` on, as many as `shape` has.
struct Channels {
    first: usize,
    shape: Shape,
}

impl CustomOp1 for Channels {
    fn name(&self) -> &'static str {
        "channels"
    }

    fn cpu_fwd(&self, g: &CpuStorage, gl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (part, operand) = (self, (g, gl));
        Ok((by_type!(g, cut(part, operand))?, self.shape.clone()))
    }
}

fn cut<T: WithDType>(part: &Channels, whole: Operand) -> Result<CpuStorage> {
    let (batch, channels, height, width) = part.shape.dims4()?;
    let whole = values::<T>(whole)?;
    let (start, len) = (part.first * height * width, channels * height * width);
    let mut cut = vec![T::zero(); batch * len];
    let samples = cut.par_chunks_exact_mut(len).zip(whole.par_chunks_exact(whole.len() / batch));
    samples.for_each(|(cut, whole)| cut.copy_from_slice(&whole[start..start + len]));
    Ok(T::to_cpu_storage_owned(cut))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::gradient_check::{gradient_check, values};

    #[test]
    fn gradient_and_value() {
        for (a, b) in [((2, 3, 4, 5), (2, 1, 4, 5)), ((1, 1, 1, 1), (1, 2, 1, 1)), ((3, 2, 7, 1), (3, 4, 7, 1))] {
            let maps = [values(a, 1), values(b, 2)];
            gradient_check(&maps, |x| concat_channels(&x[0], &x[1]));
            let (ours, candles) = (concat_channels(&maps[0], &maps[1]).unwrap(), Tensor::cat(&maps, 1).unwrap());
            let flat = |t: Tensor| t.flatten_all().unwrap().to_vec1::<f64>().unwrap();
            assert_eq!((ours.dims(), flat(ours.clone())), (candles.dims(), flat(candles.clone())));
        }
        assert!(concat_channels(&values((1, 2, 3, 3), 1), &values((1, 2, 3, 4), 1)).is_err());
    }
}
