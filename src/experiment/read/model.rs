//! The key `model`.

use std::path::Path;

use crate::experiment::mistakes::{Finding, Findings, quoted};
use crate::experiment::paths::{Paths, Wants};
use crate::experiment::section::Section;
use crate::experiment::{Activation, Backbone, HeadLayer, Model, Pool, Weights};

pub(super) fn model(section: &Section, paths: &Paths, findings: &Findings) -> Model {
    Model {
        backbone: section.word("backbone", Backbone::SqueezeNet1_1),
        weights: weights(section, paths, findings),
        preprocessing: section.given_word("preprocessing"),
        pool: section.word("pool", Pool::Avg),
        head: section.items("head", "model.head[]").map_or_else(Vec::new, |layers| head(&layers)),
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
