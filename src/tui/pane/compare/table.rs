//! What is compared, and what came out: made by a job, since files are read and a group may be large.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::durable;
use crate::base::id::RunId;
use crate::record::RunDir;
use crate::record::compare::columns::{Column, columns};
use crate::record::compare::values::{Key, Outcome, Values};
use crate::record::compare::{Comparison, Member, compare};
use crate::record::settings::Settings;
use crate::record::state::Status;
use crate::record::summary::Row;

/// What runs ran, as far as it was read.
pub type Known = HashMap<RunId, Arc<Settings>>;

/// Runs to be compared, and what is known of what they ran.
#[derive(Debug, Clone)]
pub struct Asked {
    pub rows: Vec<Arc<Row>>,
    pub known: Arc<Known>,
}

/// What came out.
#[derive(Debug)]
pub struct Compared {
    pub rows: Vec<Arc<Row>>,
    pub known: Arc<Known>,
    pub comparison: Comparison,
    pub columns: Vec<Column>,
    /// Of each row each column's text.
    pub cells: Vec<Vec<String>>,
    pub values: Values,
}

/// Whether both are the very same.
pub fn same(a: &[Arc<Row>], b: &[Arc<Row>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(a, b))
}

impl PartialEq for Asked {
    fn eq(&self, other: &Self) -> bool {
        same(&self.rows, &other.rows)
    }
}

impl Eq for Asked {}

impl Asked {
    /// Reads what is not known yet, and compares. A run whose file cannot be read is compared by its results.
    pub fn compare(self) -> Compared {
        // What waits may still be edited.
        let is_fixed = |row: &Row| !matches!(row.state, Status::Queued | Status::Paused);
        let settings = |row: &Arc<Row>| match self.known.get(&row.id).filter(|_| is_fixed(row)) {
            Some(settings) => Arc::clone(settings),
            None => Arc::new(read(row)),
        };
        let known: Known = self.rows.iter().map(|row| (row.id, settings(row))).collect();
        let members = self.rows.iter().filter_map(|row| Some(Member::of_row(row, Arc::clone(known.get(&row.id)?))));
        let comparison = compare(members.collect());
        let columns = columns(&comparison);
        let cells = comparison.rows.iter().map(|row| columns.iter().map(|column| column.cell(row)).collect()).collect();
        let values = Values::of(&comparison);
        Compared { rows: self.rows, known: Arc::new(known), comparison, columns, cells, values }
    }
}

fn read(row: &Row) -> Settings {
    let file = RunDir::at(&row.place.path).map(|dir| dir.resolved_yaml());
    let bytes = file.and_then(|file| durable::read(&file).ok()).unwrap_or_default();
    Settings::of(&String::from_utf8_lossy(&bytes))
}

/// A line of the values: the head of a key, or one of its values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRow<'a> {
    Key(&'a Key),
    Value(&'a Outcome),
}

impl Compared {
    /// What the runs monitor.
    pub fn monitor(&self) -> Option<&String> {
        self.values.monitor.as_ref()
    }

    /// The rows as they are sorted.
    pub fn order(&self, sort: &Option<(String, bool)>) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.comparison.rows.len()).collect();
        let column = |head: &str| self.columns.iter().find(|column| column.head() == head);
        if let Some((column, down)) = sort.as_ref().and_then(|(head, down)| Some((column(head)?, *down))) {
            let rows = &self.comparison.rows;
            order.sort_by(|&a, &b| column.order(&rows[a], &rows[b], down));
        }
        order
    }

    /// The next column to sort by, or the same the other way round.
    pub fn next_sort(&self, sort: Option<(String, bool)>, reverse: bool) -> Option<(String, bool)> {
        if reverse {
            return sort.map(|(head, down)| (head, !down));
        }
        let at = sort.and_then(|(head, _)| self.columns.iter().position(|column| column.head() == head));
        // After the last one it is not sorted.
        let next = self.columns.get(at.map_or(0, |at| at + 1))?;
        // The best first.
        let down = match next {
            Column::Best(_) => self.values.more_is_better,
            Column::ValAccuracy => true,
            _ => false,
        };
        Some((next.head().to_owned(), down))
    }

    /// The run of a row that did best; of one without figures the first.
    pub fn best_of(&self, row: usize) -> Option<RunId> {
        let runs = &self.comparison.rows.get(row)?.runs;
        let better = |a: f64, b: f64| if self.values.more_is_better { a > b } else { a < b };
        let scored = runs.iter().filter_map(|run| Some((run.figures.best?, run.id)));
        let best = scored.reduce(|best, other| if better(other.0, best.0) { other } else { best });
        best.map(|best| best.1).or(Some(runs.first()?.id))
    }

    /// The lines of the values.
    pub fn value_rows(&self) -> Vec<ValueRow<'_>> {
        let of_key = |key| std::iter::once(ValueRow::Key(key)).chain(key.values.iter().map(ValueRow::Value));
        self.values.keys.iter().flat_map(of_key).collect()
    }

    /// The value in a line.
    pub fn value_at(&self, row: usize) -> Option<&Outcome> {
        match self.value_rows().get(row)? {
            ValueRow::Value(outcome) => Some(outcome),
            ValueRow::Key(_) => None,
        }
    }
}
