//! Which value of which key does best: for every key in which the runs of a comparison differ, how the runs with each of
//! its values did.
//!
//! Invariants: only runs that watch the same figure in the same direction are weighed against each other, those of the
//! most common one; each run that counts in its row counts once for each key. Chance is no key: seeds are left out.

use std::collections::HashMap;

use serde::Serialize;
use serde_yaml::Value;

use super::{Comparison, Member, Row, counted, mode};
use crate::base::id::RunId;
use crate::experiment::Mode;

/// The keys of a comparison, the one whose values differ most in their means first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Values {
    /// The figure that is compared; none where no run has one.
    pub monitor: Option<String>,
    /// Whether more of it is better.
    pub more_is_better: bool,
    pub keys: Vec<Key>,
}

/// A key, and each of its values in order: numbers by size, others as the runs come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Key {
    /// Dotted.
    pub key: String,
    /// Between the best and the worst mean; none where fewer than two values have one.
    pub effect: Option<f64>,
    pub values: Vec<Outcome>,
}

/// How the runs with a value did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    pub value: Value,
    /// Runs whose figure counts.
    pub n: usize,
    pub mean: Option<f64>,
    /// The best of them, and which run has it.
    pub best: Option<f64>,
    pub best_run: Option<RunId>,
    /// Whether no other value has a better mean, where there is another with one.
    pub is_best: bool,
}

impl Values {
    /// Of the runs of a comparison.
    pub fn of(comparison: &Comparison) -> Values {
        let watched = most_common(&comparison.rows);
        let (monitor, mode) = watched.clone().map_or((None, Mode::Min), |(monitor, mode)| (Some(monitor), mode));
        let runs: Vec<Scored> = comparison.rows.iter().flat_map(|row| scored(row, &monitor, mode)).collect();
        let keys = comparison.keys.iter().filter(|key| *key != "seed");
        let mut keys: Vec<Key> = keys.map(|key| Key::of(key, &runs, mode)).collect();
        let effect = |key: &Key| key.effect.unwrap_or(f64::NEG_INFINITY);
        keys.sort_by(|a, b| effect(b).total_cmp(&effect(a)));
        Values { monitor, more_is_better: mode == Mode::Max, keys }
    }

    /// Where a figure lies between the worst (0) and the best (1) of all values' means.
    pub fn share(&self, figure: f64) -> f64 {
        let means = || self.keys.iter().flat_map(|key| &key.values).filter_map(|outcome| outcome.mean);
        let (low, high) = (means().fold(f64::INFINITY, f64::min), means().fold(f64::NEG_INFINITY, f64::max));
        let share = if high > low { ((figure - low) / (high - low)).clamp(0.0, 1.0) } else { 1.0 };
        if self.more_is_better || high <= low { share } else { 1.0 - share }
    }
}

/// A run and its figure, if that counts.
struct Scored<'a> {
    run: &'a Member,
    figure: Option<f64>,
}

/// What most runs watch.
fn most_common(rows: &[Row]) -> Option<(String, Mode)> {
    let mut counts: HashMap<(String, bool), usize> = HashMap::new();
    for run in rows.iter().flat_map(|row| &row.runs) {
        if let Some(monitor) = &run.monitor {
            *counts.entry((monitor.clone(), run.mode() == Mode::Max)).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by(|(a, n), (b, m)| n.cmp(m).then(b.cmp(a)));
    most.map(|((monitor, is_max), _)| (monitor, mode(is_max)))
}

fn scored<'a>(row: &'a Row, monitor: &'a Option<String>, mode: Mode) -> impl Iterator<Item = Scored<'a>> {
    let counts: Vec<RunId> = counted(&row.runs).map(|run| run.id).collect();
    row.runs.iter().map(move |run| {
        let is_alike = run.monitor == *monitor && run.mode() == mode && counts.contains(&run.id);
        Scored { run, figure: run.figures.best.filter(|_| is_alike) }
    })
}

impl Key {
    fn of(key: &str, runs: &[Scored], mode: Mode) -> Key {
        let mut values: Vec<(Value, Vec<&Scored>)> = Vec::new();
        for run in runs {
            let value = run.run.settings.get(key).cloned().unwrap_or(Value::Null);
            match values.iter_mut().find(|(known, _)| *known == value) {
                Some((_, runs)) => runs.push(run),
                None => values.push((value, vec![run])),
            }
        }
        if values.iter().all(|(value, _)| value.is_number()) {
            let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
            values.sort_by(|(a, _), (b, _)| number(a).total_cmp(&number(b)));
        }
        let mut values: Vec<Outcome> =
            values.into_iter().map(|(value, runs)| Outcome::of(value, &runs, mode)).collect();
        let means: Vec<f64> = values.iter().filter_map(|outcome| outcome.mean).collect();
        let best = means.iter().copied().reduce(|best, mean| if mode.improves(mean, best, 0.0) { mean } else { best });
        let worst =
            means.iter().copied().reduce(|worst, mean| if mode.improves(mean, worst, 0.0) { worst } else { mean });
        if means.len() > 1 {
            values.iter_mut().for_each(|outcome| outcome.is_best = outcome.mean.is_some() && outcome.mean == best);
        }
        let effect = best.zip(worst).filter(|_| means.len() > 1).map(|(best, worst)| (best - worst).abs());
        Key { key: key.to_owned(), effect, values }
    }
}

impl Outcome {
    fn of(value: Value, runs: &[&Scored], mode: Mode) -> Outcome {
        let figures: Vec<(f64, RunId)> =
            runs.iter().filter_map(|scored| Some((scored.figure?, scored.run.id))).collect();
        let n = figures.len();
        let mean = (n > 0).then(|| figures.iter().map(|(figure, _)| figure).sum::<f64>() / n as f64);
        let best =
            figures.into_iter().reduce(|best, other| if mode.improves(other.0, best.0, 0.0) { other } else { best });
        Outcome { value, n, mean, best: best.map(|best| best.0), best_run: best.map(|best| best.1), is_best: false }
    }
}

#[cfg(test)]
mod tests;
