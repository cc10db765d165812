//! What differs between runs, in what was run and in what came out.
//!
//! Invariants: runs that differ in nothing but their seed and their name are one row, unless two of them have the same
//! seed; its figures are over those that have finished. A figure that is missing or no number is no figure, and never the
//! best. Pure: the runs are read by whoever asks.

pub mod columns;
pub mod values;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Serialize;
use serde_yaml::Value;

use super::event::is_of_class;
use super::settings::{self, Settings};
use super::state::{RunState, Status};
use super::summary;
use crate::base::clock::Timestamp;
use crate::base::id::RunId;
use crate::experiment::{Metric, Mode};

/// A run, as far as it is compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Member {
    pub id: RunId,
    pub name: String,
    pub state: Status,
    /// What the best epoch is the best by; none before the first epoch.
    pub monitor: Option<String>,
    #[serde(flatten)]
    pub figures: Figures<f64>,
    #[serde(skip)]
    pub settings: Arc<Settings>,
}

/// What came out of a run, or of the runs of a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures<T> {
    /// The best value of what is monitored.
    pub best: Option<T>,
    /// The epoch that had it, from 1; the last one where none is the best.
    pub epoch: Option<T>,
    /// Of that epoch.
    pub val_loss: Option<T>,
    /// Of that epoch.
    pub val_accuracy: Option<T>,
    /// How long it trained, or has trained.
    pub seconds: Option<T>,
    /// Further metrics of that epoch, by their names in the record; not those of one class.
    #[serde(flatten)]
    pub further: BTreeMap<String, T>,
}

/// A figure of one run, or of several that differ in their seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    pub mean: f64,
    /// The standard deviation of a sample (over n - 1); none of a single run.
    pub deviation: Option<f64>,
}

/// A run, or several that differ in their seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// In the order given.
    pub runs: Vec<Member>,
    /// The values of the keys that differ; null where the run has no such key. The seeds of several runs are a list.
    pub settings: BTreeMap<String, Value>,
    pub monitor: Option<String>,
    /// How many runs have a best value that counts.
    pub n: usize,
    #[serde(flatten)]
    pub figures: Figures<Spread>,
    /// Whether no row of the same monitor has a better value.
    pub is_best: bool,
}

/// Runs side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The dotted keys in which the rows differ, in the order of `resolved.yaml`.
    pub keys: Vec<String>,
    pub rows: Vec<Row>,
}

impl Member {
    /// The run as it stands at `now`, which runs what the text `resolved` says.
    pub fn new(run: &RunState, resolved: &str, now: Timestamp) -> Self {
        let training = &run.training;
        let best = training.best.as_ref().filter(|best| best.value.is_finite());
        let epoch = training.best_epoch();
        let finite = |value: f64| Some(value).filter(|value| value.is_finite());
        let figures = Figures {
            best: best.map(|best| best.value),
            epoch: best.map(|best| best.epoch).or(epoch.map(|epoch| epoch.epoch)).map(f64::from),
            val_loss: epoch.and_then(|epoch| finite(epoch.val_loss)),
            val_accuracy: epoch.and_then(|epoch| finite(epoch.val_accuracy)),
            seconds: run.running_time(now).map(|time| time.as_secs_f64()),
            further: overall(epoch.into_iter().flat_map(|epoch| &epoch.metrics)),
        };
        Member {
            id: run.id,
            name: run.name.clone(),
            state: run.status(),
            monitor: training.best.as_ref().map(|best| best.monitor.clone()),
            figures,
            settings: Settings::of(resolved).into(),
        }
    }

    /// The run as its line of the listing has it, which ran with `settings`.
    pub fn of_row(row: &summary::Row, settings: Arc<Settings>) -> Self {
        let best = row.best.as_ref().filter(|best| best.value.is_finite());
        let last = Some(row.progress.epoch).filter(|&epoch| epoch > 0);
        let figure = |name: &str| row.figures.get(name).copied();
        let figures = Figures {
            best: best.map(|best| best.value),
            epoch: best.map(|best| best.epoch).or(last).map(f64::from),
            val_loss: figure("val_loss"),
            val_accuracy: figure("val_accuracy"),
            seconds: row.times.seconds,
            further: overall(row.figures.iter().filter(|(name, _)| !summary::is_always_there(name))),
        };
        let monitor = row.best.as_ref().map(|best| best.monitor.clone());
        Member { id: row.id, name: row.name.clone(), state: row.state, monitor, figures, settings }
    }

    /// Which direction of what it monitors is better.
    fn mode(&self) -> Mode {
        let text = |key| self.settings.get(key).and_then(Value::as_str);
        match text("train.mode") {
            Some("min") => Mode::Min,
            Some("max") => Mode::Max,
            _ => self.monitor.as_deref().and_then(Metric::mode_of).unwrap_or(Mode::Min),
        }
    }
}

/// Puts `runs` side by side.
pub fn compare(runs: Vec<Member>) -> Comparison {
    let folds = folded(runs);
    let keys = keys(&folds);
    let mut rows: Vec<Row> = folds.into_iter().map(|members| row(members, &keys)).collect();
    mark_best(&mut rows);
    Comparison { keys, rows }
}

/// Keys that say nothing about how a run was trained, or nothing but by chance.
const ASIDE: [&str; 2] = ["name", "seed"];

/// Runs that differ in their seeds alone, together; in the order of the first of each.
fn folded(runs: Vec<Member>) -> Vec<Vec<Member>> {
    let mut folds: Vec<Vec<Member>> = Vec::new();
    // Where runs with these settings are, and how often each of their seeds was there.
    let mut places: HashMap<(String, usize), usize> = HashMap::new();
    let mut seeds: HashMap<(String, String), usize> = HashMap::new();
    for run in runs {
        let rest = run.settings.without(&ASIDE);
        if rest.is_empty() {
            folds.push(vec![run]);
            continue;
        }
        let seed = format!("{:?}", run.settings.get("seed"));
        let times = seeds.entry((rest.clone(), seed)).or_default();
        let place = *places.entry((rest, *times)).or_insert(folds.len());
        *times += 1;
        match folds.get_mut(place) {
            Some(fold) => fold.push(run),
            None => folds.push(vec![run]),
        }
    }
    folds
}

/// The keys in which the rows differ; runs whose settings are not known do not count.
fn keys(folds: &[Vec<Member>]) -> Vec<String> {
    let first = folds.iter().filter_map(|fold| fold.first());
    let known: Vec<&Settings> = first.map(|run| &*run.settings).filter(|settings| !settings.is_empty()).collect();
    let differ = |key: &str| folds.windows(2).any(|pair| value(&pair[0], key) != value(&pair[1], key));
    let differing = settings::differing(&known).into_iter().filter(|key| key != "name");
    let mut keys: Vec<String> = differing.filter(|key| key != "seed").collect();
    if differ("seed") {
        keys.push("seed".to_owned());
    }
    keys
}

/// What the runs of a row have at `key`: of different seeds a list.
fn value(members: &[Member], key: &str) -> Value {
    let values: Vec<Value> = members.iter().map(|run| run.settings.get(key).cloned().unwrap_or(Value::Null)).collect();
    match &*values {
        [first, rest @ ..] if rest.iter().all(|other| other == first) => first.clone(),
        _ => Value::Sequence(values),
    }
}

/// The runs of a row that its figures are of: the finished ones, or the only one as it stands.
fn counted(runs: &[Member]) -> impl Iterator<Item = &Member> {
    let is_one = runs.len() == 1;
    runs.iter().filter(move |run| is_one || run.state == Status::Finished)
}

fn row(runs: Vec<Member>, keys: &[String]) -> Row {
    let settings = keys.iter().map(|key| (key.clone(), value(&runs, key))).collect();
    let counted: Vec<&Member> = counted(&runs).collect();
    let over = |figure: fn(&Figures<f64>) -> Option<f64>| {
        spread(&counted.iter().filter_map(|run| figure(&run.figures)).collect::<Vec<f64>>())
    };
    let figures = Figures {
        best: over(|figures| figures.best),
        epoch: over(|figures| figures.epoch),
        val_loss: over(|figures| figures.val_loss),
        val_accuracy: over(|figures| figures.val_accuracy),
        seconds: over(|figures| figures.seconds),
        further: further(&counted),
    };
    let n = counted.iter().filter(|run| run.figures.best.is_some()).count();
    let monitor = counted.iter().find_map(|run| run.monitor.clone());
    Row { settings, monitor, n, figures, is_best: false, runs }
}

/// The metrics that are of all classes together, where they are numbers.
fn overall<'a>(metrics: impl Iterator<Item = (&'a String, &'a f64)>) -> BTreeMap<String, f64> {
    let counts = |(name, value): &(&String, &f64)| !is_of_class(name) && value.is_finite();
    metrics.filter(counts).map(|(name, &value)| (name.clone(), value)).collect()
}

/// Over the runs that have each.
fn further(runs: &[&Member]) -> BTreeMap<String, Spread> {
    let mut values: BTreeMap<&String, Vec<f64>> = BTreeMap::new();
    for (name, &value) in runs.iter().flat_map(|run| &run.figures.further) {
        values.entry(name).or_default().push(value);
    }
    values.into_iter().filter_map(|(name, values)| Some((name.clone(), spread(&values)?))).collect()
}

fn spread(values: &[f64]) -> Option<Spread> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = || (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    (!values.is_empty()).then(|| Spread { mean, deviation: (values.len() > 1).then(deviation) })
}

/// Marks the best rows of each monitor; more than one where they are equal.
fn mark_best(rows: &mut [Row]) {
    let mut best: HashMap<(String, bool), f64> = HashMap::new();
    for row in rows.iter() {
        let Some((watch, value)) = watched(row) else { continue };
        let so_far = best.entry(watch.clone()).or_insert(value);
        if mode(watch.1).improves(value, *so_far, 0.0) {
            *so_far = value;
        }
    }
    for row in rows {
        row.is_best = watched(row).is_some_and(|(watch, value)| best.get(&watch) == Some(&value));
    }
}

/// What a row is the best by, whether more is better, and its value.
fn watched(row: &Row) -> Option<((String, bool), f64)> {
    let mode = row.runs.first()?.mode();
    Some(((row.monitor.clone()?, mode == Mode::Max), row.figures.best?.mean))
}

fn mode(is_max: bool) -> Mode {
    if is_max { Mode::Max } else { Mode::Min }
}

#[cfg(test)]
mod tests;
