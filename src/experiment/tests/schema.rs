//! The JSON schema and the reader hold of the same files.

use std::ops::Bound::{Excluded, Included};

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};

use super::generated::experiments;
use super::validator::is_valid;
use super::{EXAMPLE, EXAMPLE_OF_TEXTS, LEAST, origin};
use crate::experiment::{Experiment, KEYS, Key, Takes, Unset, load_all, parse_all, schema};

const DOCUMENT: &str = include_str!("../../../docs/experiment.md");

/// A text as JSON has it, merges applied.
fn value(text: &str) -> Value {
    let mut value: serde_yaml::Value = serde_yaml::from_str(text).unwrap();
    value.apply_merge().unwrap();
    serde_json::to_value(value).unwrap()
}

fn schema_takes(value: &Value) -> bool {
    is_valid(&schema(), value)
}

/// JSON is YAML too.
fn reader_takes(value: &Value) -> bool {
    parse_all(&value.to_string(), &origin(), &[]).is_ok()
}

#[test]
fn the_examples_are_right() {
    let mut examples = DOCUMENT.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let (complete, least) = (examples.next().unwrap(), examples.next().unwrap());
    let parts = examples.map(|part| format!("{least}{part}"));
    for text in [EXAMPLE, EXAMPLE_OF_TEXTS, LEAST, complete, least].map(str::to_owned).into_iter().chain(parts) {
        assert!(schema_takes(&value(&text)), "{text}");
    }
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/experiments")).unwrap();
    for path in files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "yaml"))
    {
        assert!(schema_takes(&value(&std::fs::read_to_string(&path).unwrap())), "{}", path.display());
    }
}

/// Pieces put on top of the least experiment, and whether they are right.
#[test]
fn forms_that_may_be_written_in_several_ways() {
    for (piece, is_right) in [
        ("train:", true),
        ("train: { phases: [] }", false),
        ("train: { phases: [null] }", true),
        ("train: { phases: [{ optimizer: sgd, trainable: all, schedule: cosine }] }", true),
        ("train: { phases: [{ optimizer: { sgd: } }] }", true),
        ("train: { phases: [{ optimizer: { sgd: , adam: } }] }", false),
        ("train: { phases: [{ optimizer: {} }] }", false),
        ("train: { phases: [{ trainable: { gradual: } }] }", true),
        ("train: { phases: [{ trainable: { last_layers: } }] }", false),
        ("train: { phases: [{ trainable: { names: [] } }] }", false),
        ("train: { phases: [{ schedule: step }] }", false),
        ("train: { phases: [{ schedule: { step: } }] }", false),
        ("train: { phases: [{ schedule: { step: {} } }] }", false),
        ("train: { phases: [{ schedule: { step: { every: 2 } } }] }", true),
        ("train: { class_weight: balanced }", true),
        ("train: { class_weight: { a: 2, b: 0.5 } }", true),
        ("train: { class_weight: {} }", false),
        ("train: { class_weight: { a: } }", false),
        ("train: { early_stopping: {}, reduce_lr_on_plateau: }", true),
        ("train: { early_stopping: [] }", false),
        ("train: { metrics: [f1, top_3, precision_per_class, recall/a], monitor: val_f1/a }", true),
        ("train: { metrics: [], monitor: val_top_2 }", true),
        ("train: { metrics: [top_K] }", false),
        ("name: a..b", false),
        ("name: -a", false),
        ("name: a/b", false),
        ("name: 12", false),
        ("matrix:", true),
        ("matrix: {}", false),
        ("matrix: { seed: [1, 2] }", true),
        ("matrix: { seed: [1, null] }", true),
        ("matrix: { seed: [-1] }", false),
        ("matrix: { seed: 1 }", false),
        ("matrix: { seed: [] }", false),
        ("matrix: { train.phases.0.optimizer: [adam, sgd] }", false), // the list is not there, which the schema cannot tell
        ("matrix: { seed: [1, 2], exclude: , include: [{ seed: 3 }] }", true),
        ("matrix: { seed: [1, 2], include: [{}] }", false),
        ("matrix: { matrix: [1] }", false),
        ("extends: ''", false),
        ("extends: 3", false),
        ("extends:", true),
    ] {
        let value = value(&format!("{LEAST}{piece}\n"));
        assert_eq!(reader_takes(&value), is_right, "the reader: {piece}");
        let beyond = piece.contains("phases.0");
        assert_eq!(schema_takes(&value), is_right || beyond, "the schema: {piece}");
    }
}

#[test]
fn heads_and_data_in_several_ways() {
    let with = |head: &str, data: &str| {
        value(&format!(
            "data: {{ train: a, {data} }}\nmodel: {{ backbone: squeezenet1_1, weights: random, head: {head} }}\n"
        ))
    };
    for (head, data, is_right) in [
        ("[]", "val: b", true),
        ("", "val: b, val_split: ", true),
        ("[{ dense: 3 }, { dense: { units: 3 } }, { dropout: 0.5 }]", "val_split: 0.5", true),
        ("[{ dense: 3, dropout: 0.5 }]", "val: b", false),
        ("[{ dense: 0 }]", "val: b", false),
        ("[{ dense: }]", "val: b", false),
        ("[{ dense: {} }]", "val: b", false),
        ("[{ dropout: }]", "val: b", false),
        ("[null]", "val: b", false),
        ("[{}]", "val: b", false),
        ("{}", "val: b", false),
        ("[]", "val: b, val_split: 0.5", false),
        ("[]", "val: ", false),
        ("[]", "", false),
    ] {
        let value = with(head, data);
        assert_eq!((reader_takes(&value), schema_takes(&value)), (is_right, is_right), "{head} {data}");
    }
}

/// What another file gives need not be given; what is given must be right all the same.
#[test]
fn a_file_that_extends_another_needs_nothing_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("train")).unwrap();
    std::fs::write(folder.path().join("base.yaml"), LEAST).unwrap();
    for (text, is_right) in [
        ("extends: base.yaml\n", true),
        ("extends: base.yaml\ndata: { val_split: 0.5 }\nmodel: { pool: max }\n", true),
        ("extends: base.yaml\ndata: { val_split: 2 }\n", false),
        ("extends: base.yaml\nmodel: { backbone: }\n", false),
        ("extends: base.yaml\nmodel:\n", false),
        ("extends:\n", false),
        (
            "matrix: { data: [{ train: train, val_split: 0.5 }], model.backbone: [resnet18], model.weights: [random] }\n",
            true,
        ),
    ] {
        let path = folder.path().join("a.yaml");
        std::fs::write(&path, text).unwrap();
        assert_eq!(load_all(&path, &[]).is_ok(), is_right, "the reader: {text}");
        assert_eq!(schema_takes(&value(text)), is_right, "the schema: {text}");
    }
}

#[test]
fn every_key_is_described_and_every_default_is_right() {
    let schema = schema();
    for key in KEYS.iter().filter(|key| !key.path.contains("[]")) {
        let pointer = format!("/properties/{}", key.path.replace('.', "/properties/"));
        let described = &schema.pointer(&pointer).unwrap_or_else(|| panic!("{pointer}"))["description"];
        assert!(described.as_str().unwrap().len() > 3 && !described.as_str().unwrap().contains("](#"), "{}", key.path);
    }
    fn defaults_are_right(root: &Value, at: &Value, seen: &mut usize) {
        if let Some(default) = at.get("default") {
            let here = json!({ "properties": root["properties"], "allOf": [at] });
            assert!(is_valid(&here, default), "{at}");
            *seen += 1;
        }
        match at {
            Value::Object(map) => map.values().for_each(|value| defaults_are_right(root, value, seen)),
            Value::Array(items) => items.iter().for_each(|value| defaults_are_right(root, value, seen)),
            _ => {}
        }
    }
    let mut seen = 0;
    defaults_are_right(&schema, &schema, &mut seen);
    assert!(seen >= KEYS.iter().filter(|key| matches!(key.unset, Unset::Value(_))).count(), "{seen}");
}

/// Where a value of a file is, and the key that it is of.
struct Spot {
    pointer: String,
    key: &'static Key,
}

/// The keys that are given in `value`, which stands at `path` of the table.
fn spots(value: &Value, path: &str, pointer: &str, found: &mut Vec<Spot>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let dotted = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let pointer = format!("{pointer}/{name}");
                if let Some(key) = KEYS.iter().find(|key| key.path == dotted) {
                    found.push(Spot { pointer: pointer.clone(), key });
                    spots(value, &dotted, &pointer, found);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                spots(item, &format!("{path}[]"), &format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// Values that `key` does not take, as a schema can tell.
fn mistakes(key: &Key) -> Vec<Value> {
    let mut wrong = match key.takes {
        Takes::Map | Takes::Matrix => vec![json!(7), json!("x"), json!([1]), json!({ "nonsense": 1 })],
        Takes::List => vec![json!(7), json!("x"), json!({}), json!([]), json!([7])],
        Takes::Singles => {
            vec![json!("x"), json!({}), json!([{}]), json!([null]), json!([{ "dropout": 0, "dense": 3 }])]
        }
        Takes::Combinations => vec![json!(7), json!({}), json!([{}])],
        Takes::Globs => vec![json!("x"), json!([]), json!([7]), json!({})],
        Takes::Text | Takes::Samples | Takes::File => vec![json!(7), json!(true), json!([]), json!({}), json!("")],
        Takes::Name => vec![json!(7), json!(""), json!("a/b"), json!(".a"), json!("a..b"), json!("x".repeat(65))],
        Takes::Weights => vec![json!(7), json!("imagenot"), json!("a.h5"), json!([])],
        Takes::Flag => vec![json!(1), json!("true"), json!([])],
        Takes::Whole(low, high) => {
            let outside = [low.checked_sub(1).map(|low| json!(low)), high.checked_add(1).map(|high| json!(high))];
            outside.into_iter().flatten().chain([json!(-1), json!(0.5), json!("1"), json!(true), json!([1])]).collect()
        }
        Takes::Number(low, high) => {
            let outside = |bound, below: f64| match bound {
                Included(value) => Some(json!(value + below)),
                Excluded(value) => Some(json!(value)),
                _ => None,
            };
            let outside = [outside(low, -0.1), outside(high, 0.1)];
            outside.into_iter().flatten().chain([json!("1"), json!(true), json!([1]), json!({})]).collect()
        }
        Takes::Words(_) => vec![json!("nonsense"), json!(7), json!([]), json!({})],
        Takes::Choice(_) => vec![json!("nonsense"), json!(7), json!([]), json!({}), json!({ "nonsense": {} })],
        Takes::Numbers(_) => vec![json!(7), json!({}), json!({ "a": -1 }), json!({ "a": "x" }), json!({ "a": null })],
        Takes::Measures => vec![json!("f1"), json!(["nonsense"]), json!(["top_0"]), json!([7]), json!({})],
        Takes::Metric => vec![json!("nonsense"), json!("f1"), json!("val_f1/"), json!(7), json!([])],
        Takes::Range(..) => vec![json!(0.5), json!([0.5]), json!([0.1, 0.2, 0.3]), json!([-1, 0.5]), json!(["a", 1])],
        Takes::MapOrUnits => vec![json!("x"), json!(0), json!(0.5), json!([]), json!({ "units": 1, "nonsense": 1 })],
    };
    if matches!(key.unset, Unset::Required(_)) {
        wrong.push(Value::Null);
    }
    wrong
}

/// Everything in `value`, as pointers.
fn places(value: &Value, pointer: String, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| places(value, format!("{pointer}/{name}"), found)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| places(item, format!("{pointer}/{index}"), found));
        }
        _ => {}
    }
    found.push(pointer);
}

/// What may come to stand anywhere.
fn anything() -> impl Strategy<Value = Value> {
    let words = KEYS.iter().flat_map(|key| match key.takes {
        Takes::Words(words) | Takes::Choice(words) | Takes::Numbers(words) => words.to_vec(),
        _ => vec![key.name()],
    });
    let words: Vec<&str> = words.collect();
    let scalars = prop_oneof![
        2 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        2 => (-2i64..40).prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        2 => (-0.5f64..1.5).prop_map(Value::from),
        3 => prop::sample::select(words.clone()).prop_map(Value::from),
    ];
    scalars.prop_recursive(2, 8, 3, move |inner| {
        let names = prop::sample::select(words.clone());
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..3).prop_map(|map| map
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Map<_, _>>()
                .into()),
        ]
    })
}

/// A file that says what `experiment` does; in other words where `short`.
fn file(experiment: &Experiment, short: bool) -> Value {
    let mut file = value(&experiment.to_yaml());
    if short {
        shorten(&mut file);
    }
    file
}

/// Writes what there is a short form for in it: other files, but right ones.
fn shorten(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let only = value.as_object().and_then(|map| map.keys().next().cloned());
                match (&**name, only) {
                    ("dense", Some(_)) => *value = value["units"].take(),
                    ("optimizer", Some(rule)) => *value = rule.into(),
                    ("trainable", Some(rule)) if rule == "gradual" => *value = rule.into(),
                    ("schedule", _) => *value = Value::Null,
                    _ => shorten(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(shorten),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_can_be_said_is_right(experiment in experiments(), short: bool) {
        let file = file(&experiment, short);
        prop_assert!(reader_takes(&file), "{file:#}");
        prop_assert!(schema_takes(&file), "{file:#}");
    }

    #[test]
    fn what_the_reader_takes_the_schema_takes(
        experiment in experiments(), short: bool, changes in prop::collection::vec((any::<Index>(), anything(), any::<bool>()), 1..4)
    ) {
        let mut file = file(&experiment, short);
        for (at, new, rename) in changes {
            let mut found = Vec::new();
            places(&file, String::new(), &mut found);
            let place = at.get(&found);
            let Some(there) = file.pointer_mut(place) else { continue };
            match (there, new) {
                (Value::Object(map), Value::String(name)) if rename => drop(map.insert(name, json!({}))),
                (Value::Object(map), _) if rename => map.retain(|_, value| !value.is_object()),
                (there, new) => *there = new,
            }
        }
        prop_assert!(!reader_takes(&file) || schema_takes(&file), "{file:#}");
    }

    #[test]
    fn what_a_schema_can_tell_both_refuse(
        experiment in experiments(), short: bool, at: Index, which: Index, unknown: bool
    ) {
        let mut file = file(&experiment, short);
        let mut found = Vec::new();
        spots(&file, "", "", &mut found);
        let Spot { pointer, key } = at.get(&found);
        let there = file.pointer_mut(pointer).unwrap();
        match there {
            Value::Object(map) if unknown && !matches!(key.takes, Takes::Numbers(_)) => drop(map.insert("nonsense".into(), json!(1))),
            there => *there = which.get(&mistakes(key)).clone(),
        }
        prop_assert!(!reader_takes(&file), "the reader takes {} in {file:#}", key.path);
        prop_assert!(!schema_takes(&file), "the schema takes {} in {file:#}", key.path);
    }

    #[test]
    fn both_miss_what_is_required(experiment in experiments(), at: Index) {
        let mut file = file(&experiment, false);
        let mut found = Vec::new();
        spots(&file, "", "", &mut found);
        let required: Vec<&Spot> = found.iter().filter(|spot| matches!(spot.key.unset, Unset::Required(_))).collect();
        let Spot { pointer, key } = at.get(&required);
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        file.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        prop_assert!(!reader_takes(&file) && !schema_takes(&file), "without {}: {file:#}", key.path);
    }
}
