//! ResNet 18, 34 and 50 without their classifier (He et al. 2016), in torchvision's layout: layers are the children of its
//! module, the blocks of a stage each one of them, and tensors have its names.
//!
//! Invariant: a frozen batch normalisation acts as in inference and leaves its running statistics alone; one that learns
//! normalises by the batch and moves them.

use candle_core::{Result, Tensor, Var};

use super::error::Error;
use super::layer::{Block, Call, Layer, Part};
use super::max_pool::MaxPool2d;
use super::outline::Outline;
use super::weights::{Init, Source};
use crate::ops::{self, After, Norm};

/// Blocks of each of the four stages.
pub(crate) const RESNET18: [usize; 4] = [2, 2, 2, 2];
pub(crate) const RESNET34: [usize; 4] = [3, 4, 6, 3];
pub(crate) const RESNET50: [usize; 4] = [3, 4, 6, 3];

/// Channels inside the blocks of each stage.
const WIDTHS: [usize; 4] = [64, 128, 256, 512];

/// What a stage is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Two convolutions 3×3.
    Basic,
    /// 1×1, 3×3, and 1×1 to four times the channels.
    Bottleneck,
}

impl Kind {
    fn expansion(self) -> usize {
        match self {
            Kind::Basic => 1,
            Kind::Bottleneck => 4,
        }
    }

    /// Channels of the last feature map.
    pub fn channels(self) -> usize {
        512 * self.expansion()
    }
}

type Built<T> = std::result::Result<T, Error>;

/// The backbone's layers, from pixels `[batch, 3, height, width]` to a map of a thirty-second of the height and width.
pub(crate) fn layers(kind: Kind, blocks: [usize; 4], from: &mut Source) -> Built<Vec<Layer>> {
    let mut layers = vec![
        Layer::new("conv1", Part::Backbone, Conv::new("conv1", (3, 64), 7, 2, from)?),
        Layer::new("bn1", Part::Backbone, BatchNorm::new("bn1", 64, After::Relu, from)?),
        Layer::new("maxpool", Part::Backbone, MaxPool2d { kernel: 3, stride: 2, padding: 1, ceil: false }),
    ];
    let mut channels = 64;
    for (stage, (count, width)) in blocks.into_iter().zip(WIDTHS).enumerate() {
        for number in 0..count {
            let name = format!("layer{}.{number}", stage + 1);
            let stride = if stage > 0 && number == 0 { 2 } else { 1 };
            let residual = Residual::new(&name, kind, (channels, width), stride, from)?;
            layers.push(Layer::new(name, Part::Backbone, residual));
            channels = width * kind.expansion();
        }
    }
    Ok(layers)
}

/// A convolution without bias, padded to keep the size at stride 1.
#[derive(Debug)]
struct Conv {
    weight: Var,
    stride: usize,
}

impl Conv {
    fn new(
        name: &str,
        (inputs, outputs): (usize, usize),
        kernel: usize,
        stride: usize,
        from: &mut Source,
    ) -> Built<Conv> {
        let shape = [outputs, inputs, kernel, kernel];
        Ok(Conv { weight: from.pretrained(&format!("{name}.weight"), &shape, Init::KaimingFanOut)?, stride })
    }

    fn apply(&self, x: &Tensor, call: &Call) -> Result<Tensor> {
        let padding = self.weight.dim(3)? / 2;
        ops::conv2d(x, &call.tensor(&self.weight), None, self.stride, padding)
    }
}

impl Block for Conv {
    fn kind(&self) -> &'static str {
        "Conv2d"
    }

    fn forward(&self, x: &Tensor, call: &Call) -> Result<Tensor> {
        self.apply(x, call)
    }

    fn outline(&self, x: &[usize], outline: &mut Outline) -> Result<Vec<usize>> {
        outline.conv2d(x, self.weight.dims(), self.stride, self.weight.dim(3)? / 2)
    }

    fn parameters(&self) -> Vec<(String, &Var)> {
        vec![("weight".into(), &self.weight)]
    }
}

/// PyTorch's `BatchNorm2d`, and what follows it.
#[derive(Debug)]
struct BatchNorm {
    weight: Var,
    bias: Var,
    running_mean: Var,
    running_var: Var,
    after: After,
}

impl BatchNorm {
    const EPSILON: f64 = 1e-5;
    /// Share of the batch's statistics in the running ones after a step.
    const MOMENTUM: f64 = 0.1;

    fn new(name: &str, channels: usize, after: After, from: &mut Source) -> Built<BatchNorm> {
        let mut tensor = |part: &str, init| from.pretrained(&format!("{name}.{part}"), &[channels], init);
        Ok(BatchNorm {
            weight: tensor("weight", Init::Ones)?,
            bias: tensor("bias", Init::Zeros)?,
            running_mean: tensor("running_mean", Init::Zeros)?,
            running_var: tensor("running_var", Init::Ones)?,
            after,
        })
    }

    fn apply(&self, x: &Tensor, call: &Call) -> Result<Tensor> {
        let (weight, bias) = (call.tensor(&self.weight), call.tensor(&self.bias));
        if !call.is_learning() {
            let (mean, variance) = (self.running_mean.as_detached_tensor(), self.running_var.as_detached_tensor());
            let norm = Norm { weight: &weight, bias: &bias, mean: &mean, variance: &variance, epsilon: Self::EPSILON };
            return ops::batch_norm(x, &norm, self.after);
        }
        let (y, statistics) = ops::batch_norm_train(x, &weight, &bias, Self::EPSILON, self.after)?;
        for (running, of_batch) in [(&self.running_mean, statistics.mean), (&self.running_var, statistics.variance)] {
            let kept = (running.as_detached_tensor() * (1.0 - Self::MOMENTUM))?;
            running.set(&(kept + (of_batch * Self::MOMENTUM)?)?)?;
        }
        Ok(y)
    }

    fn named_parameters(&self, part: &str) -> [(String, &Var); 2] {
        [(format!("{part}weight"), &self.weight), (format!("{part}bias"), &self.bias)]
    }

    fn named_buffers(&self, part: &str) -> [(String, &Var); 2] {
        [(format!("{part}running_mean"), &self.running_mean), (format!("{part}running_var"), &self.running_var)]
    }
}

impl Block for BatchNorm {
    fn kind(&self) -> &'static str {
        match self.after {
            After::Relu => "BatchNorm2d, ReLU",
            After::Nothing => "BatchNorm2d",
        }
    }

    fn forward(&self, x: &Tensor, call: &Call) -> Result<Tensor> {
        self.apply(x, call)
    }

    fn outline(&self, x: &[usize], outline: &mut Outline) -> Result<Vec<usize>> {
        Ok(outline.like(x))
    }

    fn parameters(&self) -> Vec<(String, &Var)> {
        self.named_parameters("").into()
    }

    fn buffers(&self) -> Vec<(String, &Var)> {
        self.named_buffers("").into()
    }
}

/// A convolution and its normalisation.
#[derive(Debug)]
struct Unit {
    conv: Conv,
    norm: BatchNorm,
    /// What torchvision calls the two: `conv1` and `bn1`.
    names: [String; 2],
}

impl Unit {
    fn forward(&self, x: &Tensor, call: &Call) -> Result<Tensor> {
        self.norm.apply(&self.conv.apply(x, call)?, call)
    }

    fn outline(&self, x: &[usize], outline: &mut Outline) -> Result<Vec<usize>> {
        self.norm.outline(&self.conv.outline(x, outline)?, outline)
    }

    fn parameters(&self) -> impl Iterator<Item = (String, &Var)> {
        let [conv, norm] = &self.names;
        let weight = (format!("{conv}.weight"), &self.conv.weight);
        std::iter::once(weight).chain(self.norm.named_parameters(&format!("{norm}.")))
    }
}

/// A block with a connection around it.
#[derive(Debug)]
struct Residual {
    kind: Kind,
    /// All but the last end in a ReLU.
    units: Vec<Unit>,
    /// Fits the input to the output where their shapes differ.
    downsample: Option<Unit>,
}

impl Residual {
    /// From `inputs` channels to `width` times the expansion of `kind`.
    fn new(name: &str, kind: Kind, (inputs, width): (usize, usize), stride: usize, from: &mut Source) -> Built<Self> {
        let outputs = width * kind.expansion();
        // inputs, outputs, kernel, stride of each convolution
        let sizes = match kind {
            Kind::Basic => vec![(inputs, width, 3, stride), (width, width, 3, 1)],
            Kind::Bottleneck => vec![(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)],
        };
        let mut unit = |names: [String; 2], (inputs, outputs, kernel, stride), after| {
            let conv = Conv::new(&format!("{name}.{}", names[0]), (inputs, outputs), kernel, stride, from)?;
            let norm = BatchNorm::new(&format!("{name}.{}", names[1]), outputs, after, from)?;
            Ok::<_, Error>(Unit { conv, norm, names })
        };
        let last = sizes.len() - 1;
        let mut units = Vec::with_capacity(sizes.len());
        for (at, size) in sizes.into_iter().enumerate() {
            let names = [format!("conv{}", at + 1), format!("bn{}", at + 1)];
            units.push(unit(names, size, if at == last { After::Nothing } else { After::Relu })?);
        }
        let fits = stride == 1 && inputs == outputs;
        let downsample = (!fits).then(|| {
            let names = ["downsample.0".to_owned(), "downsample.1".to_owned()];
            unit(names, (inputs, outputs, 1, stride), After::Nothing)
        });
        Ok(Residual { kind, units, downsample: downsample.transpose()? })
    }

    fn all_units(&self) -> impl Iterator<Item = &Unit> {
        self.units.iter().chain(&self.downsample)
    }
}

impl Block for Residual {
    fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Basic => "BasicBlock",
            Kind::Bottleneck => "Bottleneck",
        }
    }

    fn forward(&self, x: &Tensor, call: &Call) -> Result<Tensor> {
        let y = self.units.iter().try_fold(x.clone(), |x, unit| unit.forward(&x, call))?;
        match &self.downsample {
            Some(unit) => ops::add_relu(&y, &unit.forward(x, call)?),
            None => ops::add_relu(&y, x),
        }
    }

    fn outline(&self, x: &[usize], outline: &mut Outline) -> Result<Vec<usize>> {
        let y = self.units.iter().try_fold(x.to_vec(), |x, unit| unit.outline(&x, outline))?;
        if let Some(unit) = &self.downsample {
            unit.outline(x, outline)?;
        }
        Ok(outline.like(&y))
    }

    fn parameters(&self) -> Vec<(String, &Var)> {
        self.all_units().flat_map(Unit::parameters).collect()
    }

    fn buffers(&self) -> Vec<(String, &Var)> {
        self.all_units().flat_map(|unit| unit.norm.named_buffers(&format!("{}.", unit.names[1]))).collect()
    }
}
