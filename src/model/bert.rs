//! BERT encoders of any size (Devlin et al. 2019; MiniLM, BGE …), tensors named as transformers names them below `bert.`.

use candle_core::{Result, Tensor, Var};

use super::error::Error;
use super::layer::{Block, Call, Layer, Part};
use super::lora::Adapter;
use super::outline::{Outline, sizes};
use super::transformer::{Embeddings, Encoder, EncoderNames, Linear, Size};
use super::weights::Source;
use crate::experiment::Pool;

/// The backbone's layers, from ids `[batch, tokens]` to states `[batch, tokens, width]`, or with the pooler, which
/// [`Pool::Cls`] asks for, to `[batch, width]`.
pub(crate) fn layers(size: &Size, pool: Pool, from: &mut Source) -> std::result::Result<Vec<Layer>, Error> {
    let mut layers = vec![Layer::new("embeddings", Part::Backbone, Embeddings::new("embeddings", size, from)?)];
    for number in 0..size.layers {
        let name = format!("encoder.layer.{number}");
        let encoder = Encoder::new(&name, size, &NAMES, from)?;
        layers.push(Layer::new(name, Part::Backbone, encoder));
    }
    if pool == Pool::Cls {
        let dense = Linear::new("pooler.dense", (size.width, size.width), from)?;
        layers.push(Layer::new("pooler", Part::Backbone, Pooler(dense)));
    }
    Ok(layers)
}

const NAMES: EncoderNames = EncoderNames {
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    attention_output: "attention.output.dense",
    attention_norm: "attention.output.LayerNorm",
    intermediate: "intermediate.dense",
    output: "output.dense",
    output_norm: "output.LayerNorm",
};

/// The first token's state through a dense layer and tanh.
#[derive(Debug)]
struct Pooler(Linear);

impl Block for Pooler {
    fn kind(&self) -> &'static str {
        "BertPooler"
    }

    fn forward(&self, x: &Tensor, call: &Call) -> Result<Tensor> {
        self.0.forward(&x.narrow(1, 0, 1)?.squeeze(1)?, call)?.tanh()
    }

    fn outline(&self, x: &[usize], outline: &mut Outline) -> Result<Vec<usize>> {
        let [batch, _, width] = sizes(x)?;
        let y = self.0.outline(&[batch, width], outline)?;
        Ok(outline.like(&y))
    }

    fn parameters(&self) -> Vec<(String, &Var)> {
        self.0.parameters("dense").into()
    }

    fn adapters(&self) -> Vec<(String, &Adapter)> {
        self.0.adapter("dense").into_iter().collect()
    }
}
