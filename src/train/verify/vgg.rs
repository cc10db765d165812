//! VGG16 and VGG19 of Keras: features, and the losses of the article's two phases.

use std::collections::BTreeMap;

use candle_core::{D, Device, Tensor};
use serde::Deserialize;

use super::case::{Case, Measure, compare, flat};
use super::error::Trouble;
use super::file::Common;
use super::formula::{self, Starts};
use super::prose::Prose;
use super::recipe::{self, Library};
use super::replay::{self, Samples, Tensors, Training};
use crate::data::preprocess::Planes;
use crate::experiment::{Activation, Backbone, HeadLayer, Pool, Preprocessing};
use crate::model::{Found, Network, Pass};

const PIXEL: (Measure, f64) = (Measure::Absolute, 1e-4);
const FEATURES: (Measure, f64) = (Measure::OfLargest, 1e-4);
const LOSSES: (Measure, f64) = (Measure::Relative, 2e-3);
const PROBABILITIES: (Measure, f64) = (Measure::Absolute, 2e-3);

#[derive(Deserialize)]
pub(super) struct Figures {
    source: String,
    k: Starts,
    weights: String,
    images: String,
    head: String,
    steps: String,
    losses: Losses,
    features_mean: Option<f64>,
    preprocessed_first_pixel_bgr: Option<[f64; 3]>,
    probabilities_at_end: Option<Vec<Vec<f64>>>,
    #[serde(flatten)]
    common: Common,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Losses {
    head: Vec<f64>,
    fine_tune: Vec<f64>,
}

/// Fields whose names hold numbers.
struct Named {
    /// `layers_in_last_4`
    last_layers: Option<(usize, Vec<String>)>,
    /// `features_nhwc_1x1x512_first_image`
    features: Option<Vec<f64>>,
}

const LAST_LAYERS: &str = "layers_in_last_";
const FIRST_FEATURES: (&str, &str) = ("features_nhwc_", "_first_image");

pub(super) fn replay(
    mut figures: Box<Figures>,
    device: &Device,
    notes: &mut Vec<String>,
) -> Result<Vec<Case>, Trouble> {
    let named = named(&mut figures.common.rest)?;
    figures.common.note(notes);
    let mut network = network(&figures, device)?;
    let pictures = pictures(&figures, device)?;
    let mut cases = Vec::new();
    if let Some(theirs) = &figures.preprocessed_first_pixel_bgr {
        let ours = flat(&pictures.x.narrow(0, 0, 1)?.narrow(2, 0, 1)?.narrow(3, 0, 1)?)?;
        cases.push(compare("preprocessed pixel", "preprocessed_first_pixel_bgr", &ours, theirs, PIXEL)?);
    }
    if let Some((count, theirs)) = &named.last_layers {
        cases.push(last_layers(&network, *count, theirs)?);
    }
    cases.extend(features(&figures, &named, &network, &pictures)?);

    let [head, fine_tune] = trainings(&figures, pictures.labels.len())?;
    for (name, field, training, theirs) in [
        ("losses of the head", "losses.head", head, &figures.losses.head),
        ("losses of fine-tuning", "losses.fine_tune", fine_tune, &figures.losses.fine_tune),
    ] {
        let ours = training.losses(&mut network, &pictures, theirs.len())?;
        cases.push(compare(name, field, &ours, theirs, LOSSES)?);
    }
    if let Some(theirs) = &figures.probabilities_at_end {
        let logits = pictures.logits(&network)?;
        let ours = flat(&candle_nn::ops::softmax(&logits, D::Minus1)?)?;
        cases.push(compare("probabilities", "probabilities_at_end", &ours, &theirs.concat(), PROBABILITIES)?);
    }
    Ok(cases)
}

/// Takes the fields whose names hold numbers out of `rest`.
fn named(rest: &mut BTreeMap<String, serde_json::Value>) -> Result<Named, Trouble> {
    let mut named = Named { last_layers: None, features: None };
    let wrong = |field: &str| Trouble::field(field, "is not what its name says");
    for field in rest.keys().cloned().collect::<Vec<_>>() {
        if let Some(count) = field.strip_prefix(LAST_LAYERS) {
            let count = count.parse().map_err(|_| wrong(&field))?;
            let layers = rest.remove(&field).map(serde_json::from_value).and_then(Result::ok);
            named.last_layers = Some((count, layers.ok_or_else(|| wrong(&field))?));
        } else if field.starts_with(FIRST_FEATURES.0) && field.ends_with(FIRST_FEATURES.1) {
            let values = rest.remove(&field).map(serde_json::from_value).and_then(Result::ok);
            named.features = Some(values.ok_or_else(|| wrong(&field))?);
        }
    }
    Ok(named)
}

fn network(figures: &Figures, device: &Device) -> Result<Network, Trouble> {
    let source = Prose::new("source", &figures.source);
    let backbone = match () {
        () if source.says("VGG16(include_top=False)") => Backbone::Vgg16,
        () if source.says("VGG19(include_top=False)") => Backbone::Vgg19,
        () => return Err(source.unclear("it names neither VGG16 nor VGG19 with include_top=False")),
    };
    let head = Head::read(Prose::new("head", &figures.head))?;
    let layers =
        head.hidden.iter().map(|&(units, activation, _)| HeadLayer::Dense { units, activation, l2: None }).collect();
    let spec = replay::spec(backbone, head.pool, layers, Preprocessing::Caffe);
    let (network, _) = Network::build(&spec, &Found::random(), head.output.0, 0, device)?;
    let tensors = Tensors::of(&network);
    if let Some((_, _, scale)) = head.hidden {
        set(&tensors, "head.dense.weight", figures.k.of("head_dense_weight")?, scale)?;
    }
    set(&tensors, "head.output.weight", figures.k.of("head_output_weight")?, head.output.1)?;
    convolutions(&network, &tensors, figures)?;
    Ok(network)
}

fn set(tensors: &Tensors, name: &str, k: u64, scale: f64) -> Result<(), Trouble> {
    let variable = tensors.get(name, "head")?;
    Ok(variable.set(&formula::tensor(k, scale, variable.dims(), variable.device())?)?)
}

/// "kernel … = formula(…, scale=…, for conv 0 divided by 60); bias = formula(…)"
fn convolutions(network: &Network, tensors: &Tensors, figures: &Figures) -> Result<(), Trouble> {
    let weights = Prose::new("weights", &figures.weights);
    let [kernel, bias] = [weights.after("kernel")?, weights.after("bias")?];
    let kernel = kernel.part(kernel.text.split(';').next().unwrap_or_default());
    let [first_kernel, first_bias] = [figures.k.of("conv_kernel_0")?, figures.k.of("conv_bias_0")?];
    let divided = match kernel.text.split_once("for conv") {
        Some((_, rest)) => {
            let rest = kernel.part(rest);
            Some((rest.count()?, rest.after("divided by")?.number()?))
        }
        None => None,
    };
    let layers = network.layers().filter(|layer| layer.is_backbone() && layer.parameter_count() > 0);
    for (number, layer) in layers.enumerate() {
        let variable = tensors.get(&format!("{}.weight", layer.name()), "weights")?;
        let inputs = variable.dim(1)? as f64;
        let fan_in = variable.dims()[1..].iter().product::<usize>() as f64;
        let mut scale = kernel.scale(&[("in", inputs), ("fan_in", fan_in)])?;
        if let Some((_, divisor)) = divided.filter(|(conv, _)| *conv == number) {
            scale /= divisor;
        }
        set(tensors, &format!("{}.weight", layer.name()), first_kernel.wrapping_add(number as u64), scale)?;
        let k = first_bias.wrapping_add(number as u64);
        set(tensors, &format!("{}.bias", layer.name()), k, bias.scale(&[])?)?;
    }
    Ok(())
}

/// "global average pooling, dense 256 relu (weight … scale=0.08), bias 0), dense 3 softmax (…); no dropout"
struct Head {
    pool: Pool,
    /// Units, what follows, and the scale of the weights.
    hidden: Option<(usize, Activation, f64)>,
    /// Classes, and the scale of the weights.
    output: (usize, f64),
}

impl Head {
    fn read(prose: Prose) -> Result<Head, Trouble> {
        let pool = match () {
            () if prose.says("average pooling") => Pool::Avg,
            () if prose.says("max pooling") => Pool::Max,
            () => return Err(prose.unclear("it does not say which pooling")),
        };
        if prose.says("dropout") && !prose.says("no dropout") {
            return Err(prose.unclear("what dropout leaves out is not the same anywhere else"));
        }
        let layers = prose.text.split("dense ").skip(1).map(|text| Head::dense(prose.part(text)));
        let layers = layers.collect::<Result<Vec<_>, _>>()?;
        let (hidden, (classes, activation, scale)) = match layers[..] {
            [output] => (None, output),
            [(units, "relu", scale), output] => (Some((units, Activation::Relu, scale)), output),
            [(units, "linear", scale), output] => (Some((units, Activation::Linear, scale)), output),
            _ => return Err(prose.unclear("it is not one or two dense layers, the first relu or linear")),
        };
        match activation {
            "softmax" => Ok(Head { pool, hidden, output: (classes, scale) }),
            _ => Err(prose.unclear("the last layer is no softmax")),
        }
    }

    /// Units, activation and scale of "256 relu (weight (256,512) = formula(k=201, scale=0.08), bias 0)".
    fn dense(prose: Prose<'_>) -> Result<(usize, &str, f64), Trouble> {
        let units = prose.count()?;
        let activation = prose.text.split([' ', ',', '(']).filter(|word| !word.is_empty()).nth(1).unwrap_or_default();
        if prose.says("bias") && prose.after("bias")?.number()? != 0.0 {
            return Err(prose.unclear("a bias other than 0"));
        }
        Ok((units, activation, prose.scale(&[])?))
    }
}

/// "round(formula((12,32,32,3), k=101, scale=127.5)+127.5), RGB, channels last; labels i % 3"
fn pictures(figures: &Figures, device: &Device) -> Result<Samples, Trouble> {
    let prose = Prose::new("images", &figures.images);
    let [count, height, width, 3] = prose.shape()?[..] else {
        return Err(prose.unclear("the shape is not one of pictures with three channels last"));
    };
    let (scale, offset) = (prose.scale(&[])?, prose.offset()? as f32);
    let rounded = prose.text.trim_start().starts_with("round");
    let values = formula::values(figures.k.of("images")?, scale, count * height * width * 3);
    let level = |value: f32| if rounded { (value + offset).round_ties_even() } else { value + offset };
    let mut pixels = Vec::with_capacity(values.len());
    for picture in values.chunks_exact(height * width * 3) {
        let mut planes = Planes::new(height * width, Preprocessing::Caffe);
        for (at, rgb) in picture.chunks_exact(3).enumerate() {
            planes.put(at, [level(rgb[0]), level(rgb[1]), level(rgb[2])]);
        }
        pixels.extend(planes.into_values());
    }
    let x = Tensor::from_vec(pixels, (count, 3, height, width), device)?;
    Ok(Samples { x, mask: None, labels: prose.labels(count)? })
}

/// "8 steps of Adam … on the head, then a fresh Adam … with the last 4 layers of the base unfrozen, 8 steps; …"
fn trainings(figures: &Figures, count: usize) -> Result<[Training; 2], Trouble> {
    let prose = Prose::new("steps", &figures.steps);
    let library = Library::of(Prose::new("source", &figures.source))?;
    let (first, second) = prose.text.split_once("then").ok_or_else(|| prose.unclear("it is not two phases"))?;
    let turns = recipe::turns(prose, count)?;
    let training = |text| -> Result<Training, Trouble> {
        let prose = prose.part(text);
        let recipe = recipe::within(prose, library)?;
        Ok(Training { recipe, trainable: recipe::trainable(prose)?, turns: turns.clone() })
    };
    Ok([training(first)?, training(second)?])
}

fn last_layers(network: &Network, count: usize, theirs: &[String]) -> Result<Case, Trouble> {
    let backbone: Vec<&str> =
        network.layers().filter(|layer| layer.is_backbone()).map(crate::model::Layer::name).collect();
    let ours = &backbone[backbone.len().saturating_sub(count)..];
    let same = |at: usize| f64::from(ours.get(at) == theirs.get(at).map(String::as_str).as_ref());
    let longest = ours.len().max(theirs.len());
    let found: Vec<f64> = (0..longest).map(same).collect();
    let field = format!("{LAST_LAYERS}{count}");
    compare(&format!("last {count} layers"), &field, &found, &vec![1.0; longest], (Measure::Differing, 0.0))
}

fn features(figures: &Figures, named: &Named, network: &Network, pictures: &Samples) -> Result<Vec<Case>, Trouble> {
    let depth = network.layers().filter(|layer| layer.is_backbone()).count();
    let all = network.forward_range(0..depth, &pictures.x, None, &Pass::Eval)?;
    let mut cases = Vec::new();
    if let Some(theirs) = &named.features {
        let ours = flat(&all.narrow(0, 0, 1)?.permute((0, 2, 3, 1))?)?;
        cases.push(compare("features", FIRST_FEATURES.0, &ours, theirs, FEATURES)?);
    }
    if let Some(theirs) = figures.features_mean {
        let values = flat(&all)?;
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        cases.push(compare("features' mean", "features_mean", &[mean], &[theirs], FEATURES)?);
    }
    Ok(cases)
}
