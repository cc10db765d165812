//! The configuration of a run, read and made out off the loop: what of it was typed, and what is other than by default.

use serde_yaml::Value;

use super::yaml::{self, Stand};
use crate::base::durable;
use crate::base::id::RunId;
use crate::experiment::{KEYS, Unset};
use crate::record::Store;
use crate::record::settings::Settings;

/// Keys without a default value that are filled in by what follows from others.
const INFERRED: [&str; 7] =
    ["name", "task", "model.tokenizer", "model.preprocessing", "epsilon", "train.monitor", "train.phases[].name"];

/// The files of a run's configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Texts {
    pub resolved: Vec<Line>,
    /// As it was typed, byte for byte.
    pub typed: Vec<String>,
    pub settings: Settings,
}

/// A line of `resolved.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    pub meaning: Meaning,
    /// The line of the map or list that it is in.
    pub parent: Option<usize>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// It is no value, but what holds others.
    Holds,
    /// Nobody gave it.
    Default,
    /// It was typed, and is what it would be anyway.
    Typed,
    /// It is other than by default, which is this where there is one.
    Differs(Option<&'static str>),
}

impl Texts {
    /// Those of a run.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub fn read(store: &Store, id: RunId) -> Result<Texts, String> {
        let dir = store.find(&id.to_string()).map_err(|error| error.to_string())?;
        let path = dir.resolved_yaml();
        let resolved = durable::read(&path).map_err(|error| format!("could not read {}: {error}", path.display()))?;
        let typed = durable::read(&dir.experiment_yaml()).unwrap_or_default();
        Ok(Texts::of(&String::from_utf8_lossy(&resolved), &String::from_utf8_lossy(&typed)))
    }

    /// Those with these contents.
    pub fn of(resolved: &str, typed: &str) -> Texts {
        let (settings, given) = (Settings::of(resolved), Settings::of(typed));
        let lines = resolved.lines().zip(yaml::stands(resolved));
        let line = |(text, stand): (&str, Stand)| Line {
            text: text.to_owned(),
            meaning: meaning(&stand.key, &settings, &given),
            parent: stand.parent,
        };
        Texts {
            resolved: lines.map(line).collect(),
            typed: typed.lines().map(str::to_owned).collect(),
            settings: settings.clone(),
        }
    }

    /// Which lines of `resolved` stay where only those that were typed or differ are shown: they, and what holds them.
    pub fn marked(&self) -> Vec<usize> {
        let mut stays = vec![false; self.resolved.len()];
        for (at, line) in self.resolved.iter().enumerate() {
            if matches!(line.meaning, Meaning::Typed | Meaning::Differs(_)) {
                let up = |&line: &usize| self.resolved[line].parent;
                std::iter::successors(Some(at), up).for_each(|line| stays[line] = true);
            }
        }
        (0..stays.len()).filter(|&at| stays[at]).collect()
    }
}

/// Where the value at a dotted key comes from.
fn meaning(key: &str, settings: &Settings, given: &Settings) -> Meaning {
    // An item of a list of texts has no key of its own.
    let (list, last) = key.rsplit_once('.').unwrap_or(("", key));
    let key = if last.parse::<usize>().is_ok() { list } else { key };
    let Some(value) = settings.get(key) else { return Meaning::Holds };
    let is_typed = is_typed(key, given);
    let path = path(key);
    let known = KEYS.iter().find(|known| known.path == path);
    match known.map(|known| known.unset) {
        Some(Unset::Value(default)) => match serde_yaml::from_str(default) {
            Ok(default) if is_same(&default, value) => typed(is_typed),
            // What `auto` stands for.
            Ok(Value::String(auto)) if auto == "auto" && !is_typed => Meaning::Default,
            _ => Meaning::Differs(Some(default)),
        },
        _ if is_typed => Meaning::Differs(None),
        Some(Unset::Means(_)) if INFERRED.iter().any(|name| path.ends_with(name)) => Meaning::Default,
        Some(Unset::Means(_) | Unset::Required(_)) => Meaning::Differs(None),
        None => Meaning::Default,
    }
}

fn typed(is_typed: bool) -> Meaning {
    if is_typed { Meaning::Typed } else { Meaning::Default }
}

/// Whether the file that was typed gives the key, itself, through a short form (`dense: 256`), or in its matrix.
fn is_typed(key: &str, given: &Settings) -> bool {
    let short = key.strip_suffix(".units");
    let mut keys = [Some(key), short].into_iter().flatten();
    keys.any(|key| given.get(key).is_some() || given.get(&format!("matrix.{key}")).is_some())
}

/// `train.phases.0.epochs` as the table of keys has it: `train.phases[].epochs`.
fn path(key: &str) -> String {
    let mut path = String::new();
    for part in key.split('.') {
        if part.parse::<usize>().is_ok() {
            path.push_str("[]");
        } else {
            path.push_str(if path.is_empty() { "" } else { "." });
            path.push_str(part);
        }
    }
    path
}

fn is_same(default: &Value, value: &Value) -> bool {
    default == value || default.as_f64().is_some_and(|default| value.as_f64() == Some(default))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment;

    #[test]
    fn what_was_typed_and_what_differs_is_told_from_defaults() {
        let folder = tempfile::tempdir().unwrap();
        for class in ["a", "b"] {
            std::fs::create_dir_all(folder.path().join("train").join(class)).unwrap();
        }
        let typed = "data: { train: train, val_split: 0.2, image_size: 160, resize: bilinear }\n\
            model: { backbone: resnet18, weights: random, head: [{ dense: 256 }, { dropout: 0.5 }] }\n\
            train:\n  batch_size: 32\n  phases:\n    - { epochs: 3, optimizer: { adam: { lr: 1e-2 } } }\n  early_stopping: { mode: min }\n";
        let path = folder.path().join("emoji.yaml");
        std::fs::write(&path, typed).unwrap();
        let loaded = experiment::load(&path, &["train.clip_norm=1".parse().unwrap()]).unwrap();
        let texts = Texts::of(&loaded.experiment.to_yaml(), typed);
        let of = |wanted: &str| {
            let found = texts.resolved.iter().find(|line| line.text.trim_start_matches([' ', '-']).starts_with(wanted));
            found.unwrap_or_else(|| panic!("{wanted} is in {:#?}", texts.resolved)).meaning.clone()
        };
        for (line, meaning) in [
            ("name: emoji", Meaning::Default),
            ("task:", Meaning::Default),
            ("seed: 42", Meaning::Default),
            ("device: auto", Meaning::Default),
            ("data:", Meaning::Holds),
            ("train: /", Meaning::Differs(None)),
            ("val_split: 0.2", Meaning::Differs(None)),
            ("image_size: 160", Meaning::Differs(Some("224"))),
            ("resize: bilinear", Meaning::Typed),
            ("weights: random", Meaning::Differs(None)),
            ("units: 256", Meaning::Differs(None)),
            ("activation: linear", Meaning::Default),
            ("dropout: 0.5", Meaning::Differs(None)),
            ("batch_size: 32", Meaning::Typed),
            ("epochs: 3", Meaning::Differs(Some("10"))),
            ("lr: 0.01", Meaning::Differs(Some("1e-3"))),
            ("epsilon: ", Meaning::Default),
            ("clip_norm: 1", Meaning::Differs(None)),
            ("patience: 0", Meaning::Default),
        ] {
            assert_eq!(of(line), meaning, "{line}");
        }
        let marked: Vec<&str> = texts.marked().into_iter().map(|at| texts.resolved[at].text.trim_start()).collect();
        assert!(marked.contains(&"data:") && marked.contains(&"image_size: 160"), "{marked:?}");
        assert!(!marked.contains(&"seed: 42") && !marked.contains(&"reduce_lr_on_plateau:"), "{marked:?}");
    }

    #[test]
    fn values_that_a_matrix_or_a_base_gives_are_marked() {
        let texts = Texts::of("seed: 42\ntrain:\n  batch_size: 16\n", "extends: a.yaml\nmatrix: { seed: [42, 7] }\n");
        let meanings: Vec<&Meaning> = texts.resolved.iter().map(|line| &line.meaning).collect();
        assert_eq!(meanings, [&Meaning::Typed, &Meaning::Holds, &Meaning::Differs(Some("32"))]);
    }

    #[test]
    fn what_is_no_yaml_is_shown_all_the_same() {
        let texts = Texts::of("a: [\n\u{1b}[2J\n", "\t: {");
        assert_eq!((texts.resolved.len(), texts.typed.len(), texts.marked().len()), (2, 1, 0));
    }
}
