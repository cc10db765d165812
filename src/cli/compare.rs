//! `finetop compare RUN…`: what differs between runs, and what came out.
//!
//! `--json` prints one object: `keys`, the dotted keys that differ; and `rows`, one for each run, or for the runs that
//! differ in their seeds alone. A row has `settings` (key → value, null where it has none; the seeds of several runs are a
//! list), `monitor`, `n` (runs with a best value), `best`, `epoch`, `val_loss`, `val_accuracy` and `seconds`, each
//! `{"mean", "deviation"}` or null (the deviation over n - 1, null of one run), `is_best`, and `runs`: each with `id`,
//! `name`, `state`, `monitor` and its own figures as numbers. `epoch`, `val_loss` and `val_accuracy` are those of the best
//! epoch, or of the last one where none is the best. And `values`: which value of which key does best. It has `monitor`,
//! `more_is_better` and `keys` (but the seed), the one whose values differ most first, each with `key`, `effect` (between
//! the best and the worst mean) and `values`: each with `value`, `n`, `mean`, `best`, `best_run` and `is_best`.

mod values;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::failure::Failure;
use super::output;
use super::select::Runs;
use super::table::{COLUMNS, Table};
use crate::base::clock;
use crate::base::id::RunId;
use crate::base::text::{duration, metric};
use crate::record::compare::values::Values;
use crate::record::compare::{Comparison, Member, Row, Spread, compare};
use crate::record::settings::{labels, shown};
use crate::record::state::Status;
use crate::record::{RunDir, view};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    runs: Runs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let selected = args.runs.select(store)?;
    let comparison = compare(selected.runs.iter().map(read).collect());
    let values = Values::of(&comparison);
    if args.json {
        output::json(&Compared { comparison, values });
        return Ok(ExitCode::SUCCESS);
    }
    print(&comparison);
    if values.keys.len() > 1 || args.runs.group.is_some() {
        values::print(&values);
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(serde::Serialize)]
struct Compared {
    #[serde(flatten)]
    comparison: Comparison,
    values: Values,
}

/// A run whose `resolved.yaml` cannot be read is compared by its results.
fn read(dir: &RunDir) -> Member {
    let resolved = std::fs::read_to_string(dir.resolved_yaml()).unwrap_or_else(|error| {
        output::warning(&format!("could not read what {} ran: {error}", dir.folder_name()));
        String::new()
    });
    Member::new(&view::load(dir), &resolved, clock::now())
}

fn print(comparison: &Comparison) {
    let with_names = table(comparison, true);
    let table = if with_names.width() <= COLUMNS { with_names } else { table(comparison, false) };
    table.lines(COLUMNS).iter().for_each(|line| output::line(line));
    let rows = &comparison.rows;
    if rows.len() > 1 && comparison.keys.is_empty() {
        output::note("the experiments do not differ");
    }
    if rows.iter().any(|row| row.runs.len() > 1) {
        output::note("± is the standard deviation over the n runs that differ in their seeds and have finished");
    }
}

/// A column of results: what is above it, and what it has of a row.
struct Column {
    head: String,
    cell: Box<dyn Fn(&Row) -> String>,
}

impl Column {
    fn new(head: impl Into<String>, cell: impl Fn(&Row) -> String + 'static) -> Self {
        Column { head: head.into(), cell: Box::new(cell) }
    }
}

fn table(comparison: &Comparison, with_names: bool) -> Table {
    let mut columns = vec![Column::new("id", ids)];
    if with_names {
        columns.push(Column::new("name", name));
    }
    for (key, label) in comparison.keys.iter().cloned().zip(labels(&comparison.keys)) {
        columns.push(Column::new(label, move |row| row.settings.get(&key).map_or(String::new(), shown)));
    }
    columns.extend(results(&comparison.rows));
    let cells = |row: &Row| columns.iter().map(|column| (column.cell)(row)).collect();
    let rows = comparison.rows.iter().map(cells).collect();
    Table::new(columns.into_iter().map(|column| column.head).collect(), rows)
}

/// The columns of what came out, without those that are empty. A figure that all rows monitor is in the column of the best
/// value alone.
fn results(rows: &[Row]) -> Vec<Column> {
    let mut monitors: Vec<&str> = rows.iter().filter_map(|row| row.monitor.as_deref()).collect();
    monitors.sort_unstable();
    monitors.dedup();
    let only = if let [one] = &*monitors { Some((*one).to_owned()) } else { None };
    let is_known = |figure: fn(&Row) -> Option<Spread>| rows.iter().any(|row| figure(row).is_some());
    let is_shown = |name: &str, figure: fn(&Row) -> Option<Spread>| only.as_deref() != Some(name) && is_known(figure);
    let mark = |row: &Row| if row.is_best { "*" } else { "" };
    let mut columns = vec![match &only {
        Some(monitor) => Column::new(monitor, move |row| figure(row.figures.best, metric) + mark(row)),
        None => Column::new("best", move |row| {
            let monitor = row.monitor.as_deref().unwrap_or_default();
            format!("{monitor} {}{}", figure(row.figures.best, metric), mark(row)).trim().to_owned()
        }),
    }];
    if rows.iter().any(|row| row.runs.len() > 1) {
        columns.push(Column::new("n", |row| row.n.to_string()));
    }
    if is_known(|row| row.figures.epoch) {
        columns.push(Column::new("epoch", |row| row.figures.epoch.map_or(String::new(), |spread| epoch(spread.mean))));
    }
    if is_shown("val_loss", |row| row.figures.val_loss) {
        columns.push(Column::new("val_loss", |row| figure(row.figures.val_loss, metric)));
    }
    if is_shown("val_accuracy", |row| row.figures.val_accuracy) {
        columns.push(Column::new("val_accuracy", |row| figure(row.figures.val_accuracy, metric)));
    }
    if is_known(|row| row.figures.seconds) {
        columns.push(Column::new("time", |row| row.figures.seconds.map_or(String::new(), |spread| time(spread.mean))));
    }
    columns.push(Column::new("state", state));
    columns
}

fn figure(figure: Option<Spread>, words: fn(f64) -> String) -> String {
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
