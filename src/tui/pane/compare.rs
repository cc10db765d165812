//! Runs side by side: their curves over each other, a table of what differs in what they ran and in what came out, and
//! which value of which key does best.
//!
//! Invariants: compared are the marked runs, else those of the chosen group, else the chosen run with its group's. Files
//! are read and figures compared by a job; here is what came out of the last one, and a place in it.

mod draw;
mod table;

use std::sync::Arc;

use crossterm::event::KeyCode;
use ratatui::layout::{Position, Rect};
use serde::{Deserialize, Serialize};

pub use self::draw::draw;
pub use self::table::{Asked, Compared};
use crate::base::id::RunId;
use crate::base::text::shell_word;
use crate::experiment::Mode;
use crate::record::summary::Row;
use crate::tui::action::{Action as Any, Effect, Motion};
use crate::tui::app::{App, Overlay};
use crate::tui::chart::overlay;
use crate::tui::job::Job;
use crate::tui::keymap::key::{key, letter};
use crate::tui::keymap::{self, Binding, Scope, binding};
use crate::tui::layout::Focus;
use crate::tui::orders;
use crate::tui::prompt::{Prompt, Purpose};
use crate::tui::runs::Choice;

/// Runs whose curves are drawn; there are as many colours and glyphs.
pub const CURVES: usize = 8;
/// The file that figures are exported to, if no other is typed.
const EXPORTED: &str = "finetop-export.csv";
/// Runs of the table.
const MOST: usize = 2_000;

/// What it shows.
#[derive(Debug, Default)]
pub struct Compare {
    pub look: Look,
    pub place: Place,
    /// What the last job found.
    pub compared: Option<Arc<Compared>>,
    /// Of which runs a job is under way.
    asked: Option<Vec<Arc<Row>>>,
}

/// How it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Look {
    pub view: View,
    /// Of the curves; None is what the runs monitor.
    pub metric: Option<String>,
    pub by_time: bool,
    pub log: bool,
}

/// What is in the lower part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    #[default]
    Runs,
    /// Which value of which key does best.
    Values,
}

/// Where in the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    pub row: usize,
    /// Columns that are scrolled away.
    pub left: usize,
    /// The head of the column that it is sorted by, and whether from the greatest.
    pub sort: Option<(String, bool)>,
    /// The rows in the order shown.
    pub order: Vec<usize>,
}

/// What it alone understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Shows it, or the chosen run again.
    Toggle,
    OtherView,
    Metric,
    Axis,
    Log,
    Sort,
    Reverse,
    Left,
    Right,
    /// The run in the row.
    Choose,
    /// Asks for a file's name.
    Export,
}

const fn own(
    keys: &'static [keymap::key::Key],
    action: Action,
    help: &'static str,
    word: Option<&'static str>,
) -> Binding {
    binding(Scope::Compare, keys, Any::Compare(action), help, word)
}

/// Its keys.
pub const KEYS: &[Binding] = &[
    binding(
        Scope::Panes,
        &[letter('C')],
        Any::Compare(Action::Toggle),
        "compare the marked runs, or the group",
        Some("compare"),
    )
    .named("compare"),
    binding(
        Scope::Panes,
        &[letter('X')],
        Any::Compare(Action::Export),
        "export the figures of the runs to a file",
        Some("export"),
    )
    .named("export"),
    own(keymap::ENTER, Action::Choose, "choose the run in the queue", Some("choose")),
    own(&[letter('v')], Action::OtherView, "the runs, or which value of which key does best", Some("values")),
    own(&[letter('m')], Action::Metric, "another metric", Some("metric")),
    own(&[letter('x')], Action::Axis, "by epoch, or by time", Some("axis")),
    own(&[letter('L')], Action::Log, "log scale", None),
    own(&[letter('s')], Action::Sort, "sort by the next column", Some("sort")),
    own(&[letter('S')], Action::Reverse, "sort the other way round", None),
    own(&[key(KeyCode::Right)], Action::Right, "columns to the right", None),
    own(&[key(KeyCode::Left)], Action::Left, "columns to the left", None),
];

/// Does what it alone understands.
pub fn update(app: &mut App, action: Action) -> Vec<Effect> {
    if action == Action::Toggle {
        app.screen.comparing = !app.screen.comparing;
        if app.screen.comparing {
            app.screen.focus = Focus::Run;
        }
        return Vec::new();
    }
    if action == Action::Export {
        app.overlay = Some(Overlay::Prompt(Prompt { purpose: Purpose::Export, text: EXPORTED.to_owned() }));
        return Vec::new();
    }
    let metrics = metrics(app);
    let Compare { look, place, compared, .. } = &mut app.compare;
    let Some(compared) = compared.clone() else { return Vec::new() };
    match action {
        Action::Toggle | Action::Export => {}
        Action::OtherView => {
            look.view = if look.view == View::Runs { View::Values } else { View::Runs };
            (place.row, place.left) = (0, 0);
        }
        Action::Metric => {
            let at = metrics.iter().position(|metric| Some(metric) == look.metric.as_ref().or(compared.monitor()));
            look.metric = metrics.get(at.map_or(0, |at| at + 1) % metrics.len().max(1)).cloned();
        }
        Action::Axis => look.by_time = !look.by_time,
        Action::Log => look.log = !look.log,
        Action::Sort | Action::Reverse => {
            place.sort = compared.next_sort(place.sort.take(), action == Action::Reverse);
            place.order = compared.order(&place.sort);
        }
        Action::Left => place.left = place.left.saturating_sub(1),
        Action::Right => place.left = (place.left + 1).min(compared.columns.len().saturating_sub(1)),
        Action::Choose => {
            let run = match look.view {
                View::Runs => place.order.get(place.row).and_then(|&row| compared.best_of(row)),
                View::Values => compared.value_at(place.row).and_then(|outcome| outcome.best_run),
            };
            run.into_iter().for_each(|id| app.runs.choose(id));
        }
    }
    Vec::new()
}

/// Writes the epochs of the runs that are compared, else of those that an order is about, into a file.
pub fn export(app: &App, file: &str) -> Vec<Effect> {
    let compared = if app.screen.comparing { rows(app) } else { Vec::new() };
    let targets = || app.targets().into_iter().filter_map(|id| app.runs.row(id).cloned()).collect();
    let rows: Vec<Arc<Row>> = if compared.is_empty() { targets() } else { compared };
    let runs = rows.iter().map(|row| row.place.path.clone()).collect();
    vec![Effect::Do(Job::Export { runs, file: file.trim().into() })]
}

/// The command line that does the same.
pub fn command(app: &App, action: Action) -> Option<String> {
    let runs = |with_group| which(app, with_group);
    match action {
        Action::Toggle => {
            runs(true).filter(|runs| runs.parse::<u32>().is_err()).map(|runs| format!("finetop compare {runs}"))
        }
        Action::Export => Some(format!("finetop export {} --out {EXPORTED}", runs(app.screen.comparing)?)),
        _ => None,
    }
}

/// The marked or chosen runs as the command line names them; of one run that has a group, `with_group`, all of the group.
fn which(app: &App, with_group: bool) -> Option<String> {
    let runs = &app.runs;
    let group = |name: &str| format!("--group {}", shell_word(name));
    match runs.choice()? {
        _ if !runs.marked().is_empty() => Some(orders::runs(&runs.marked().iter().copied().collect::<Vec<_>>())),
        Choice::Group(name) => Some(group(name)),
        Choice::Run(id) => {
            let of_run = runs.row(*id)?.place.group.as_deref().filter(|_| with_group);
            Some(of_run.map_or_else(|| orders::runs(&[*id]), group))
        }
    }
}

/// Goes to another row.
pub fn go(app: &mut App, motion: Motion, page: usize) -> Vec<Effect> {
    let rows = app.compare.rows();
    app.compare.place.row = motion.from(app.compare.place.row, rows, page / 2);
    Vec::new()
}

/// A click goes to the row.
pub fn click(app: &mut App, area: Rect, position: Position) -> Vec<Effect> {
    if let Some(row) = draw::row_at(app, area, position) {
        app.compare.place.row = row;
    }
    Vec::new()
}

/// The runs whose curves are drawn, which are read whole, by their numbers: the best of those that are compared, and the
/// chosen one.
pub fn runs(app: &App) -> Vec<RunId> {
    if !app.screen.comparing {
        return Vec::new();
    }
    let rows = rows(app);
    let score = |row: &Row| {
        let best = row.best.as_ref().map(|best| best.value).filter(|value| value.is_finite());
        best.map_or(f64::INFINITY, |value| if row.mode == Some(Mode::Max) { -value } else { value })
    };
    let chosen = app.runs.chosen();
    let mut best: Vec<&Arc<Row>> = rows.iter().collect();
    best.sort_by(|a, b| (Some(b.id) == chosen).cmp(&(Some(a.id) == chosen)).then(score(a).total_cmp(&score(b))));
    let mut ids: Vec<RunId> = best.into_iter().take(CURVES).map(|row| row.id).collect();
    ids.sort_unstable();
    ids
}

/// The runs that are compared.
fn rows(app: &App) -> Vec<Arc<Row>> {
    let runs = &app.runs;
    let group = |id: &RunId| runs.row(*id).and_then(|row| row.place.group.as_deref());
    let ids: Vec<RunId> = match runs.choice() {
        _ if !runs.marked().is_empty() => runs.marked().iter().copied().collect(),
        Some(Choice::Group(name)) => runs.members(name).collect(),
        Some(Choice::Run(id)) => match group(id) {
            Some(name) => runs.members(name).chain([*id]).collect(),
            None => vec![*id],
        },
        None => Vec::new(),
    };
    let unique: std::collections::BTreeSet<RunId> = ids.into_iter().collect();
    unique.into_iter().filter_map(|id| runs.row(id).cloned()).take(MOST).collect()
}

/// The metrics that can be drawn.
fn metrics(app: &App) -> Vec<String> {
    overlay::metrics(runs(app).into_iter().filter_map(|id| app.runs.whole(id)).map(|run| &**run))
}

/// Compares anew where the runs are others than those that were compared, one job at a time.
pub fn follow(app: &mut App) -> Vec<Effect> {
    if !app.screen.comparing {
        app.compare.compared = None;
        return Vec::new();
    }
    let rows = rows(app);
    let compare = &mut app.compare;
    let is_known = compare.compared.as_ref().is_some_and(|compared| table::same(&compared.rows, &rows));
    if is_known || compare.asked.is_some() {
        return Vec::new();
    }
    compare.asked = Some(rows.clone());
    let known = compare.compared.as_ref().map(|compared| Arc::clone(&compared.known)).unwrap_or_default();
    vec![Effect::Do(Job::Compare(Asked { rows, known }))]
}

/// What the job found. The row that was chosen stays so.
pub fn hear(app: &mut App, compared: Compared) -> Vec<Effect> {
    let compare = &mut app.compare;
    compare.asked = None;
    let first_run = |compared: &Compared, row: usize| Some(compared.comparison.rows.get(row)?.runs.first()?.id);
    let before = compare.compared.as_ref().zip(compare.place.order.get(compare.place.row));
    let chosen = before.and_then(|(compared, &row)| first_run(compared, row));
    compare.place.order = compared.order(&compare.place.sort);
    let place = compare.place.order.iter().position(|&row| chosen.is_some() && first_run(&compared, row) == chosen);
    compare.compared = Some(Arc::new(compared));
    if compare.look.view == View::Runs {
        compare.place.row = place.unwrap_or(0);
    }
    compare.place.row = compare.place.row.min(compare.rows().saturating_sub(1));
    Vec::new()
}

impl Compare {
    /// Rows that can be chosen.
    fn rows(&self) -> usize {
        match (&self.compared, self.look.view) {
            (None, _) => 0,
            (Some(_), View::Runs) => self.place.order.len(),
            (Some(compared), View::Values) => compared.value_rows().len(),
        }
    }
}

#[cfg(test)]
mod tests;
