//! The table of runs, one row each, and the orders that are given about them; only the rows that are seen are built.

mod columns;
mod given;
mod line;
pub mod sorting;
mod typed;
mod words;

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::base::id::RunId;
use crossterm::event::KeyCode;

use crate::tui::action::Action as Any;
use crate::tui::action::Action::Queue as Of;
use crate::tui::action::{Effect, Motion};
use crate::tui::app::{App, Overlay};
use crate::tui::job::Job;
use crate::tui::keymap::key::{Key, key, letter};
use crate::tui::keymap::{Binding, DOWN, ENTER, ESC, Scope, UP, binding};
use crate::tui::layout::Focus;
use crate::tui::paint::{Row, frame};
use crate::tui::prompt::{Prompt, Purpose};
use crate::tui::runs::{Choice, Delta, sort::Sort};
use crate::tui::theme::{Role, Theme};
use columns::Columns;
pub use given::{command, give};
pub use typed::accept;

/// What it keeps beside the table itself.
#[derive(Debug, Default)]
pub struct Queue {
    /// The first row that is seen, as far as the choice lets it.
    top: usize,
    /// The runs that a line is typed for.
    about: Vec<RunId>,
    /// How many runs may train at once, as the runner said it last; None where no runner lives.
    pub slots: Option<usize>,
    /// How many trained when it was asked.
    asked: Option<usize>,
    /// Priorities that were asked for and are not seen in the store yet: the next order counts from them.
    priorities: BTreeMap<RunId, i32>,
}

impl Queue {
    /// Takes notice of what came true.
    pub fn hear(&mut self, delta: &Delta) {
        for row in &delta.rows {
            if self.priorities.get(&row.id) == Some(&row.place.priority) {
                self.priorities.remove(&row.id);
            }
        }
    }

    /// An order was refused: nothing is on its way any more.
    pub fn refused(&mut self) {
        self.priorities.clear();
    }
}

/// What it alone understands. An order is about the marked runs, else about the chosen one or the chosen group's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Filter,
    Sort,
    Reverse,
    Open,
    Fold,
    Unfold,
    Mark,
    MarkRange,
    MarkAll,
    Cancel,
    Pause,
    Resume,
    Retry,
    RetryFresh,
    Remove,
    Tag,
    Priority,
    Raise,
    Lower,
    MoveUp,
    MoveDown,
    MoveFirst,
    MoveLast,
    Slots,
}

const OPEN: &[Key] = &[key(KeyCode::Enter), letter('o')];

/// Its keys; orders can be given in any pane.
pub const KEYS: &[Binding] = &[
    binding(Scope::Panes, &[letter(' ')], Of(Action::Mark), "mark the run for an order, or no more", Some("mark")),
    binding(Scope::Panes, &[letter('c')], Of(Action::Cancel), "cancel: it stops at a checkpoint", Some("cancel")),
    binding(Scope::Panes, &[letter('p')], Of(Action::Pause), "pause at a checkpoint, or hold back", Some("pause")),
    binding(Scope::Panes, &[letter('u')], Of(Action::Resume), "let a paused run go on", None),
    binding(Scope::Panes, &[letter('r')], Of(Action::Retry), "queue a failed or cancelled run again", Some("retry")),
    binding(Scope::Panes, &[letter('R')], Of(Action::RetryFresh), "the same from the beginning", None),
    binding(Scope::Panes, &[letter('/')], Of(Action::Filter), "filter: words, state:failed, loss<.3", Some("filter")),
    binding(Scope::Panes, &[letter('s')], Of(Action::Sort), "sort by a column", Some("sort")),
    binding(Scope::Panes, &[letter('S')], Of(Action::Reverse), "sort the other way round", None),
    binding(Scope::Panes, &[letter('*')], Of(Action::MarkAll), "mark all runs that match the filter", None),
    binding(Scope::Panes, &[letter('d')], Of(Action::Remove), "remove the run and its files", None),
    binding(Scope::Panes, &[letter('t')], Of(Action::Tag), "tags: new ones, -those to go", None),
    binding(Scope::Panes, &[letter('P')], Of(Action::Priority), "priority; higher ones start first", None),
    binding(Scope::Panes, &[letter('K')], Of(Action::MoveUp), "one place up in the queue", None),
    binding(Scope::Panes, &[letter('J')], Of(Action::MoveDown), "one place down in the queue", None),
    binding(Scope::Queue, OPEN, Of(Action::Open), "open the run; fold or unfold the group", Some("open"))
        .named("queue.open"),
    binding(Scope::Queue, &[key(KeyCode::Right)], Of(Action::Unfold), "unfold the group", None),
    binding(Scope::Queue, &[key(KeyCode::Left)], Of(Action::Fold), "fold the group", None),
    binding(Scope::Queue, &[letter('v')], Of(Action::MarkRange), "mark all from the last mark to here", None),
    binding(Scope::Queue, &[letter('{')], Of(Action::MoveFirst), "to the front of the queue", None),
    binding(Scope::Queue, &[letter('}')], Of(Action::MoveLast), "to the end of the queue", None),
    binding(Scope::Queue, &[letter('+')], Of(Action::Raise), "priority one higher", None),
    binding(Scope::Queue, &[letter('-')], Of(Action::Lower), "priority one lower", None),
    binding(Scope::Queue, &[letter('w')], Of(Action::Slots), "how many runs may train at once", None),
];

/// The keys while a column to sort by is chosen.
pub const SORT_KEYS: &[Binding] = &[
    binding(Scope::Sort, ENTER, Any::Accept, "sort by it", Some("sort")),
    binding(Scope::Sort, ESC, Any::Back, "sort as before", Some("back")),
    binding(Scope::Sort, DOWN, Any::Go(Motion::Down), "down", Some("down")),
    binding(Scope::Sort, UP, Any::Go(Motion::Up), "up", Some("up")),
    binding(Scope::Sort, &[letter('s')], Of(Action::Sort), "the next column", None),
    binding(Scope::Sort, &[letter('S')], Of(Action::Reverse), "the other way round", Some("reverse")),
];

/// Does what it alone understands.
pub fn update(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::Filter => {
            app.screen.focus = Focus::Queue;
            ask_for(app, Purpose::Filter, app.runs.filter().to_owned());
        }
        Action::Sort => return sorting::start(app),
        Action::Reverse => {
            let sort = app.runs.sort();
            app.runs.set_sort(Sort { reversed: !sort.reversed, ..sort.clone() });
        }
        Action::Open => open(app),
        Action::Fold => drop(app.runs.fold(false)),
        Action::Unfold => drop(app.runs.fold(true)),
        Action::Mark => {
            app.runs.mark();
            if app.screen.focus == Focus::Queue {
                app.runs.go(Motion::Down, 1);
            }
        }
        Action::MarkRange => app.runs.mark_range(),
        Action::MarkAll => app.runs.mark_all(),
        Action::Tag => typed::tag(app),
        Action::Priority => typed::priority(app),
        Action::Slots => typed::slots(app),
        order => return given::order(app, order),
    }
    look(app);
    Vec::new()
}

/// Opens the chosen run, and folds or unfolds a chosen group.
fn open(app: &mut App) {
    match app.runs.choice() {
        Some(Choice::Group(name)) => {
            let open = !app.runs.is_open(name);
            app.runs.fold(open);
        }
        _ => (app.screen.focus, app.screen.comparing) = (Focus::Run, false),
    }
}

/// Opens a line to be typed.
fn ask_for(app: &mut App, purpose: Purpose, text: String) {
    app.overlay = Some(Overlay::Prompt(Prompt { purpose, text }));
}

/// The runner's answer came, or runs began or ended: how many may train at once may be another number now.
pub fn ask_slots(app: &mut App, again: bool) -> Vec<Effect> {
    let running = app.runs.totals().running;
    if !again && app.queue.asked == Some(running) {
        return Vec::new();
    }
    app.queue.asked = Some(running);
    vec![Effect::Do(Job::Slots)]
}

/// Moves in it.
pub fn go(app: &mut App, motion: Motion, page: usize) -> Vec<Effect> {
    let page = page.saturating_sub(usize::from(app.layout().queue.is_some_and(|area| has_head(inside(area)))));
    app.runs.go(motion, page);
    look(app);
    Vec::new()
}

/// Keeps the rows in sight where they are, as long as the choice is among them.
fn look(app: &mut App) {
    if let Some(area) = app.layout().queue {
        app.queue.top = first(app, rows(inside(area)));
    }
}

/// The first row that is seen of so many.
fn first(app: &App, rows: usize) -> usize {
    let (place, last) = (app.runs.place(), app.runs.shown().len().saturating_sub(rows));
    app.queue.top.min(place).max((place + 1).saturating_sub(rows.max(1))).min(last.max(place.min(last)))
}

fn inside(area: Rect) -> Rect {
    Rect { width: area.width.saturating_sub(2), height: area.height.saturating_sub(2), ..area }
}

/// Whether the columns have heads.
fn has_head(inner: Rect) -> bool {
    inner.width >= columns::WIDE && inner.height >= 4
}

/// Rows for entries.
fn rows(inner: Rect) -> usize {
    usize::from(inner.height.saturating_sub(u16::from(has_head(inner))))
}

/// Chooses the row that was clicked; a second click, as with Enter, opens the run or folds the group. A click on the head of
/// a column sorts by it.
pub fn click(app: &mut App, area: Rect, position: Position, had_focus: bool) -> Vec<Effect> {
    let inner = inside(area);
    let head = usize::from(has_head(inner));
    let row = usize::from(position.y.saturating_sub(area.y + 1));
    if position.y <= area.y || row >= usize::from(inner.height) {
        return Vec::new();
    }
    if row < head {
        let clicked = Columns::of(inner.width, app.runs.sort()).at(position.x.saturating_sub(area.x + 1), inner.width);
        if let Some(column) = clicked {
            let reversed = app.runs.sort().column == column && !app.runs.sort().reversed;
            app.runs.set_sort(Sort { column, reversed });
        }
        return Vec::new();
    }
    let place = first(app, rows(inner)) + row - head;
    let again = had_focus && app.runs.place() == place;
    if app.runs.go_to(place) && again {
        open(app);
    }
    look(app);
    Vec::new()
}

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, focused: bool) {
    let runs = &app.runs;
    let parts = title(theme, app, has_head(inside(area)));
    let parts: Vec<(&str, Style)> = parts.iter().map(|(text, role)| (text.as_str(), theme.style(*role))).collect();
    let inner = frame(buf, area, &parts, focused, theme);
    let columns = Columns::of(inner.width, runs.sort());
    let head = u16::from(has_head(inner));
    if head > 0 {
        columns.draw_head(theme, &mut Row::new(buf, inner, 0), runs.sort());
    }
    let rows = rows(inner);
    let first = first(app, rows);
    for (line, (index, entry)) in (head..).zip(runs.shown().iter().enumerate().skip(first).take(rows)) {
        let mut row = Row::new(buf, inner, line);
        match entry {
            Choice::Run(id) => line::draw_run(theme, &mut row, app, *id, &columns),
            Choice::Group(name) => line::draw_group(theme, &mut row, app, name, &columns),
        }
        if index == runs.place() {
            row.over(theme.selected());
        }
    }
    if runs.shown().is_empty() {
        let text = if runs.filter().is_empty() { "no runs yet: a adds an experiment" } else { "no run matches" };
        Row::new(buf, inner, head).gap(1).put(text, theme.style(Role::Dim));
    }
}

/// The name, how many runs there are, what is marked, what is wrong with the filter or what it is, and the order.
fn title(theme: &Theme, app: &App, has_head: bool) -> Vec<(String, Role)> {
    let runs = &app.runs;
    let mut parts = vec![("Queue ".to_owned(), Role::Strong), (runs.matching().to_string(), Role::Dim)];
    if !runs.marked().is_empty() {
        parts.push((format!("  {} marked", runs.marked().len()), Role::Accent));
    }
    match (runs.parsed_filter().problem(), runs.filter()) {
        (Some(problem), _) => parts.push((format!("  {problem}"), Role::Bad)),
        (None, "") => {}
        (None, filter) => parts.push((format!(" for “{filter}”"), Role::Dim)),
    }
    let sort = runs.sort();
    if *sort != Sort::default() && !has_head {
        parts.push((format!("  by {} {}", sort.column.name(), columns::arrow(theme, sort)), Role::Dim));
    }
    parts
}

#[cfg(test)]
mod tests;
