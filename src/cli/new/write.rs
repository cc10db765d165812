//! The experiment as a text with comments.

use std::path::Path;

use super::Sides;
use super::plan::{BATCH, Plan};
use crate::base::text::printable;
use crate::data::Kind;

/// Classes that a comment names.
const NAMED: usize = 8;

/// The experiment, which is to lie in `folder` beside the file `schema`.
pub fn experiment(sides: &Sides, plan: &Plan, folder: &Path, schema: &str) -> String {
    let Plan { backbone, weights, epochs: [head, finer], patience, .. } = plan;
    let texts = sides.survey.kind == Kind::Texts;
    let (lr, dropout) = if texts { ("2e-5", "0.1") } else { ("1e-4", "0.3") };
    let weights = if Path::new(weights).is_absolute() { path(Path::new(weights), folder) } else { word(weights) };
    let tokenizer = plan.tokenizer.as_deref().map(|given| format!("  tokenizer: {}\n", path(Path::new(given), folder)));
    let weight = if plan.is_balanced {
        "  class_weight: balanced         # a rare class counts as much as a frequent one\n"
    } else {
        ""
    };
    let every = (finer / 3).max(1);
    format!(
        "\
# yaml-language-server: $schema={schema}
# The line above is for editors: they complete keys and mark mistakes by the file beside this one (`finetop schema`).
# Every key, its default and its meaning: docs/experiment.md. Try changes with `finetop check`.
data:
{data}model:
  backbone: {backbone}
  weights: {weights}
{tokenizer}  head:
    - dropout: {dropout}                # more of it where the loss falls and val_loss rises
train:
  {BATCH}{batch}
{weight}  phases:
    # first the new head alone, on what the pretrained layers say
    - {{ name: head, epochs: {head}, trainable: head, optimizer: {{ adam: {{ lr: 1e-3 }} }} }}
    # then the last two blocks of the backbone too, one after the other and much slower
    - {{ name: fine_tune, epochs: {finer}, trainable: {{ gradual: {{ every: {every}, blocks: 2 }} }}, optimizer: {{ adam: {{ lr: {lr} }} }} }}
  early_stopping: {{ monitor: val_loss, patience: {patience}, restore_best_weights: true }}
  reduce_lr_on_plateau: {{ monitor: val_loss, factor: 0.3, patience: {plateau} }}
",
        data = data(sides, plan, folder),
        backbone = backbone.name(),
        tokenizer = tokenizer.unwrap_or_default(),
        batch = plan.batch,
        plateau = (patience / 2).max(2),
    )
}

fn data(sides: &Sides, plan: &Plan, folder: &Path) -> String {
    let mut data = format!("  train: {}  # {}\n", path(&sides.train, folder), classes(sides));
    data += &match &sides.val {
        Some(val) => format!("  val: {}\n", path(val, folder)),
        None => "  val_split: 0.2                 # a share of each class is held out to validate on\n".into(),
    };
    if let Some([text, label]) = &sides.columns {
        data += &format!("  text_column: {}\n  label_column: {}\n", word(text), word(label));
    }
    data + &match sides.survey.kind {
        Kind::Pictures => format!(
            "  image_size: {}\n  # random changes of what is trained on; no flip where left and right matter, as of letters\n  \
             augment: {{ rotation: 10, zoom: 0.1, width_shift: 0.1, height_shift: 0.1, horizontal_flip: true, views: 4 }}\n",
            plan.size
        ),
        Kind::Texts => format!("  max_length: {}                 # tokens; what is longer is cut\n", plan.size),
    }
}

fn classes(sides: &Sides) -> String {
    let classes = &sides.survey.classes;
    let named = classes.iter().take(NAMED).map(|(name, count)| format!("{} {count}", printable(name)));
    let named = named.collect::<Vec<_>>().join(", ");
    match classes.len().checked_sub(NAMED) {
        Some(more @ 1..) => format!("{named} and {more} more classes"),
        _ => named,
    }
}

/// `path` from `folder` where it lies in it.
fn path(path: &Path, folder: &Path) -> String {
    let path = path.strip_prefix(folder).unwrap_or(path);
    word(if path.as_os_str().is_empty() { "." } else { path.to_str().unwrap_or_default() })
}

/// `text` in YAML: as it is where that is plain, else in double quotes, as JSON has them.
fn word(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '.'))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-'));
    let is_text = serde_yaml::from_str::<serde_yaml::Value>(text).is_ok_and(|value| value.as_str() == Some(text));
    if is_plain && is_text { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_yaml_would_read_them_as_something_else() {
        for (text, expected) in [
            ("data/train", "data/train"),
            (".", "."),
            ("null", "\"null\""),
            ("true", "\"true\""),
            ("a b", "\"a b\""),
            ("x: y #", "\"x: y #\""),
            ("12", "\"12\""),
            ("é\"", "\"é\\\"\""),
        ] {
            assert_eq!(word(text), expected);
            assert_eq!(serde_yaml::from_str::<String>(&word(text)).unwrap(), text);
        }
    }
}
