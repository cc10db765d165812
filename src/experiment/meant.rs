//! What was probably meant by a value or a key that is wrong.

use super::keys::{self, KEYS, Takes};
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
        Takes::Map | Takes::List | Takes::Singles | Takes::MapOrUnits | Takes::Matrix | Takes::Combinations => None,
    }
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
