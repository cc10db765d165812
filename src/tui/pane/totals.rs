//! The top line: how many runs are in which state, what is marked, how long it will all take, and how busy the machine is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::clock::Timestamp;
use crate::base::text::{bytes, duration};
use crate::tui::app::App;
use crate::tui::meters::Reading;
use crate::tui::paint::{Row, columns};
use crate::tui::theme::{Role, Theme};

/// Draws the line; what there is no room for is left out, the machine's part first.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App) {
    let machine = machine(app.meters.as_ref(), app.clock);
    let mut row = Row::new(buf, area, 0);
    row.put(" finetop", theme.style(Role::Strong)).gap(2);
    for (text, role) in counts(app).into_iter().chain(more(app)) {
        // Without the ones in between the later ones would say something else.
        if columns(&text) > row.left() {
            return;
        }
        row.put(&text, theme.style(role)).gap(2);
    }
    row.right(&machine, theme.style(Role::Dim));
}

fn counts(app: &App) -> Vec<(String, Role)> {
    let totals = app.runs.totals();
    let mut counts = vec![
        (totals.running, "running", Role::Live),
        (totals.queued, "queued", Role::Plain),
        (totals.paused, "paused", Role::Warning),
        (totals.done + totals.cancelled, "done", Role::Good),
        (totals.failed, "failed", Role::Bad),
    ];
    counts.retain(|(count, name, _)| *count > 0 || *name != "paused");
    let text = |(count, name, role): (usize, &str, Role)| {
        (format!("{count} {name}"), if count == 0 { Role::Dim } else { role })
    };
    counts.into_iter().map(text).collect()
}

/// What is marked, how many may run at once, and when the queue will have been worked off.
fn more(app: &App) -> impl Iterator<Item = (String, Role)> {
    let (totals, marked) = (app.runs.totals(), app.runs.marked().len());
    let marked = (marked > 0).then(|| (format!("{marked} marked"), Role::Accent));
    let slots = app.queue.slots.map(|slots| (format!("{} of {slots} slots", totals.running), Role::Dim));
    let left = app.runs.time_left(app.queue.slots.unwrap_or(1));
    let left = left.map(|left| (format!("about {} left", duration(left)), Role::Dim));
    [marked, slots, left].into_iter().flatten()
}

fn machine(meters: Option<&Reading>, clock: Option<Timestamp>) -> String {
    let meters = meters.map(|reading| {
        let Reading { cpu, memory_used, memory_total, .. } = reading;
        format!("cpu {cpu}%  mem {} of {}  ", bytes(*memory_used), bytes(*memory_total))
    });
    let time = clock.map(|clock| clock.local_time().chars().take(5).collect::<String>());
    format!("{}{} ", meters.unwrap_or_default(), time.unwrap_or_default())
}
