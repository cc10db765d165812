//! The key `model`.

use std::path::{Path, PathBuf};

use crate::experiment::mistakes::{Finding, Findings, quoted};
use crate::experiment::paths::{Paths, Wants};
use crate::experiment::section::Section;
use crate::experiment::{Activation, Backbone, HeadLayer, Model, Pool, Task, Weights};

/// The key `backbone` of the section `model`; None where it is missing or none, which is written down.
pub(super) fn backbone(section: &Section) -> Option<Backbone> {
    section.text("backbone")?;
    section.given_word("backbone")
}

pub(super) fn model(section: &Section, backbone: Option<Backbone>, paths: &Paths, findings: &Findings) -> Model {
    let model = Model {
        backbone: backbone.unwrap_or(Backbone::SqueezeNet1_1),
        weights: weights(section, paths, findings),
        tokenizer: tokenizer(section, paths, findings),
        preprocessing: section.given_word("preprocessing"),
        pool: section.word("pool", Pool::Avg),
        head: section.items("head", "model.head[]").map_or_else(Vec::new, |layers| head(&layers)),
    };
    match backbone.map(Backbone::task) {
        Some(Task::ImageClassification) => {
            section.refuse(&["tokenizer"], "texts, and the backbone takes pictures");
            refuse_pool(section, model.pool, Pool::Cls, "`cls` is for texts");
        }
        Some(Task::TextClassification) => {
            section.refuse(&["preprocessing"], "pictures, and the backbone takes texts");
            refuse_pool(section, model.pool, Pool::Max, "`max` is for pictures");
        }
        None => {}
    }
    model
}

fn tokenizer(section: &Section, paths: &Paths, findings: &Findings) -> Option<PathBuf> {
    let (text, given) = section.given_text("tokenizer")?;
    Some(paths.resolve(text, given.node.place, Wants::File, findings))
}

fn refuse_pool(section: &Section, pool: Pool, wrong: Pool, message: &str) {
    if let Some(given) = section.given("pool")
        && pool == wrong
    {
        section.found(Finding::new(given.node.place, message).hint("use `avg`"));
    }
}

fn weights(section: &Section, paths: &Paths, findings: &Findings) -> Weights {
    let Some((text, given)) = section.text("weights") else { return Weights::Random };
    let ending = Path::new(text).extension().and_then(|ending| ending.to_str());
    match (text, ending) {
        ("random", _) => Weights::Random,
        (_, Some("safetensors")) if !text.starts_with("hf:") => {
            Weights::File(paths.resolve(text, given.node.place, Wants::File, findings))
        }
        _ => {
            let message = format!("`weights` is {}, expected {}", quoted(text), given.key.expected());
            section.found(Finding::new(given.node.place, message).hint(other_weights(text, ending)));
            Weights::Random
        }
    }
}

/// What to do about weights of a kind that this version cannot read.
fn other_weights(text: &str, ending: Option<&str>) -> &'static str {
    const SHIPPED: &str =
        "the ImageNet weights of squeezenet1_1 ship with finetop: experiments/weights/squeezenet1_1.safetensors";
    match ending {
        _ if text == "imagenet" => SHIPPED,
        _ if text.starts_with("hf:") => "model hubs are not supported yet: download the file and give its path",
        Some("pth" | "pt" | "bin" | "h5" | "ckpt" | "keras") => {
            "convert it: `safetensors.torch.save_file(model.state_dict(), \"weights.safetensors\")` in Python"
        }
        _ => SHIPPED,
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
        Ok(dense) => {
            HeadLayer::Dense { units: dense.small("units"), activation: dense.word("activation", Activation::Linear) }
        }
        Err(units) => HeadLayer::Dense { units, activation: Activation::Linear },
    }
}
