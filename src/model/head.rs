//! What stands on the backbone: a pooling, the layers of `model.head`, and the output layer of one logit a class.

use std::collections::HashMap;

use candle_core::{Module, Result, Tensor, Var};
use candle_nn::Linear;

use super::error::Error;
use super::layer::{Block, Call, Layer, Part, Pass};
use super::weights::{Init, Source};
use crate::base::random::{Purpose, Stream};
use crate::experiment::{Activation, HeadLayer, Pool};
use crate::ops;

/// The layers after a backbone whose last feature map has `channels` channels.
pub(crate) fn layers(
    pool: Pool,
    head: &[HeadLayer],
    channels: usize,
    classes: usize,
    source: &mut Source,
) -> std::result::Result<Vec<Layer>, Error> {
    let mut names = Names::default();
    let mut width = channels;
    let mut layers = vec![match pool {
        Pool::Avg => Layer::new("avg_pool", Part::Head, GlobalPool(Pool::Avg)),
        Pool::Max => Layer::new("max_pool", Part::Head, GlobalPool(Pool::Max)),
    }];
    for layer in head {
        layers.push(match *layer {
            HeadLayer::Dense { units, activation } => {
                let name = names.next("dense");
                let dense = Dense::new(&name, width, units, activation, source)?;
                width = units;
                Layer::new(name, Part::Head, dense)
            }
            HeadLayer::Dropout(rate) => Layer::new(names.next("dropout"), Part::Head, Dropout { rate }),
        });
    }
    let output = Dense::new("head.output", width, classes, Activation::Linear, source)?;
    layers.push(Layer::new("head.output", Part::Head, output));
    Ok(layers)
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

/// `[batch, channels, height, width]` → `[batch, channels]`.
#[derive(Debug)]
struct GlobalPool(Pool);

impl Block for GlobalPool {
    fn kind(&self) -> &'static str {
        match self.0 {
            Pool::Avg => "GlobalAveragePooling2D",
            Pool::Max => "GlobalMaxPooling2D",
        }
    }

    fn forward(&self, x: &Tensor, _call: &Call) -> Result<Tensor> {
        match self.0 {
            Pool::Avg => ops::global_avg_pool2d(x),
            Pool::Max => ops::global_max_pool2d(x),
        }
    }
}

/// `[batch, in]` → `[batch, units]`; Keras' `Dense` with its default initializers.
#[derive(Debug)]
struct Dense {
    weight: Var,
    bias: Var,
    activation: Activation,
}

impl Dense {
    fn new(
        name: &str,
        inputs: usize,
        units: usize,
        activation: Activation,
        source: &mut Source,
    ) -> std::result::Result<Dense, Error> {
        let weight = source.fresh(&format!("{name}.weight"), &[units, inputs], Init::Glorot)?;
        let bias = source.fresh(&format!("{name}.bias"), &[units], Init::Zeros)?;
        Ok(Dense { weight, bias, activation })
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

    fn parameters(&self) -> Vec<(String, &Var)> {
        vec![("weight".into(), &self.weight), ("bias".into(), &self.bias)]
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
        match *call.pass {
            Pass::Eval => Ok(x.clone()),
            Pass::Train { seed, step } => {
                ops::dropout(x, self.rate, &Stream::new(seed, Purpose::Dropout, step, call.index as u64))
            }
        }
    }

    fn is_random(&self) -> bool {
        self.rate > 0.0
    }
}
