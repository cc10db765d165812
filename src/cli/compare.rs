//! `finetop compare RUN…`: what differs between runs, and what came out.
//!
//! `--json` prints one object: `keys`, the dotted keys that differ; and `rows`, one for each run, or for the runs that
//! differ in their seeds alone. A row has `settings` (key → value, null where it has none; the seeds of several runs are a
//! list), `monitor`, `n` (runs with a best value), `best`, `epoch`, `val_loss`, `val_accuracy` and `seconds`, each
//! `{"mean", "deviation"}` or null (the deviation over n - 1, null of one run), further metrics by their names as `val_f1`
//! (those of one class are left out), `is_best`, and `runs`: each with `id`, `name`, `state`, `monitor` and its own figures
//! as numbers. Figures are those of the best epoch, or of the last one where none is the best.
//!
//! And `values`: which value of which key does best. It has `monitor`, `more_is_better` and `keys` (but the seed), the one
//! whose values differ most first, each with `key`, `effect` (between the best and the worst mean) and `values`: each with
//! `value`, `n`, `mean`, `best`, `best_run` and `is_best`.

mod values;

use std::path::Path;
use std::process::ExitCode;

use super::failure::Failure;
use super::output;
use super::select::Runs;
use super::table::{COLUMNS, Table};
use crate::base::clock;
use crate::record::compare::columns::{Column, columns};
use crate::record::compare::values::Values;
use crate::record::compare::{Comparison, Member, Row, compare};
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

fn table(comparison: &Comparison, with_names: bool) -> Table {
    let mut columns = columns(comparison);
    columns.retain(|column| with_names || *column != Column::Name);
    let head = columns.iter().map(|column| column.head().to_owned()).collect();
    let cells = |row: &Row| columns.iter().map(|column| column.cell(row)).collect();
    Table::new(head, comparison.rows.iter().map(cells).collect())
}
