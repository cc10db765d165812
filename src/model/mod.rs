//! Networks as one ordered list of named layers: a pretrained backbone, a pooling, a new head, an output layer.
//!
//! Invariants:
//! - The order of layers and of tensors is fixed, and so are their names (`fire6.squeeze1x1.weight`,
//!   `head.dense_1.bias`).
//! - A frozen layer's tensors take no part in the graph of a pass: nothing is computed for them backwards, and they stay
//!   equal to the bit.
//! - What is drawn (initial weights, dropout masks) is a function of the seed.

mod backbone;
mod bert;
mod blocks;
mod distilbert;
mod encoder_config;
mod error;
mod filter;
mod freeze;
mod head;
mod input;
mod layer;
mod lora;
#[cfg(test)]
mod lora_tests;
mod max_pool;
mod outline;
mod resnet;
#[cfg(test)]
mod backbone_tests;
mod squeezenet;
mod transformer;
mod vgg;
#[cfg(test)]
mod tests;
mod weights;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;

use candle_core::{Device, Tensor, Var};

pub use error::{Error, Misfit};
pub use input::InputShape;
pub use layer::{Layer, Pass};
pub use outline::{LayerOutline, Made};
pub use weights::{Download, Fetch, Found, HubError, Origin, WeightReport, find};

use crate::experiment::{Backbone, Model, Preprocessing, Trainable};
use weights::Source;

/// A network from pixels or tokens to logits.
#[derive(Debug)]
pub struct Network {
    backbone: Backbone,
    preprocessing: Preprocessing,
    layers: Vec<Layer>,
}

/// A line of `model.summary()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerSummary {
    pub name: String,
    /// `Conv2D`, `Fire`, `Dense` …
    pub kind: &'static str,
    /// For one sample, without the batch: `[channels, height, width]`, `[tokens, features]` or `[features]`.
    pub output_shape: Vec<usize>,
    /// Count of scalars that are learned, here or when it was pretrained.
    pub parameters: usize,
    pub trainable: bool,
}

impl Network {
    /// Builds the network of `spec` with the weights that were `found`, one logit for each of `classes`, on `device`,
    /// everything unfrozen. Where the weights are missing it has the right layers and zeros in them.
    ///
    /// # Errors
    /// Where the weights cannot be read or do not fit; the message names the tensors.
    pub fn build(
        spec: &Model,
        found: &Found,
        classes: usize,
        seed: u64,
        device: &Device,
    ) -> Result<(Network, WeightReport), Error> {
        let mut source = Source::open(found, spec.backbone, seed, device)?.adapting(spec.lora.as_ref())?;
        // what the weights say is asked even where it does not count, to be told
        let said = match (source.preprocessing(), spec.preprocessing) {
            (Err(_), Some(_)) => None,
            (said, _) => said?.or(found.preprocessing()),
        };
        let (mut layers, features) = backbone::layers(spec, found, &mut source)?;
        if spec.lora.is_some() {
            layers.iter_mut().for_each(Layer::rest);
        }
        layers.extend(head::layers(features, spec, classes, &mut source)?);
        let wanted = said.or_else(|| source.usual_preprocessing());
        let preprocessing = spec.preprocessing.or(wanted).unwrap_or(Preprocessing::Torch);
        let report = WeightReport { preprocessing: wanted, ..source.finish()? };
        Ok((Network { backbone: spec.backbone, preprocessing, layers }, report))
    }

    /// The network of `spec` by its shapes alone, in well under a millisecond: it has layers, names and sizes, but there is
    /// not a number in its tensors, so that nothing can be computed. An encoder whose size only a download would tell is
    /// as large as its family's base model.
    ///
    /// # Errors
    /// Where an encoder's configuration cannot be read.
    pub fn of_shapes(spec: &Model, classes: usize) -> Result<Network, Error> {
        let found = find(spec, Fetch::CacheOnly, &mut |_| true).unwrap_or_else(|_| Found::random());
        let (network, _) = Network::build(spec, &found.shapes_only(), classes, 0, &Device::Cpu)?;
        Ok(network)
    }

    /// [`Network::of_shapes`] with two classes, where the size of the network is known; None where only a download tells.
    ///
    /// # Errors
    /// Where an adapter's layer is not there.
    pub fn of_known_shapes(spec: &Model) -> Result<Option<Network>, Error> {
        let is_of_texts = matches!(spec.backbone, Backbone::Bert | Backbone::DistilBert);
        if is_of_texts
            && find(spec, Fetch::CacheOnly, &mut |_| true).and_then(|found| found.encoder().map(|_| ())).is_err()
        {
            return Ok(None);
        }
        match Network::of_shapes(spec, 2) {
            Err(error @ (Error::NothingToAdapt { .. } | Error::BadPattern { .. })) => Err(error),
            network => Ok(network.ok()),
        }
    }

    /// A BERT with random weights of the size that `config` says, which is the text of a `config.json`, with the head of
    /// `spec`.
    pub(crate) fn bert(spec: &Model, config: &str, classes: usize, device: &Device) -> Result<Network, Error> {
        let invalid = |reason| Error::BadConfig { path: "config".into(), reason };
        let size = encoder_config::parse(encoder_config::Layout::Bert, config).map_err(invalid)?;
        let mut source = Source::open(&Found::random(), spec.backbone, 0, device)?;
        let (mut layers, features) = backbone::bert(spec, &size, &mut source)?;
        layers.extend(head::layers(features, spec, classes, &mut source)?);
        let preprocessing = Preprocessing::Torch;
        Ok(Network { backbone: Backbone::Bert, preprocessing, layers })
    }

    /// What its weights want as input.
    pub fn preprocessing(&self) -> Preprocessing {
        self.preprocessing
    }

    /// Lets the layers that `trainable` names learn, and no others.
    ///
    /// # Errors
    /// Where it names a layer that the backbone does not have.
    pub fn freeze(&mut self, trainable: &Trainable) -> Result<(), Error> {
        let selection = freeze::selection(&self.layers, trainable)?;
        self.layers.iter_mut().zip(selection).for_each(|(layer, learns)| layer.set_unfrozen(learns));
        Ok(())
    }

    /// What `trainable` lets learn in the course of a phase of so many `epochs`, each with the epochs of the phase after
    /// which it does: one for all of it, or ever more blocks.
    ///
    /// # Errors
    /// Where it names more blocks than the backbone has.
    pub fn stretches(&self, trainable: &Trainable, epochs: u32) -> Result<Vec<(u32, Trainable)>, Error> {
        blocks::stretches(&self.layers, trainable, epochs)
    }

    /// What the learning rate of each layer is multiplied by, in the order of layers.
    ///
    /// # Errors
    /// Where a pattern matches no layer that could learn.
    pub fn rates(&self, decay: f64, factors: &BTreeMap<String, f64>) -> Result<Vec<f64>, Error> {
        blocks::rates(&self.layers, decay, factors)
    }

    /// Weights whose squares cost something in the loss, with what a unit of them costs; tracked where they learn.
    pub fn penalized(&self, pass: &Pass) -> Vec<(Tensor, f64)> {
        self.layers.iter().filter_map(|layer| layer.penalized(pass)).collect()
    }

    /// All layers in order.
    pub fn layers(&self) -> impl Iterator<Item = &Layer> {
        self.layers.iter()
    }

    /// How many leading layers give the same output for the same input all through training: frozen, without dropout.
    pub fn frozen_prefix(&self) -> usize {
        self.layers.iter().take_while(|layer| layer.is_constant()).count()
    }

    /// Preprocessed pixels `[batch, 3, height, width]` (f32), or ids of tokens `[batch, tokens]` (u32) with their `mask`
    /// `[batch, tokens]` (f32: 1 for a token, 0 for padding) → logits `[batch, classes]`.
    pub fn forward(&self, x: &Tensor, mask: Option<&Tensor>, pass: &Pass) -> Result<Tensor, Error> {
        self.forward_range(0..self.layers.len(), x, mask, pass)
    }

    /// Runs the layers of `range` only, on the output of the layer before it. `0..k` and then `k..` on its result is
    /// [`Network::forward`], to the bit.
    pub fn forward_range(
        &self,
        range: Range<usize>,
        x: &Tensor,
        mask: Option<&Tensor>,
        pass: &Pass,
    ) -> Result<Tensor, Error> {
        let layers = self.layers.iter().enumerate().take(range.end).skip(range.start);
        let run = |x: Tensor, (index, layer): (usize, &Layer)| layer.forward(&x, mask, pass, index);
        Ok(layers.into_iter().try_fold(x.clone(), run)?)
    }

    /// What learns, in order: its name, and what of `rates` (one a layer) is that of its layer.
    pub fn trainable_at(&self, rates: &[f64]) -> Vec<(String, Var, f64)> {
        let layers = self.layers.iter().zip(rates).filter(|(layer, _)| layer.is_trainable());
        layers.flat_map(|(layer, rate)| layer.parameters().into_iter().map(|(name, var)| (name, var, *rate))).collect()
    }

    /// What learns, in order, by name.
    pub fn trainable(&self) -> Vec<(String, Var)> {
        self.layers.iter().filter(|layer| layer.is_trainable()).flat_map(Layer::parameters).collect()
    }

    /// Names of what changes while it trains: what learns, and the running statistics beside it.
    pub fn moving_tensors(&self) -> Vec<String> {
        let layers = self.layers.iter().filter(|layer| layer.is_trainable());
        layers.flat_map(Layer::moving).map(|(name, _)| name).collect()
    }

    /// All that makes up the model, in order, by name: parameters, adapters and buffers, frozen or not.
    pub fn tensors(&self) -> Vec<(String, Var)> {
        self.layers.iter().flat_map(Layer::tensors).collect()
    }

    /// The same as a model without adapters, which are merged into the matrices that they stand beside.
    ///
    /// # Errors
    /// Where the arithmetic fails.
    pub fn merged(&self) -> Result<Vec<(String, Var)>, Error> {
        let layers = self.layers.iter().map(Layer::merged).collect::<candle_core::Result<Vec<_>>>()?;
        Ok(layers.into_iter().flatten().collect())
    }

    /// Count of scalars that are learned, here or when it was pretrained.
    pub fn parameter_count(&self) -> usize {
        self.layers.iter().map(Layer::parameter_count).sum()
    }

    /// Count of scalars that learn.
    pub fn trainable_parameter_count(&self) -> usize {
        self.layers.iter().filter(|layer| layer.is_trainable()).map(Layer::learnable_count).sum()
    }

    /// The model layer by layer for a sample of `shape`, as Keras' `model.summary()`.
    ///
    /// # Errors
    /// Where the sample is too small or too long for the backbone.
    pub fn summary(&self, shape: InputShape) -> Result<Vec<LayerSummary>, Error> {
        let line = |(layer, outline): (&Layer, LayerOutline)| LayerSummary {
            name: layer.name().to_owned(),
            kind: layer.kind(),
            output_shape: outline.output[1..].to_vec(),
            parameters: layer.parameter_count(),
            trainable: layer.is_trainable(),
        };
        Ok(self.layers.iter().zip(self.outline(shape, 1)?).map(line).collect())
    }

    /// What each layer would give for a batch of samples of `shape`, and what it would make meanwhile.
    ///
    /// # Errors
    /// Where the sample is too small or too long for the backbone.
    pub fn outline(&self, shape: InputShape, batch: usize) -> Result<Vec<LayerOutline>, Error> {
        let mut x = shape.of_batch(batch);
        let of_layer = |layer: &Layer| {
            let outline = layer.outline(&x).map_err(|e| Error::UnfitInput {
                shape,
                backbone: self.backbone.name(),
                reason: format!("{}: {e}", layer.name()),
            })?;
            x.clone_from(&outline.output);
            Ok(outline)
        };
        self.layers.iter().map(of_layer).collect()
    }
}

/// Writes a safetensors file with `tensors` and `metadata` to `out`: the same bytes for the same content, whatever the run.
///
/// # Errors
/// Where they cannot be written, or a tensor cannot be read from its device.
pub fn write_safetensors(
    out: &mut dyn Write,
    tensors: &[(String, Var)],
    metadata: &BTreeMap<String, String>,
) -> io::Result<()> {
    weights::write(out, tensors, metadata)
}
