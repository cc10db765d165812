//! A step of training: forward, loss, backward, clipping, update. The one function that trains, whoever asks for it.

use candle_core::Tensor;
use candle_core::backprop::GradStore;

use super::error::Error;
use super::metrics::{self, Scored, Sums};
use super::optimizer::{Optimizer, clip};
use crate::model::{Network, Pass};
use crate::ops;

/// What a step learns from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch<'a> {
    /// The input of layer `first_layer`.
    pub x: &'a Tensor,
    /// Of texts: `[batch, tokens]`, 1 for a token, 0 for padding.
    pub mask: Option<&'a Tensor>,
    pub labels: &'a [u32],
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

/// Moves what learns in `network` by one step of `optimizer`, with gradients of a norm of `clip_norm` at most. Where the
/// loss or that norm is NaN or infinite, everything is left as it is (running statistics of batch norms apart).
pub(super) fn step(
    network: &Network,
    optimizer: &mut dyn Optimizer,
    clip_norm: Option<f64>,
    batch: Batch,
    pass: &Pass,
) -> Result<Stepped, Error> {
    let logits = network.forward_range(batch.first_layer..usize::MAX, batch.x, batch.mask, pass)?;
    let labels = Tensor::from_slice(batch.labels, batch.labels.len(), logits.device())?;
    let loss = ops::cross_entropy(&logits, &labels)?;
    let (sums, _) = score(&logits, batch.labels)?;
    if !sums.loss().is_finite() {
        return Ok(Stepped { sums, diverged: Some(Diverged { what: "loss", value: sums.loss() }) });
    }
    let diverged = update(optimizer, &loss.backward()?, clip_norm)?;
    Ok(Stepped { sums, diverged })
}

/// The last part of [`step`], from the gradients on.
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

/// Scores logits `[batch, classes]`.
pub(super) fn score(logits: &Tensor, labels: &[u32]) -> candle_core::Result<(Sums, Vec<Scored>)> {
    let (_, classes) = logits.dims2()?;
    let values = logits.flatten_all()?.to_vec1::<f32>()?;
    let mut sums = Sums::default();
    let scored: Vec<Scored> =
        values.chunks(classes.max(1)).zip(labels).map(|(row, &label)| metrics::score(row, label)).collect();
    scored.iter().zip(labels).for_each(|(scored, &label)| sums.add(scored, label));
    Ok((sums, scored))
}
