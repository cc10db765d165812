//! The top line: how many runs are in which state, and how busy the machine is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::clock::Timestamp;
use crate::base::text::bytes;
use crate::tui::app::App;
use crate::tui::meters::Reading;
use crate::tui::paint::{Row, columns};
use crate::tui::theme::{Role, Theme};

/// Draws the line; the machine's part is left out where there is no room for all of it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App) {
    let (totals, machine) = (app.runs.totals(), machine(app.meters.as_ref(), app.clock));
    let mut row = Row::new(buf, area, 0);
    row.put(" finetop", theme.style(Role::Strong)).gap(2);
    for (count, name, role) in [
        (totals.running, "running", Role::Live),
        (totals.queued, "queued", Role::Plain),
        (totals.done + totals.cancelled, "done", Role::Good),
        (totals.failed, "failed", Role::Bad),
    ] {
        let text = format!("{count} {name}");
        if columns(&text) <= row.left() {
            row.put(&text, theme.style(if count == 0 { Role::Dim } else { role })).gap(2);
        }
    }
    row.right(&machine, theme.style(Role::Dim));
}

fn machine(meters: Option<&Reading>, clock: Option<Timestamp>) -> String {
    let meters = meters.map(|reading| {
        let Reading { cpu, memory_used, memory_total } = reading;
        format!("cpu {cpu}%  mem {} of {}  ", bytes(*memory_used), bytes(*memory_total))
    });
    let time = clock.map(|clock| clock.local_time().chars().take(5).collect::<String>());
    format!("{}{} ", meters.unwrap_or_default(), time.unwrap_or_default())
}
