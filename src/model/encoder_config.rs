//! `config.json`, as transformers writes it beside the weights of an encoder.

use std::path::Path;

use serde::Deserialize;

use super::error::Error;
use super::transformer::{Activation, Dropout, EPSILON, Size};
use crate::experiment::EncoderSize;

/// What a `config.json` of BERT's layout says; what it does not say is bert-base's.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct Bert {
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    type_vocab_size: usize,
    hidden_act: String,
    layer_norm_eps: f64,
    hidden_dropout_prob: f64,
    attention_probs_dropout_prob: f64,
    position_embedding_type: String,
}

impl Default for Bert {
    fn default() -> Self {
        Bert {
            vocab_size: 30_522,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3_072,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            hidden_act: "gelu".into(),
            layer_norm_eps: EPSILON,
            hidden_dropout_prob: 0.1,
            attention_probs_dropout_prob: 0.1,
            position_embedding_type: "absolute".into(),
        }
    }
}

/// What a `config.json` of DistilBERT says; what it does not say is distilbert-base's.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct DistilBert {
    vocab_size: usize,
    dim: usize,
    n_layers: usize,
    n_heads: usize,
    hidden_dim: usize,
    max_position_embeddings: usize,
    activation: String,
    dropout: f64,
    attention_dropout: f64,
}

impl Default for DistilBert {
    fn default() -> Self {
        DistilBert {
            vocab_size: 30_522,
            dim: 768,
            n_layers: 6,
            n_heads: 12,
            hidden_dim: 3_072,
            max_position_embeddings: 512,
            activation: "gelu".into(),
            dropout: 0.1,
            attention_dropout: 0.1,
        }
    }
}

/// What the file says of itself.
#[derive(Debug, Deserialize)]
struct Kind {
    model_type: Option<String>,
}

/// The two layouts that are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Bert,
    DistilBert,
}

impl Layout {
    fn name(self) -> &'static str {
        match self {
            Layout::Bert => "bert",
            Layout::DistilBert => "distilbert",
        }
    }
}

/// What says how large an encoder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Config<'a> {
    /// A `config.json`.
    File(&'a Path),
    /// The table of known weights.
    Known(EncoderSize),
    /// Nothing: it is as large as its family's base model.
    Base,
}

/// The size that `config` says.
pub(crate) fn read(layout: Layout, config: Config) -> Result<Size, Error> {
    let path = match config {
        Config::File(path) => path,
        Config::Base => return parse(layout, "{}").map_err(|reason| invalid(Path::new("config.json"), reason)),
        Config::Known(known) => {
            let size = read(layout, Config::Base)?;
            let EncoderSize { vocabulary, width, layers, heads, intermediate } = known;
            return Ok(Size { vocabulary, width, layers, heads, intermediate, ..size });
        }
    };
    let text = std::fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
    parse(layout, &text).map_err(|reason| invalid(path, reason))
}

fn invalid(path: &Path, reason: String) -> Error {
    Error::BadConfig { path: path.to_owned(), reason }
}

/// The size that the JSON `text` describes, or why it does not.
pub(crate) fn parse(layout: Layout, text: &str) -> Result<Size, String> {
    let kind: Kind = serde_json::from_str(text).map_err(|e| e.to_string())?;
    if let Some(kind) = kind.model_type.filter(|kind| kind != layout.name()) {
        return Err(format!("it describes a model of type `{kind}`, not `{}`", layout.name()));
    }
    let size = match layout {
        Layout::Bert => bert(serde_json::from_str(text).map_err(|e| e.to_string())?)?,
        Layout::DistilBert => distilbert(serde_json::from_str(text).map_err(|e| e.to_string())?)?,
    };
    check(&size)?;
    Ok(size)
}

fn bert(config: Bert) -> Result<Size, String> {
    if config.position_embedding_type != "absolute" {
        return Err(format!("position embeddings of type `{}` are not known here", config.position_embedding_type));
    }
    Ok(Size {
        vocabulary: config.vocab_size,
        positions: config.max_position_embeddings,
        token_types: config.type_vocab_size,
        width: config.hidden_size,
        layers: config.num_hidden_layers,
        heads: config.num_attention_heads,
        intermediate: config.intermediate_size,
        activation: activation(&config.hidden_act)?,
        epsilon: config.layer_norm_eps,
        dropout: Dropout {
            hidden: config.hidden_dropout_prob,
            attention: config.attention_probs_dropout_prob,
            attention_output: config.hidden_dropout_prob,
        },
    })
}

fn distilbert(config: DistilBert) -> Result<Size, String> {
    Ok(Size {
        vocabulary: config.vocab_size,
        positions: config.max_position_embeddings,
        token_types: 0,
        width: config.dim,
        layers: config.n_layers,
        heads: config.n_heads,
        intermediate: config.hidden_dim,
        activation: activation(&config.activation)?,
        epsilon: EPSILON,
        dropout: Dropout {
            hidden: config.dropout,
            attention: config.attention_dropout,
            // DistilBERT has none there
            attention_output: 0.0,
        },
    })
}

fn activation(name: &str) -> Result<Activation, String> {
    match name {
        "gelu" => Ok(Activation::Gelu),
        "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Activation::GeluTanh),
        "relu" => Ok(Activation::Relu),
        other => Err(format!("the activation `{other}` is not known here")),
    }
}

fn check(size: &Size) -> Result<(), String> {
    let counts = [size.vocabulary, size.positions, size.width, size.layers, size.heads, size.intermediate];
    if counts.contains(&0) {
        return Err("one of its sizes is 0".into());
    }
    if !size.width.is_multiple_of(size.heads) {
        return Err(format!("{} features cannot be shared by {} heads", size.width, size.heads));
    }
    let rates = [size.dropout.hidden, size.dropout.attention, size.dropout.attention_output];
    if !rates.iter().all(|rate| (0.0..1.0).contains(rate)) {
        return Err("a dropout rate lies outside of 0..1".into());
    }
    Ok(())
}
