//! The chosen run: where it stands in words, and its curves.

mod crosshair;
mod draw;
mod grid;
mod header;
mod sheet;
mod state;
mod window;

use crossterm::event::KeyCode;
use ratatui::layout::{Position, Rect};

pub use self::draw::draw;
use self::sheet::{Sheet, View};
pub use self::state::{Look, Sight};
use crate::record::state::RunState;
use crate::tui::action::{Action as Any, Effect, Motion};
use crate::tui::app::App;
use crate::tui::chart::marks::{self, Mark};
use crate::tui::keymap::key::{Key, key, letter};
use crate::tui::keymap::{Binding, Scope, binding};
use crate::tui::theme::Theme;

/// What it shows.
#[derive(Debug, Default)]
pub struct Curves {
    pub look: Look,
    pub sight: Sight,
    /// On the full screen the chosen chart is alone.
    pub alone: bool,
}

/// What it alone understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The chosen chart on the full screen, and back.
    Enlarge,
    /// All charts on the full screen, and back.
    Zoom,
    /// To the next chart, or the one before; with the crosshair on, that goes aside instead.
    Aside(Way),
    Chart(Way),
    Crosshair,
    Mark(Way),
    Axis,
    Measure,
    Smoothing,
    Dots,
    Hide,
    ShowAll,
    ZoomIn,
    ZoomOut,
    Pan(Way),
    All,
    /// To the events of the crosshair's epoch.
    ToEvents,
}

/// A way along the axis, or through the charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Back,
    On,
}

const CLOSER: &[Key] = &[letter('+'), letter('=')];
const FARTHER: &[Key] = &[letter('-'), letter('_')];
const BACKWARD: &[Key] = &[letter('<'), letter('H')];
const FORWARD: &[Key] = &[letter('>'), letter('L')];
const LEFT: &[Key] = &[key(KeyCode::Left)];
const RIGHT: &[Key] = &[key(KeyCode::Right)];

const fn row(keys: &'static [Key], action: Action, help: &'static str, footer: Option<&'static str>) -> Binding {
    binding(Scope::Curves, keys, Any::Curves(action), help, footer)
}

/// Its keys.
pub const KEYS: &[Binding] = &[
    row(&[key(KeyCode::Enter)], Action::Enlarge, "the chosen chart on the full screen, and back", Some("open")),
    row(&[letter('x')], Action::Crosshair, "crosshair with exact values, on and off", Some("crosshair")),
    row(&[letter('i')], Action::ToEvents, "the events of the crosshair's epoch", Some("events")),
    row(CLOSER, Action::ZoomIn, "zoom in", Some("zoom in")),
    row(FARTHER, Action::ZoomOut, "zoom out", None),
    row(BACKWARD, Action::Pan(Way::Back), "pan back", Some("pan")),
    row(FORWARD, Action::Pan(Way::On), "pan on; at the end, follow the run", None),
    row(&[letter('0')], Action::All, "the whole run", Some("all")),
    row(&[letter('X')], Action::Axis, "along steps, epochs or time", Some("axis")),
    row(&[letter('y')], Action::Measure, "logarithms, and back", Some("log scale")),
    row(&[letter('m')], Action::Smoothing, "smoothing: none, .3, .6, .9", Some("smooth")),
    row(LEFT, Action::Aside(Way::Back), "chart before; crosshair to the left", None),
    row(RIGHT, Action::Aside(Way::On), "next chart; crosshair to the right", None),
    row(&[letter('[')], Action::Chart(Way::Back), "chart before", None),
    row(&[letter(']')], Action::Chart(Way::On), "next chart", None),
    row(&[letter('n')], Action::Mark(Way::On), "crosshair to the next mark", None),
    row(&[letter('N')], Action::Mark(Way::Back), "crosshair to the mark before", None),
    row(&[letter('b')], Action::Dots, "braille, blocks or letters", None),
    row(&[letter('v')], Action::Hide, "hide the chosen chart", None),
    row(&[letter('V')], Action::ShowAll, "show all charts, speed too; the usual ones", None),
    row(&[letter('z'), letter('f')], Action::Zoom, "all charts on the full screen, and back", None),
    binding(Scope::Panes, LEFT, Any::Curves(Action::Chart(Way::Back)), "chart before, where not all fit", None),
    binding(Scope::Panes, RIGHT, Any::Curves(Action::Chart(Way::On)), "next chart, where not all fit", None),
];

impl Curves {
    /// Puts the crosshair on the end of an epoch and brings it into view.
    pub fn show_epoch(&mut self, epoch: u32) {
        self.sight.cursor = Some(f64::from(epoch.max(1)));
    }

    /// The epoch that the crosshair is in.
    pub fn cursor_epoch(&self) -> Option<u32> {
        self.sight.cursor.map(crosshair::epoch)
    }

    fn view<'a>(&'a self, run: &'a RunState, marks: &'a [Mark]) -> View<'a> {
        let window = self.sight.window(self.look.axis);
        View { run, look: &self.look, window, cursor: self.sight.cursor, marks }
    }

    /// The charts of a run that are not hidden, and which of them is chosen.
    fn sheets(&self, run: &RunState) -> (Vec<Sheet>, usize) {
        let sheets = sheet::shown(&run.training, &self.look);
        let chosen = sheets.iter().position(|sheet| sheet.name == self.look.chart).unwrap_or(0);
        (sheets, chosen)
    }
}

/// Does what it alone understands.
pub fn update(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::Enlarge => {
            let is_alone = app.screen.zoomed && app.curves.alone;
            app.curves.alone = !is_alone;
            app.screen.zoomed = !is_alone;
        }
        Action::Zoom => {
            app.curves.alone = false;
            app.screen.zoomed = !app.screen.zoomed;
        }
        Action::Axis => app.curves.look.axis = app.curves.look.axis.next(),
        Action::Smoothing => app.curves.look.smoothing = app.curves.look.smoothing.next(),
        Action::Dots => app.curves.look.dots = app.curves.look.dots.next(),
        Action::ShowAll => app.curves.look.show_all(),
        Action::ToEvents => {
            let last = app.run().and_then(|run| run.training.epochs.last()).map_or(0, |epoch| epoch.epoch);
            let epoch = app.curves.cursor_epoch().unwrap_or(last);
            return super::events::show_epoch(app, epoch);
        }
        action => {
            if let Some(run) = app.run().cloned() {
                on_run(app, &run, action);
            }
        }
    }
    Vec::new()
}

/// Does what depends on the run.
fn on_run(app: &mut App, run: &RunState, action: Action) {
    match action {
        Action::Chart(way) => choose_beside(&mut app.curves, run, way),
        Action::Aside(way) => match app.curves.sight.cursor {
            Some(from) => move_crosshair(app, run, from, way),
            None => choose_beside(&mut app.curves, run, way),
        },
        Action::Crosshair => {
            let newest = crosshair::newest(&run.training);
            let end = run.training.epochs.last().map_or(newest, |epoch| f64::from(epoch.epoch));
            let sight = &mut app.curves.sight;
            sight.cursor = if sight.cursor.is_some() || newest <= 0.0 { None } else { Some(end) };
        }
        Action::Mark(way) => {
            let marks = marks::of(run);
            let start = if way == Way::On { 0.0 } else { f64::INFINITY };
            let from = app.curves.sight.cursor.unwrap_or(start);
            let found = crosshair::mark(&marks, from, way);
            app.curves.sight.cursor = found.or(app.curves.sight.cursor);
        }
        Action::Measure | Action::Hide => {
            let (sheets, chosen) = app.curves.sheets(run);
            let Some(sheet) = sheets.get(chosen) else { return };
            if action == Action::Measure {
                app.curves.look.turn_measure(&sheet.name);
            } else if sheets.len() > 1 {
                app.curves.look.hidden.insert(sheet.name.clone());
                let next = sheets.get(chosen + 1).or(sheets.get(chosen.wrapping_sub(1)));
                app.curves.look.chart = next.map(|sheet| sheet.name.clone()).unwrap_or_default();
            }
        }
        Action::ZoomIn | Action::ZoomOut => zoom(&mut app.curves, run, action == Action::ZoomIn, None),
        Action::Pan(way) => {
            let axis = app.curves.look.axis;
            let extent = sheet::extent(run, axis);
            let seen = seen(&app.curves, run);
            *app.curves.sight.window_mut(axis) = seen.panned(extent, way);
            // What is panned away from is not held on to.
            let window = app.curves.sight.window(axis).on(extent);
            keep_inside(&mut app.curves, run, window);
        }
        Action::All => *app.curves.sight.window_mut(app.curves.look.axis) = window::Window::All,
        Action::Enlarge | Action::Zoom | Action::Axis | Action::Smoothing | Action::Dots => {}
        Action::ShowAll | Action::ToEvents => {}
    }
}

/// The window as it is seen: with the crosshair inside.
fn seen(curves: &Curves, run: &RunState) -> window::Window {
    let extent = sheet::extent(run, curves.look.axis);
    let view = curves.view(run, &[]);
    let at = view.cursor.map(|place| view.x(place));
    at.map_or(view.window, |x| view.window.holding(extent, x))
}

/// Brings the crosshair to the nearest edge of a window that it was left out of.
fn keep_inside(curves: &mut Curves, run: &RunState, (left, right): (f64, f64)) {
    let Some(cursor) = curves.sight.cursor else { return };
    let x = curves.view(run, &[]).x(cursor);
    if !(left..=right).contains(&x) {
        let inside = x.clamp(left, right.max(left));
        let place = crate::tui::chart::history::place(&run.training, curves.look.axis, inside);
        curves.sight.cursor = Some(place.min(crosshair::newest(&run.training)));
    }
}

/// Zooms; what lies at `still`, else under the crosshair, stays where it is.
fn zoom(curves: &mut Curves, run: &RunState, closer: bool, still: Option<f64>) {
    const TIMES: f64 = 1.5;
    let axis = curves.look.axis;
    let extent = sheet::extent(run, axis);
    let at = curves.sight.cursor.map(|place| curves.view(run, &[]).x(place));
    let times = if closer { 1.0 / TIMES } else { TIMES };
    let window = seen(curves, run).zoomed(extent, times, still.or(at));
    *curves.sight.window_mut(axis) = window;
    keep_inside(curves, run, window.on(extent));
}

fn choose_beside(curves: &mut Curves, run: &RunState, way: Way) {
    let (sheets, chosen) = curves.sheets(run);
    let count = sheets.len().max(1);
    let beside = if way == Way::On { chosen + 1 } else { chosen + count - 1 } % count;
    curves.look.chart = sheets.get(beside).map(|sheet| sheet.name.clone()).unwrap_or_default();
}

fn move_crosshair(app: &mut App, run: &RunState, from: f64, way: Way) {
    let columns = app.layout().run.map_or(1, |area| area.width);
    let view = app.curves.view(run, &[]);
    let to = crosshair::beside(&run.training, app.curves.look.axis, view.ends(), columns, from, way);
    app.curves.sight.cursor = Some(to);
}

/// Up and down lead to other runs.
pub fn go(app: &mut App, motion: Motion, page: usize) -> Vec<Effect> {
    app.runs.go(motion, page);
    Vec::new()
}

/// A click in its area chooses a chart, and moves the crosshair there.
pub fn click(app: &mut App, area: Rect, position: Position) -> Vec<Effect> {
    if let (Some((name, x)), Some(run)) = (pointed_at(app, area, position), app.run().cloned()) {
        app.curves.look.chart = name;
        if let (Some(x), true) = (x, app.curves.sight.cursor.is_some()) {
            let place = crate::tui::chart::history::place(&run.training, app.curves.look.axis, x);
            let is_by_epoch = app.curves.view(&run, &[]).ends().1 >= 4.0 && place > 1.0;
            let place = if is_by_epoch && app.curves.look.axis == Default::default() { place.round() } else { place };
            app.curves.sight.cursor = Some(place.clamp(0.0, crosshair::newest(&run.training)));
        }
    }
    Vec::new()
}

/// A turn of the wheel over it zooms at what is pointed at.
pub fn wheel(app: &mut App, area: Rect, position: Position, motion: Motion) -> Vec<Effect> {
    let found = pointed_at(app, area, position);
    if let (Some((_, Some(x))), Some(run)) = (found, app.run().cloned()) {
        zoom(&mut app.curves, &run, motion == Motion::Up, Some(x));
    }
    Vec::new()
}

/// The chart at a position, and what its horizontal axis says there.
fn pointed_at(app: &App, area: Rect, position: Position) -> Option<(String, Option<f64>)> {
    // Where lines lie is the same in all themes but for their letters.
    let theme = Theme::plain();
    let run = app.run()?;
    let places = draw::places(app, &theme, area, run);
    let (sheet, place) = places.into_iter().find(|(_, place)| place.contains(position))?;
    let marks = marks::of(run);
    let view = app.curves.view(run, &marks);
    let x = view.chart(&sheet, place.width, false, |chart| {
        let plot = chart.plot(&theme, place)?;
        Some(chart.x_at(plot, position.x))
    });
    Some((sheet.name, x))
}

/// Another run is chosen.
pub fn chosen(app: &mut App) -> Vec<Effect> {
    let run = app.runs.chosen();
    if app.curves.sight.run != run {
        app.curves.sight = Sight::of(run);
    }
    Vec::new()
}

#[cfg(test)]
mod tests;
