//! The curves above, the table below.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::table::{Compared, ValueRow};
use super::{Compare, Look, View, runs};
use crate::base::id::RunId;
use crate::base::text::metric;
use crate::record::compare::columns::Column;
use crate::record::compare::values::Outcome;
use crate::record::settings::{labels, shown};
use crate::tui::app::App;
use crate::tui::chart::XAxis;
use crate::tui::chart::overlay::{self, Line};
use crate::tui::layout::first_row;
use crate::tui::paint::{Row, columns, frame};
use crate::tui::theme::{Role, Theme};

/// A wider cell is cut.
const WIDEST: u16 = 28;
/// Columns of a bar.
const BAR: u16 = 16;
/// Swatches of a row of several runs.
const SWATCHES: usize = 3;

/// Where its parts are.
struct Parts {
    curves: Rect,
    /// One row.
    head: Rect,
    rows: Rect,
}

/// The table has what its rows need, at most half; the curves have the rest.
fn parts(area: Rect, compare: &Compare) -> Parts {
    let table = u16::try_from(compare.rows() + 1).unwrap_or(u16::MAX).max(4);
    let curves = match compare.look.view {
        View::Runs if area.height >= 12 => area.height - table.min(area.height / 2),
        _ => 0,
    };
    let head = 1.min(area.height);
    let rest = Rect { y: area.y + curves, height: area.height - curves, ..area };
    Parts {
        curves: Rect { height: curves, ..area },
        head: Rect { height: head, ..rest },
        rows: Rect { y: rest.y + head, height: rest.height - head, ..rest },
    }
}

/// The area within the frame.
fn inside(area: Rect) -> Rect {
    if area.width < 5 || area.height < 2 {
        return Rect { height: 0, ..area };
    }
    Rect { x: area.x + 2, y: area.y + 1, width: area.width - 4, height: area.height - 2 }
}

/// The row of the table at a position.
pub fn row_at(app: &App, area: Rect, position: Position) -> Option<usize> {
    let rows = parts(inside(area), &app.compare).rows;
    let first = first_row(app.compare.rows(), app.compare.place.row, usize::from(rows.height));
    let row = first + usize::from(position.y.checked_sub(rows.y)?);
    (rows.contains(position) && row < app.compare.rows()).then_some(row)
}

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, focused: bool) {
    let state = &app.compare;
    let about = match &state.compared {
        None => "reading".to_owned(),
        Some(compared) => about(state, compared),
    };
    let title = [("Compare  ", theme.style(Role::Strong)), (about.as_str(), theme.style(Role::Plain))];
    frame(buf, area, &title, focused, theme);
    let Some(compared) = &state.compared else { return };
    let parts = parts(inside(area), state);
    if compared.rows.is_empty() {
        Row::new(buf, parts.rows, 0).put("no run is chosen", theme.style(Role::Dim));
        return;
    }
    match state.look.view {
        View::Runs => draw_runs(theme, &parts, buf, app, compared),
        View::Values => draw_values(theme, &parts, buf, state, compared),
    }
}

fn about(state: &Compare, compared: &Compared) -> String {
    let runs = crate::base::text::counted(compared.rows.len() as u64, "run");
    match state.look.view {
        View::Runs => {
            let axis = if state.look.by_time { "time" } else { "epoch" };
            let log = if state.look.log { ", log scale" } else { "" };
            let group = compared.rows.first().and_then(|row| row.place.group.as_deref());
            let of = group.filter(|&group| compared.rows.iter().all(|row| row.place.group.as_deref() == Some(group)));
            let of = of.map_or(String::new(), |group| format!(" of {group}"));
            format!("{runs}{of}  {} by {axis}{log}", metric_of(&state.look, compared))
        }
        View::Values => {
            let monitor = compared.monitor().map_or("best", |monitor| monitor);
            let better = if compared.values.more_is_better { "more" } else { "less" };
            format!("{runs}  which value does best: mean {monitor}, {better} is better")
        }
    }
}

/// The slot of each run that has a curve.
fn slots(app: &App) -> BTreeMap<RunId, usize> {
    runs(app).into_iter().zip(0..).collect()
}

/// Widths of the columns, as wide as what is in the rows that are shown.
fn widths(compared: &Compared, shown: &[usize]) -> Vec<u16> {
    let widest = |column: usize| {
        let cells = shown.iter().filter_map(|&row| compared.cells.get(row)?.get(column)).map(|cell| columns(cell));
        cells.chain([columns(compared.columns[column].head()) + 2]).max().unwrap_or(0).min(WIDEST)
    };
    (0..compared.columns.len()).map(widest).collect()
}

fn draw_runs(theme: &Theme, parts: &Parts, buf: &mut Buffer, app: &App, compared: &Compared) {
    if parts.curves.height > 0 {
        draw_curves(theme, parts.curves, buf, app, compared);
    }
    let place = &app.compare.place;
    let height = usize::from(parts.rows.height);
    let first = first_row(place.order.len(), place.row, height);
    let shown: Vec<usize> = place.order.iter().skip(first).take(height).copied().collect();
    let widths = widths(compared, &shown);
    // The first two say which run it is, and stay.
    let fixed = 2.min(compared.columns.len());
    let visible = || (0..fixed).chain((fixed + place.left).min(compared.columns.len())..compared.columns.len());
    let mut head = Row::new(buf, parts.head, 0);
    head.gap(SWATCHES as u16 + 1);
    for column in visible() {
        let name = compared.columns[column].head();
        let arrow = match &place.sort {
            Some((sorted, down)) if sorted == name => {
                theme.pick(if *down { "▼" } else { "▲" }, if *down { "v" } else { "^" })
            }
            _ => "",
        };
        put(&mut head, &format!("{name}{arrow}"), widths[column], theme.style(Role::Dim));
    }
    let slots = slots(app);
    for (line, (row, index)) in (0..).zip(shown.iter().zip(first..)) {
        let mut painted = Row::new(buf, parts.rows, line);
        let is_best = compared.comparison.rows[*row].is_best;
        draw_swatches(theme, &mut painted, &slots, compared, *row);
        for column in visible() {
            let kind = &compared.columns[column];
            let role = match kind {
                Column::Best(_) if is_best => Role::Good,
                Column::Name | Column::Key { .. } | Column::Best(_) => Role::Plain,
                _ => Role::Dim,
            };
            put(&mut painted, &compared.cells[*row][column], widths[column], theme.style(role));
        }
        if index == place.row {
            painted.over(theme.selected());
        }
    }
}

/// A cell and the gap after it.
fn put(row: &mut Row, text: &str, width: u16, style: ratatui::style::Style) {
    let left = row.left();
    row.put_within(text, width, style);
    let used = left - row.left();
    row.gap(width.saturating_sub(used) + 2);
}

fn draw_swatches(theme: &Theme, row: &mut Row, slots: &BTreeMap<RunId, usize>, compared: &Compared, at: usize) {
    let left = row.left();
    let with_curve = compared.comparison.rows[at].runs.iter().filter_map(|run| slots.get(&run.id));
    for &slot in with_curve.take(SWATCHES) {
        let (glyph, style) = overlay::swatch(theme, slot);
        row.put_within(glyph, 1, style);
    }
    let used = left - row.left();
    row.gap((SWATCHES as u16 + 1).saturating_sub(used));
}

fn draw_curves(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, compared: &Compared) {
    let look = &app.compare.look;
    let whole = slots(app).into_iter().filter_map(|(id, slot)| Some(Line { run: app.runs.whole(id)?, slot }));
    let lines: Vec<Line> = whole.collect();
    let axis = if look.by_time { XAxis::Time } else { XAxis::Epoch };
    overlay::draw(theme, area, buf, &lines, metric_of(look, compared), axis, look.log);
}

/// The metric whose curves are drawn.
fn metric_of<'a>(look: &'a Look, compared: &'a Compared) -> &'a str {
    look.metric.as_ref().or(compared.monitor()).map_or("val_loss", String::as_str)
}

fn draw_values(theme: &Theme, parts: &Parts, buf: &mut Buffer, state: &Compare, compared: &Compared) {
    let rows = compared.value_rows();
    if rows.is_empty() {
        Row::new(buf, parts.rows, 0).put("what these runs ran does not differ", theme.style(Role::Dim));
        return;
    }
    let names: Vec<String> = compared.values.keys.iter().map(|key| key.key.clone()).collect();
    let names: BTreeMap<String, String> = names.iter().cloned().zip(labels(&names)).collect();
    let values = compared.values.keys.iter().flat_map(|key| &key.values).map(|outcome| columns(&shown(&outcome.value)));
    let width = values.max().unwrap_or(0).clamp(5, WIDEST);
    let mut head = Row::new(buf, parts.head, 0);
    for (name, width) in [("value", width + 2), ("mean", 10), ("", BAR), ("best", 8), ("of run", 6), ("n", 4)] {
        put(&mut head, name, width, theme.style(Role::Dim));
    }
    let first = first_row(rows.len(), state.place.row, usize::from(parts.rows.height));
    for (line, (index, row)) in (0..parts.rows.height).zip(rows.iter().enumerate().skip(first)) {
        let mut painted = Row::new(buf, parts.rows, line);
        match row {
            ValueRow::Key(key) => {
                let name = names.get(&key.key).unwrap_or(&key.key);
                painted.put(name, theme.style(Role::Strong));
                let effect = key.effect.map(|effect| format!("  {} between best and worst", metric(effect)));
                painted.put(&effect.unwrap_or_default(), theme.style(Role::Dim));
            }
            ValueRow::Value(outcome) => draw_outcome(theme, &mut painted, compared, outcome, width),
        }
        if index == state.place.row {
            painted.over(theme.selected());
        }
    }
}

fn draw_outcome(theme: &Theme, row: &mut Row, compared: &Compared, outcome: &Outcome, width: u16) {
    let (mark, role) = if outcome.is_best { ("*", Role::Good) } else { ("", Role::Plain) };
    let figure = |figure: Option<f64>| figure.map_or(theme.pick("–", "-").to_owned(), metric);
    row.gap(2);
    put(row, &shown(&outcome.value), width, theme.style(role));
    put(row, &(figure(outcome.mean) + mark), 10, theme.style(role));
    let full = outcome.mean.map_or(0, |mean| 1 + (compared.values.share(mean) * f64::from(BAR - 1)).round() as usize);
    put(row, &theme.pick("█", "#").repeat(full), BAR, theme.style(role));
    put(row, &figure(outcome.best), 8, theme.style(Role::Dim));
    put(row, &outcome.best_run.map_or(String::new(), |id| id.to_string()), 6, theme.style(Role::Dim));
    put(row, &outcome.n.to_string(), 4, theme.style(Role::Dim));
}
