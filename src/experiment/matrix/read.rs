//! The key `matrix`, its `include` and its `exclude`.

use super::{Axis, MAX_RUNS, Run, Setting, Sweep, same};
use crate::base::text::grouped;
use crate::experiment::dotted::Dotted;
use crate::experiment::keys;
use crate::experiment::mistakes::{Finding, Findings, quoted};
use crate::experiment::place::Place;
use crate::experiment::tree::{Entry, Kind, Node};

const EXAMPLE: &str = "a matrix has dotted keys with lists of values, as `train.batch_size: [16, 32]`";

/// Reads the entry `matrix`; none where it has no value and where nothing of it can be used. `sets` are the keys that are
/// set from the command line.
pub(in crate::experiment) fn read(matrix: Entry, sets: &[Dotted], findings: &Findings) -> Option<Sweep> {
    let Entry { key_place, value, .. } = matrix;
    let place = value.place;
    let entries = match value.kind {
        Kind::Null => return None,
        Kind::Map(entries) if entries.is_empty() => {
            findings.push(Finding::new(key_place, "`matrix` is empty").hint(EXAMPLE));
            return None;
        }
        Kind::Map(entries) => entries,
        _ => {
            let message = format!("`matrix` is {}, expected a map of keys with lists of values", value.described());
            findings.push(Finding::new(place, message).hint(EXAMPLE));
            return None;
        }
    };
    let mut reader = Reader { axes: Vec::new(), findings };
    let (mut include, mut exclude) = (Vec::new(), Vec::new());
    for entry in entries {
        match &*entry.key {
            "include" => include = reader.maps(entry),
            "exclude" => exclude = reader.maps(entry),
            _ => reader.axis(entry),
        }
    }
    let runs = reader.runs(key_place, include, &exclude);
    reader.refuse_what_is_set(sets);
    if runs.is_empty() && findings.len() == 0 {
        findings.push(Finding::new(key_place, "no run is left: every combination is excluded"));
    }
    (!runs.is_empty()).then_some(Sweep { place: key_place, axes: reader.axes, runs })
}

/// A map of `include` or `exclude`, and where it stands.
type Settings = (Place, Vec<Entry>);

struct Reader<'a> {
    axes: Vec<Axis>,
    findings: &'a Findings,
}

impl Reader<'_> {
    fn found(&self, finding: Finding) {
        self.findings.push(finding);
    }

    /// A key with its list of values.
    fn axis(&mut self, entry: Entry) {
        let Some(key) = self.key(&entry) else { return };
        let Entry { key: name, key_place, value } = entry;
        let Kind::List(values) = value.kind else {
            self.found(no_list(&name, key_place, &value));
            return;
        };
        if values.is_empty() {
            self.found(Finding::new(value.place, format!("{} has no values, expected at least one", quoted(&name))));
            return;
        }
        if let Some(other) = self.axes.iter().find(|axis| axis.key.holds(&key) || key.holds(&axis.key)) {
            self.found(one_in_the_other(&key, &other.key));
            return;
        }
        let mut different: Vec<Node> = Vec::with_capacity(values.len());
        for value in values {
            match different.iter().find(|first| same(first, &value)) {
                Some(first) => {
                    let finding = Finding::new(value.place, format!("{} has this value twice", quoted(&name)));
                    self.found(finding.also(first.place, "first here").hint("each value makes runs of its own"));
                }
                None => different.push(value),
            }
        }
        self.axes.push(Axis { key, values: different });
    }

    /// The dotted key of `entry`, if a run may set it.
    fn key(&self, entry: &Entry) -> Option<Dotted> {
        let Some(key) = Dotted::new(&entry.key, entry.key_place) else {
            let message = format!("{} is no dotted key: a part of it is empty", quoted(&entry.key));
            self.found(Finding::new(entry.key_place, message));
            return None;
        };
        if let Some(top @ ("matrix" | "extends")) = key.parts().next() {
            self.found(Finding::new(entry.key_place, format!("`{top}` cannot be varied")));
            return None;
        }
        Some(key)
    }

    /// The maps of `include` or `exclude`.
    fn maps(&self, entry: Entry) -> Vec<Settings> {
        let described = entry.value.described();
        let items = match entry.value.kind {
            Kind::Null => return Vec::new(),
            Kind::List(items) => items,
            _ => {
                let message = format!("`{}` is {described}, expected a list of maps of keys and values", entry.key);
                self.found(Finding::new(entry.value.place, message).hint("begin each item with `- `"));
                return Vec::new();
            }
        };
        let settings = items.into_iter().filter_map(|item| {
            let described = item.described();
            match item.kind {
                Kind::Map(entries) if !entries.is_empty() => Some((item.place, entries)),
                kind => {
                    let what = if matches!(kind, Kind::Map(_)) { "an empty map".to_owned() } else { described };
                    let message = format!("an item of `{}` is {what}, expected a map of keys and values", entry.key);
                    self.found(Finding::new(item.place, message));
                    None
                }
            }
        });
        settings.collect()
    }

    /// All runs in their order; the keys of `include` become axes too.
    fn runs(&mut self, place: Place, include: Vec<Settings>, exclude: &[Settings]) -> Vec<Run> {
        let excluded: Vec<Vec<Setting>> = exclude.iter().filter_map(|settings| self.excluded(settings)).collect();
        let count = combinations(&self.axes).saturating_add(include.len());
        if count > MAX_RUNS {
            let message = format!("the matrix has {} runs, a sweep has at most {}", grouped(count), grouped(MAX_RUNS));
            self.found(Finding::new(place, message).hint("vary fewer keys at once, or give them fewer values"));
            return vec![Run { settings: combination(&self.axes, 0), place }];
        }
        let mut runs: Vec<Run> = (0..combinations(&self.axes))
            .map(|number| combination(&self.axes, number))
            .filter(|settings| !excluded.iter().any(|these| these.iter().all(|setting| settings.contains(setting))))
            .map(|settings| Run { settings, place })
            .collect();
        for settings in include {
            let run = self.included(settings);
            match runs.iter().find(|other| is_same(other, &run)) {
                Some(_) => self.found(Finding::new(run.place, "this run is in the matrix already").hint("remove it")),
                None => runs.push(run),
            }
        }
        runs
    }

    /// What combinations must have to be excluded by `settings`, if it is right.
    fn excluded(&self, (place, settings): &Settings) -> Option<Vec<Setting>> {
        let found: Vec<Setting> = settings.iter().filter_map(|entry| self.among_the_values(entry, *place)).collect();
        (found.len() == settings.len()).then_some(found)
    }

    /// The axis and value that `entry` of an `exclude` names.
    fn among_the_values(&self, entry: &Entry, place: Place) -> Option<Setting> {
        let key = self.key(entry)?;
        let Some(axis) = self.axes.iter().position(|axis| axis.key.parts().eq(key.parts())) else {
            let message = format!("`exclude` matches nothing: the matrix does not vary {}", quoted(&entry.key));
            let names: Vec<String> = self.axes.iter().map(|axis| axis.key.text()).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let hint = match keys::nearest(&entry.key, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it varies {}", keys::listed(&names, "and")),
            };
            self.found(Finding::new(entry.key_place, message).hint(hint));
            return None;
        };
        let Some(value) = self.axes[axis].values.iter().position(|value| same(value, &entry.value)) else {
            let described = entry.value.described();
            let message = format!("`exclude` matches nothing: {described} is no value of {}", quoted(&entry.key));
            let at = if entry.value.place.start == entry.value.place.end { place } else { entry.value.place };
            self.found(Finding::new(at, message).also(self.axes[axis].key.place(), "its values are here"));
            return None;
        };
        Some((axis, value))
    }

    /// The run that `settings` of an `include` is.
    fn included(&mut self, (place, settings): Settings) -> Run {
        let mut run = Run { settings: Vec::with_capacity(settings.len()), place };
        for entry in settings {
            let Some(key) = self.key(&entry) else { continue };
            let mut others = run.settings.iter().map(|&(axis, _)| &self.axes[axis].key);
            match others.find(|other| other.holds(&key) || key.holds(other)) {
                Some(other) => self.found(one_in_the_other(&key, other)),
                None => run.settings.push(self.setting(key, entry.value)),
            }
        }
        run
    }

    /// The axis `key` and its value `value`, which are made where they are not there.
    fn setting(&mut self, key: Dotted, value: Node) -> Setting {
        let at = self.axes.iter().position(|axis| axis.key.parts().eq(key.parts()));
        let at = at.unwrap_or_else(|| {
            self.axes.push(Axis { key, values: Vec::new() });
            self.axes.len() - 1
        });
        let values = &mut self.axes[at].values;
        let index = values.iter().position(|other| same(other, &value)).unwrap_or(values.len());
        if index == values.len() {
            values.push(value);
        }
        (at, index)
    }

    /// What is set for all runs must not be replaced in some.
    fn refuse_what_is_set(&self, sets: &[Dotted]) {
        for set in sets {
            let Some(axis) = self.axes.iter().find(|axis| axis.key.holds(set)) else { continue };
            let varied = axis.key.text();
            let message = format!("`{varied}` is varied by the matrix, which would replace what is set here");
            let finding = Finding::new(set.place(), message).also(axis.key.place(), "varied here");
            self.found(finding.hint(format!("leave it out, or change the matrix: `--set \"matrix.{varied}=[…]\"`")));
        }
    }
}

/// That `value` of the key `name` is no list.
fn no_list(name: &str, key_place: Place, value: &Node) -> Finding {
    let at = if value.place.start == value.place.end { key_place } else { value.place };
    let message = format!("{} is {}, expected a list of the values that it takes", quoted(name), value.described());
    let finding = Finding::new(at, message);
    match &value.kind {
        Kind::Map(inside) => match inside.first() {
            Some(first) => finding.hint(format!("write the key with dots: `{name}.{}: […]`", first.key)),
            None => finding,
        },
        Kind::Scalar(scalar) => finding.hint(format!("put it into a list: [{}]", scalar.typed)),
        Kind::Null | Kind::List(_) => finding.hint("a list of nothing alone is `[null]`"),
    }
}

fn one_in_the_other(key: &Dotted, other: &Dotted) -> Finding {
    let what = if key.holds(other) && other.holds(key) {
        format!("`{}` is varied twice", key.text())
    } else if other.holds(key) {
        format!("`{}` is a part of `{}`, which is varied too", key.text(), other.text())
    } else {
        format!("`{}` holds `{}`, which is varied too", key.text(), other.text())
    };
    Finding::new(key.place(), what).also(other.place(), "this is the other").hint("vary one of the two")
}

fn is_same(a: &Run, b: &Run) -> bool {
    a.settings.len() == b.settings.len() && a.settings.iter().all(|setting| b.settings.contains(setting))
}

/// How many combinations there are of one value of each axis; none without axes.
fn combinations(axes: &[Axis]) -> usize {
    let count = axes.iter().fold(1, |count: usize, axis| count.saturating_mul(axis.values.len()));
    if axes.is_empty() { 0 } else { count }
}

/// The combination of that number, counted with the last axis as the lowest digit.
fn combination(axes: &[Axis], number: usize) -> Vec<Setting> {
    let mut rest = number;
    let lowest_first = axes.iter().enumerate().rev().map(|(axis, Axis { values, .. })| {
        let value = rest % values.len();
        rest /= values.len();
        (axis, value)
    });
    let mut settings: Vec<Setting> = lowest_first.collect();
    settings.reverse();
    settings
}
