//! Inverted dropout.

use candle_core::{Result, Tensor, bail};

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
    let kept = 1.0 / (1.0 - rate);
    let factor = |i: u64| if stream.uniform_at(i) < rate { 0.0 } else { kept as f32 };
    let mask: Vec<f32> = (0..x.elem_count() as u64).map(factor).collect();
    x * Tensor::from_vec(mask, x.shape(), x.device())?.to_dtype(x.dtype())?
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
        gradient_check(&[values((4, 6), 1)], |x| dropout(&x[0], 0.0, &stream(1, 2, 3)));
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
