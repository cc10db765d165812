//! Where a network's first weights come from: a safetensors file, or the seed.
//!
//! Invariant: a network is built only if every tensor of its backbone was found in its shape; nothing is filled in
//! silently.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::safetensors::Load;
use candle_core::{DType, Device, Tensor, Var};
use safetensors::SafeTensors;

use super::error::{Error, Misfit};
use crate::base::random::{Purpose, Stream, mix};
use crate::experiment::{Preprocessing, Weights};

/// What became of every tensor: where the weights came from, and what was made of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightReport {
    /// The file, or None for random weights.
    pub file: Option<PathBuf>,
    /// Tensors taken from the file.
    pub loaded: Vec<String>,
    /// Tensors drawn by the seed (the head's; all with random weights).
    pub initialized: Vec<String>,
    /// Tensors of the file that the network does not have, such as the old output layer.
    pub unused: Vec<String>,
}

/// How a tensor is drawn where no file has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Init {
    /// Uniform in ±√(6 / (fan in + fan out)), as Keras' `GlorotUniform`.
    Glorot,
    /// Normal with a deviation of √(2 / fan out), as torchvision's ResNet.
    KaimingFanOut,
    /// Normal with this deviation.
    Normal(f64),
    Zeros,
    Ones,
}

/// Hands out a network's tensors while it is built.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    file: Option<TensorFile>,
    seed: u64,
    device: &'a Device,
    report: WeightReport,
    misfit: Misfit,
}

impl<'a> Source<'a> {
    /// Opens the file of `weights`, if it is one.
    pub fn open(weights: &Weights, seed: u64, device: &'a Device) -> Result<Source<'a>, Error> {
        let file = match weights {
            Weights::File(path) => Some(TensorFile::read(path)?),
            Weights::Random => None,
        };
        let path = file.as_ref().map(|file| file.path.clone());
        let report = WeightReport { file: path, loaded: vec![], initialized: vec![], unused: vec![] };
        Ok(Source { file, seed, device, report, misfit: Misfit::default() })
    }

    /// What the file says that its weights want as input.
    pub fn preprocessing(&self) -> Result<Option<Preprocessing>, Error> {
        let Some(file) = &self.file else { return Ok(None) };
        match file.preprocessing.as_deref() {
            None => Ok(None),
            Some("caffe") => Ok(Some(Preprocessing::Caffe)),
            Some("torch") => Ok(Some(Preprocessing::Torch)),
            Some(other) => Err(Error::UnknownPreprocessing { path: file.path.clone(), value: other.to_owned() }),
        }
    }

    /// A tensor of the backbone, f32. One that is missing or of another shape is noted and told by [`Source::finish`];
    /// until then zeros stand in for it.
    pub fn pretrained(&mut self, name: &str, shape: &[usize], init: Init) -> Result<Var, Error> {
        let Some(file) = &mut self.file else { return self.fresh(name, shape, init) };
        self.misfit.wanted += 1;
        match file.tensors.remove(name) {
            Some(tensor) if tensor.dims() == shape => {
                self.report.loaded.push(name.to_owned());
                return Ok(Var::from_tensor(&tensor.to_device(self.device)?)?);
            }
            Some(tensor) => {
                self.misfit.wrong_shape.push((name.to_owned(), shape.to_vec(), tensor.dims().to_vec()));
            }
            None => self.misfit.missing.push(name.to_owned()),
        }
        Ok(Var::zeros(shape, DType::F32, self.device)?)
    }

    /// A new tensor, f32, drawn by seed and name.
    pub fn fresh(&mut self, name: &str, shape: &[usize], init: Init) -> Result<Var, Error> {
        self.report.initialized.push(name.to_owned());
        Ok(match init {
            Init::Zeros => Var::zeros(shape, DType::F32, self.device)?,
            Init::Ones => Var::ones(shape, DType::F32, self.device)?,
            Init::Glorot => {
                let [fan_in, fan_out] = fans(shape);
                let limit = (6.0 / (fan_in + fan_out) as f64).sqrt();
                self.drawn(name, shape, |stream| stream.range(-limit, limit))?
            }
            Init::KaimingFanOut => {
                let deviation = (2.0 / fans(shape)[1] as f64).sqrt();
                self.drawn(name, shape, |stream| deviation * normal(stream))?
            }
            Init::Normal(deviation) => self.drawn(name, shape, |stream| deviation * normal(stream))?,
        })
    }

    /// Values drawn one after the other from a stream of seed and name.
    fn drawn(&self, name: &str, shape: &[usize], mut draw: impl FnMut(&mut Stream) -> f64) -> Result<Var, Error> {
        let key = name.bytes().fold(0, |key, byte| mix(key ^ u64::from(byte)));
        let mut stream = Stream::new(self.seed, Purpose::InitialWeights, 0, key);
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| draw(&mut stream) as f32).collect();
        Ok(Var::from_vec(values, shape, self.device)?)
    }

    /// The report, or the one error that names all that does not fit.
    pub fn finish(mut self, backbone: &'static str) -> Result<WeightReport, Error> {
        let Some(file) = self.file else { return Ok(self.report) };
        let unused = file.tensors.into_keys().collect();
        if self.misfit.is_none() {
            self.report.unused = unused;
            return Ok(self.report);
        }
        Err(Error::Misfit { path: file.path, backbone, misfit: Misfit { unused, ..self.misfit } })
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

/// A safetensors file in memory; f16, bf16 and f64 read as f32.
#[derive(Debug)]
struct TensorFile {
    path: PathBuf,
    preprocessing: Option<String>,
    tensors: BTreeMap<String, Tensor>,
}

impl TensorFile {
    fn read(path: &Path) -> Result<TensorFile, Error> {
        let bytes = std::fs::read(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
        let not = |reason: String| Error::NotSafetensors { path: path.to_owned(), reason };
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| not(e.to_string()))?;
        let preprocessing = header.metadata().as_ref().and_then(|all| all.get("preprocessing")).cloned();
        let tensors = tensors(&bytes).map_err(|e| not(e.to_string()))?;
        Ok(TensorFile { path: path.to_owned(), preprocessing, tensors })
    }
}

/// The floating-point tensors of a safetensors file, as f32 on the CPU.
pub(crate) fn tensors(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>, candle_core::Error> {
    let file = SafeTensors::deserialize(bytes).map_err(candle_core::Error::wrap)?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.iter() {
        let tensor = view.load(&Device::Cpu)?;
        if tensor.dtype().is_float() {
            tensors.insert(name.to_owned(), tensor.to_dtype(DType::F32)?);
        }
    }
    Ok(tensors)
}

/// A safetensors file of f32 tensors in the order given. Written by hand, since the crate keeps metadata in a map of
/// random order, and a resumed run must end with the same bytes as one that was not interrupted.
pub(crate) fn write(tensors: &[(String, Var)], metadata: &BTreeMap<String, String>) -> Result<Vec<u8>, Error> {
    let mut header = serde_json::Map::new();
    if !metadata.is_empty() {
        header.insert("__metadata__".into(), serde_json::json!(metadata));
    }
    let mut data = Vec::new();
    for (name, var) in tensors {
        let start = data.len();
        for value in var.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()? {
            data.extend_from_slice(&value.to_le_bytes());
        }
        let entry = serde_json::json!({ "dtype": "F32", "shape": var.dims(), "data_offsets": [start, data.len()] });
        header.insert(name.clone(), entry);
    }
    let mut header = serde_json::Value::Object(header).to_string();
    // the data starts at a multiple of eight
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.append(&mut data);
    Ok(bytes)
}
