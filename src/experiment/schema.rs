//! The JSON schema of an experiment file (draft 2020-12), made from the table of keys, for editors.
//!
//! Invariant: what the reader accepts the schema accepts. The reader refuses more, since some keys depend on each other; and
//! what a `matrix` replaces is looked at here as it stands.

use std::ops::Bound::{self, Excluded, Included, Unbounded};

use serde_json::{Map, Value, json};

use super::keys::{self, Key, Takes, Unset};
use super::known_weights::KNOWN;
use super::metric::MEASURES;
use super::read::LONGEST_NAME;

type Object = Map<String, Value>;

/// The schema of an experiment file.
pub fn schema() -> Value {
    let mut root = map("");
    root.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    root.insert("title".into(), "finetop experiment".into());
    // What another file or each run of a sweep gives need not stand here.
    let given = |name: &str, kind: &str| json!({ "required": [name], "properties": { name: { "type": kind } } });
    let partial = json!({ "anyOf": [given("extends", "string"), given("matrix", "object")] });
    root.insert("if".into(), json!({ "not": partial }));
    root.insert("then".into(), complete("").into());
    root.into()
}

/// A map of the keys at `path`.
fn map(path: &str) -> Object {
    let properties: Object = keys::of(path).map(|key| (key.name().to_owned(), property(key).into())).collect();
    let mut map = object(json!({ "type": "object", "additionalProperties": false, "properties": properties }));
    if path.contains("[]") {
        let required: Vec<&str> = required(path).map(Key::name).collect();
        if !required.is_empty() {
            map.insert("required".into(), required.into());
        }
    }
    if path == "data" {
        map.insert("not".into(), json!({ "allOf": VALIDATION.map(validation) }));
    }
    map
}

/// What a file must have that neither extends another nor is a sweep; items of lists say so themselves.
fn complete(path: &str) -> Object {
    let mut wanted = Object::new();
    let required: Vec<&str> = required(path).map(Key::name).collect();
    let inside = |key: &Key| matches!(key.takes, Takes::Map).then(|| complete(key.path)).filter(|map| !map.is_empty());
    let properties: Object =
        keys::of(path).filter_map(|key| Some((key.name().to_owned(), inside(key)?.into()))).collect();
    if !required.is_empty() {
        wanted.insert("required".into(), required.into());
    }
    if !properties.is_empty() {
        wanted.insert("properties".into(), properties.into());
    }
    if path == "data" {
        wanted.insert("anyOf".into(), VALIDATION.map(validation).to_vec().into());
    }
    wanted
}

/// What to validate on is given by one of these, and what that is.
const VALIDATION: [(&str, &str); 2] = [("val", "string"), ("val_split", "number")];

fn validation((name, kind): (&str, &str)) -> Value {
    json!({ "required": [name], "properties": { name: { "type": kind } } })
}

fn required(path: &str) -> impl Iterator<Item = &'static Key> {
    keys::of(path).filter(|key| matches!(key.unset, Unset::Required(_)))
}

/// What `key` takes, and what people want to know of it.
fn property(key: &Key) -> Object {
    let mut schema = takes(key);
    if may_be_empty(key) {
        allow_null(&mut schema);
    }
    let about = key.about.split(" See [below]").next().unwrap_or(key.about);
    let described = match key.unset {
        Unset::Means(means) => format!("{about} Without it: {means}."),
        Unset::Required(_) | Unset::Value(_) => about.to_owned(),
    };
    schema.insert("description".into(), described.into());
    match key.unset {
        Unset::Value(text) => insert_typed(&mut schema, "default", text, |value: Value| value),
        Unset::Required(text) => {
            insert_typed(&mut schema, "examples", text, |mut example: Value| json!([example[key.name()].take()]));
        }
        Unset::Means(_) => {}
    }
    schema
}

/// Inserts what `text` is in YAML.
fn insert_typed(schema: &mut Object, name: &str, text: &str, made: impl Fn(Value) -> Value) {
    if let Ok(value) = serde_yaml::from_str(text) {
        schema.insert(name.into(), made(value));
    }
}

/// Whether the key may stand without a value, which counts as if it did not stand there.
fn may_be_empty(key: &Key) -> bool {
    let stands_alone = keys::KEYS.iter().any(|other| {
        let is_parent = other.path == key.parent().trim_end_matches("[]");
        is_parent && matches!(other.takes, Takes::Choice(_) | Takes::Singles)
    });
    let has_defaults = matches!(key.takes, Takes::Map | Takes::MapOrUnits);
    !matches!(key.unset, Unset::Required(_)) && required(key.path).next().is_none() && (!stands_alone || has_defaults)
}

fn allow_null(schema: &mut Object) {
    if let Some(kind) = schema.get("type").cloned() {
        schema.insert("type".into(), json!([kind, "null"]));
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.push(Value::Null);
    }
    if let Some(Value::Array(forms)) = schema.get_mut("anyOf") {
        forms.push(json!({ "type": "null" }));
    }
}

fn takes(key: &Key) -> Object {
    let items = format!("{}[]", key.path);
    match key.takes {
        Takes::Map => map(key.path),
        Takes::List => {
            let mut item = map(&items);
            allow_null(&mut item);
            object(json!({ "type": "array", "minItems": 1, "items": item }))
        }
        Takes::Singles => object(json!({ "type": "array", "items": single(&items) })),
        Takes::Globs => object(json!({ "type": "array", "minItems": 1, "items": { "type": "string" } })),
        Takes::Text | Takes::Samples | Takes::File => object(json!({ "type": "string", "minLength": 1 })),
        Takes::Name => object(json!({
            "type": "string", "minLength": 1, "maxLength": LONGEST_NAME, "pattern": r"^(?![-.])(?!.*\.\.)[^/\\]*$"
        })),
        Takes::Weights => weights(),
        Takes::Measures => object(json!({ "type": "array", "items": figures("", &[]) })),
        Takes::Metric => figures("val_", &["loss", "accuracy", "val_loss", "val_accuracy"]),
        Takes::Range(low, high) => {
            object(json!({ "type": "array", "minItems": 2, "maxItems": 2, "items": number(low, high) }))
        }
        Takes::Flag => object(json!({ "type": "boolean" })),
        Takes::Whole(low, high) => whole(low, high),
        Takes::Number(low, high) => number(low, high),
        Takes::Words(words) => object(json!({ "enum": words })),
        Takes::Choice(words) => any_of([json!({ "enum": words }), single(key.path).into()]),
        Takes::Numbers(words) => {
            let numbers = number(Included(0.0), Unbounded);
            let map = json!({ "type": "object", "minProperties": 1, "additionalProperties": numbers });
            any_of((!words.is_empty()).then(|| json!({ "enum": words })).into_iter().chain([map]))
        }
        Takes::MapOrUnits => {
            let short = keys::of(key.path).next().map(|first| takes(first).into());
            any_of(short.into_iter().chain([map(key.path).into()]))
        }
        Takes::Matrix => matrix(key.path),
        Takes::Combinations => object(json!({ "type": "array", "items": { "type": "object", "minProperties": 1 } })),
    }
}

/// A map of exactly one of the keys at `path`.
fn single(path: &str) -> Object {
    let mut single = map(path);
    single.insert("minProperties".into(), 1.into());
    single.insert("maxProperties".into(), 1.into());
    single
}

fn weights() -> Object {
    let mut names: Vec<&str> = KNOWN.iter().map(|known| known.name).collect();
    names.sort_unstable();
    names.dedup();
    names.push("random");
    any_of([json!({ "enum": names }), text("^hf:"), text(r"\.(safetensors|pth|pt|bin)$")])
}

/// Names of figures behind `prefix`, and these.
fn figures(prefix: &str, others: &[&str]) -> Object {
    let one_each = |name: &&&str| **name != "top_K" && (prefix.is_empty() || !name.ends_with("_per_class"));
    let names = MEASURES.iter().filter(one_each).map(|name| format!("{prefix}{name}"));
    let names: Vec<String> = others.iter().map(|name| (*name).to_owned()).chain(names).collect();
    let patterns = ["top_[1-9][0-9]*$", "(precision|recall|f1)/."].map(|end| text(&format!("^{prefix}{end}")));
    any_of([json!({ "enum": names })].into_iter().chain(patterns))
}

fn text(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

fn whole(low: u64, high: u64) -> Object {
    object(json!({ "type": "integer", "minimum": low, "maximum": high }))
}

fn number(low: Bound<f64>, high: Bound<f64>) -> Object {
    let mut number = object(json!({ "type": "number" }));
    for (bound, inclusive, exclusive) in [(low, "minimum", "exclusiveMinimum"), (high, "maximum", "exclusiveMaximum")] {
        match bound {
            Included(value) => number.insert(inclusive.into(), value.into()),
            Excluded(value) => number.insert(exclusive.into(), value.into()),
            Unbounded => None,
        };
    }
    number
}

/// Lists of values by dotted keys; keys within lists, whose numbers are in their names, take any.
fn matrix(path: &str) -> Object {
    let own = keys::of(path).map(|key| (key.name().to_owned(), property(key).into()));
    let never = ["extends", "matrix"].map(|name| (name.to_owned(), Value::Bool(false)));
    let varied = keys::KEYS.iter().filter(|key| !key.path.contains("[]") && key.path != "extends");
    let varied = varied.filter(|key| key.path != path && key.parent() != path);
    let list = |items: Value| json!({ "type": "array", "minItems": 1, "items": items });
    let axes = varied.map(|key| (key.path.to_owned(), list(json!({ "$ref": pointer(key.path) }))));
    let properties: Object = axes.chain(own).chain(never).collect();
    object(json!({
        "type": "object", "minProperties": 1, "properties": properties, "additionalProperties": list(Value::Bool(true))
    }))
}

/// Where the schema of the key at `path` is.
fn pointer(path: &str) -> String {
    format!("#/properties/{}", path.replace('.', "/properties/"))
}

fn any_of(forms: impl IntoIterator<Item = Value>) -> Object {
    object(json!({ "anyOf": forms.into_iter().collect::<Vec<_>>() }))
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}
