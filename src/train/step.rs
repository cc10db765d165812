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
