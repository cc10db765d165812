//! Pooling over the tokens of a text.

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::real::Real;
use super::storage::{Operand, by_type, values};
use super::vectorized::vectorized;

/// The mean of `x` `[batch, tokens, hidden]` over the tokens where `mask` `[batch, tokens]` is 1 (not 0, padding); gives
/// `[batch, hidden]`, zeros where there is no token. Source: sentence-transformers' mean pooling.
///
/// # Errors
/// Where the shapes do not fit.
pub fn masked_mean(x: &Tensor, mask: &Tensor) -> Result<Tensor> {
    let (batch, tokens, hidden) = x.dims3()?;
    if mask.dims() != [batch, tokens] {
        bail!("the mean over {batch} × {tokens} tokens got a mask of {:?}", mask.dims());
    }
    if !x.device().is_cpu() || x.elem_count() == 0 {
        return composed(x, mask);
    }
    let shares = mask.to_dtype(DType::F64)?.to_vec2::<f64>()?.into_iter().flat_map(shares).collect();
    x.contiguous()?.apply_op1(MaskedMean { shares, batch, tokens, hidden })
}

/// What part of the mean each token is.
fn shares(mask: Vec<f64>) -> Vec<f64> {
    let count: f64 = mask.iter().sum();
    let count = if count == 0.0 { 1.0 } else { count };
    mask.into_iter().map(|mask| mask / count).collect()
}

/// The same of Candle's operations.
fn composed(x: &Tensor, mask: &Tensor) -> Result<Tensor> {
    let mask = mask.detach().to_dtype(x.dtype())?.unsqueeze(2)?;
    let count = mask.sum(1)?;
    let count = (&count + count.eq(0.0)?.to_dtype(count.dtype())?)?;
    x.broadcast_mul(&mask)?.sum(1)?.broadcast_div(&count)
}

#[derive(Debug, Clone)]
struct MaskedMean {
    /// `[batch, tokens]`
    shares: Vec<f64>,
    batch: usize,
    tokens: usize,
    hidden: usize,
}

impl CustomOp1 for MaskedMean {
    fn name(&self) -> &'static str {
        "masked-mean"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (mean, operand) = (self, (x, layout));
        Ok((by_type!(x, forward(mean, operand))?, Shape::from((self.batch, self.hidden))))
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        gradient.contiguous()?.apply_op1_no_bwd(&MaskedMeanGradient(self.clone())).map(Some)
    }
}

fn forward<T: Real>(mean: &MaskedMean, x: Operand) -> Result<CpuStorage> {
    let MaskedMean { shares, batch, tokens, hidden } = mean;
    let x = values::<T>(x)?;
    let mut y = vec![T::zero(); batch * hidden];
    let texts = y.par_chunks_exact_mut(*hidden).zip(x.par_chunks_exact(tokens * hidden));
    texts.zip(shares.par_chunks_exact(*tokens)).for_each(|((y, x), shares)| {
        x.chunks_exact(*hidden).zip(shares).for_each(|(x, share)| add_share(x, T::near(*share), y));
    });
    Ok(T::to_cpu_storage_owned(y))
}

/// Also that of padding, whose zero is no way around a NaN.
fn add_share<T: Real>(x: &[T], share: T, y: &mut [T]) {
    vectorized(
        #[inline(always)]
        || {
            for (y, x) in y.iter_mut().zip(x) {
                *y = x.mul_add(share, *y);
            }
        },
    )
}

/// Gradient of the result → gradient of the input.
struct MaskedMeanGradient(MaskedMean);

impl CustomOp1 for MaskedMeanGradient {
    fn name(&self) -> &'static str {
        "masked-mean-gradient"
    }

    fn cpu_fwd(&self, g: &CpuStorage, gl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (mean, gradient) = (&self.0, (g, gl));
        Ok((by_type!(g, backward(mean, gradient))?, Shape::from((mean.batch, mean.tokens, mean.hidden))))
    }
}

fn backward<T: Real>(mean: &MaskedMean, gradient: Operand) -> Result<CpuStorage> {
    let MaskedMean { shares, batch, tokens, hidden } = mean;
    let gradient = values::<T>(gradient)?;
    let mut result = vec![T::zero(); batch * tokens * hidden];
    let texts = result.par_chunks_exact_mut(tokens * hidden).zip(gradient.par_chunks_exact(*hidden));
    texts.zip(shares.par_chunks_exact(*tokens)).for_each(|((result, gradient), shares)| {
        for (result, share) in result.chunks_exact_mut(*hidden).zip(shares) {
            let share = T::near(*share);
            result.iter_mut().zip(gradient).for_each(|(result, gradient)| *result = *gradient * share);
        }
    });
    Ok(T::to_cpu_storage_owned(result))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::gradient_check::{gradient_check, relative_error, values};
    use candle_core::Device;

    fn mask() -> Tensor {
        Tensor::new(&[[1.0f32, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0]], &Device::Cpu).unwrap()
    }

    #[test]
    fn gradients_in_both_homes() {
        let x = [values((3, 4, 5), 1)];
        gradient_check(&x, |x| masked_mean(&x[0], &mask()));
        gradient_check(&x, |x| composed(&x[0], &mask()));
        gradient_check(&[values((5, 4, 3), 1)], |x| masked_mean(&x[0].permute((2, 1, 0))?, &mask())?.t());
    }

    #[test]
    fn padding_has_no_part_in_the_mean() {
        let x = values((3, 4, 5), 1);
        let ours = masked_mean(&x, &mask()).unwrap();
        assert!(relative_error(&ours, &composed(&x, &mask()).unwrap()) < 1e-15);
        let rows = ours.to_vec2::<f64>().unwrap();
        let x = x.to_vec3::<f64>().unwrap();
        assert!((rows[0][2] - (x[0][0][2] + x[0][1][2] + x[0][2][2]) / 3.0).abs() < 1e-15);
        assert!((rows[2][4] - (x[2][0][4] + x[2][2][4]) / 2.0).abs() < 1e-15);
        assert_eq!(rows[1], [0.0; 5], "no token, no NaN");
        assert!(masked_mean(&values((3, 3, 5), 1), &mask()).is_err());
    }

    #[test]
    fn a_nan_stays_one() {
        let x = Tensor::full(f32::NAN, (3, 4, 1), &Device::Cpu).unwrap();
        assert!(masked_mean(&x, &mask()).unwrap().to_vec2::<f32>().unwrap().iter().all(|row| row[0].is_nan()));
    }
}
