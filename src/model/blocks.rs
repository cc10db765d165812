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
    layer.learnable_count() > 0 && !layer.kind().starts_with("BatchNorm")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Backbone, Model, Pool, Weights};
    use crate::model::Network;

    fn network(backbone: Backbone) -> Network {
        let (weights, pool) = (Weights::Random, Pool::Avg);
        let spec =
            Model { backbone, weights, tokenizer: None, preprocessing: None, lora: None, pool, l2: 0.0, head: vec![] };
        Network::of_shapes(&spec, 2).unwrap()
    }

    #[test]
    fn blocks_are_what_people_call_so() {
        for (backbone, expected) in [
            (Backbone::SqueezeNet1_1, "conv1 fire2 fire3 fire4 fire5 fire6 fire7 fire8 fire9"),
            (Backbone::Vgg16, "input_layer block2_conv1 block3_conv1 block4_conv1 block5_conv1"),
            (Backbone::ResNet18, "conv1 layer1.0 layer1.1 layer2.0 layer2.1 layer3.0 layer3.1 layer4.0 layer4.1"),
        ] {
            let layers = network(backbone).layers;
            let names: Vec<&str> = starts(&layers).into_iter().map(|start| layers[start].name()).collect();
            assert_eq!(names.join(" "), expected);
            let depths = depths(&layers);
            assert_eq!((depths[0], depths.last()), (names.len(), Some(&0)), "{backbone:?}");
            assert!(depths.is_sorted_by(|a, b| a >= b), "{depths:?}");
        }
    }

    #[test]
    fn one_block_more_learns_every_few_epochs_until_the_phase_ends() {
        let layers = network(Backbone::Vgg16).layers;
        let from = |name: &str| Trainable::From(name.into());
        let gradual = |every, blocks, epochs| stretches(&layers, &Trainable::Gradual { every, blocks }, epochs);
        let top = [(0, Trainable::Head), (2, from("block5_conv1")), (4, from("block4_conv1"))];
        assert_eq!(gradual(2, None, 6).unwrap(), top);
        assert_eq!(gradual(2, Some(1), 6).unwrap(), top[..2]);
        assert_eq!(gradual(9, None, 9).unwrap(), top[..1]);
        assert_eq!(gradual(1, None, 99).unwrap().last(), Some(&(5, Trainable::All)));
        assert!(matches!(gradual(1, Some(6), 9), Err(Error::TooManyBlocks { asked: 6, there: 5 })));
        assert_eq!(stretches(&layers, &Trainable::All, 3).unwrap(), [(0, Trainable::All)]);
    }

    #[test]
    fn rates_fall_by_blocks_and_patterns_multiply_them() {
        let layers = network(Backbone::Vgg16).layers;
        let factors =
            |pairs: &[(&str, f64)]| pairs.iter().map(|(name, factor)| ((*name).to_owned(), *factor)).collect();
        let rates = |decay, pairs: &[(&str, f64)]| rates(&layers, decay, &factors(pairs));
        let of = |rates: &[f64], name: &str| rates[layers.iter().position(|layer| layer.name() == name).unwrap()];
        let fallen = rates(0.5, &[("block4*", 3.0), ("*conv2", 2.0)]).unwrap();
        for (name, rate) in [
            ("head.output", 1.0),
            ("block5_conv3", 0.5),
            ("block5_conv2", 1.0),
            ("block4_conv1", 0.75),
            ("block4_conv2", 1.5),
            ("block1_conv1", 0.03125),
        ] {
            assert_eq!(of(&fallen, name), rate, "{name}");
        }
        assert!(rates(1.0, &[]).unwrap().iter().all(|rate| *rate == 1.0));
        assert!(matches!(rates(1.0, &[("fire*", 2.0)]), Err(Error::NothingMatches { .. })));
        assert!(matches!(rates(1.0, &[("block9_conv1", 2.0)]), Err(Error::UnknownLayer { .. })));
    }
}
