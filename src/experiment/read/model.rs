//! The key `model`.

use std::path::PathBuf;

use super::globs::globs;
use super::weights::weights;
use crate::experiment::mistakes::{Finding, Findings};
use crate::experiment::paths::{Paths, Wants};
use crate::experiment::section::Section;
use crate::experiment::{Activation, Backbone, HeadLayer, Lora, Model, Pool, Task, Weights};

/// The key `backbone` of the section `model`; None where it is missing or none, which is written down.
pub(super) fn backbone(section: &Section) -> Option<Backbone> {
    section.text("backbone")?;
    section.given_word("backbone")
}

pub(super) fn model(section: &Section, backbone: Option<Backbone>, paths: &Paths, findings: &Findings) -> Model {
    let model = Model {
        backbone: backbone.unwrap_or(Backbone::SqueezeNet1_1),
        weights: weights(section, backbone, paths, findings),
        tokenizer: tokenizer(section, paths, findings),
        preprocessing: section.given_word("preprocessing"),
        lora: section.given_section("lora").map(|lora| self::lora(&lora, backbone)),
        pool: section.word("pool", Pool::Avg),
        l2: section.number("l2"),
        head: section.items("head", "model.head[]").map_or_else(Vec::new, |layers| head(&layers)),
    };
    match backbone.map(Backbone::task) {
        Some(Task::ImageClassification) => {
            section.refuse(&["tokenizer", "lora"], "texts, and the backbone takes pictures");
            refuse_pool(section, model.pool, Pool::Cls, "`cls` is for texts");
        }
        Some(Task::TextClassification) => {
            section.refuse(&["preprocessing"], "pictures, and the backbone takes texts");
            refuse_pool(section, model.pool, Pool::Max, "`max` is for pictures");
            want_tokenizer(section, &model);
        }
        None => {}
    }
    model
}

/// As peft's `LoraConfig` has it; query and value are what the paper adapts.
fn lora(section: &Section, backbone: Option<Backbone>) -> Lora {
    let usual: &[&str] = match backbone {
        Some(Backbone::DistilBert) => &["q_lin", "v_lin"],
        _ => &["query", "value"],
    };
    Lora {
        rank: section.small("rank"),
        alpha: section.number("alpha"),
        dropout: section.number("dropout"),
        layers: globs(section, "layers").unwrap_or_else(|| usual.iter().map(|&name| name.to_owned()).collect()),
    }
}

fn tokenizer(section: &Section, paths: &Paths, findings: &Findings) -> Option<PathBuf> {
    let (text, given) = section.given_text("tokenizer")?;
    Some(paths.resolve(text, given.node.place, Wants::File, findings))
}

/// A tokenizer comes with the weights, or must be given.
fn want_tokenizer(section: &Section, model: &Model) {
    if model.weights == Weights::Random
        && section.given("tokenizer").is_none()
        && let Some(("random", given)) = section.given_text("weights")
    {
        let message = "missing `model.tokenizer`: a tokenizer comes with pretrained weights, and these are random";
        let hint = "add `tokenizer: PATH/tokenizer.json`, or the `vocab.txt` of a BERT";
        section.found(Finding::new(given.node.place, message).hint(hint));
    }
}

fn refuse_pool(section: &Section, pool: Pool, wrong: Pool, message: &str) {
    if let Some(given) = section.given("pool")
        && pool == wrong
    {
        section.found(Finding::new(given.node.place, message).hint("use `avg`"));
    }
}

fn head(layers: &[Section]) -> Vec<HeadLayer> {
    layers.iter().filter_map(head_layer).collect()
}

fn head_layer(layer: &Section) -> Option<HeadLayer> {
    match layer.only_key()? {
        "dense" => Some(dense(layer)),
        _ => layer.given_number("dropout").map(HeadLayer::Dropout),
    }
}

fn dense(layer: &Section) -> HeadLayer {
    match layer.section_or_short("dense", "units") {
        Ok(dense) => HeadLayer::Dense {
            units: dense.small("units"),
            activation: dense.word("activation", Activation::Linear),
            l2: dense.given_number("l2"),
        },
        Err(units) => HeadLayer::Dense { units, activation: Activation::Linear, l2: None },
    }
}
