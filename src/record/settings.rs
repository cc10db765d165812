//! What a run really ran, as dotted keys: `train.phases.0.optimizer.adam.lr` is `0.001`.

use std::collections::HashMap;

use serde_yaml::Value;

/// The keys and values of a `resolved.yaml`, in its order. Lists of maps are followed by the numbers of their items; other
/// lists are values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    list: Vec<(String, Value)>,
    at: HashMap<String, usize>,
}

impl Settings {
    /// Of the text of a `resolved.yaml`; none where it cannot be read.
    pub fn of(resolved: &str) -> Self {
        let mut settings = Settings::default();
        if let Ok(root @ Value::Mapping(_)) = serde_yaml::from_str(resolved) {
            settings.add(String::new(), root);
        }
        settings
    }

    fn add(&mut self, key: String, value: Value) {
        let inside = |part: &str| if key.is_empty() { part.to_owned() } else { format!("{key}.{part}") };
        match value {
            Value::Mapping(map) if !map.is_empty() => {
                for (part, value) in map {
                    self.add(inside(part.as_str().unwrap_or("?")), value);
                }
            }
            Value::Sequence(items) if items.iter().any(Value::is_mapping) => {
                for (number, value) in items.into_iter().enumerate() {
                    self.add(inside(&number.to_string()), value);
                }
            }
            value => {
                self.at.insert(key.clone(), self.list.len());
                self.list.push((key, value));
            }
        }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The value of a dotted key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.at.get(key).map(|&at| &self.list[at].1)
    }

    /// All but the keys `aside`, as one text that is the same where they are; empty where nothing is known.
    pub fn without(&self, aside: &[&str]) -> String {
        let kept = self.list.iter().filter(|(key, _)| !aside.contains(&&**key));
        kept.map(|(key, value)| format!("{key}={value:?}\n")).collect()
    }
}

/// The keys that not all of `these` have with the same value, in their order.
pub fn differing(these: &[&Settings]) -> Vec<String> {
    let Some((first, others)) = these.split_first() else { return Vec::new() };
    let of_first = first.list.iter().map(|(key, _)| key);
    let mut seen: HashMap<&str, ()> = first.at.keys().map(|key| (&**key, ())).collect();
    let mut keys: Vec<&String> = of_first.collect();
    for (key, _) in others.iter().flat_map(|other| &other.list) {
        if seen.insert(key, ()).is_none() {
            keys.push(key);
        }
    }
    let differs = |key: &str| others.iter().any(|other| other.get(key) != first.get(key));
    keys.into_iter().filter(|key| differs(key)).cloned().collect()
}

/// A value as one would type it, on one line.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Sequence(items) => items.iter().map(shown).collect::<Vec<_>>().join(" "),
        value => serde_yaml::to_string(value).map_or_else(|_| "?".to_owned(), |text| text.trim().to_owned()),
    }
}

/// The shortest endings of dotted `keys` that tell them apart: `lr` of `train.phases.0.optimizer.adam.lr`.
pub fn labels(keys: &[String]) -> Vec<String> {
    keys.iter().map(|key| label(key, keys)).collect()
}

fn label(key: &str, keys: &[String]) -> String {
    let starts = key.rmatch_indices('.').map(|(at, _)| at + 1).chain([0]);
    let is_own = |ending: &str| {
        let ends_so = |other: &&String| *other == ending || other.ends_with(&format!(".{ending}"));
        keys.iter().filter(ends_so).count() == 1 && ending.parse::<usize>().is_err()
    };
    starts.map(|start| &key[start..]).find(|ending| is_own(ending)).unwrap_or(key).to_owned()
}
