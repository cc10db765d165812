//! BERT of transformers with a classifier on its pooler.

use candle_core::{Device, Tensor};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::case::{Case, Measure, compare, flat};
use super::error::Trouble;
use super::file::Common;
use super::formula::Starts;
use super::parameters;
use super::prose::Prose;
use super::recipe::{self, Library};
use super::replay::{self, Samples, Training};
use crate::experiment::{Backbone, Pool, Preprocessing};
use crate::model::{Network, Pass};

const STATES: (Measure, f64) = (Measure::Absolute, 1e-5);
const LOGITS: (Measure, f64) = (Measure::Absolute, 1e-5);
const LOSSES: (Measure, f64) = (Measure::Absolute, 1e-4);

#[derive(Deserialize)]
pub(super) struct Figures {
    source: String,
    k: Starts,
    config: Map<String, Value>,
    names: Vec<String>,
    weights: String,
    input_ids: Vec<Vec<u32>>,
    attention_mask: Vec<Vec<u8>>,
    labels: Vec<u32>,
    last_hidden_state_first_row_first_token: Option<Vec<f64>>,
    logits_before: Vec<Vec<f64>>,
    steps: String,
    losses: Vec<f64>,
    #[serde(flatten)]
    common: Common,
}

pub(super) fn replay(figures: Box<Figures>, device: &Device, notes: &mut Vec<String>) -> Result<Vec<Case>, Trouble> {
    figures.common.note(notes);
    let source = Prose::new("source", &figures.source);
    let mut network = network(&figures, source, device)?;
    let weights = Prose::new("weights", &figures.weights);
    parameters::set(&network, &figures.names, weights, figures.k.of("parameter_0")?, ours)?;
    let samples = texts(&figures, device)?;
    let mut cases = Vec::new();
    if let Some(theirs) = &figures.last_hidden_state_first_row_first_token {
        let encoder = network.layers().take_while(|layer| layer.name() != "pooler").count();
        let states = network.forward_range(0..encoder, &samples.x, samples.mask.as_ref(), &Pass::Eval)?;
        let ours = flat(&states.narrow(0, 0, 1)?.narrow(1, 0, 1)?)?;
        cases.push(compare("hidden state", "last_hidden_state_first_row_first_token", &ours, theirs, STATES)?);
    }
    let logits = flat(&samples.logits(&network)?)?;
    cases.push(compare("logits", "logits_before", &logits, &figures.logits_before.concat(), LOGITS)?);

    let steps = Prose::new("steps", &figures.steps);
    let training = Training {
        recipe: recipe::within(steps, Library::of(source)?)?,
        trainable: recipe::trainable(steps)?,
        turns: recipe::turns(steps, samples.labels.len())?,
    };
    let losses = training.losses(&mut network, &samples, figures.losses.len())?;
    cases.push(compare("losses", "losses", &losses, &figures.losses, LOSSES)?);
    Ok(cases)
}

/// Without dropout, which the figures do not have either.
fn network(figures: &Figures, source: Prose, device: &Device) -> Result<Network, Trouble> {
    if !source.says("BertForSequenceClassification") || !source.says("no dropout") {
        return Err(source.unclear("it is no BertForSequenceClassification with no dropout"));
    }
    let mut config = figures.config.clone();
    for rate in ["hidden_dropout_prob", "attention_probs_dropout_prob"] {
        config.insert(rate.to_owned(), 0.0.into());
    }
    let classes = figures.logits_before.first().map_or(0, Vec::len);
    let spec = replay::spec(Backbone::Bert, Pool::Cls, Vec::new(), Preprocessing::Torch);
    let network = Network::bert(&spec, &Value::Object(config).to_string(), classes, device);
    network.map_err(|error| Trouble::field("config", format!("describes no BERT: {error}")))
}

/// transformers' name of a parameter, as it is called here.
fn ours(theirs: &str) -> String {
    match (theirs.strip_prefix("classifier."), theirs.strip_prefix("bert.")) {
        (Some(name), _) => format!("head.output.{name}"),
        (_, Some(name)) => name.to_owned(),
        (None, None) => theirs.to_owned(),
    }
}

fn texts(figures: &Figures, device: &Device) -> Result<Samples, Trouble> {
    let tokens = figures.input_ids.first().map_or(0, Vec::len);
    let rows = figures.labels.len();
    let is_even = |rows_of: Vec<usize>| rows_of.len() == rows && rows_of.iter().all(|&length| length == tokens);
    if !is_even(figures.input_ids.iter().map(Vec::len).collect())
        || !is_even(figures.attention_mask.iter().map(Vec::len).collect())
    {
        return Err(Trouble::field("input_ids", "is of another shape than `attention_mask` and `labels`"));
    }
    let mask: Vec<f32> = figures.attention_mask.concat().into_iter().map(f32::from).collect();
    let x = Tensor::from_vec(figures.input_ids.concat(), (rows, tokens), device)?;
    let mask = Tensor::from_vec(mask, (rows, tokens), device)?;
    Ok(Samples { x, mask: Some(mask), labels: figures.labels.clone() })
}
