//! Blocks of a backbone: layers that are unfrozen together, and that learn at one rate where rates fall with the depth.
//!
//! A block is a stage of VGG (`block5_conv1` to `block5_pool`), a residual block, a fire module, a layer of an encoder, or
//! what stands alone below them. What has nothing to learn, and a batch norm, belongs to the block before it.

use std::collections::BTreeMap;

use super::error::Error;
use super::freeze::matching;
use super::layer::Layer;
use crate::experiment::Trainable;

/// The first layer of each block of the backbone among `layers`, from the bottom up.
pub(crate) fn starts(layers: &[Layer]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut latest = None;
    let backbone = layers.iter().take_while(|layer| layer.is_backbone()).enumerate();
    for (index, layer) in backbone.filter(|(_, layer)| begins(layer)) {
        let stage = layer.name().split('_').next();
        if latest != Some(stage) {
            starts.push(if starts.is_empty() { 0 } else { index });
            latest = Some(stage);
        }
    }
    starts
}

/// Whether a block may begin with `layer`.
fn begins(layer: &Layer) -> bool {
    layer.parameter_count() > 0 && !layer.kind().starts_with("BatchNorm")
}

/// How many blocks each of `layers` lies below the head; 0 for the head's own.
pub(crate) fn depths(layers: &[Layer]) -> Vec<usize> {
    let starts = starts(layers);
    let depth = |(index, layer): (usize, &Layer)| match layer.is_backbone() {
        true => starts.len() + 1 - starts.iter().filter(|start| **start <= index).count().max(1),
        false => 0,
    };
    layers.iter().enumerate().map(depth).collect()
}

/// What learns in a phase of so many `epochs`, each with the epochs (of the phase) after which it begins: more and more
/// where it is gradual.
pub(crate) fn stretches(layers: &[Layer], trainable: &Trainable, epochs: u32) -> Result<Vec<(u32, Trainable)>, Error> {
    let Trainable::Gradual { every, blocks } = *trainable else { return Ok(vec![(0, trainable.clone())]) };
    let starts = starts(layers);
    if let Some(asked) = blocks.filter(|asked| *asked > starts.len()) {
        return Err(Error::TooManyBlocks { asked, there: starts.len() });
    }
    let unfrozen = starts.iter().rev().take(blocks.unwrap_or(usize::MAX)).zip(1u32..).map(|(start, number)| {
        let from = if *start == 0 { Trainable::All } else { Trainable::From(layers[*start].name().to_owned()) };
        (every.saturating_mul(number), from)
    });
    Ok(std::iter::once((0, Trainable::Head)).chain(unfrozen.take_while(|(after, _)| *after < epochs)).collect())
}

/// What the learning rate of each of `layers` is multiplied by: `decay` for each block below the head, and the `factors`
/// of all patterns that match its name.
pub(crate) fn rates(layers: &[Layer], decay: f64, factors: &BTreeMap<String, f64>) -> Result<Vec<f64>, Error> {
    let of_depth = |depth: usize| if decay == 1.0 { 1.0 } else { decay.powf(depth as f64) };
    let mut rates: Vec<f64> = depths(layers).into_iter().map(of_depth).collect();
    for (pattern, factor) in factors {
        matching(pattern, layers)?.into_iter().for_each(|index| rates[index] *= factor);
    }
    Ok(rates)
}
