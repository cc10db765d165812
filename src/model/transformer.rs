//! What transformer encoders for texts are made of (Vaswani et al. 2017; norms after the residuals, as in BERT). What
//! differs between families is in their [`Size`] and [`EncoderNames`].
//!
//! Invariant: a frozen layer drops nothing out, so that its output is a function of its input.

use candle_core::{D, Result, Tensor, Var, bail};

use super::error::Error;
use super::layer::{Block, Call};
use super::lora::Adapter;
use super::outline::{Outline, sizes};
use super::weights::{Init, Source};
use crate::ops;

type Built<T> = std::result::Result<T, Error>;

/// The numbers that make up an encoder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Size {
    pub vocabulary: usize,
    /// The most tokens of a text.
    pub positions: usize,
    /// Kinds of segments; 0 where the family has none.
    pub token_types: usize,
    /// Features of a token.
    pub width: usize,
    pub layers: usize,
    pub heads: usize,
    /// Features between the two halves of a feed-forward part.
    pub intermediate: usize,
    pub activation: Activation,
    /// Of the layer norms.
    pub epsilon: f64,
    pub dropout: Dropout,
}

/// What stands between the two halves of a feed-forward part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    Gelu,
    GeluTanh,
    Relu,
}

/// Shares that are dropped out while a layer learns, each in `0..1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Dropout {
    /// Of the embeddings and of what the feed-forward part gives.
    pub hidden: f64,
    /// Of the attention's probabilities.
    pub attention: f64,
    /// Of what the attention gives.
    pub attention_output: f64,
}

/// BERT's epsilon, unless its configuration says another.
pub(crate) const EPSILON: f64 = 1e-12;
/// Deviation of initial weights (`initializer_range`).
const INITIAL: Init = Init::Normal(0.02);

/// A matrix and a bias, and the adapter that may stand beside the matrix.
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Var,
    bias: Var,
    adapter: Option<Adapter>,
}

impl Linear {
    pub fn new(name: &str, (inputs, outputs): (usize, usize), from: &mut Source) -> Built<Linear> {
        Ok(Linear {
            weight: from.pretrained(&format!("{name}.weight"), &[outputs, inputs], INITIAL)?,
            bias: from.pretrained(&format!("{name}.bias"), &[outputs], Init::Zeros)?,
            adapter: from.adapter(name, (inputs, outputs))?,
        })
    }

    pub fn forward(&self, x: &Tensor, call: &Call) -> Result<Tensor> {
        let y = ops::linear(x, &call.tensor(&self.weight), Some(&call.tensor(&self.bias)))?;
        match &self.adapter {
            Some(adapter) => y + adapter.forward(x, call)?,
            None => Ok(y),
        }
    }

    /// [`Linear::forward`] by its shapes.
    pub fn outline(&self, x: &[usize], outline: &mut Outline) -> Result<Vec<usize>> {
        let y = outline.linear(x, self.bias.dim(0)?);
        let Some(adapter) = &self.adapter else { return Ok(y) };
        adapter.outline(x, outline)?;
        Ok(outline.like(&y))
    }

    /// What stands beside it, as `part` of a layer.
    pub fn adapter(&self, part: &str) -> Option<(String, &Adapter)> {
        Some((part.to_owned(), self.adapter.as_ref()?))
    }

    pub fn parameters(&self, part: &str) -> [(String, &Var); 2] {
        [(format!("{part}.weight"), &self.weight), (format!("{part}.bias"), &self.bias)]
    }
}

/// Normalises each token's features.
#[derive(Debug)]
struct LayerNorm {
    weight: Var,
    bias: Var,
    epsilon: f64,
}

impl LayerNorm {
    fn new(name: &str, size: &Size, from: &mut Source) -> Built<LayerNorm> {
        Ok(LayerNorm {
            weight: from.pretrained(&format!("{name}.weight"), &[size.width], Init::Ones)?,
            bias: from.pretrained(&format!("{name}.bias"), &[size.width], Init::Zeros)?,
            epsilon: size.epsilon,
        })
    }

    fn forward(&self, x: &Tensor, call: &Call) -> Result<Tensor> {
        ops::layer_norm(x, &call.tensor(&self.weight), &call.tensor(&self.bias), self.epsilon)
    }

    fn parameters(&self, part: &str) -> [(String, &Var); 2] {
        [(format!("{part}.weight"), &self.weight), (format!("{part}.bias"), &self.bias)]
    }
}

/// Drops out `rate` of `x` while the layer learns, by its dropout number `place`.
fn dropped(x: Tensor, rate: f64, place: u64, call: &Call) -> Result<Tensor> {
    match call.dropout(place) {
        Some(stream) if call.is_learning() && rate > 0.0 => ops::dropout(&x, rate, &stream),
        _ => Ok(x),
    }
}

/// [`dropped`] by its shapes, while the layer learns.
fn dropped_outline(x: Vec<usize>, rate: f64, outline: &mut Outline) -> Vec<usize> {
    if rate > 0.0 { outline.like(&x) } else { x }
}

/// Words, positions and, where there are any, token types, which are all the first.
#[derive(Debug)]
pub(crate) struct Embeddings {
    words: Var,
    positions: Var,
    token_types: Option<Var>,
    norm: LayerNorm,
    dropout: f64,
}

impl Embeddings {
    pub fn new(name: &str, size: &Size, from: &mut Source) -> Built<Embeddings> {
        let mut table =
            |part: &str, rows| from.pretrained(&format!("{name}.{part}.weight"), &[rows, size.width], INITIAL);
        let words = table("word_embeddings", size.vocabulary)?;
        let positions = table("position_embeddings", size.positions)?;
        let token_types = match size.token_types {
            0 => None,
            count => Some(table("token_type_embeddings", count)?),
        };
        let norm = LayerNorm::new(&format!("{name}.LayerNorm"), size, from)?;
        Ok(Embeddings { words, positions, token_types, norm, dropout: size.dropout.hidden })
    }

    fn check(&self, tokens: usize) -> Result<()> {
        let positions = self.positions.dim(0)?;
        if tokens > positions {
            bail!("{tokens} tokens, and the model has {positions} positions");
        }
        Ok(())
    }
}

impl Block for Embeddings {
    fn kind(&self) -> &'static str {
        "Embeddings"
    }

    fn forward(&self, ids: &Tensor, call: &Call) -> Result<Tensor> {
        let (_, tokens) = ids.dims2()?;
        self.check(tokens)?;
        let mut x = ops::embedding(ids, &call.tensor(&self.words))?;
        if let Some(types) = &self.token_types {
            x = x.broadcast_add(&call.tensor(types).narrow(0, 0, 1)?)?;
        }
        x = x.broadcast_add(&call.tensor(&self.positions).narrow(0, 0, tokens)?)?;
        dropped(self.norm.forward(&x, call)?, self.dropout, 0, call)
    }

    fn outline(&self, ids: &[usize], outline: &mut Outline) -> Result<Vec<usize>> {
        let [batch, tokens] = sizes(ids)?;
        self.check(tokens)?;
        let words = outline.result(vec![batch, tokens, self.words.dim(1)?]);
        if self.token_types.is_some() {
            outline.like(&words);
        }
        let with_positions = outline.like(&words);
        let normed = outline.like(&with_positions);
        Ok(dropped_outline(normed, self.dropout, outline))
    }

    fn parameters(&self) -> Vec<(String, &Var)> {
        let tables = [("word_embeddings", Some(&self.words)), ("position_embeddings", Some(&self.positions))];
        let tables = tables.into_iter().chain([("token_type_embeddings", self.token_types.as_ref())]);
        let tables = tables.filter_map(|(name, table)| Some((format!("{name}.weight"), table?)));
        tables.chain(self.norm.parameters("LayerNorm")).collect()
    }
}

/// What a family calls the parts of an encoder layer.
#[derive(Debug)]
pub(crate) struct EncoderNames {
    pub query: &'static str,
    pub key: &'static str,
    pub value: &'static str,
    pub attention_output: &'static str,
    pub attention_norm: &'static str,
    pub intermediate: &'static str,
    pub output: &'static str,
    pub output_norm: &'static str,
}

/// A layer of an encoder: attention, then a feed-forward part, each with a residual and a norm after it.
#[derive(Debug)]
pub(crate) struct Encoder {
    attention: Attention,
    intermediate: Linear,
    output: Linear,
    output_norm: LayerNorm,
    activation: Activation,
    dropout: Dropout,
    names: &'static EncoderNames,
}

impl Encoder {
    pub fn new(name: &str, size: &Size, names: &'static EncoderNames, from: &mut Source) -> Built<Encoder> {
        let part = |part: &str| format!("{name}.{part}");
        Ok(Encoder {
            attention: Attention::new(name, size, names, from)?,
            intermediate: Linear::new(&part(names.intermediate), (size.width, size.intermediate), from)?,
            output: Linear::new(&part(names.output), (size.intermediate, size.width), from)?,
            output_norm: LayerNorm::new(&part(names.output_norm), size, from)?,
            activation: size.activation,
            dropout: size.dropout,
            names,
        })
    }
}

impl Block for Encoder {
    fn kind(&self) -> &'static str {
        "TransformerEncoder"
    }

    /// `[batch, tokens, width]` → the same.
    fn forward(&self, x: &Tensor, call: &Call) -> Result<Tensor> {
        let x = self.attention.forward(x, self.dropout, call)?;
        let wide = self.intermediate.forward(&x, call)?;
        let wide = match self.activation {
            Activation::Gelu => ops::gelu(&wide)?,
            Activation::GeluTanh => ops::gelu_tanh(&wide)?,
            Activation::Relu => ops::relu(&wide)?,
        };
        let y = dropped(self.output.forward(&wide, call)?, self.dropout.hidden, 2, call)?;
        self.output_norm.forward(&(y + x)?, call)
    }

    fn outline(&self, x: &[usize], outline: &mut Outline) -> Result<Vec<usize>> {
        let x = self.attention.outline(x, self.dropout, outline)?;
        let wide = self.intermediate.outline(&x, outline)?;
        let wide = outline.like(&wide);
        let y = self.output.outline(&wide, outline)?;
        let y = dropped_outline(y, self.dropout.hidden, outline);
        let sum = outline.like(&y);
        Ok(outline.like(&sum))
    }

    fn adapters(&self) -> Vec<(String, &Adapter)> {
        let feed_forward = [(self.names.intermediate, &self.intermediate), (self.names.output, &self.output)];
        let all = self.attention.linears(self.names).into_iter().chain(feed_forward);
        all.filter_map(|(name, linear)| linear.adapter(name)).collect()
    }

    fn parameters(&self) -> Vec<(String, &Var)> {
        let mut all = self.attention.parameters(self.names);
        all.extend(self.intermediate.parameters(self.names.intermediate));
        all.extend(self.output.parameters(self.names.output));
        all.extend(self.output_norm.parameters(self.names.output_norm));
        all
    }
}

/// Attention of a text's tokens to each other, with its residual and norm.
#[derive(Debug)]
struct Attention {
    /// Query, key and value.
    inputs: [Linear; 3],
    output: Linear,
    norm: LayerNorm,
    heads: usize,
}

impl Attention {
    fn new(name: &str, size: &Size, names: &EncoderNames, from: &mut Source) -> Built<Attention> {
        let square = (size.width, size.width);
        let mut linear = |part: &str| Linear::new(&format!("{name}.{part}"), square, from);
        let inputs = [linear(names.query)?, linear(names.key)?, linear(names.value)?];
        let output = linear(names.attention_output)?;
        let norm = LayerNorm::new(&format!("{name}.{}", names.attention_norm), size, from)?;
        Ok(Attention { inputs, output, norm, heads: size.heads })
    }

    fn forward(&self, x: &Tensor, dropout: Dropout, call: &Call) -> Result<Tensor> {
        // one product instead of three
        let all =
            |of: fn(&Linear) -> &Var| Tensor::cat(&self.inputs.each_ref().map(|linear| call.tensor(of(linear))), 0);
        let mut qkv = ops::linear(x, &all(|linear| &linear.weight)?, Some(&all(|linear| &linear.bias)?))?;
        if self.is_adapted() {
            qkv = (qkv + self.adapted(x, call)?)?;
        }
        let dropped_out = call.dropout(1).filter(|_| call.is_learning()).map(|stream| (dropout.attention, stream));
        let y = ops::attention(&qkv, call.mask, self.heads, dropped_out)?;
        let y = dropped(self.output.forward(&y, call)?, dropout.attention_output, 0, call)?;
        self.norm.forward(&(y + x)?, call)
    }

    fn outline(&self, x: &[usize], dropout: Dropout, outline: &mut Outline) -> Result<Vec<usize>> {
        let [features, inputs] = sizes(self.inputs[0].weight.dims())?;
        outline.result(vec![3 * features, inputs]);
        let mut qkv = outline.linear(x, 3 * features);
        if self.is_adapted() {
            for linear in &self.inputs {
                match &linear.adapter {
                    Some(adapter) => adapter.outline(x, outline)?,
                    None => outline.like(x),
                };
            }
            outline.like(&qkv);
            qkv = outline.like(&qkv);
        }
        let y = outline.attention(&qkv)?;
        let y = self.output.outline(&y, outline)?;
        let y = dropped_outline(y, dropout.attention_output, outline);
        let sum = outline.like(&y);
        Ok(outline.like(&sum))
    }

    fn is_adapted(&self) -> bool {
        self.inputs.iter().any(|linear| linear.adapter.is_some())
    }

    /// What the adapters of query, key and value add to them, side by side.
    fn adapted(&self, x: &Tensor, call: &Call) -> Result<Tensor> {
        let [query, key, value] = self.inputs.each_ref().map(|linear| match &linear.adapter {
            Some(adapter) => adapter.forward(x, call),
            None => x.zeros_like(),
        });
        Tensor::cat(&[query?, key?, value?], D::Minus1)
    }

    /// Its matrices in order.
    fn linears(&self, names: &'static EncoderNames) -> [(&'static str, &Linear); 4] {
        let [query, key, value] = &self.inputs;
        [(names.query, query), (names.key, key), (names.value, value), (names.attention_output, &self.output)]
    }

    fn parameters(&self, names: &'static EncoderNames) -> Vec<(String, &Var)> {
        let linears = self.linears(names).into_iter().flat_map(|(name, linear)| linear.parameters(name));
        linears.chain(self.norm.parameters(names.attention_norm)).collect()
    }
}
