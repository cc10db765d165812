//! ResNets of torchvision: logits, losses with batch norm in training, and its running statistics.

use std::collections::BTreeMap;

use candle_core::Device;
use serde::Deserialize;
use serde_json::Value;

use super::case::{Case, Measure, compare, flat};
use super::error::Trouble;
use super::file::Common;
use super::formula::{self, Starts};
use super::parameters;
use super::prose::Prose;
use super::recipe::{self, Library};
use super::replay::{self, Samples, Tensors, Training};
use crate::experiment::{Backbone, Pool, Preprocessing};
use crate::model::{Found, Network};

const LOGITS: (Measure, f64) = (Measure::Absolute, 1e-4);
const LOSSES: (Measure, f64) = (Measure::Relative, 2e-3);
const STATISTICS: (Measure, f64) = (Measure::Absolute, 1e-4);
/// Six steps with batch norm are badly conditioned: inputs nudged by 2e-8 to 3e-7 of themselves moved these logits by up to
/// 2.0e-3 of the largest (and a loss by up to 3.0e-3 of itself).
const LOGITS_AFTER: (Measure, f64) = (Measure::OfLargest, 5e-3);

#[derive(Deserialize)]
pub(super) struct Figures {
    source: String,
    k: Starts,
    weights: String,
    names: Vec<String>,
    input: String,
    steps: String,
    losses: Vec<f64>,
    logits_eval_before: Vec<Vec<f64>>,
    logits_eval_after: Option<Vec<Vec<f64>>>,
    #[serde(flatten)]
    common: Common,
}

pub(super) fn replay(
    mut figures: Box<Figures>,
    device: &Device,
    notes: &mut Vec<String>,
) -> Result<Vec<Case>, Trouble> {
    let source = Prose::new("source", &figures.source);
    let classes = figures.logits_eval_before.first().map_or(0, Vec::len);
    let spec = replay::spec(backbone(source)?, Pool::Avg, Vec::new(), Preprocessing::Torch);
    let (mut network, _) = Network::build(&spec, &Found::random(), classes, 0, device)?;
    let statistics = statistics(&mut figures.common.rest, &network)?;
    figures.common.note(notes);
    let weights = Prose::new("weights", &figures.weights);
    parameters::set(&network, &figures.names, weights, figures.k.of("parameter_0")?, ours)?;

    let input = Prose::new("input", &figures.input);
    let shape = input.shape()?;
    let x = formula::tensor(figures.k.of("input")?, input.scale(&[])?, &shape, device)?;
    let samples = Samples { x: (x + input.offset()?)?, mask: None, labels: input.labels(shape[0])? };
    let before = figures.logits_eval_before.concat();
    let logits = flat(&samples.logits(&network)?)?;
    let mut cases = vec![compare("logits", "logits_eval_before", &logits, &before, LOGITS)?];

    let steps = Prose::new("steps", &figures.steps);
    let training = Training {
        recipe: recipe::within(steps, Library::of(source)?)?,
        trainable: recipe::trainable(steps)?,
        turns: recipe::turns(steps, shape[0])?,
    };
    let losses = training.losses(&mut network, &samples, figures.losses.len())?;
    cases.push(compare("losses", "losses", &losses, &figures.losses, LOSSES)?);
    let tensors = Tensors::of(&network);
    for (field, name, theirs) in statistics {
        let ours = flat(tensors.get(&name, &field)?)?;
        cases.push(compare(&format!("{name} after"), &field, &ours, &theirs, STATISTICS)?);
    }
    if let Some(after) = &figures.logits_eval_after {
        let logits = flat(&samples.logits(&network)?)?;
        cases.push(compare("logits after", "logits_eval_after", &logits, &after.concat(), LOGITS_AFTER)?);
    }
    Ok(cases)
}

fn backbone(source: Prose) -> Result<Backbone, Trouble> {
    match () {
        () if source.says("resnet18") => Ok(Backbone::ResNet18),
        () if source.says("resnet34") => Ok(Backbone::ResNet34),
        () if source.says("resnet50") => Ok(Backbone::ResNet50),
        () => Err(source.unclear("it names no ResNet that is known here")),
    }
}

/// torchvision's name of a parameter, as it is called here.
fn ours(theirs: &str) -> String {
    match theirs.strip_prefix("fc.") {
        Some(name) => format!("head.output.{name}"),
        None => theirs.to_owned(),
    }
}

/// A field, the tensor that it is of, and its figures.
type Statistics = (String, String, Vec<f64>);

/// Takes `bn1_running_mean_after` and its like out of `rest`.
fn statistics(rest: &mut BTreeMap<String, Value>, network: &Network) -> Result<Vec<Statistics>, Trouble> {
    let mut found = Vec::new();
    for (name, _) in network.tensors() {
        let field = format!("{}_after", name.replace('.', "_"));
        if let Some(value) = rest.remove(&field) {
            let values = serde_json::from_value(value).map_err(|e| Trouble::field(&field, e.to_string()))?;
            found.push((field, name, values));
        }
    }
    Ok(found)
}
