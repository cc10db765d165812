//! What the runs of a sweep are called: the experiment's name and what differs, as `emoji-lr-1e-3-seed-2`.
//!
//! Invariant: the names of a sweep differ, depend on nothing but what was typed, and are names as [`name_problem`] has it.

use std::collections::HashSet;

use super::{Axis, Setting, Sweep};
use crate::experiment::Experiment;
use crate::experiment::dotted::Dotted;
use crate::experiment::read::{LONGEST_NAME, MOST_BYTES_OF_NAME};
use crate::experiment::tree::{Kind, Node, Scalar, ScalarValue};

/// A value with a longer label than this goes by its number.
const LONGEST_VALUE: usize = 24;

impl Sweep {
    /// Gives each run its name; until now they have the experiment's, or the one that the run itself sets.
    pub fn name(&self, runs: &mut [Experiment]) {
        let labels = self.labels();
        let mut taken = HashSet::with_capacity(runs.len());
        for ((experiment, run), number) in runs.iter_mut().zip(&self.runs).zip(1..) {
            let mut name = experiment.name.clone();
            let is_named = run.place != self.place && run.settings.iter().any(|&(axis, _)| is_name(&self.axes[axis]));
            for &(axis, value) in run.settings.iter().filter(|_| !is_named) {
                if let Some(Label { key, values }) = &labels[axis] {
                    name.extend(["-", key, "-", &values[value]]);
                }
            }
            if is_too_long(&name) || taken.contains(&name) {
                name = numbered(&name, number, &taken);
            }
            taken.insert(name.clone());
            experiment.name = name;
        }
    }

    /// How each axis and its values are called; none for one that is the same in all runs, and for the name itself.
    fn labels(&self) -> Vec<Option<Label>> {
        let differing: Vec<usize> =
            (0..self.axes.len()).filter(|&axis| !is_name(&self.axes[axis]) && self.differs(axis)).collect();
        let keys: Vec<&Dotted> = differing.iter().map(|&axis| &self.axes[axis].key).collect();
        let mut labels: Vec<Option<Label>> = self.axes.iter().map(|_| None).collect();
        for &axis in &differing {
            let Axis { key, values } = &self.axes[axis];
            labels[axis] = Some(Label { key: key_label(key, &keys), values: value_labels(values) });
        }
        labels
    }

    fn differs(&self, axis: usize) -> bool {
        let of = |settings: &[Setting]| settings.iter().find(|setting| setting.0 == axis).copied();
        let mut settings = self.runs.iter().map(|run| of(&run.settings));
        let first = settings.next();
        settings.any(|other| Some(other) != first)
    }
}

struct Label {
    key: String,
    values: Vec<String>,
}

fn is_name(axis: &Axis) -> bool {
    axis.key.parts().eq(["name"])
}

/// The last part of `key`; where others of `keys` end with it too, what they do not have stands before it.
fn key_label(key: &Dotted, keys: &[&Dotted]) -> String {
    let own = ending(key);
    let others: Vec<&Dotted> = keys.iter().copied().filter(|other| *other != key && ending(other) == own).collect();
    let is_own = |part: &str| !others.iter().all(|other| other.parts().any(|of_other| of_other == part));
    let before: Vec<&str> = key.parts().take(key.parts().count() - own.len()).filter(|part| is_own(part)).collect();
    let parts = if others.is_empty() { own } else { before.into_iter().chain(own).collect() };
    parts.iter().map(|part| plain(part)).collect::<Vec<_>>().join("-")
}

/// The last part, and the one before it where that is the number of an item.
fn ending(key: &Dotted) -> Vec<&str> {
    let mut last: Vec<&str> = Vec::new();
    for part in key.parts().rev() {
        last.insert(0, part);
        if part.parse::<usize>().is_err() {
            break;
        }
    }
    last
}

/// Short texts for values that differ; by their numbers where that cannot be.
fn value_labels(values: &[Node]) -> Vec<String> {
    for label in [short, plainly] as [fn(&Node) -> String; 2] {
        let labels: Vec<String> = values.iter().map(label).collect();
        let different: HashSet<&String> = labels.iter().collect();
        let fits = |text: &String| !text.is_empty() && text.chars().count() <= LONGEST_VALUE;
        if different.len() == labels.len() && labels.iter().all(fits) {
            return labels;
        }
    }
    (1..=values.len()).map(|number| number.to_string()).collect()
}

/// Of a path only its last part.
fn short(value: &Node) -> String {
    match &value.kind {
        Kind::Scalar(Scalar { typed, value: ScalarValue::Text }) => {
            plain(typed.trim_end_matches('/').rsplit('/').next().unwrap_or(typed))
        }
        _ => plainly(value),
    }
}

fn plainly(value: &Node) -> String {
    match &value.kind {
        Kind::Null => "none".into(),
        Kind::Scalar(Scalar { typed, value: ScalarValue::Text }) => plain(typed),
        Kind::Scalar(Scalar { typed, .. }) => typed.clone(),
        Kind::List(items) => items.iter().map(plainly).collect::<Vec<_>>().join("-"),
        Kind::Map(entries) => {
            let entries = entries.iter().map(|entry| match entry.value.kind {
                Kind::Null => plain(&entry.key),
                _ => format!("{}-{}", plain(&entry.key), plainly(&entry.value)),
            });
            entries.collect::<Vec<_>>().join("-")
        }
    }
}

/// `text` in characters that no shell takes for anything else.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '.' if !plain.ends_with('.') => plain.push('.'),
            '_' | '+' => plain.push(c),
            c if c.is_alphanumeric() => plain.push(c),
            _ if !plain.ends_with(['-', '.']) => plain.push('-'),
            _ => {}
        }
    }
    plain.trim_matches(['-', '.']).to_owned()
}

fn is_too_long(name: &str) -> bool {
    name.chars().count() > LONGEST_NAME || name.len() > MOST_BYTES_OF_NAME
}

/// `name` cut, with the run's number at its end.
fn numbered(name: &str, number: usize, taken: &HashSet<String>) -> String {
    let mut ending = format!("-{number}");
    loop {
        let mut cut: String = name.chars().take(LONGEST_NAME - ending.len()).collect();
        while cut.len() + ending.len() > MOST_BYTES_OF_NAME {
            cut.pop();
        }
        let name = format!("{}{ending}", cut.trim_end_matches(['-', '.', ' ']));
        if !taken.contains(&name) {
            return name;
        }
        ending.push('x');
    }
}
