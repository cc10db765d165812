//! What the feature cache keeps: one row for each sample, the input of some layer.

use candle_core::{Device, Tensor};

/// One row for each sample of a side, in their order.
#[derive(Debug)]
pub(super) struct Rows {
    values: Vec<Box<[f32]>>,
    shape: Option<RowShape>,
}

/// The shape of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
enum RowShape {
    /// The same for all.
    Fixed(Vec<usize>),
    /// `[tokens, width]`, each with as many tokens as its text has.
    Tokens { width: usize },
}

impl Rows {
    /// Of `samples` samples, none of which is there yet.
    pub fn empty(samples: usize) -> Rows {
        Rows { values: vec![Box::default(); samples], shape: None }
    }

    /// Puts in the batch `x` of `samples`, without its padding.
    pub fn put(&mut self, samples: &[usize], x: &Tensor, mask: Option<&Tensor>) -> candle_core::Result<()> {
        let of_row = &x.dims()[1..];
        let width: usize = of_row.iter().product();
        let values = x.flatten_all()?.to_vec1::<f32>()?;
        let lengths = match mask {
            // Past the pooling a row is a vector, and has no tokens left.
            Some(mask) if x.rank() == 3 => {
                let tokens = mask.to_vec2::<f32>()?;
                let width = of_row[1];
                self.shape = Some(RowShape::Tokens { width });
                tokens.iter().map(|row| row.iter().filter(|&&token| token > 0.0).count() * width).collect()
            }
            _ => {
                self.shape = Some(RowShape::Fixed(of_row.to_vec()));
                vec![width; samples.len()]
            }
        };
        for ((&sample, row), length) in samples.iter().zip(values.chunks(width.max(1))).zip(lengths) {
            self.values[sample] = row[..length].into();
        }
        Ok(())
    }

    /// The rows of `samples` as `[samples, …]`; where they have tokens, padded to the longest, with their mask.
    pub fn gather(&self, samples: &[usize], device: &Device) -> candle_core::Result<(Tensor, Option<Tensor>)> {
        let rows = || samples.iter().map(|&sample| &*self.values[sample]);
        match &self.shape {
            Some(RowShape::Tokens { width }) => {
                let tokens = rows().map(|row| row.len() / width).max().unwrap_or(0);
                let mut values = vec![0.0; samples.len() * tokens * width];
                let mut mask = vec![0.0f32; samples.len() * tokens];
                for (row, at) in rows().zip(0..) {
                    values[at * tokens * width..][..row.len()].copy_from_slice(row);
                    mask[at * tokens..][..row.len() / width].fill(1.0);
                }
                let x = Tensor::from_vec(values, (samples.len(), tokens, *width), device)?;
                Ok((x, Some(Tensor::from_vec(mask, (samples.len(), tokens), device)?)))
            }
            Some(RowShape::Fixed(of_row)) => {
                let mut values = Vec::with_capacity(samples.len() * of_row.iter().product::<usize>());
                rows().for_each(|row| values.extend_from_slice(row));
                let shape: Vec<usize> = [&[samples.len()], of_row.as_slice()].concat();
                Ok((Tensor::from_vec(values, shape, device)?, None))
            }
            None => candle_core::bail!("no features were computed"),
        }
    }

    #[cfg(test)]
    pub fn values(&self) -> Vec<f32> {
        self.values.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(values: &[f32], shape: &[usize]) -> Tensor {
        Tensor::from_slice(values, shape, &Device::Cpu).unwrap()
    }

    fn flat(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn rows_come_back_in_any_order_and_batch() {
        let mut rows = Rows::empty(3);
        rows.put(&[2, 0], &tensor(&[1.0, 2.0, 3.0, 4.0], &[2, 2]), None).unwrap();
        rows.put(&[1], &tensor(&[5.0, 6.0], &[1, 2]), None).unwrap();
        let (x, mask) = rows.gather(&[1, 2, 0], &Device::Cpu).unwrap();
        assert_eq!((flat(&x), mask.is_none()), (vec![5.0, 6.0, 1.0, 2.0, 3.0, 4.0], true));
        assert!(Rows::empty(1).gather(&[0], &Device::Cpu).is_err());
    }

    #[test]
    fn tokens_lose_their_padding_and_get_that_of_their_new_batch() {
        let mut rows = Rows::empty(3);
        let x: Vec<f32> = (0..12).map(|n| n as f32).collect();
        let mask = tensor(&[1.0, 0.0, 0.0, 1.0, 1.0, 0.0], &[2, 3]);
        rows.put(&[0, 1], &tensor(&x, &[2, 3, 2]), Some(&mask)).unwrap();
        rows.put(&[2], &tensor(&x[..4], &[1, 2, 2]), Some(&tensor(&[1.0, 1.0], &[1, 2]))).unwrap();
        let (x, mask) = rows.gather(&[0, 1], &Device::Cpu).unwrap();
        assert_eq!(x.dims(), [2, 2, 2]);
        assert_eq!(flat(&x), [0.0, 1.0, 0.0, 0.0, 6.0, 7.0, 8.0, 9.0]);
        assert_eq!(flat(&mask.unwrap()), [1.0, 0.0, 1.0, 1.0]);
    }
}
