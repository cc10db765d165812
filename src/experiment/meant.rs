//! What was probably meant by a value or a key that is wrong.

use super::keys::{self, KEYS, Takes};
use super::metric::{Figure, MEASURES, Measure};
use super::mistakes::Finding;
use super::number;
use super::section::Given;
use super::tree::{Kind, Node};

/// That `given` is not what its key takes, with what was probably meant.
pub(super) fn wrong(given: Given) -> Finding {
    let Given { key, node, place } = given;
    let message = format!("`{}` is {}, expected {}", key.name(), node.described(), key.expected());
    let at = if node.place.start == node.place.end { place } else { node.place };
    let finding = Finding::new(at, message);
    match hint(&key.takes, node) {
        Some(hint) => finding.hint(hint),
        None => finding,
    }
}

fn hint(takes: &Takes, node: &Node) -> Option<String> {
    let Kind::Scalar(scalar) = &node.kind else { return None };
    let text = &scalar.typed;
    match takes {
        Takes::Words(words) => keys::nearest(text, words.iter().copied()).map(|near| format!("did you mean `{near}`?")),
        Takes::Choice(words) | Takes::Numbers(words) => {
            keys::nearest(text, words.iter().copied()).map(|near| format!("did you mean `{near}`?"))
        }
        Takes::Whole(..) | Takes::Number(..) => number::hint(takes, scalar),
        Takes::Flag => match &*text.to_lowercase() {
            "yes" | "on" | "y" | "1" => Some("write `true`".into()),
            "no" | "off" | "n" | "0" => Some("write `false`".into()),
            "true" | "false" => Some("write it without quotes and in small letters".into()),
            _ => None,
        },
        Takes::Text | Takes::Name | Takes::Samples | Takes::File | Takes::Weights => {
            Some("put it in quotes to make it a text".into())
        }
        Takes::Globs => Some(format!("put it into a list: [{text}]")),
        Takes::Measures => Some(format!("put it into a list: [{text}]")),
        Takes::Metric => metric(text),
        Takes::Range(..) => Some("write two numbers, as [0.8, 1.2]".into()),
        Takes::Map | Takes::List | Takes::Singles | Takes::MapOrUnits | Takes::Matrix | Takes::Combinations => None,
    }
}

/// The figure to watch that was most likely meant by `typed`.
fn metric(typed: &str) -> Option<String> {
    const ALWAYS: [&str; 4] = ["loss", "accuracy", "val_loss", "val_accuracy"];
    if let Ok(measure) = typed.strip_prefix("val_").unwrap_or(typed).parse() {
        return Some(match measure {
            Measure::One(figure) => format!("it is a figure of validation: write `val_{figure}`"),
            Measure::PerClass(score) => format!("watch one class, as `val_{}/CLASS`", Figure::Macro(score)),
        });
    }
    let name = typed.strip_prefix("val_").unwrap_or(typed);
    let near = keys::nearest(typed, ALWAYS).map(str::to_owned).or_else(|| Some(format!("val_{}", measure(name)?)));
    near.map(|near| format!("did you mean `{near}`?"))
}

/// The name in `train.metrics` that was most likely meant by `typed`.
pub(super) fn measure(typed: &str) -> Option<&'static str> {
    keys::nearest(typed, MEASURES.into_iter().map(|name| if name == "top_K" { "top_5" } else { name }))
}

/// The names in `train.metrics`.
pub(super) fn measures() -> String {
    keys::listed(&MEASURES, "and")
}

/// Where the key that is meant by `typed` belongs, if it is one of another section.
pub(super) fn elsewhere(typed: &str) -> Option<String> {
    let name = keys::our_name(typed);
    let parents = KEYS.iter().filter(|key| key.name() == name).map(|key| match key.parent() {
        "" => "the top level of the file".to_owned(),
        parent => keys::place_words(parent),
    });
    let parents: Vec<String> = parents.collect();
    (!parents.is_empty()).then(|| format!("`{name}` belongs to {}", parents.join(" or ")))
}
