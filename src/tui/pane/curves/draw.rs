//! How the pane looks: title, words, charts, legend.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::sheet::Sheet;
use super::state::Smoothing;
use super::{crosshair, grid, header};
use crate::record::state::RunState;
use crate::tui::app::App;
use crate::tui::chart::look;
use crate::tui::chart::marks::{self, Kind, Mark};
use crate::tui::chart::raster::Ink;
use crate::tui::format;
use crate::tui::paint::{Row, columns, frame};
use crate::tui::theme::{Role, Theme};

/// Rows from which on there is one for the legend.
const LEGEND: u16 = 12;

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, focused: bool) {
    let Some(run) = app.run() else {
        let inner = frame(buf, area, &[("Run", theme.style(Role::Strong))], focused, theme);
        let words = if app.runs.chosen().is_some() { "it is being read" } else { "no run is chosen" };
        Row::new(buf, inner, 0).gap(1).put(words, theme.style(Role::Dim));
        return;
    };
    let name = format!("{} {}  ", run.id, run.name);
    let progress = fitting(format::progress(run), area.width.saturating_sub(columns(&name) + 6));
    let title = [(name.as_str(), theme.style(Role::Strong)), (progress.as_str(), theme.style(Role::Plain))];
    let inner = frame(buf, area, &title, focused, theme);
    let inner = padded(inner);
    header::draw(theme, inner, buf, app, run);
    if !has_curves(run) {
        return;
    }
    let (charts, legend_row) = parts(app, theme, area, run);
    let marks = marks::of(run);
    let view = app.curves.view(run, &marks);
    let (sheets, chosen) = app.curves.sheets(run);
    let places = placed(app, charts, sheets.len(), chosen);
    let is_one = places.len() == 1;
    for (n, place) in places {
        let Some(sheet) = sheets.get(n) else { continue };
        let is_chosen = focused && n == chosen && !is_one;
        view.chart(sheet, place.width, is_chosen, |chart| chart.draw(theme, place, buf));
    }
    let Some(row) = legend_row else { return };
    match app.curves.sight.cursor {
        Some(place) => under(theme, row, buf, run, &marks, place),
        None => legend(theme, row, buf, app, run, &marks, (chosen, sheets.len(), is_one)),
    }
}

/// The words of the title that fit: speed, step and phase are left out before the rest.
fn fitting(progress: format::Progress, columns: u16) -> String {
    let format::Progress { mut phase, epoch, mut step, mut speed, eta } = progress;
    loop {
        let words: Vec<&str> =
            [&phase, &epoch, &step, &speed, &eta].into_iter().flatten().map(String::as_str).collect();
        let text = words.join("  ");
        let is_cut = crate::base::text::width(&text) > usize::from(columns);
        match (is_cut, &speed, &step, &phase) {
            (true, Some(_), ..) => speed = None,
            (true, None, Some(_), _) => step = None,
            (true, None, None, Some(_)) => phase = None,
            _ => return text,
        }
    }
}

/// The charts in an area of the pane, each with its place.
pub fn places(app: &App, theme: &Theme, area: Rect, run: &RunState) -> Vec<(Sheet, Rect)> {
    if !has_curves(run) {
        return Vec::new();
    }
    let (charts, _) = parts(app, theme, area, run);
    let (sheets, chosen) = app.curves.sheets(run);
    let places = placed(app, charts, sheets.len(), chosen);
    places.into_iter().filter_map(|(n, place)| Some((sheets.get(n)?.clone(), place))).collect()
}

fn placed(app: &App, area: Rect, charts: usize, chosen: usize) -> Vec<(usize, Rect)> {
    if app.screen.zoomed && app.curves.alone {
        return vec![(chosen, area)];
    }
    grid::places(area, charts, chosen)
}

fn has_curves(run: &RunState) -> bool {
    !run.training.epochs.is_empty() || !run.training.steps.is_empty()
}

/// What lies inside of a frame, with a column free at both sides.
fn padded(inner: Rect) -> Rect {
    Rect { x: inner.x + 1.min(inner.width), width: inner.width.saturating_sub(2), ..inner }
}

/// Where the charts go, and the line below them.
fn parts(app: &App, theme: &Theme, area: Rect, run: &RunState) -> (Rect, Option<Rect>) {
    let inner = match area.width < 3 || area.height < 2 {
        true => area,
        false => Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 },
    };
    let inner = padded(inner);
    let used = header::height(theme, inner, app, run);
    let rest = Rect { y: inner.y + used, height: inner.height - used, ..inner };
    let legend = u16::from(rest.height >= LEGEND || (app.curves.sight.cursor.is_some() && rest.height > 2));
    let charts = Rect { height: rest.height - legend, ..rest };
    (charts, (legend > 0).then_some(Rect { y: charts.y + charts.height, height: 1, ..rest }))
}

/// The lines and the kinds of marks that are there, and which of the charts is seen.
fn legend(
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
    app: &App,
    run: &RunState,
    marks: &[Mark],
    (chosen, charts, is_one): (usize, usize, bool),
) {
    let look = &app.curves.look;
    let mut row = Row::new(buf, area, 0);
    let smooth = look.smoothing != Smoothing::Off;
    let steps = !run.training.steps.is_empty();
    let lines = [(Ink::Steps, "steps", steps), (Ink::Smooth, "steps, smooth", steps && smooth)];
    for (ink, name, _) in lines.into_iter().filter(|&(.., is_there)| is_there) {
        row.put(look::swatch(theme, look.dots, ink), look::of(theme, ink).style);
        row.gap(1).put(name, theme.style(Role::Dim)).gap(2);
    }
    for kind in Kind::ALL.into_iter().filter(|&kind| marks.iter().any(|mark| mark.kind == kind)) {
        let (glyph, role) = kind.look(theme);
        row.put(glyph, theme.style(role)).gap(1).put(kind.name(), theme.style(Role::Dim)).gap(2);
    }
    let mut words = Vec::new();
    if smooth {
        words.push(format!("smooth {}", crate::base::text::metric(look.smoothing.weight()).trim_end_matches('0')));
    }
    words.push(look.axis.name().to_owned());
    if is_one && charts > 1 {
        words.push(format!("{}/{charts}", chosen + 1));
    }
    row.right(&words.join("  "), theme.style(Role::Dim));
}

/// What the crosshair is on.
fn under(theme: &Theme, area: Rect, buf: &mut Buffer, run: &RunState, marks: &[Mark], place: f64) {
    let mut row = Row::new(buf, area, 0);
    for (n, words) in crosshair::words(&run.training, marks, place).iter().enumerate() {
        let role = if n == 0 { Role::Strong } else { Role::Plain };
        row.put(words, theme.style(role)).gap(2);
    }
}
