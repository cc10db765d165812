//! What holds for every backbone: its layers and sizes are those of the original, what is unfrozen moves, and what is
//! frozen is equal to the bit.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Device, Tensor, Var};

use super::*;
use crate::base::random::{Purpose, Stream};
use crate::experiment::{Activation, HeadLayer, Lora, Pool, Trainable, Weights};
use crate::ops;

const CLASSES: usize = 3;

/// A BERT of a few thousand weights.
pub(super) const TINY_BERT: &str = r#"{ "vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2,
    "intermediate_size": 24, "max_position_embeddings": 12, "type_vocab_size": 2, "hidden_act": "gelu" }"#;
const TINY_DISTILBERT: &str = r#"{ "vocab_size": 40, "dim": 16, "n_layers": 4, "n_heads": 2, "hidden_dim": 24,
    "max_position_embeddings": 12 }"#;

fn spec(backbone: Backbone, pool: Pool, folder: &Path) -> Model {
    let is_of_texts = backbone.task() == crate::experiment::Task::TextClassification;
    let head = vec![HeadLayer::Dense { units: 8, activation: Activation::Relu, l2: None }];
    let tokenizer = is_of_texts.then(|| folder.join("vocab.txt"));
    Model { backbone, weights: Weights::Random, tokenizer, preprocessing: None, lora: None, pool, l2: 0.0, head }
}

/// With adapters beside these layers, if there are any.
pub(super) fn network_with(backbone: Backbone, pool: Pool, config: &str, lora: Option<Lora>) -> Network {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), config).unwrap();
    let spec = Model { lora, ..spec(backbone, pool, folder.path()) };
    let found = find(&spec, Fetch::CacheOnly, &mut |_| true).unwrap();
    Network::build(&spec, &found, CLASSES, 7, &Device::Cpu).unwrap().0
}

fn network(backbone: Backbone, pool: Pool, config: &str) -> Network {
    network_with(backbone, pool, config, None)
}

/// Every backbone with its pools, small where it can be.
fn all() -> Vec<(Backbone, Network)> {
    let of_pictures = [
        (Backbone::SqueezeNet1_1, Pool::Avg),
        (Backbone::Vgg16, Pool::Avg),
        (Backbone::Vgg19, Pool::Max),
        (Backbone::ResNet18, Pool::Avg),
        (Backbone::ResNet34, Pool::Avg),
        (Backbone::ResNet50, Pool::Max),
    ];
    let of_texts = [
        (Backbone::Bert, Pool::Avg, TINY_BERT),
        (Backbone::Bert, Pool::Cls, TINY_BERT),
        (Backbone::DistilBert, Pool::Avg, TINY_DISTILBERT),
        (Backbone::DistilBert, Pool::Cls, TINY_DISTILBERT),
    ];
    let of_pictures = of_pictures.map(|(backbone, pool)| (backbone, network(backbone, pool, "")));
    let of_texts = of_texts.map(|(backbone, pool, config)| (backbone, network(backbone, pool, config)));
    let lora = Lora { rank: 2, alpha: 4.0, dropout: 0.1, layers: vec!["value".into(), "*dense".into()] };
    let adapted = (Backbone::Bert, network_with(Backbone::Bert, Pool::Cls, TINY_BERT, Some(lora)));
    of_pictures.into_iter().chain(of_texts).chain([adapted]).collect()
}

/// A batch of four samples with its mask.
pub(super) fn input(backbone: Backbone) -> (Tensor, Option<Tensor>) {
    let mut stream = Stream::new(5, Purpose::Augment, 0, 0);
    if backbone.task() == crate::experiment::Task::TextClassification {
        let ids: Vec<u32> = (0..4 * 6).map(|_| stream.range(0.0, 40.0) as u32).collect();
        let mask: Vec<f32> = (0..4 * 6).map(|at| if at % 6 < 3 + at / 6 { 1.0 } else { 0.0 }).collect();
        let tensor = Tensor::from_vec(ids, (4, 6), &Device::Cpu).unwrap();
        return (tensor, Some(Tensor::from_vec(mask, (4, 6), &Device::Cpu).unwrap()));
    }
    let pixels = (0..4 * 3 * 33 * 33).map(|_| stream.range(-2.0, 2.0) as f32).collect();
    (Tensor::from_vec(pixels, (4, 3, 33, 33), &Device::Cpu).unwrap(), None)
}

fn bits(network: &Network) -> BTreeMap<String, Vec<u32>> {
    let bits = |var: &Var| var.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect();
    network.tensors().iter().map(|(name, var)| (name.clone(), bits(var))).collect()
}

/// A step that moves every weight by the sign of its gradient; what learns must have one, and nothing else.
fn step(network: &Network, backbone: Backbone, step: u64) {
    let (x, mask) = input(backbone);
    let labels = Tensor::new(&[0u32, 1, 2, 1], &Device::Cpu).unwrap();
    let logits = network.forward(&x, mask.as_ref(), &Pass::Train { seed: 1, step }).unwrap();
    let gradients = ops::cross_entropy(&logits, &labels).unwrap().backward().unwrap();
    let learning = network.trainable();
    for (name, var) in network.tensors() {
        let gradient = gradients.get(var.as_tensor());
        assert_eq!(gradient.is_some(), learning.iter().any(|(of, _)| *of == name), "{backbone:?} {name}");
        if let Some(gradient) = gradient {
            assert!(flat(gradient).iter().all(|g| g.is_finite()), "{backbone:?} {name}");
            var.set(
                &(var.as_tensor() - (gradient.sign().unwrap() * (1e-3 / (step + 1) as f64)).unwrap()).unwrap().detach(),
            )
            .unwrap();
        }
    }
}

pub(super) fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn what_is_unfrozen_moves_and_what_is_frozen_is_equal_to_the_bit() {
    for (backbone, mut network) in all() {
        for trainable in [Trainable::Head, Trainable::LastLayers(3), Trainable::All] {
            network.freeze(&trainable).unwrap();
            let moving = network.moving_tensors();
            let before = bits(&network);
            (0..2).for_each(|number| step(&network, backbone, number));
            for (name, after) in bits(&network) {
                // A key's bias moves all scores of a token alike, which softmax does not see.
                if name.ends_with("key.bias") || name.ends_with("k_lin.bias") {
                    continue;
                }
                assert_eq!(before[&name] != after, moving.contains(&name), "{backbone:?} {name} with {trainable:?}");
            }
        }
    }
}

/// Scalars that a graph keeps alive beside its variables; views of one storage count once.
fn kept(y: &Tensor) -> usize {
    let place = |tensor: &Tensor| std::ptr::from_ref(&*tensor.storage_and_layout().0) as usize;
    let nodes = y.sorted_nodes();
    let (variables, results): (Vec<&Tensor>, _) = nodes.into_iter().partition(|node| node.is_variable());
    let variables: Vec<usize> = variables.into_iter().map(place).collect();
    let results = results.into_iter().filter(|node| !variables.contains(&place(node)));
    // the largest of views is what they are views of
    let mut storages = BTreeMap::new();
    for node in results {
        let most = storages.entry(place(node)).or_insert(0);
        *most = node.elem_count().max(*most);
    }
    storages.values().sum()
}

#[test]
fn the_outline_is_what_a_pass_does() {
    for (backbone, network) in all() {
        let (x, mask) = input(backbone);
        let shape = match x.dims() {
            [_, tokens] => InputShape::Text { tokens: *tokens },
            dims => InputShape::Picture { size: dims[2] },
        };
        let outlines = network.outline(shape, 4).unwrap();
        let mut x = x;
        for (index, (layer, outline)) in network.layers().zip(&outlines).enumerate() {
            x = layer.forward(&x, mask.as_ref(), &Pass::Train { seed: 1, step: 0 }, index).unwrap();
            assert_eq!(x.dims(), outline.output, "{backbone:?} {}", layer.name());
        }
        let (noted, kept) = (outlines.iter().map(|layer| layer.made.results).sum::<usize>(), kept(&x));
        let error = noted as f64 / kept as f64 - 1.0;
        // beside adapters, what rests is kept by the operations alone, which `kept` does not see
        let is_adapted = network.tensors().iter().any(|(name, _)| name.contains("lora_"));
        let most = if is_adapted { 0.25 } else { 0.02 };
        assert!(error > -0.02 && error < most, "{backbone:?}: {noted} noted, {kept} kept");
    }
}

#[test]
fn a_network_of_shapes_is_the_network_without_its_numbers() {
    for backbone in [Backbone::SqueezeNet1_1, Backbone::ResNet50, Backbone::Bert, Backbone::DistilBert] {
        let spec = spec(backbone, Pool::Avg, Path::new("/nowhere"));
        let mut shapes = Network::of_shapes(&spec, CLASSES).unwrap();
        let mut whole = Network::build(&spec, &Found::random(), CLASSES, 0, &Device::Cpu).unwrap().0;
        for network in [&mut shapes, &mut whole] {
            network.freeze(&Trainable::LastLayers(1)).unwrap();
        }
        let lines = |network: &Network| {
            let tensors = network.tensors().into_iter().map(|(name, var)| (name, var.dims().to_vec()));
            (tensors.collect::<Vec<_>>(), network.frozen_prefix(), network.trainable_parameter_count())
        };
        assert_eq!(lines(&shapes), lines(&whole), "{backbone:?}");
    }
}

#[test]
fn a_range_and_the_rest_are_the_whole() {
    for (backbone, network) in all() {
        let (x, mask) = input(backbone);
        let mask = mask.as_ref();
        let whole = flat(&network.forward(&x, mask, &Pass::Eval).unwrap());
        let count = network.layers().count();
        for k in [1, 2, count / 2, count - 2] {
            let half = network.forward_range(0..k, &x, mask, &Pass::Eval).unwrap();
            assert_eq!(
                flat(&network.forward_range(k..count, &half, mask, &Pass::Eval).unwrap()),
                whole,
                "{backbone:?}"
            );
        }
    }
}

/// As `base.summary()` of Keras, `torchvision.models` without `fc`, and `model.num_parameters()` of transformers say.
#[test]
fn sizes_are_those_of_the_originals() {
    let mini_lm =
        r#"{ "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536 }"#;
    for (backbone, pool, config, parameters) in [
        (Backbone::SqueezeNet1_1, Pool::Avg, "", 722_496),
        (Backbone::Vgg16, Pool::Avg, "", 14_714_688),
        (Backbone::Vgg19, Pool::Avg, "", 20_024_384),
        (Backbone::ResNet18, Pool::Avg, "", 11_176_512),
        (Backbone::ResNet34, Pool::Avg, "", 21_284_672),
        (Backbone::ResNet50, Pool::Avg, "", 23_508_032),
        (Backbone::Bert, Pool::Cls, mini_lm, 22_713_216),
    ] {
        let network = network(backbone, pool, config);
        let of_backbone =
            network.layers().filter(|layer| layer.is_backbone()).map(Layer::parameter_count).sum::<usize>();
        assert_eq!(of_backbone, parameters, "{backbone:?}");
    }
}

#[test]
fn vgg16_is_the_table_that_keras_prints() {
    let mut network = network(Backbone::Vgg16, Pool::Avg, "");
    network.freeze(&Trainable::LastLayers(4)).unwrap();
    let lines = network.summary(InputShape::Picture { size: 224 }).unwrap();
    let lines: Vec<_> = lines.iter().map(|l| (&*l.name, &*l.output_shape, l.parameters, l.trainable)).collect();
    let wanted: [(&str, &[usize], usize, bool); 22] = [
        ("input_layer", &[3, 224, 224], 0, false),
        ("block1_conv1", &[64, 224, 224], 1_792, false),
        ("block1_conv2", &[64, 224, 224], 36_928, false),
        ("block1_pool", &[64, 112, 112], 0, false),
        ("block2_conv1", &[128, 112, 112], 73_856, false),
        ("block2_conv2", &[128, 112, 112], 147_584, false),
        ("block2_pool", &[128, 56, 56], 0, false),
        ("block3_conv1", &[256, 56, 56], 295_168, false),
        ("block3_conv2", &[256, 56, 56], 590_080, false),
        ("block3_conv3", &[256, 56, 56], 590_080, false),
        ("block3_pool", &[256, 28, 28], 0, false),
        ("block4_conv1", &[512, 28, 28], 1_180_160, false),
        ("block4_conv2", &[512, 28, 28], 2_359_808, false),
        ("block4_conv3", &[512, 28, 28], 2_359_808, false),
        ("block4_pool", &[512, 14, 14], 0, false),
        ("block5_conv1", &[512, 14, 14], 2_359_808, true),
        ("block5_conv2", &[512, 14, 14], 2_359_808, true),
        ("block5_conv3", &[512, 14, 14], 2_359_808, true),
        ("block5_pool", &[512, 7, 7], 0, false),
        ("avg_pool", &[512], 0, false),
        ("head.dense", &[8], 4_104, true),
        ("head.output", &[3], 27, true),
    ];
    assert_eq!(lines, wanted);
    assert_eq!(network.trainable_parameter_count(), 7_079_424 + 4_104 + 27);
}

#[test]
fn running_statistics_move_only_where_their_layer_learns() {
    let mut network = network(Backbone::ResNet18, Pool::Avg, "");
    network.freeze(&Trainable::Names(vec!["layer4.1".into()])).unwrap();
    let moving = network.moving_tensors();
    let statistics: Vec<&String> = moving.iter().filter(|name| name.contains("running_")).collect();
    assert_eq!(statistics.len(), 4, "{statistics:?}");
    let before = bits(&network);
    step(&network, Backbone::ResNet18, 0);
    for (name, after) in bits(&network).into_iter().filter(|(name, _)| name.contains("running_")) {
        assert_eq!(before[&name] != after, moving.contains(&name), "{name}");
    }
    let x = input(Backbone::ResNet18).0;
    let still = bits(&network);
    network.forward(&x, None, &Pass::Eval).unwrap();
    assert_eq!(still, bits(&network), "inference moves nothing");
}

#[test]
fn padding_changes_nothing() {
    let network = network(Backbone::Bert, Pool::Avg, TINY_BERT);
    let tensor = |ids: &[u32], shape: (usize, usize)| Tensor::from_slice(ids, shape, &Device::Cpu).unwrap();
    let mask = |mask: &[f32], shape: (usize, usize)| Tensor::from_slice(mask, shape, &Device::Cpu).unwrap();
    let logits = |x: &Tensor, mask: &Tensor| flat(&network.forward(x, Some(mask), &Pass::Eval).unwrap());
    let alone = logits(&tensor(&[3, 9, 4], (1, 3)), &mask(&[1.0; 3], (1, 3)));
    let padded = logits(&tensor(&[3, 9, 4, 0, 0, 0], (1, 6)), &mask(&[1.0, 1.0, 1.0, 0.0, 0.0, 0.0], (1, 6)));
    for (a, b) in alone.iter().zip(&padded) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
}

#[test]
fn a_text_that_is_too_long_is_one_clear_error() {
    let network = network(Backbone::Bert, Pool::Avg, TINY_BERT);
    let error = network.summary(InputShape::Text { tokens: 13 }).unwrap_err();
    let said = error.to_string();
    let wanted = "texts of 13 tokens do not fit bert: embeddings: 13 tokens, and the model has 12 positions";
    assert!(said.starts_with(wanted), "{said}");
    assert_eq!(error.hint().unwrap(), "use a smaller `data.max_length`");
}

#[test]
fn a_configuration_that_is_not_understood_says_why() {
    use super::encoder_config::{Layout, parse};
    for (text, reason) in [
        (r#"{ "model_type": "roberta" }"#, "it describes a model of type `roberta`, not `bert`"),
        (r#"{ "hidden_act": "swish" }"#, "the activation `swish` is not known here"),
        (r#"{ "num_attention_heads": 7 }"#, "768 features cannot be shared by 7 heads"),
        (r#"{ "num_hidden_layers": 0 }"#, "one of its sizes is 0"),
        (
            r#"{ "position_embedding_type": "relative_key" }"#,
            "position embeddings of type `relative_key` are not known here",
        ),
        (r#"{ "hidden_dropout_prob": 1.5 }"#, "a dropout rate lies outside of 0..1"),
    ] {
        assert_eq!(parse(Layout::Bert, text).unwrap_err(), reason);
    }
    assert!(parse(Layout::Bert, "{").is_err());
    assert_eq!(parse(Layout::DistilBert, r#"{ "dim": 32, "n_heads": 4 }"#).unwrap().width, 32);
}
