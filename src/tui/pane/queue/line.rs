//! A row of the table: a run, or the head of a group.

use ratatui::style::Modifier;

use super::columns::{Cell, Columns, put_cell};
use super::words;
use crate::base::clock::Timestamp;
use crate::base::id::RunId;
use crate::base::text::{duration, metric};
use crate::tui::app::App;
use crate::tui::paint::{Row, columns};
use crate::tui::runs::Totals;
use crate::tui::runs::groups::Group;
use crate::tui::runs::run::Run;
use crate::tui::theme::{Role, Theme};

/// Draws a run.
pub fn draw_run(theme: &Theme, row: &mut Row, app: &App, id: RunId, cells: &Columns) {
    let Some(run) = app.runs.run(id) else { return };
    let width = row.left();
    draw_mark(theme, row, app.runs.marked().contains(&id));
    let indent = u16::from(app.runs.is_member(id)) * if cells.result.is_some() { 2 } else { 1 };
    let (glyph, role) = theme.status(run.row.state, run.stopped_early());
    row.gap(indent).put(glyph, theme.style(role)).gap(1).put(&id.to_string(), theme.style(Role::Dim)).gap(1);
    let result = words::result(&run, app.runs.number_of(id), !cells.has(&Cell::Best));
    let right = right(cells, &result);
    let role = if run.row.state.is_over() { Role::Plain } else { Role::Strong };
    let hit = theme.style(Role::Accent).add_modifier(Modifier::UNDERLINED | Modifier::BOLD);
    let room = row.left().saturating_sub(right);
    let name = name(&run, app.runs.is_member(id), room);
    let hits = app.runs.parsed_filter().hits(name);
    row.put_marked(name, room, &hits, theme.style(role), hit);
    go_to(row, width.saturating_sub(right));
    for (cell, width) in &cells.cells {
        match cell {
            Cell::Bar => draw_bar(theme, row, &run, *width),
            _ => put_cell(row, cell, &text(cell, &run, app.clock), *width, theme.style(Role::Dim)),
        }
    }
    row.right(&format!("{result} "), theme.style(words::role(run.row.state)));
}

/// The run's name; where there is no room for it, without the group's name, below which it stands.
fn name<'a>(run: &Run<'a>, is_member: bool, room: u16) -> &'a str {
    let (name, group) = (run.row.name.as_str(), run.row.place.group.as_deref());
    let own = group.and_then(|group| name.strip_prefix(group)?.strip_prefix('-'));
    own.filter(|own| is_member && !own.is_empty() && columns(name) > room).unwrap_or(name)
}

/// Draws the head of a group: how many of its runs are in which state, and how good the best became.
pub fn draw_group(theme: &Theme, row: &mut Row, app: &App, name: &str, cells: &Columns) {
    let Some(group) = app.runs.group(name) else { return };
    let width = row.left();
    draw_mark(theme, row, group.members.iter().all(|id| app.runs.marked().contains(id)));
    let glyph = if app.runs.is_open(name) { theme.pick("▾", "v") } else { theme.pick("▸", ">") };
    row.put(glyph, theme.style(Role::Accent)).gap(1);
    let totals = &group.totals;
    let count = format!("{}/{}", totals.all() - totals.left(), totals.all());
    let best = group.best.and_then(|id| app.runs.run(id)?.best()).map(|(_, value, _)| metric(value));
    let result = match &best {
        _ if cells.result.is_some() && totals.failed > 0 => format!("{} failed", totals.failed),
        Some(best) if !cells.has(&Cell::Best) => best.clone(),
        _ => count.clone(),
    };
    // Where no column says it, the count stands before the result.
    let before = if cells.has(&Cell::Epochs) || best.is_none() { 0 } else { columns(&count) + 1 };
    let right = right(cells, &result).saturating_add(if cells.result.is_none() { before } else { 0 });
    row.put_within(name, row.left().saturating_sub(right), theme.style(Role::Strong));
    go_to(row, width.saturating_sub(right));
    for (cell, width) in &cells.cells {
        match cell {
            Cell::Bar => draw_states(theme, row, totals, *width),
            _ => {
                let text = group_text(cell, group, app, &count);
                put_cell(row, cell, &text, *width, theme.style(Role::Dim));
            }
        }
    }
    let role = if totals.failed > 0 && cells.result.is_some() { Role::Bad } else { Role::Plain };
    if cells.result.is_none() && before > 0 {
        row.right_but(&count, columns(&result) + 2, theme.style(Role::Dim));
    }
    row.right(&format!("{result} "), theme.style(role));
}

fn draw_mark(theme: &Theme, row: &mut Row, is_marked: bool) {
    if is_marked {
        row.put(theme.pick("●", "*"), theme.style(Role::Accent));
    } else {
        row.gap(1);
    }
}

/// Columns at the right that are not the name's.
fn right(cells: &Columns, result: &str) -> u16 {
    cells.right() + if cells.result.is_none() { columns(result) + 1 } else { 0 }
}

/// Goes on where `left` columns of the row lie behind.
fn go_to(row: &mut Row, left: u16) {
    let at = row.width().saturating_sub(row.left());
    row.gap(left.saturating_sub(at));
}

/// How far a run is, in eighths of a column.
fn draw_bar(theme: &Theme, row: &mut Row, run: &Run, width: u16) {
    row.gap(2);
    let share = run.share().filter(|&share| share > 0.0 || run.row.state.is_live());
    let Some(share) = share.filter(|_| !matches!(words::role(run.row.state), Role::Good)) else {
        row.gap(width);
        return;
    };
    let (full, rest) = bar(theme.ascii, share, width);
    row.put(&full, theme.style(words::role(run.row.state))).put(&rest, theme.style(Role::Border));
}

/// A bar of `width` columns of which this share is full: the full part and the rest.
pub fn bar(ascii: bool, share: f64, width: u16) -> (String, String) {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let width = usize::from(width);
    let eighths = ((share.clamp(0.0, 1.0) * (width * 8) as f64).floor() as usize).min(width * 8);
    let (whole, part) = (eighths / 8, EIGHTHS[eighths % 8]);
    if ascii {
        return ("#".repeat(whole), ".".repeat(width - whole));
    }
    let full = format!("{}{part}", "█".repeat(whole));
    let rest = width - whole - usize::from(!part.is_empty());
    (full, "░".repeat(rest))
}

/// How many runs of a group are in which state, each state with its glyph and a share of the columns.
fn draw_states(theme: &Theme, row: &mut Row, totals: &Totals, width: u16) {
    use crate::record::state::Status;
    let counts = [
        (totals.done, Status::Finished),
        (totals.failed, Status::Failed),
        (totals.cancelled, Status::Cancelled),
        (totals.running, Status::Running),
        (totals.paused, Status::Paused),
        (totals.queued, Status::Queued),
    ];
    let shares = shares(&counts.map(|(count, _)| count), usize::from(width));
    row.gap(2);
    let mut used = 0;
    for ((_, state), share) in counts.iter().zip(shares) {
        let (glyph, role) = theme.status(*state, false);
        row.put(&glyph.repeat(share), theme.style(role));
        used += share;
    }
    row.gap(width.saturating_sub(u16::try_from(used).unwrap_or(width)));
}

/// Divides at most `width` columns by these counts: one for each where they fit, else in proportion, and every count that
/// is not 0 gets one as long as there are any.
pub fn shares(counts: &[usize], width: usize) -> Vec<usize> {
    let all: usize = counts.iter().sum();
    if all <= width {
        return counts.to_vec();
    }
    let mut shares: Vec<usize> =
        counts.iter().map(|&count| (count * width / all).max(usize::from(count > 0))).collect();
    loop {
        let sum: usize = shares.iter().sum();
        let largest = (0..shares.len()).max_by_key(|&at| shares[at]);
        match (sum.cmp(&width), largest) {
            (std::cmp::Ordering::Greater, Some(at)) if shares[at] > 0 => shares[at] -= 1,
            (std::cmp::Ordering::Less, Some(at)) => shares[at] += 1,
            _ => return shares,
        }
    }
}

fn text(cell: &Cell, run: &Run, now: Option<Timestamp>) -> String {
    let row = run.row;
    match cell {
        Cell::Bar => String::new(),
        Cell::Best => run.best().map_or(String::new(), |(_, value, _)| metric(value)),
        Cell::Elapsed => run.elapsed(now).map_or(String::new(), duration),
        Cell::Eta => run.eta().map_or(String::new(), duration),
        Cell::Phase => row.progress.phase.clone().unwrap_or_default(),
        Cell::Epochs if row.progress.planned_epochs == 0 => String::new(),
        Cell::Epochs => format!("{}/{}", row.progress.epoch, row.progress.planned_epochs),
        Cell::Priority if row.place.priority == 0 => String::new(),
        Cell::Priority => row.place.priority.to_string(),
        Cell::Tags => row.place.tags.join(" "),
        Cell::Ended => row.times.ended.map_or(String::new(), Timestamp::local_date_time),
        Cell::Figure(name) => run.figure(name).map_or(String::new(), metric),
    }
}

/// What a group's head says in a column: of its best run how good it is, of the live ones how long they will take.
fn group_text(cell: &Cell, group: &Group, app: &App, count: &str) -> String {
    let best = || group.best.and_then(|id| app.runs.run(id));
    match cell {
        Cell::Epochs => count.to_owned(),
        Cell::Best | Cell::Figure(_) => best().map_or(String::new(), |run| text(cell, &run, app.clock)),
        Cell::Eta => {
            let etas = group.members.iter().filter_map(|&id| app.runs.run(id)?.eta());
            etas.max().map_or(String::new(), duration)
        }
        _ => String::new(),
    }
}
