//! What stands on the backbone: a pooling, the layers of `model.head`, and the output layer of one logit a class.

use std::collections::HashMap;

use candle_core::{Module, Result, Tensor, Var};
use candle_nn::Linear;

use super::error::Error;
use super::layer::{Block, Call, Layer, Part};
use super::outline::{Outline, sizes};
use super::weights::{Init, Source};
use crate::experiment::{Activation, HeadLayer, Model, Pool};
use crate::ops;

/// The layers of `spec` after a backbone that gives `features`.
pub(crate) fn layers(
    features: Features,
    spec: &Model,
    classes: usize,
    source: &mut Source,
) -> std::result::Result<Vec<Layer>, Error> {
    let mut names = Names::default();
    let mut width = features.width();
    let mut layers: Vec<Layer> = pooling(features, spec.pool).into_iter().collect();
    for layer in &spec.head {
        layers.push(match *layer {
            HeadLayer::Dense { units, activation, l2 } => {
                let name = names.next("dense");
                let form = Form { units, activation, l2: l2.unwrap_or(spec.l2) };
                let dense = Dense::new(&name, width, form, source)?;
                width = units;
                Layer::new(name, Part::Head, dense)
            }
            HeadLayer::Dropout(rate) => Layer::new(names.next("dropout"), Part::Head, Dropout { rate }),
        });
    }
    let form = Form { units: classes, activation: Activation::Linear, l2: spec.l2 };
    let output = Dense::new("head.output", width, form, source)?;
    layers.push(Layer::new("head.output", Part::Head, output));
    Ok(layers)
}

/// From features to a vector, unless they are one.
fn pooling(features: Features, pool: Pool) -> Option<Layer> {
    let (name, pooling) = match (features, pool) {
        (Features::Vector { .. }, _) => return None,
        (Features::Map { .. }, Pool::Max) => ("max_pool", GlobalPool::Largest),
        (Features::Map { .. }, Pool::Avg | Pool::Cls) => ("avg_pool", GlobalPool::Mean),
        (Features::Tokens { .. }, Pool::Cls) => ("cls", GlobalPool::FirstToken),
        (Features::Tokens { .. }, Pool::Avg | Pool::Max) => ("avg_pool", GlobalPool::MeanOfTokens),
    };
    Some(Layer::new(name, Part::Head, pooling))
}

/// Numbers layers of a kind as Keras does: `dense`, `dense_1`, `dense_2`.
#[derive(Default)]
struct Names(HashMap<&'static str, usize>);

impl Names {
    fn next(&mut self, kind: &'static str) -> String {
        let count = self.0.entry(kind).or_insert(0);
        *count += 1;
        if *count == 1 { format!("head.{kind}") } else { format!("head.{kind}_{}", *count - 1) }
    }
}

/// What a backbone gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Features {
    /// `[batch, channels, height, width]`
    Map { channels: usize },
    /// `[batch, tokens, width]`
    Tokens { width: usize },
    /// `[batch, width]`
    Vector { width: usize },
}

impl Features {
    fn width(self) -> usize {
        match self {
            Features::Map { channels } => channels,
            Features::Tokens { width } | Features::Vector { width } => width,
        }
    }
}

/// A map or the states of tokens → `[batch, width]`.
#[derive(Debug)]
enum GlobalPool {
    Mean,
    Largest,
    /// Of the tokens that are no padding, as sentence-transformers' mean pooling.
    MeanOfTokens,
    FirstToken,
}

impl Block for GlobalPool {
    fn kind(&self) -> &'static str {
        match self {
            GlobalPool::Mean => "GlobalAveragePooling2D",
            GlobalPool::Largest => "GlobalMaxPooling2D",
            GlobalPool::MeanOfTokens => "GlobalAveragePooling1D",
            GlobalPool::FirstToken => "FirstToken",
        }
    }

    fn forward(&self, x: &Tensor, call: &Call) -> Result<Tensor> {
        match self {
            GlobalPool::Mean => ops::global_avg_pool2d(x),
            GlobalPool::Largest => ops::global_max_pool2d(x),
            GlobalPool::MeanOfTokens => match call.mask {
                Some(mask) => ops::masked_mean(x, mask),
                None => x.mean(1),
            },
            GlobalPool::FirstToken => x.narrow(1, 0, 1)?.squeeze(1),
        }
    }

    fn outline(&self, x: &[usize], outline: &mut Outline) -> Result<Vec<usize>> {
        match self {
            GlobalPool::Mean | GlobalPool::Largest => {
                let [batch, channels, ..] = sizes::<4>(x)?;
                Ok(outline.result(vec![batch, channels]))
            }
            GlobalPool::MeanOfTokens | GlobalPool::FirstToken => {
                let [batch, _, width] = sizes(x)?;
                Ok(outline.result(vec![batch, width]))
            }
        }
    }
}

/// `[batch, in]` → `[batch, units]`; Keras' `Dense` with its default initializers.
#[derive(Debug)]
struct Dense {
    weight: Var,
    bias: Var,
    activation: Activation,
    /// What a unit of its squared weights costs in the loss (Keras' `kernel_regularizer=L2(l2)`).
    l2: f64,
}

/// What an experiment says of a dense layer.
#[derive(Debug, Clone, Copy)]
struct Form {
    units: usize,
    activation: Activation,
    l2: f64,
}

impl Dense {
    fn new(name: &str, inputs: usize, form: Form, source: &mut Source) -> std::result::Result<Dense, Error> {
        let Form { units, activation, l2 } = form;
        let weight = source.fresh(&format!("{name}.weight"), &[units, inputs], Init::Glorot)?;
        let bias = source.fresh(&format!("{name}.bias"), &[units], Init::Zeros)?;
        Ok(Dense { weight, bias, activation, l2 })
    }
}

impl Block for Dense {
    fn kind(&self) -> &'static str {
        "Dense"
    }

    fn forward(&self, x: &Tensor, call: &Call) -> Result<Tensor> {
        let y = Linear::new(call.tensor(&self.weight), Some(call.tensor(&self.bias))).forward(x)?;
        match self.activation {
            Activation::Linear => Ok(y),
            Activation::Relu => ops::relu(&y),
        }
    }

    fn outline(&self, x: &[usize], outline: &mut Outline) -> Result<Vec<usize>> {
        // the product, then the bias
        let product = outline.linear(x, self.bias.dim(0)?);
        let y = outline.like(&product);
        Ok(if self.activation == Activation::Relu { outline.like(&y) } else { y })
    }

    fn parameters(&self) -> Vec<(String, &Var)> {
        vec![("weight".into(), &self.weight), ("bias".into(), &self.bias)]
    }

    fn penalized(&self) -> Option<(&Var, f64)> {
        (self.l2 > 0.0).then_some((&self.weight, self.l2))
    }
}

#[derive(Debug)]
struct Dropout {
    rate: f64,
}

impl Block for Dropout {
    fn kind(&self) -> &'static str {
        "Dropout"
    }

    fn forward(&self, x: &Tensor, call: &Call) -> Result<Tensor> {
        match call.dropout(0) {
            None => Ok(x.clone()),
            Some(stream) => ops::dropout(x, self.rate, &stream),
        }
    }

    fn outline(&self, x: &[usize], outline: &mut Outline) -> Result<Vec<usize>> {
        Ok(outline.like(x))
    }

    fn is_random(&self) -> bool {
        self.rate > 0.0
    }
}
