//! The columns of a comparison, as the command line prints them and the dashboard shows them: what is above each, what it
//! has of a row, and what it is sorted by.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::time::Duration;

use super::{Comparison, Row, Spread};
use crate::base::id::RunId;
use crate::base::text::{duration, metric};
use crate::record::settings::{labels, shown};
use crate::record::state::Status;

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    Ids,
    Name,
    /// A key in which the rows differ, with the ending that tells it from the others.
    Key {
        key: String,
        label: String,
    },
    /// The best value; of what, where all rows monitor the same.
    Best(Option<String>),
    /// How many runs have a best value that counts.
    Runs,
    Epoch,
    ValLoss,
    ValAccuracy,
    /// A further metric, by its name.
    Further(String),
    Time,
    State,
}

/// The columns that say anything. A figure that all rows monitor is in the column of the best value alone.
pub fn columns(comparison: &Comparison) -> Vec<Column> {
    let rows = &comparison.rows;
    let mut monitors: Vec<&str> = rows.iter().filter_map(|row| row.monitor.as_deref()).collect();
    monitors.sort_unstable();
    monitors.dedup();
    let only = if let [one] = &*monitors { Some((*one).to_owned()) } else { None };
    let is_known = |column: &Column| rows.iter().any(|row| column.figure(row).is_some());
    let is_said = |name: &str| only.as_deref() == Some(name);
    let keys = comparison.keys.iter().cloned().zip(labels(&comparison.keys));
    let mut columns = vec![Column::Ids, Column::Name];
    columns.extend(keys.map(|(key, label)| Column::Key { key, label }));
    columns.push(Column::Best(only.clone()));
    if rows.iter().any(|row| row.runs.len() > 1) {
        columns.push(Column::Runs);
    }
    columns.extend([Column::Epoch].into_iter().filter(is_known));
    columns.extend([Column::ValLoss].into_iter().filter(|column| !is_said("val_loss") && is_known(column)));
    columns.extend([Column::ValAccuracy].into_iter().filter(|column| !is_said("val_accuracy") && is_known(column)));
    let further: BTreeSet<&String> = rows.iter().flat_map(|row| row.figures.further.keys()).collect();
    columns.extend(further.into_iter().filter(|name| !is_said(name)).cloned().map(Column::Further));
    columns.extend([Column::Time].into_iter().filter(is_known));
    columns.push(Column::State);
    columns
}

impl Column {
    /// What stands above it.
    pub fn head(&self) -> &str {
        match self {
            Column::Ids => "id",
            Column::Name => "name",
            Column::Key { label, .. } => label,
            Column::Best(monitor) => monitor.as_deref().unwrap_or("best"),
            Column::Runs => "n",
            Column::Epoch => "epoch",
            Column::ValLoss => "val_loss",
            Column::ValAccuracy => "val_accuracy",
            Column::Further(name) => name,
            Column::Time => "time",
            Column::State => "state",
        }
    }

    /// What it has of a row.
    pub fn cell(&self, row: &Row) -> String {
        match self {
            Column::Ids => ids(row),
            Column::Name => name(row),
            Column::Key { key, .. } => row.settings.get(key).map_or(String::new(), shown),
            Column::Best(Some(_)) => spread(row.figures.best, metric) + mark(row),
            Column::Best(None) => {
                let monitor = row.monitor.as_deref().unwrap_or_default();
                format!("{monitor} {}{}", spread(row.figures.best, metric), mark(row)).trim().to_owned()
            }
            Column::Runs => row.n.to_string(),
            Column::Epoch => row.figures.epoch.map_or(String::new(), |spread| epoch(spread.mean)),
            Column::ValLoss => spread(row.figures.val_loss, metric),
            Column::ValAccuracy => spread(row.figures.val_accuracy, metric),
            Column::Further(name) => spread(row.figures.further.get(name).copied(), metric),
            Column::Time => row.figures.seconds.map_or(String::new(), |spread| time(spread.mean)),
            Column::State => state(row),
        }
    }

    /// The figure that it shows, if it is one of figures.
    fn figure(&self, row: &Row) -> Option<f64> {
        let figures = &row.figures;
        let spread = match self {
            Column::Best(_) => figures.best,
            Column::Epoch => figures.epoch,
            Column::ValLoss => figures.val_loss,
            Column::ValAccuracy => figures.val_accuracy,
            Column::Further(name) => figures.further.get(name).copied(),
            Column::Time => figures.seconds,
            Column::Runs => return Some(row.n as f64),
            Column::Key { key, .. } => return row.settings.get(key).and_then(serde_yaml::Value::as_f64),
            Column::Ids => return row.runs.first().map(|run| f64::from(run.id.0)),
            Column::Name | Column::State => None,
        };
        spread.map(|spread| spread.mean)
    }

    /// Which of two rows comes first where the table is sorted by this column, `down` from the greatest: numbers by size,
    /// others by their text, what is missing always last.
    pub fn order(&self, a: &Row, b: &Row, down: bool) -> Ordering {
        let turned = |order: Ordering| if down { order.reverse() } else { order };
        match (self.figure(a), self.figure(b)) {
            (Some(a), Some(b)) => turned(a.total_cmp(&b)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => turned(self.cell(a).cmp(&self.cell(b))),
        }
    }
}

fn mark(row: &Row) -> &'static str {
    if row.is_best { "*" } else { "" }
}

fn spread(figure: Option<Spread>, words: fn(f64) -> String) -> String {
    match figure {
        None => "–".to_owned(),
        Some(Spread { mean, deviation: None }) => words(mean),
        Some(Spread { mean, deviation: Some(deviation) }) => format!("{} ± {}", words(mean), words(deviation)),
    }
}

fn epoch(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

fn time(seconds: f64) -> String {
    Duration::try_from_secs_f64(seconds).map_or(String::new(), duration)
}

/// `0007`, or `0007-0009 0012` of several runs.
fn ids(row: &Row) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for run in &row.runs {
        match ranges.last_mut() {
            Some((_, last)) if run.id.0.checked_sub(1) == Some(*last) => *last = run.id.0,
            _ => ranges.push((run.id.0, run.id.0)),
        }
    }
    let words = ranges.iter().map(|&(first, last)| match (RunId(first), last) {
        (id, last) if id.0 == last => id.to_string(),
        (id, last) => format!("{id}-{}", RunId(last)),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The name, or what the names of several runs begin with, as the filter `name:` takes it.
fn name(row: &Row) -> String {
    let mut names = row.runs.iter().map(|run| run.name.as_str());
    let Some(first) = names.next() else { return String::new() };
    let shared = names.fold(first.len(), |shared, other| {
        first
            .char_indices()
            .zip(other.chars())
            .find(|((_, a), b)| a != b)
            .map_or(other.len(), |((at, _), _)| at)
            .min(shared)
    });
    if shared == first.len() { first.to_owned() } else { format!("{}*", &first[..shared]) }
}

fn state(row: &Row) -> String {
    let mut counts: Vec<(Status, usize)> = Vec::new();
    for run in &row.runs {
        match counts.iter_mut().find(|(state, _)| *state == run.state) {
            Some((_, count)) => *count += 1,
            None => counts.push((run.state, 1)),
        }
    }
    match &*counts {
        [(one, _)] => one.name().to_owned(),
        several => several.iter().map(|(state, n)| format!("{n} {}", state.name())).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Figures, Member, compare};
    use super::*;
    use crate::record::settings::Settings;

    fn member(id: u32, lr: &str, best: Option<f64>) -> Member {
        let figures = Figures {
            best,
            epoch: best.map(|_| 3.0),
            val_loss: None,
            val_accuracy: None,
            seconds: None,
            further: best.map(|best| ("val_f1".to_owned(), 1.0 - best)).into_iter().collect(),
        };
        let settings = Settings::of(&format!("seed: 1\ntrain: {{ lr: {lr}, mode: max }}")).into();
        let monitor = Some("val_accuracy".into());
        Member { id: RunId(id), name: format!("x-{id}"), state: Status::Finished, monitor, figures, settings }
    }

    #[test]
    fn rows_are_sorted_by_size_by_text_and_what_is_missing_comes_last() {
        let runs = vec![member(1, "0.1", Some(0.5)), member(2, "none", None), member(3, "0.01", Some(0.75))];
        let comparison = compare(runs);
        let columns = columns(&comparison);
        let heads: Vec<&str> = columns.iter().map(Column::head).collect();
        assert_eq!(heads, ["id", "name", "lr", "val_accuracy", "epoch", "val_f1", "state"]);
        let sorted = |head: &str, down: bool| -> Vec<u32> {
            let column = columns.iter().find(|column| column.head() == head).unwrap();
            let mut rows: Vec<&Row> = comparison.rows.iter().collect();
            rows.sort_by(|a, b| column.order(a, b, down));
            rows.iter().map(|row| row.runs[0].id.0).collect()
        };
        assert_eq!(sorted("lr", false), [3, 1, 2]);
        assert_eq!(sorted("lr", true), [1, 3, 2]);
        assert_eq!(sorted("val_accuracy", true), [3, 1, 2]);
        assert_eq!(sorted("val_f1", true), [1, 3, 2]);
        assert_eq!(sorted("name", true), [3, 2, 1]);
        let best = columns.iter().find(|column| matches!(column, Column::Best(_))).unwrap();
        assert_eq!(comparison.rows.iter().map(|row| best.cell(row)).collect::<Vec<_>>(), [".5000", "–", ".7500*"]);
    }
}
