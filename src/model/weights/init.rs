//! Tensors that no file has: drawn by the seed.

use candle_core::{DType, Device, Var};

use crate::base::random::{Purpose, Stream, mix};

/// How a tensor is drawn where no file has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Init {
    /// Uniform in ±√(6 / (fan in + fan out)), as Keras' `GlorotUniform`.
    Glorot,
    /// Normal with a deviation of √(2 / fan out), as torchvision's ResNet.
    KaimingFanOut,
    /// Uniform in ±1 / √(fan in), as PyTorch's `Linear` (`kaiming_uniform_` with a = √5).
    KaimingUniform,
    /// Normal with this deviation.
    Normal(f64),
    Zeros,
    Ones,
}

impl Init {
    /// The tensor `name` of `shape`, f32; the same for the same seed and name.
    pub fn draw(self, name: &str, shape: &[usize], seed: u64, device: &Device) -> candle_core::Result<Var> {
        let [fan_in, fan_out] = fans(shape);
        let limit = (6.0 / (fan_in + fan_out) as f64).sqrt();
        let mut number: Box<dyn FnMut(&mut Stream) -> f64> = match self {
            Init::Zeros => return Var::zeros(shape, DType::F32, device),
            Init::Ones => return Var::ones(shape, DType::F32, device),
            Init::Glorot => Box::new(|stream| stream.range(-limit, limit)),
            Init::KaimingUniform => {
                let limit = 1.0 / (fan_in as f64).sqrt();
                Box::new(move |stream| stream.range(-limit, limit))
            }
            Init::KaimingFanOut => {
                let deviation = (2.0 / fan_out as f64).sqrt();
                Box::new(move |stream| deviation * normal(stream))
            }
            Init::Normal(deviation) => Box::new(move |stream| deviation * normal(stream)),
        };
        let key = name.bytes().fold(0, |key, byte| mix(key ^ u64::from(byte)));
        let mut stream = Stream::new(seed, Purpose::InitialWeights, 0, key);
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| number(&mut stream) as f32).collect();
        Var::from_vec(values, shape, device)
    }
}

/// Fan in and fan out of a weight `[out, in, …]` (Glorot and Bengio 2010).
fn fans(shape: &[usize]) -> [usize; 2] {
    let field: usize = shape.iter().skip(2).product();
    let along = |at: usize| shape.get(at).copied().unwrap_or(1) * field;
    [along(1), along(0)]
}

/// A standard normal number (Box and Muller 1958).
fn normal(stream: &mut Stream) -> f64 {
    let (radius, turn) = (1.0 - stream.range(0.0, 1.0), stream.range(0.0, 1.0));
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
}
