//! One frame: the panes that the layout has, each a function of state and area, and what lies over them.

use ratatui::buffer::Buffer;

use super::app::{App, Overlay, Tab};
use super::layout::{Focus, Room};
use super::pane;
use super::theme::Theme;

/// Draws `app` into `buf`, which has the size of its screen.
pub fn draw(app: &App, theme: &Theme, buf: &mut Buffer) {
    let layout = app.layout();
    let area = buf.area;
    let focus = |place| app.screen.focus == place && app.overlay.is_none();
    let run = app.runs.chosen().map(|run| &**run);
    pane::totals::draw(theme, layout.totals, buf, &app.runs.totals(), app.meters.as_ref(), app.clock);
    if let Some(area) = layout.queue {
        pane::queue::draw(theme, area, buf, &app.runs, app.clock, focus(Focus::Queue));
    }
    if let Some(area) = layout.run {
        let both = layout.room == Room::Wide;
        pane::run::draw(theme, area, buf, run, (!both).then_some(app.screen.chart), focus(Focus::Run));
    }
    if let Some(area) = layout.bottom {
        let focused = focus(Focus::Bottom);
        match app.bottom.tab {
            Tab::Events => pane::events::draw(theme, area, buf, run, app.bottom.scroll, focused),
            Tab::Log => {
                let lines = app.bottom.log.as_ref().filter(|(id, _)| run.is_some_and(|run| run.id == *id));
                pane::log::draw(theme, area, buf, lines.map(|(_, lines)| lines.as_slice()), app.bottom.scroll, focused);
            }
        }
    }
    pane::footer::draw(theme, layout.footer, buf, app);
    match &app.overlay {
        None | Some(Overlay::Filter) => {}
        Some(Overlay::Picker(picker)) => pane::picker::draw(theme, area, buf, picker),
        Some(Overlay::Cancel(id)) => pane::question::draw(theme, area, buf, app.runs.get(*id).map(|run| &**run), *id),
        Some(Overlay::Help(scroll)) => pane::help::draw(theme, area, buf, *scroll),
    }
    if theme.ascii {
        to_ascii(buf);
    }
}

/// Words from elsewhere may hold any character; a terminal that has only ASCII shows the nearest one.
fn to_ascii(buf: &mut Buffer) {
    for cell in buf.content.iter_mut().filter(|cell| !cell.symbol().is_ascii()) {
        cell.set_symbol(match cell.symbol() {
            "…" => "~",
            "→" => ">",
            "“" | "”" => "\"",
            "×" => "x",
            _ => "?",
        });
    }
}

#[cfg(test)]
mod tests;
