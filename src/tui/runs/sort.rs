//! What the table can be sorted by.

use std::cmp::{Ordering, Reverse};

use super::run::{Rank, Run};
use crate::experiment::{Metric, Mode};

/// A column to sort by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Running ones, the queue in its order, then what is over, newest first.
    Queue,
    Id,
    Name,
    State,
    Phase,
    Progress,
    Best,
    Elapsed,
    Eta,
    Ended,
    Priority,
    Tags,
    /// A figure of the best epoch, by its name in the record.
    Figure(String),
}

/// How the table is sorted. Runs without a value of the column are last either way; equals stand as in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    pub column: Column,
    pub reversed: bool,
}

impl Default for Sort {
    fn default() -> Self {
        Sort { column: Column::Queue, reversed: false }
    }
}

impl Column {
    /// Those that every store has.
    pub const ALL: [Column; 12] = [
        Column::Queue,
        Column::Best,
        Column::State,
        Column::Progress,
        Column::Eta,
        Column::Elapsed,
        Column::Ended,
        Column::Priority,
        Column::Name,
        Column::Id,
        Column::Phase,
        Column::Tags,
    ];

    /// Its name, as the head of the table and the settings say it.
    pub fn name(&self) -> &str {
        match self {
            Column::Queue => "queue",
            Column::Id => "id",
            Column::Name => "name",
            Column::State => "state",
            Column::Phase => "phase",
            Column::Progress => "progress",
            Column::Best => "best",
            Column::Elapsed => "elapsed",
            Column::Eta => "ETA",
            Column::Ended => "ended",
            Column::Priority => "priority",
            Column::Tags => "tags",
            Column::Figure(name) => name,
        }
    }

    /// The column of this name; any other name is that of a figure.
    pub fn named(name: &str) -> Column {
        Column::ALL.into_iter().find(|column| column.name() == name).unwrap_or_else(|| Column::Figure(name.to_owned()))
    }

    /// Whether what is more comes first, as long as nobody asks for the reverse: the best, the longest, the newest.
    pub fn starts_with_most(&self) -> bool {
        match self {
            Column::Progress | Column::Elapsed | Column::Ended | Column::Priority => true,
            Column::Figure(name) => name != "lr" && Metric::mode_of(name) != Some(Mode::Min),
            _ => false,
        }
    }

    fn value(&self, run: &Run) -> Option<Value> {
        let row = run.row;
        let number = |value: f64| Some(value).filter(|value| value.is_finite()).map(Value::number);
        match self {
            Column::Queue => Some(Value::Rank(Rank::of(row))),
            Column::Id => Some(Value::Whole(i64::from(row.id.0))),
            Column::Name => Some(Value::text(&row.name)),
            Column::State => Some(Value::Whole(row.state as i64)),
            Column::Phase => row.progress.phase.as_deref().map(Value::text),
            Column::Progress => number(run.share()?),
            // The best first, whether that is the least or the most; figures of one kind beside each other.
            Column::Best => run
                .best()
                .filter(|best| best.1.is_finite())
                .map(|(name, value, less)| Value::Figure(name.to_owned(), Total(if less { value } else { -value }))),
            Column::Elapsed => number(run.elapsed(None)?.as_secs_f64()),
            Column::Eta => number(run.eta()?.as_secs_f64()),
            Column::Ended => row.times.ended.map(|time| Value::Whole(time.as_millis())),
            Column::Priority => Some(Value::Whole(i64::from(row.place.priority))).filter(|_| !row.state.is_over()),
            Column::Tags => (!row.place.tags.is_empty()).then(|| Value::text(&row.place.tags.join(" "))),
            Column::Figure(name) => number(run.figure(name)?),
        }
    }
}

impl Sort {
    /// By a column, the way it is mostly wanted.
    pub fn by(column: Column) -> Sort {
        Sort { column, reversed: false }
    }

    /// Whether smaller values are above larger ones.
    pub fn ascends(&self) -> bool {
        self.column.starts_with_most() == self.reversed
    }

    /// Where a run stands in the table; those that match the filter better come first where nothing else is asked for.
    pub fn spot(&self, run: &Run, score: i64) -> Spot {
        let rank = Rank::of(run.row);
        let key = match self.column.value(run) {
            _ if *self == Sort::default() => Key::Down(Reverse(Value::Whole(score))),
            Some(value) if self.ascends() => Key::Up(value),
            Some(value) => Key::Down(Reverse(value)),
            None => Key::Missing,
        };
        Spot { key, rank }
    }
}

/// Where a run stands in the table: a smaller one is above.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    key: Key,
    pub rank: Rank,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Up(Value),
    Down(Reverse<Value>),
    Missing,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Whole(i64),
    Number(Total),
    Text(String),
    Figure(String, Total),
    Rank(Rank),
}

impl Value {
    fn number(value: f64) -> Value {
        Value::Number(Total(value))
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_lowercase())
    }
}

/// A number that has an order.
#[derive(Debug, Clone, Copy)]
struct Total(f64);

impl PartialEq for Total {
    fn eq(&self, other: &Total) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Total {}

impl PartialOrd for Total {
    fn partial_cmp(&self, other: &Total) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Total {
    fn cmp(&self, other: &Total) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}
