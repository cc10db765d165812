//! The list of runs, one row each; only the rows that are seen are built.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::clock::Timestamp;
use crate::base::text::{duration, metric};
use crate::record::state::{RunState, Status};
use crate::tui::format;
use crate::tui::layout::first_row;
use crate::tui::paint::{Row, columns, frame};
use crate::tui::runs::Runs;
use crate::tui::theme::{Role, Theme};

/// From this width on rows say more than a name and a result.
const WIDE: u16 = 80;

/// Columns of the result where there are columns.
const RESULT: u16 = 12;

pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, runs: &Runs, now: Option<Timestamp>, focused: bool) {
    let count = format!("{}", runs.shown().len());
    let filter = format!("{count} for “{}”", runs.filter());
    let second = if runs.filter().is_empty() { &count } else { &filter };
    let title = [("Queue ", theme.style(Role::Strong)), (second.as_str(), theme.style(Role::Dim))];
    let inner = frame(buf, area, &title, focused, theme);
    let rows = usize::from(inner.height);
    let first = first_row(runs.shown().len(), runs.place(), rows);
    for (index, run) in runs.shown().enumerate().skip(first).take(rows) {
        let Ok(line) = u16::try_from(index - first) else { return };
        let mut row = Row::new(buf, inner, line);
        draw_row(theme, &mut row, run, now);
        if index == runs.place() {
            row.over(theme.selected());
        }
    }
    if runs.shown().len() == 0 {
        let text = if runs.filter().is_empty() { "no runs yet: a adds an experiment" } else { "no run matches" };
        Row::new(buf, inner, 0).gap(1).put(text, theme.style(Role::Dim));
    }
}

fn draw_row(theme: &Theme, row: &mut Row, run: &RunState, now: Option<Timestamp>) {
    let (glyph, role) = theme.state(run);
    let result = format::result(run);
    let result_role = match run.status() {
        Status::Failed => Role::Bad,
        Status::Running | Status::Starting => Role::Live,
        _ => Role::Dim,
    };
    row.gap(1).put(glyph, theme.style(role)).gap(1).put(&run.id.to_string(), theme.style(Role::Dim)).gap(1);
    let details = if row.left() + 8 >= WIDE { details(run, now) } else { String::new() };
    let reserved = if details.is_empty() { columns(&result) + 2 } else { RESULT + columns(&details) + 2 };
    let name_role = if run.status().is_over() { Role::Plain } else { Role::Strong };
    row.put_within(&run.name, row.left().saturating_sub(reserved), theme.style(name_role));
    if !details.is_empty() {
        row.right_but(&details, RESULT, theme.style(Role::Dim));
    }
    row.right(&format!("{result} "), theme.style(result_role));
}

/// Phase, epochs, best and time, in columns.
fn details(run: &RunState, now: Option<Timestamp>) -> String {
    let training = &run.training;
    let epochs = match (training.epochs.last(), training.planned_epochs()) {
        (_, 0) => String::new(),
        (last, planned) => format!("{}/{planned}", last.map_or(0, |epoch| epoch.epoch)),
    };
    let best = training.best.as_ref().map_or(String::new(), |best| format!("{} {}", best.monitor, metric(best.value)));
    let time = now.or(run.life.ended).and_then(|now| run.running_time(now)).map_or(String::new(), duration);
    let phase = crate::base::text::truncated(training.phase().unwrap_or_default(), 12);
    format!("{phase:<12} {epochs:>7}  {best:<19} {time:>8}")
}
