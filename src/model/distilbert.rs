//! DistilBERT (Sanh et al. 2019) in its own layout: no token types, no pooler; tensors named as transformers names them
//! below `distilbert.`.

use super::error::Error;
use super::layer::{Layer, Part};
use super::transformer::{Embeddings, Encoder, EncoderNames, Size};
use super::weights::Source;

/// The backbone's layers, from ids `[batch, tokens]` to states `[batch, tokens, width]`.
pub(crate) fn layers(size: &Size, from: &mut Source) -> Result<Vec<Layer>, Error> {
    let mut layers = vec![Layer::new("embeddings", Part::Backbone, Embeddings::new("embeddings", size, from)?)];
    for number in 0..size.layers {
        let name = format!("transformer.layer.{number}");
        let encoder = Encoder::new(&name, size, &NAMES, from)?;
        layers.push(Layer::new(name, Part::Backbone, encoder));
    }
    Ok(layers)
}

const NAMES: EncoderNames = EncoderNames {
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    attention_output: "attention.out_lin",
    attention_norm: "sa_layer_norm",
    intermediate: "ffn.lin1",
    output: "ffn.lin2",
    output_norm: "output_layer_norm",
};
