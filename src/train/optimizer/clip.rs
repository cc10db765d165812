//! Clipping by global norm: Keras' `global_clipnorm`, PyTorch's `clip_grad_norm_` (Pascanu et al. 2013).

use candle_core::{Result, Storage, Tensor};
use rayon::prelude::*;

/// Values that are summed up at a time. Fixed, so that the sum does not depend on the number of threads.
const CHUNK: usize = 1 << 16;

/// The Euclidean norm of all `gradients` together; on the CPU summed up in f64 and in their order.
pub fn norm<'a>(gradients: impl IntoIterator<Item = &'a Tensor>) -> Result<f64> {
    let squares: f64 = gradients.into_iter().map(squares).sum::<Result<f64>>()?;
    Ok(squares.sqrt())
}

/// What gradients of this `norm` are multiplied by so that it is `most` at most.
pub fn scale(norm: f64, most: f64) -> f64 {
    (most / (norm + 1e-6)).min(1.0)
}

fn squares(gradient: &Tensor) -> Result<f64> {
    let gradient = gradient.contiguous()?;
    if !gradient.device().is_cpu() {
        // f64 is not everywhere
        return gradient.sqr()?.sum_all()?.to_scalar::<f32>().map(f64::from);
    }
    let (storage, layout) = gradient.storage_and_layout();
    match (&*storage, layout.contiguous_offsets()) {
        (Storage::Cpu(storage), Some((from, to))) => {
            let values = &storage.as_slice::<f32>()?[from..to];
            let partial: Vec<f64> = values.par_chunks(CHUNK).map(squares_of).collect();
            Ok(partial.into_iter().sum())
        }
        _ => candle_core::bail!("the norm takes gradients in a row"),
    }
}

fn squares_of(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value) * f64::from(value)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    fn tensor(values: &[f32]) -> Tensor {
        Tensor::from_slice(values, values.len(), &Device::Cpu).unwrap()
    }

    #[test]
    fn the_norm_is_that_of_all_together() {
        assert_eq!(norm([&tensor(&[3.0]), &tensor(&[0.0, 4.0])]).unwrap(), 5.0);
        assert!(norm([&tensor(&[1.0]), &tensor(&[f32::NAN])]).unwrap().is_nan());
        let transposed = Tensor::new(&[[1f32, 2.0], [2.0, 4.0]], &Device::Cpu).unwrap().t().unwrap();
        assert_eq!(norm([&transposed]).unwrap(), 5.0);
    }

    /// An f32 sum would stop to grow at 2^24.
    #[test]
    fn large_tensors_are_summed_up_in_f64() {
        let count = (1 << 24) + 3 * CHUNK;
        let ones = Tensor::ones(count, DType::F32, &Device::Cpu).unwrap();
        assert_eq!(norm([&ones]).unwrap(), (count as f64).sqrt());
    }

    #[test]
    fn only_longer_gradients_are_shortened() {
        assert_eq!(scale(0.5, 1.0), 1.0);
        assert_eq!(scale(0.0, 1e-3), 1.0);
        assert!((scale(4.0, 1.0) - 0.25).abs() < 1e-6);
    }
}
