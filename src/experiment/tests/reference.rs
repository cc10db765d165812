//! The table of keys, what the reader takes, and `docs/experiment.md` say the same.

use std::collections::BTreeSet;

use super::{EXAMPLE, EXAMPLE_OF_TEXTS, origin, read, read_with};
use crate::experiment::{KEYS, Key, Takes, Unset, parse_all};

const DOCUMENT: &str = include_str!("../../../docs/experiment.md");

/// A row of the reference for `key`.
fn row(key: &Key) -> String {
    let unset = match key.unset {
        Unset::Required(_) => "**required**".to_owned(),
        Unset::Value(value) => format!("`{value}`"),
        Unset::Means(means) => means.to_owned(),
    };
    format!("| `{}` | {} | {unset} | {} |", key.path, key.expected(), key.about)
}

#[test]
fn every_key_is_in_the_reference_and_every_row_of_it_is_a_key() {
    let wanted: Vec<String> = KEYS.iter().map(row).collect();
    let rows: Vec<&str> = DOCUMENT.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(rows, wanted, "docs/experiment.md must have these rows:\n{}\n", wanted.join("\n"));
}

#[test]
fn the_examples_of_the_reference_are_right() {
    let mut examples = DOCUMENT.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let complete = examples.next().unwrap();
    let experiment = read(complete).unwrap();
    assert_eq!(experiment.notes(), Vec::<String>::new());
    let least = examples.next().unwrap();
    read(least).unwrap();
    for part in examples {
        let runs = parse_all(&format!("{}{part}", least), &origin(), &[]).unwrap();
        assert_eq!(runs.len() > 1, part.starts_with("matrix:"), "{part}");
    }
}

fn is_of_texts(key: &Key) -> bool {
    key.about.starts_with("Texts: ") || key.parent() == "model.lora"
}

/// [`EXAMPLE`] with a phase for each optimizer but Adam, and for each schedule that takes keys which must be given.
fn example() -> String {
    let more = "    - { name: w }\n    - { name: s }\n    - { name: r }\n\
                \x20   - { name: step, schedule: { step: { every: 3 } } }\n\
                \x20   - { name: exp, schedule: { exponential: { factor: 0.5 } } }\n  early_stopping";
    EXAMPLE.replace("  early_stopping", more)
}

/// An example in which `key` may stand.
fn example_with(key: &Key) -> String {
    if is_of_texts(key) { EXAMPLE_OF_TEXTS.into() } else { example() }
}

/// The dotted path of a key in [`example`], for an override.
fn path_in_example(key: &Key) -> String {
    key.path
        .replace("model.head[].dropout", "model.head.1.dropout")
        .replace("head[]", "head.0")
        .replace("phases[].optimizer.adamw", "phases.2.optimizer.adamw")
        .replace("phases[].optimizer.sgd", "phases.3.optimizer.sgd")
        .replace("phases[].optimizer.rmsprop", "phases.4.optimizer.rmsprop")
        .replace("phases[].schedule.step", "phases.5.schedule.step")
        .replace("phases[].schedule.exponential", "phases.6.schedule.exponential")
        .replace("phases[]", "phases.0")
}

/// The dotted path of what a key stands in.
fn parent(path: &str) -> &str {
    path.rsplit_once('.').unwrap().0
}

/// No key of the table is a dead letter: each complains about nonsense under its own name.
#[test]
fn every_key_of_the_table_is_read() {
    for key in KEYS {
        let set = format!("{}=[[nonsense]]", path_in_example(key));
        let Err(mistakes) = read_with(&example(), &[&set]) else { panic!("{set} is taken") };
        let said = mistakes.to_string();
        assert!(said.contains(key.name()) && said.contains(&set) && !said.contains("unknown key"), "{set}: {said}");
    }
}

#[test]
fn every_word_of_the_table_is_taken() {
    for key in KEYS {
        let (Takes::Words(words) | Takes::Choice(words)) = key.takes else { continue };
        for word in words {
            let set = format!("{}={word}", path_in_example(key));
            let of_pictures = read_with(&example(), &[&set]);
            of_pictures.or(read_with(EXAMPLE_OF_TEXTS, &[&set])).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        }
    }
}

/// A default that is typed out means the same as one that is not.
#[test]
fn every_default_is_what_the_table_says() {
    let base = "train: { phases: [{}, {}, {}, {}, {}, { schedule: { step: { every: 3 } } },\n\
                \x20 { schedule: { exponential: { factor: 0.5 } } }], early_stopping: {}, reduce_lr_on_plateau: {} }\n\
                model: { backbone: squeezenet1_1, weights: random, head: [{ dense: { units: 3 } }, { dropout: 0.1 }] }\n\
                data: { train: a, val_split: 0.2, augment: { random_erasing: {} } }\n";
    let of_texts = "model: { backbone: bert, weights: random, tokenizer: v, lora: {} }\n\
                    train: { phases: [{ trainable: all }] }\ndata: { train: a, val_split: 0.2 }\n";
    for key in KEYS {
        let Unset::Value(value) = key.unset else { continue };
        let set = format!("{}={value}", path_in_example(key));
        let base = if is_of_texts(key) { of_texts } else { base };
        // a key of another rule than the default's also says that it is that rule
        let of_a_rule = [".optimizer.", ".schedule.", ".gradual"].iter().any(|rule| key.parent().contains(rule));
        let is_given = key.path.contains(".step.") || key.path.contains(".exponential.");
        let empty = (of_a_rule && !is_given).then(|| format!("{}={{}}", parent(&path_in_example(key))));
        let unset: Vec<&str> = empty.iter().map(String::as_str).collect();
        assert_eq!(read_with(base, &[&set]).unwrap(), read_with(base, &unset).unwrap(), "{set}");
    }
}

#[test]
fn ranges_end_where_the_table_says() {
    for key in KEYS {
        let Takes::Whole(low, high) = key.takes else { continue };
        let path = path_in_example(key);
        let set = |value: String| read_with(&example_with(key), &[&format!("{path}={value}")]);
        assert!(set(low.to_string()).is_ok() && set(high.to_string()).is_ok(), "{path}");
        assert!(set((i128::from(low) - 1).to_string()).is_err(), "{path}");
        assert!(set((i128::from(high) + 1).to_string()).is_err(), "{path}");
    }
}

#[test]
fn paths_of_keys_differ() {
    let paths: BTreeSet<&str> = KEYS.iter().map(|key| key.path).collect();
    assert_eq!(paths.len(), KEYS.len());
}
