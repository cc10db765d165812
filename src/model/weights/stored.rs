//! A tensor where it lies: in a file, or in the program. Nothing of it is read before it is asked for.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use half::{bf16, f16};

/// Bytes that tensors lie in.
#[derive(Debug, Clone)]
pub(crate) enum Bytes {
    File(Arc<File>),
    BuiltIn(&'static [u8]),
}

/// What the numbers of a tensor are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    F32,
    F16,
    BF16,
    F64,
    /// No floating-point number: a count of batches, an index of positions.
    Other,
}

impl Number {
    /// Bytes of one; 0 of others, which are not read.
    fn size(self) -> usize {
        match self {
            Number::F16 | Number::BF16 => 2,
            Number::F32 => 4,
            Number::F64 => 8,
            Number::Other => 0,
        }
    }
}

/// A tensor with its shape, and where its numbers are.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub shape: Vec<usize>,
    pub number: Number,
    bytes: Bytes,
    /// Of the first number, in bytes.
    start: u64,
    /// Numbers from one to the next along each axis; None where they lie in a row.
    strides: Option<Vec<usize>>,
}

impl Stored {
    /// One that lies in a row from byte `start` on.
    pub fn in_a_row(bytes: Bytes, start: u64, number: Number, shape: Vec<usize>) -> Stored {
        Stored { shape, number, bytes, start, strides: None }
    }

    /// One whose numbers lie `strides` apart, of the same rank as `shape`.
    pub fn strided(bytes: Bytes, start: u64, number: Number, shape: Vec<usize>, strides: Vec<usize>) -> Stored {
        let strides = (strides != row_major(&shape)).then_some(strides);
        Stored { shape, number, bytes, start, strides }
    }

    /// A kernel `[height, width, in, out]`, as TensorFlow has it, as `[out, in, height, width]`.
    pub fn into_kernel_of_torch(self) -> Stored {
        const ORDER: [usize; 4] = [3, 2, 0, 1];
        if self.shape.len() != ORDER.len() {
            return self;
        }
        let strides = self.strides.unwrap_or_else(|| row_major(&self.shape));
        Stored {
            shape: ORDER.map(|axis| self.shape[axis]).to_vec(),
            strides: Some(ORDER.map(|axis| strides[axis]).to_vec()),
            ..self
        }
    }

    /// Its numbers as f32 on the CPU.
    ///
    /// # Errors
    /// Where they cannot be read, or are no floating-point numbers.
    pub fn read(&self) -> Result<Tensor, candle_core::Error> {
        let values = match &self.strides {
            None => self.numbers(self.shape.iter().product())?,
            Some(strides) => gathered(&self.numbers(span(&self.shape, strides))?, &self.shape, strides),
        };
        Tensor::from_vec(values, self.shape.as_slice(), &Device::Cpu)
    }

    fn numbers(&self, count: usize) -> Result<Vec<f32>, candle_core::Error> {
        let bytes = self.bytes.range(self.start, count * self.number.size())?;
        Ok(match self.number {
            Number::F32 => each(&bytes, f32::from_le_bytes),
            Number::F16 => each(&bytes, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Number::BF16 => each(&bytes, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            Number::F64 => each(&bytes, |bytes| f64::from_le_bytes(bytes) as f32),
            Number::Other => return Err(candle_core::Error::Msg("no floating-point numbers".into())),
        })
    }
}

impl Bytes {
    /// `length` bytes from `start` on.
    pub fn range(&self, start: u64, length: usize) -> std::io::Result<Vec<u8>> {
        match self {
            Bytes::File(file) => {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, start)?;
                Ok(bytes)
            }
            Bytes::BuiltIn(all) => {
                let range = usize::try_from(start).ok().and_then(|start| all.get(start..start.checked_add(length)?));
                range.map(<[u8]>::to_vec).ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
            }
        }
    }

    /// How many there are.
    pub fn length(&self) -> std::io::Result<u64> {
        match self {
            Bytes::File(file) => file.metadata().map(|metadata| metadata.len()),
            Bytes::BuiltIn(all) => Ok(all.len() as u64),
        }
    }
}

fn each<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect()
}

/// Strides of numbers in a row, the last axis fastest.
fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis]);
    }
    strides
}

/// Numbers from the first to the last of a strided tensor, both included; saturates.
pub(crate) fn span(shape: &[usize], strides: &[usize]) -> usize {
    if shape.contains(&0) {
        return 0;
    }
    let steps = shape.iter().zip(strides).map(|(size, stride)| (size - 1).saturating_mul(*stride));
    steps.fold(1, usize::saturating_add)
}

fn gathered(numbers: &[f32], shape: &[usize], strides: &[usize]) -> Vec<f32> {
    let mut values = Vec::with_capacity(shape.iter().product());
    let mut at = vec![0; shape.len()];
    while values.len() < values.capacity() {
        values.push(numbers[at.iter().zip(strides).map(|(index, stride)| index * stride).sum::<usize>()]);
        for axis in (0..shape.len()).rev() {
            at[axis] += 1;
            if at[axis] < shape[axis] {
                break;
            }
            at[axis] = 0;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_are_followed() {
        static BYTES: [u8; 24 * 4] = {
            let mut bytes = [0; 24 * 4];
            let mut i = 0;
            while i < 24 {
                let value = (i as f32).to_le_bytes();
                let mut b = 0;
                while b < 4 {
                    bytes[4 * i + b] = value[b];
                    b += 1;
                }
                i += 1;
            }
            bytes
        };
        let whole = Tensor::arange(0f32, 24., &Device::Cpu).unwrap().reshape((2, 2, 2, 3)).unwrap();
        let laid = Stored::in_a_row(Bytes::BuiltIn(&BYTES), 0, Number::F32, vec![2, 2, 2, 3]);
        let flat = |tensor: Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(flat(laid.read().unwrap()), flat(whole.clone()));
        let kernel = laid.into_kernel_of_torch();
        assert_eq!(kernel.shape, [3, 2, 2, 2]);
        assert_eq!(flat(kernel.read().unwrap()), flat(whole.permute([3, 2, 0, 1]).unwrap()));
        let part = Stored::strided(Bytes::BuiltIn(&BYTES), 4, Number::F32, vec![3, 2], vec![1, 3]);
        assert_eq!(flat(part.read().unwrap()), [1., 4., 2., 5., 3., 6.]);
        let outside = Stored::in_a_row(Bytes::BuiltIn(&BYTES), 90, Number::F32, vec![3]);
        assert!(outside.read().is_err());
    }
}
