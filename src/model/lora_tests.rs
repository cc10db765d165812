//! Adapters beside the matrices of a BERT of a few thousand weights, against the network without them.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor, Var};

use super::backbone_tests::{TINY_BERT, flat, input, network_with};
use super::*;
use crate::base::random::{Purpose, Stream};
use crate::experiment::{Lora, Pool, Trainable};
use crate::ops;

const TRAIN: Pass = Pass::Train { seed: 1, step: 3 };

fn lora(layers: &[&str]) -> Lora {
    Lora { rank: 2, alpha: 6.0, dropout: 0.0, layers: layers.iter().map(|&layer| layer.to_owned()).collect() }
}

/// With dropouts of its own off, so that a step of training computes what inference does.
fn bert(lora: Option<Lora>) -> Network {
    let config = TINY_BERT.replacen('{', r#"{ "hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0,"#, 1);
    network_with(Backbone::Bert, Pool::Cls, &config, lora)
}

fn logits(network: &Network, pass: &Pass) -> Tensor {
    let (x, mask) = input(Backbone::Bert);
    network.forward(&x, mask.as_ref(), pass).unwrap()
}

/// Moves every adapter away from where it computes nothing.
fn move_adapters(network: &Network) {
    for (number, (name, var)) in
        network.tensors().into_iter().enumerate().filter(|(_, (name, _))| name.contains("lora_"))
    {
        let mut stream = Stream::new(9, Purpose::Augment, number as u64, 0);
        let values: Vec<f32> = (0..var.elem_count()).map(|_| stream.range(-0.3, 0.3) as f32).collect();
        var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap()).unwrap();
        assert!(name.ends_with("lora_A.weight") || name.ends_with("lora_B.weight"), "{name}");
    }
}

/// The network without adapters that has the merged weights of `network`.
fn merged(network: &Network) -> Network {
    let plain = bert(None);
    let merged: BTreeMap<String, Var> = network.merged().unwrap().into_iter().collect();
    let tensors = plain.tensors();
    assert_eq!(merged.len(), tensors.len(), "a merged model has no adapters");
    tensors.iter().for_each(|(name, var)| var.set(merged[name].as_tensor()).unwrap());
    plain
}

fn gradients(network: &Network) -> BTreeMap<String, Tensor> {
    let labels = Tensor::new(&[0u32, 1, 2, 1], &Device::Cpu).unwrap();
    let gradients = ops::cross_entropy(&logits(network, &TRAIN), &labels).unwrap().backward().unwrap();
    let of = |(name, var): (String, Var)| Some((name, gradients.get(var.as_tensor())?.clone()));
    network.tensors().into_iter().filter_map(of).collect()
}

fn furthest(one: &Tensor, other: &Tensor) -> f32 {
    assert_eq!(one.dims(), other.dims());
    flat(one).iter().zip(flat(other)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn a_new_adapter_changes_nothing_and_merging_a_moved_one_neither() {
    let adapted = bert(Some(lora(&["query", "key", "value", "*dense"])));
    assert_eq!(flat(&logits(&adapted, &Pass::Eval)), flat(&logits(&bert(None), &Pass::Eval)));
    move_adapters(&adapted);
    let moved = logits(&adapted, &Pass::Eval);
    assert!(furthest(&moved, &logits(&bert(None), &Pass::Eval)) > 1e-2);
    assert!(furthest(&moved, &logits(&merged(&adapted), &Pass::Eval)) < 1e-5);
}

/// Of W + s B A the gradients are s dW Aᵀ for B and s Bᵀ dW for A, where dW is that of a whole matrix in its place.
#[test]
fn gradients_are_those_of_the_matrix_through_the_other_factor() {
    let adapted = bert(Some(lora(&["query", "key", "value", "*dense"])));
    move_adapters(&adapted);
    let of_whole = gradients(&merged(&adapted));
    let of_adapters = gradients(&adapted);
    let tensors: BTreeMap<String, Var> = adapted.tensors().into_iter().collect();
    let mut seen = 0;
    for (name, gradient) in of_adapters.iter().filter(|(name, _)| name.contains("lora_")) {
        let (matrix, _) = name.split_once(".lora_").unwrap();
        let whole = &of_whole[&format!("{matrix}.weight")];
        let factor = |which: &str| tensors[&format!("{matrix}.lora_{which}.weight")].as_detached_tensor();
        let expected = match name.contains("lora_A") {
            true => factor("B").t().unwrap().matmul(whole),
            false => whole.matmul(&factor("A").t().unwrap()),
        };
        let expected = (expected.unwrap() * 3.0).unwrap();
        let scale = flat(&expected).iter().fold(0.0f32, |most, g| most.max(g.abs()));
        assert!(furthest(gradient, &expected) < 1e-6 + 1e-3 * scale, "{name}: {scale}");
        seen += 1;
    }
    // six matrices in each of four layers, and the pooler's
    assert_eq!(seen, 2 * (6 * 4 + 1));
}

/// Rank 2: a square matrix of 16 features has 64 scalars more, one between 16 and 24 has 80.
#[test]
fn adapters_alone_learn_of_the_layers_that_are_unfrozen() {
    let mut network = bert(Some(lora(&["encoder.layer.[13].*.query", "intermediate.dense"])));
    let counts = [(Trainable::All, 2 * 64 + 4 * 80), (Trainable::LastLayers(2), 64 + 80), (Trainable::Head, 0)];
    let head = 16 * 8 + 8 + 8 * 3 + 3;
    let (whole, plain) = (network.parameter_count(), bert(None).parameter_count());
    assert_eq!(whole, plain + 2 * 64 + 4 * 80);
    for (trainable, count) in counts {
        network.freeze(&trainable).unwrap();
        assert_eq!(network.trainable_parameter_count(), head + count, "{trainable:?}");
        let names: Vec<String> = network.trainable().into_iter().map(|(name, _)| name).collect();
        assert!(names.iter().all(|name| name.starts_with("head.") || name.contains(".lora_")), "{names:?}");
        assert_eq!(network.moving_tensors(), names);
    }
    // the embeddings have nothing to learn, the first encoder has
    network.freeze(&Trainable::All).unwrap();
    assert_eq!(network.frozen_prefix(), 1);
    assert!(matches!(network.freeze(&Trainable::Names(vec!["embeddings".into()])), Err(Error::NothingMatches { .. })));
}

#[test]
fn only_an_adapter_that_learns_drops_out() {
    let of = |dropout| {
        let mut network = bert(Some(Lora { dropout, ..lora(&["value"]) }));
        move_adapters(&network);
        let learning = logits(&network, &TRAIN);
        network.freeze(&Trainable::Head).unwrap();
        [learning, logits(&network, &TRAIN), logits(&network, &Pass::Eval)]
    };
    let ([learning, frozen, eval], [expected, ..]) = (of(0.5), of(0.0));
    assert!(furthest(&learning, &expected) > 1e-3);
    assert!(furthest(&frozen, &expected) < 1e-6 && furthest(&eval, &expected) < 1e-6);
}

#[test]
fn a_name_that_no_matrix_has_is_said_with_the_nearest() {
    let error = |pattern: &str| {
        let mut plan = lora::Plan::new(&lora(&["value", pattern])).unwrap();
        for name in ["encoder.layer.0.attention.self.query", "encoder.layer.1.attention.self.value", "pooler.dense"] {
            plan.wants(name);
        }
        plan.check().unwrap_err()
    };
    let near = error("qery");
    assert_eq!(near.to_string(), "no attention or dense layer of the backbone matches `qery`");
    assert_eq!(near.hint().unwrap(), "did you mean `query`?");
    let far = error("c_attn*").hint().unwrap();
    assert_eq!(
        far,
        "its layers are encoder.layer.*.attention.self.query, encoder.layer.*.attention.self.value, pooler.dense"
    );
}
