//! One frame: the panes that the layout has, each a function of state and area, and what lies over them.

use ratatui::buffer::Buffer;

use super::app::{App, Overlay};
use super::layout::Focus;
use super::pane::{self, Pane};
use super::picture::Placement;
use super::theme::Theme;

/// Draws `app` into `buf`, which has the size of its screen.
pub fn draw(app: &App, theme: &Theme, buf: &mut Buffer) {
    let layout = app.layout();
    let area = buf.area;
    let beside = pane::notices::headline(theme, layout.totals, buf, app);
    pane::totals::draw(theme, beside, buf, app);
    for (focus, area) in [(Focus::Queue, layout.queue), (Focus::Run, layout.run), (Focus::Bottom, layout.bottom)] {
        if let Some(area) = area {
            let focused = app.screen.focus == focus && app.overlay.is_none();
            app.pane(focus).draw(theme, area, buf, app, focused);
        }
    }
    if let Some(area) = layout.bottom {
        pane::tabs::draw(theme, area, buf, app);
    }
    pane::footer::draw(theme, layout.footer, buf, app);
    match &app.overlay {
        None | Some(Overlay::Prompt(_)) => {}
        Some(Overlay::Add(add)) => pane::add::draw(theme, area, buf, app, add),
        Some(Overlay::Question(question)) => pane::question::draw(theme, area, buf, app, question),
        Some(Overlay::Sort(sorting)) => pane::queue::sorting::draw(theme, area, buf, app, sorting),
        Some(Overlay::Palette(palette)) => pane::palette::draw(theme, area, buf, app, palette),
        Some(Overlay::Notices(scroll)) => pane::notices::draw(theme, area, buf, app, *scroll),
        Some(Overlay::Help(scroll)) => pane::help::draw(theme, area, buf, app, *scroll),
    }
    if theme.ascii {
        to_ascii(buf);
    }
}

/// The pictures of the frame that are no cells; none where something lies over the panes.
pub fn pictures(app: &App) -> Vec<Placement> {
    if !matches!(app.overlay, None | Some(Overlay::Prompt(_))) {
        return Vec::new();
    }
    let layout = app.layout();
    let area = layout.bottom.filter(|_| app.pane(Focus::Bottom) == Pane::Results);
    area.map_or_else(Vec::new, |area| pane::results::pictures(app, area))
}

/// Words from elsewhere may hold any character; a terminal that has only ASCII shows the nearest one.
fn to_ascii(buf: &mut Buffer) {
    for cell in buf.content.iter_mut().filter(|cell| !cell.symbol().is_ascii()) {
        cell.set_symbol(match cell.symbol() {
            "…" => "~",
            "→" => ">",
            "“" | "”" => "\"",
            "×" => "x",
            "±" => "+",
            "–" => "-",
            _ => "?",
        });
    }
}

#[cfg(test)]
mod tests;
