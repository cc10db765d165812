//! Training as a file of figures says, with the step that trains experiments.

use std::collections::HashMap;

use candle_core::{Result, Tensor, Var};

use super::error::Trouble;
use super::recipe::Recipe;
use crate::experiment::{Backbone, HeadLayer, Model, Pool, Preprocessing, Trainable, Weights};
use crate::model::{Network, Pass};
use crate::train::objective::{Objective, Targets};
use crate::train::optimizer;
use crate::train::step::{Batch, Gathered};

/// Inputs of a network with their classes.
pub(super) struct Samples {
    /// One a row.
    pub x: Tensor,
    /// Of texts: `[batch, tokens]`.
    pub mask: Option<Tensor>,
    pub labels: Vec<u32>,
}

impl Samples {
    /// The logits of all of them, in inference.
    pub fn logits(&self, network: &Network) -> std::result::Result<Tensor, Trouble> {
        Ok(network.forward(&self.x, self.mask.as_ref(), &Pass::Eval)?)
    }

    fn chosen(&self, samples: &[usize]) -> Result<Samples> {
        let at: Vec<u32> = samples.iter().map(|&sample| sample as u32).collect();
        let at = Tensor::from_vec(at, samples.len(), self.x.device())?;
        let rows = |tensor: &Tensor| tensor.index_select(&at, 0);
        let mask = self.mask.as_ref().map(rows).transpose()?;
        Ok(Samples { x: rows(&self.x)?, mask, labels: samples.iter().map(|&sample| self.labels[sample]).collect() })
    }
}

/// Some steps in a row.
pub(super) struct Training {
    pub recipe: Recipe,
    pub trainable: Trainable,
    /// What even and odd steps see.
    pub turns: [Vec<usize>; 2],
}

impl Training {
    /// Trains `steps` steps with a fresh optimizer; the loss of each before its update, a NaN where it diverged.
    pub fn losses(
        &self,
        network: &mut Network,
        samples: &Samples,
        steps: usize,
    ) -> std::result::Result<Vec<f64>, Trouble> {
        network.freeze(&self.trainable)?;
        // frozen layers are computed once, as experiments have it
        let first_layer = network.frozen_prefix();
        let x = network.forward_range(0..first_layer, &samples.x, samples.mask.as_ref(), &Pass::Eval)?;
        let samples = Samples { x, mask: samples.mask.clone(), labels: samples.labels.clone() };
        let turns = [samples.chosen(&self.turns[0])?, samples.chosen(&self.turns[1])?];
        let mut optimizer = optimizer::build(&self.recipe.optimizer, network.trainable())?;
        let mut losses = Vec::with_capacity(steps);
        for number in 0..steps {
            let Samples { x, mask, labels } = &turns[number % 2];
            let targets = Targets::Labels(labels.clone());
            let batch = Batch { x, mask: mask.as_ref(), targets: &targets, first_layer };
            let pass = Pass::Train { seed: 0, step: number as u64 };
            let mut gathered = Gathered::of(labels.len());
            gathered.add(network, &*optimizer, &Objective::default(), batch, &pass)?;
            let stepped = gathered.update(&mut *optimizer, self.recipe.clip_norm)?;
            losses.push(if stepped.diverged.is_some() { f64::NAN } else { stepped.sums.loss() });
        }
        Ok(losses)
    }
}

/// A network of random weights, which figures then set.
pub(super) fn spec(backbone: Backbone, pool: Pool, head: Vec<HeadLayer>, preprocessing: Preprocessing) -> Model {
    Model {
        lora: None,
        backbone,
        weights: Weights::Random,
        tokenizer: None,
        preprocessing: Some(preprocessing),
        pool,
        l2: 0.0,
        head,
    }
}

/// The tensors of a network by name, each to be set.
pub(super) struct Tensors(HashMap<String, Var>);

impl Tensors {
    pub fn of(network: &Network) -> Tensors {
        Tensors(network.tensors().into_iter().collect())
    }

    pub fn get(&self, name: &str, field: &str) -> std::result::Result<&Var, Trouble> {
        self.0
            .get(name)
            .ok_or_else(|| Trouble::field(field, format!("names `{name}`, which the network does not have")))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.0.iter().map(|(name, var)| (name.as_str(), var))
    }
}
