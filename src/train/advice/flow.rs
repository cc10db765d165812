//! A value as one would type it in one line of YAML.

use serde::Serialize;
use serde_yaml::Value;
use serde_yaml::value::Serializer;
use serde_yaml::with::singleton_map_recursive;

use crate::experiment::{Unset, keys_of};

/// `value` in YAML's flow style; keys and words without quotes where they need none.
pub(super) fn written(value: &impl Serialize) -> String {
    singleton_map_recursive::serialize(value, Serializer).map_or_else(|_| String::new(), |value| flow(&value))
}

/// `value`, which stands at `path` in an experiment, without the keys that say what holds without them.
pub(super) fn without_defaults(path: &str, value: &impl Serialize) -> String {
    let mut value = singleton_map_recursive::serialize(value, Serializer).unwrap_or_default();
    drop_defaults(path, &mut value);
    flow(&value)
}

fn drop_defaults(path: &str, value: &mut Value) {
    let Value::Mapping(entries) = value else { return };
    for key in keys_of(path) {
        if let Some(below) = entries.get_mut(key.name()) {
            drop_defaults(key.path, below);
        }
    }
    let default = |name: &str| match keys_of(path).find(|key| key.name() == name)?.unset {
        Unset::Value(default) => serde_yaml::from_str::<Value>(default).ok(),
        Unset::Means(_) | Unset::Required(_) => Some(Value::Mapping(Default::default())),
    };
    entries.retain(|name, value| {
        let default = name.as_str().and_then(default);
        !value.is_null() && !default.is_some_and(|default| is_same(value, &default))
    });
}

/// Whether two values mean the same; 0 and 0.0 do.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

/// What is tagged is written without its tag: an experiment has no tags.
fn flow(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => word(text),
        Value::Sequence(items) if items.is_empty() => "[]".to_owned(),
        Value::Sequence(items) => format!("[ {} ]", listed(items.iter().map(flow))),
        Value::Mapping(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Mapping(entries) => {
            format!("{{ {} }}", listed(entries.iter().map(|(key, value)| format!("{}: {}", flow(key), flow(value)))))
        }
        Value::Tagged(tagged) => flow(&tagged.value),
    }
}

fn listed(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// A text that reads back as itself: without quotes where it is a plain word or path.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') && text.chars().all(is_plain);
    let reads_back = is_word && matches!(serde_yaml::from_str(text), Ok(Value::String(read)) if read == text);
    if reads_back { text.to_owned() } else { quoted(text) }
}

/// In quotes; what YAML takes for no character of a text is written as its number.
fn quoted(text: &str) -> String {
    let is_none = |c: char| c.is_control() || ['\u{feff}', '\u{fffe}', '\u{ffff}'].contains(&c);
    let escaped = |c: char| if is_none(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    serde_json::Value::from(text).to_string().chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_what_one_would_type() {
        let typed =
            "{ train: /data/train, val_split: 0.2, list: [ 1, true, null, \"a b\", \"null\", \"1\" ], of: {}, no: [] }";
        let value: Value = serde_yaml::from_str(typed).unwrap();
        assert_eq!(written(&value), typed);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            Just(Value::Null)
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            let entry = ("[a-z/: ]{1,6}".prop_map(Value::from), inner.clone());
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Value::from),
                prop::collection::vec(entry, 0..4).prop_map(|entries| Value::Mapping(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_reads_back_as_it_was(value in any_value()) {
            let text = written(&value);
            prop_assert_eq!(serde_yaml::from_str::<Value>(&text).ok(), Some(value), "{}", text);
        }
    }
}
