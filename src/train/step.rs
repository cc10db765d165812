//! A step of training: forward, loss, backward, clipping, update. The one function that trains, whoever asks for it.

use candle_core::Tensor;
use candle_core::backprop::GradStore;

use super::error::Error;
use super::metrics::Sums;
use super::objective::{self, Objective, Targets};
use super::optimizer::{Optimizer, clip};
use crate::model::{Network, Pass};

/// What a step learns from, or one of several batches that it does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch<'a> {
    /// The input of layer `first_layer`.
    pub x: &'a Tensor,
    /// Of texts: `[batch, tokens]`, 1 for a token, 0 for padding.
    pub mask: Option<&'a Tensor>,
    pub targets: &'a Targets,
    pub first_layer: usize,
}

/// What a step came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stepped {
    /// Before the update.
    pub sums: Sums,
    /// Why nothing was updated, if so.
    pub diverged: Option<Diverged>,
}

/// A figure that is no finite number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Diverged {
    pub what: &'static str,
    pub value: f64,
}

/// The gradients of a step, gathered from one batch or from several, each of which counts by its samples: several small
/// ones come to the gradients of one that holds all their samples (PyTorch's and transformers' gradient accumulation,
/// where the last group weighs right too).
pub(super) struct Gathered {
    /// Of all batches of the step.
    samples: usize,
    gradients: Option<GradStore>,
    sums: Sums,
    diverged: Option<Diverged>,
}

impl Gathered {
    /// Before the first batch of a step on so many samples.
    pub fn of(samples: usize) -> Gathered {
        Gathered { samples, gradients: None, sums: Sums::default(), diverged: None }
    }

    /// Takes a batch, unless one before had a loss that is NaN or infinite: gradients for what `optimizer` moves.
    pub fn add(
        &mut self,
        network: &Network,
        optimizer: &dyn Optimizer,
        objective: &Objective,
        batch: Batch,
        pass: &Pass,
    ) -> Result<(), Error> {
        if self.diverged.is_some() {
            return Ok(());
        }
        let logits = network.forward_range(batch.first_layer..usize::MAX, batch.x, batch.mask, pass)?;
        let penalized = network.penalized(pass);
        let loss = objective.penalized_loss(&logits, batch.targets, &penalized)?;
        let (mut sums, _) = objective.score(&logits, batch.targets)?;
        sums.penalize(objective::penalty(&penalized)?);
        self.sums.merge(&sums);
        if !sums.loss().is_finite() {
            self.diverged = Some(Diverged { what: "loss", value: sums.loss() });
            return Ok(());
        }
        let share = batch.targets.len() as f64 / self.samples as f64;
        Ok(self.take(loss.backward()?, share, &optimizer.variables())?)
    }

    /// Adds `share` times `gradients`.
    fn take(&mut self, gradients: GradStore, share: f64, variables: &[&candle_core::Var]) -> candle_core::Result<()> {
        if share == 1.0 {
            self.gradients = Some(gradients);
            return Ok(());
        }
        let mut gradients = gradients;
        for variable in variables {
            let new = gradients.remove(variable).map(|gradient| gradient * share).transpose()?;
            let before = self.gradients.as_mut().and_then(|all| all.remove(variable));
            let sum = match (before, new) {
                (Some(before), Some(new)) => Some((before + new)?),
                (before, new) => before.or(new),
            };
            if let Some(sum) = sum {
                gradients.insert(variable, sum);
            }
        }
        self.gradients = Some(gradients);
        Ok(())
    }

    /// Moves what learns by one step of `optimizer`, with gradients of a norm of `clip_norm` at most. Where a loss or that
    /// norm is NaN or infinite, everything is left as it is (running statistics of batch norms apart).
    pub fn update(self, optimizer: &mut dyn Optimizer, clip_norm: Option<f64>) -> Result<Stepped, Error> {
        let Gathered { gradients, sums, diverged, .. } = self;
        let diverged = match (diverged, gradients) {
            (None, Some(gradients)) => update(optimizer, &gradients, clip_norm)?,
            (diverged, _) => diverged,
        };
        Ok(Stepped { sums, diverged })
    }
}

/// The last part of a step, from the gradients on.
pub(super) fn update(
    optimizer: &mut dyn Optimizer,
    gradients: &GradStore,
    clip_norm: Option<f64>,
) -> candle_core::Result<Option<Diverged>> {
    let mut scale = 1.0;
    if let Some(most) = clip_norm {
        let variables = optimizer.variables();
        let norm = clip::norm(variables.iter().filter_map(|variable| gradients.get(variable)))?;
        if !norm.is_finite() {
            return Ok(Some(Diverged { what: "norm of the gradient", value: norm }));
        }
        scale = clip::scale(norm, most);
    }
    optimizer.step(gradients, scale as f32)?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;
    use crate::experiment;
    use crate::train::optimizer;

    /// Where two variables at 0 are after a step of plain descent against `gradients`.
    fn moved(gradients: [f32; 2], clip_norm: Option<f64>) -> ([f32; 2], Option<Diverged>) {
        let variables = [0, 1].map(|_| Var::zeros((), candle_core::DType::F32, &Device::Cpu).unwrap());
        let spec =
            experiment::Optimizer::Sgd { lr: 1.0, momentum: 0.0, nesterov: false, weight_decay: 0.0, dampening: 0.0 };
        let named = variables.iter().enumerate().map(|(at, variable)| (at.to_string(), variable.clone())).collect();
        let mut optimizer = optimizer::build(&spec, named).unwrap();
        let product = |at: usize| variables[at].affine(f64::from(gradients[at]), 0.0).unwrap();
        let gradients = (product(0) + product(1)).unwrap().backward().unwrap();
        let diverged = update(&mut *optimizer, &gradients, clip_norm).unwrap();
        assert_eq!(optimizer.steps(), u64::from(diverged.is_none()));
        (variables.map(|variable| variable.to_scalar().unwrap()), diverged)
    }

    #[test]
    fn gradients_are_clipped_together() {
        assert_eq!(moved([3.0, 4.0], None), ([-3.0, -4.0], None));
        assert_eq!(moved([3.0, 4.0], Some(6.0)), ([-3.0, -4.0], None));
        let ([one, two], diverged) = moved([3.0, 4.0], Some(1.0));
        assert!((one + 0.6).abs() < 1e-6 && (two + 0.8).abs() < 1e-6 && diverged.is_none(), "{one} {two}");
    }

    #[test]
    fn nothing_moves_where_the_norm_is_no_number() {
        for bad in [f32::NAN, f32::INFINITY] {
            let (after, diverged) = moved([3.0, bad], Some(1.0));
            assert_eq!(after, [0.0, 0.0]);
            assert!(diverged.is_some_and(|diverged| diverged.what == "norm of the gradient"));
        }
    }
}
