//! What came out of the chosen run: the confusion matrix with the figures of each class, what was misclassified, and what
//! augmentation makes of the training pictures.

mod matrix;
mod samples;
mod tiles;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::Pane;
use crate::record::event::Confusion;
use crate::record::state::RunState;
use crate::tui::action::{self, Effect, Motion};
use crate::tui::app::App;
use crate::tui::job::Job;
use crate::tui::keymap::key::{key, letter};
use crate::tui::keymap::{Binding, Scope, binding};
use crate::tui::layout::Focus;
use crate::tui::paint::{Row, frame};
use crate::tui::picture::{Album, Page, Placement, Setting, Slot};
use crate::tui::theme::{Role, Theme};
use crossterm::event::KeyCode;

/// What it shows.
#[derive(Debug, Default)]
pub struct Results {
    pub view: View,
    /// The cell of the matrix, true and predicted class; until one is chosen it is the commonest mistake.
    cell: Option<(usize, usize)>,
    /// The chosen one of the samples.
    sample: usize,
    album: Album,
    pub setting: Setting,
}

/// What of it is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum View {
    #[default]
    Confusion,
    Misclassified,
    Augmented,
}

impl View {
    const ALL: [View; 3] = [View::Confusion, View::Misclassified, View::Augmented];

    fn name(self) -> &'static str {
        match self {
            View::Confusion => "confusion",
            View::Misclassified => "misclassified",
            View::Augmented => "augmented",
        }
    }
}

/// What it alone understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    NextView,
    PreviousView,
    Left,
    Right,
}

/// Its keys.
pub const KEYS: &[Binding] = &[
    binding(
        Scope::Results,
        &[letter(']')],
        action::Action::Results(Action::NextView),
        "confusion matrix, misclassified and augmented samples in turn",
        Some("next view"),
    ),
    binding(Scope::Results, &[letter('[')], action::Action::Results(Action::PreviousView), "the view before", None),
    binding(
        Scope::Results,
        &[letter('h'), key(KeyCode::Left)],
        action::Action::Results(Action::Left),
        "cell or picture to the left",
        None,
    ),
    binding(
        Scope::Results,
        &[letter('l'), key(KeyCode::Right)],
        action::Action::Results(Action::Right),
        "cell or picture to the right",
        None,
    ),
];

/// Does what it alone understands.
pub fn update(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::NextView => turn(app, 1),
        Action::PreviousView => turn(app, View::ALL.len() - 1),
        Action::Left => step(app, Motion::Up),
        Action::Right => step(app, Motion::Down),
    }
    Vec::new()
}

fn turn(app: &mut App, by: usize) {
    let at = View::ALL.iter().position(|&view| view == app.results.view).unwrap_or(0);
    app.results.view = View::ALL[(at + by) % View::ALL.len()];
    app.results.sample = 0;
}

/// One cell or sample to the side.
fn step(app: &mut App, motion: Motion) {
    match app.results.view {
        View::Confusion => {
            let classes = confusion(app).map_or(0, Confusion::classes);
            let (label, predicted) = cell(app);
            app.results.cell = Some((label, motion.from(predicted, classes, 1)));
        }
        View::Misclassified | View::Augmented => {
            app.results.sample = motion.from(app.results.sample, samples::of_view(app).len(), 1);
        }
    }
}

/// Moves the cell up and down, or the chosen sample by rows and pages.
pub fn go(app: &mut App, motion: Motion, page: usize) -> Vec<Effect> {
    if app.results.view == View::Confusion {
        let classes = confusion(app).map_or(0, Confusion::classes);
        let (label, predicted) = cell(app);
        app.results.cell = Some((motion.from(label, classes, page), predicted));
        return Vec::new();
    }
    let (count, grid) = (samples::of_view(app).len(), area(app).and_then(|area| samples::grid(app, inside(area))));
    let [row, page] = grid.map_or([1, 1], |grid| [grid.columns, grid.columns * grid.rows]);
    let at = app.results.sample;
    let to = match motion {
        Motion::Up => at.checked_sub(row).unwrap_or(at),
        Motion::Down => at + row,
        Motion::PageUp => at.saturating_sub(page),
        Motion::PageDown => at + page,
        Motion::First => 0,
        Motion::Last => usize::MAX,
    };
    app.results.sample = to.min(count.saturating_sub(1));
    Vec::new()
}

/// A click on a cell or a sample chooses it.
pub fn click(app: &mut App, area: Rect, position: Position) -> Vec<Effect> {
    let inside = inside(area);
    if app.results.view == View::Confusion {
        let hit = confusion(app).and_then(|confusion| {
            let plan = matrix::Plan::of(confusion, names(app.run()?), cell(app), inside);
            plan.at(position)
        });
        app.results.cell = hit.or(app.results.cell);
    } else if let Some(at) = tiles::at(&samples::visible(app, inside), position) {
        app.results.sample = at;
    }
    Vec::new()
}

/// Another run is chosen, or another tab.
pub fn chosen(app: &mut App) -> Vec<Effect> {
    app.results.cell = None;
    app.results.sample = 0;
    app.results.album.clear();
    Vec::new()
}

/// A thread made pictures ready.
pub fn hear(app: &mut App, page: Page) -> Vec<Effect> {
    app.results.album.take(page);
    Vec::new()
}

/// The pictures that are to be shown and are not there yet are asked for.
pub fn follow(app: &mut App) -> Vec<Effect> {
    let Some(area) = area(app) else { return Vec::new() };
    let wanted: Vec<_> = tiles::of(app, inside(area)).iter().filter_map(|tile| tile.request(app)).collect();
    let missing = app.results.album.missing(&wanted);
    if missing.is_empty() { Vec::new() } else { vec![Effect::Do(Job::Pictures(missing))] }
}

/// The pictures beside the cells of its `area`.
pub fn pictures(app: &App, area: Rect) -> Vec<Placement> {
    tiles::of(app, inside(area)).iter().filter_map(|tile| tile.placement(app)).collect()
}

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, focused: bool) {
    let titles = titles(theme, app);
    let title: Vec<_> = titles.iter().map(|(text, style)| (text.as_str(), *style)).collect();
    let inner = frame(buf, area, &title, focused, theme);
    let Some(run) = app.run() else { return };
    match app.results.view {
        View::Confusion => match confusion(app) {
            Some(confusion) => {
                let plan = matrix::Plan::of(confusion, names(run), cell(app), inner);
                let is_light = app.terminal.background.is_some_and(|background| background.is_light());
                plan.draw(theme, buf, is_light);
                tiles::draw(theme, buf, app, &tiles::of(app, inner));
                samples::draw_lines(theme, buf, app, plan.below());
            }
            None => say(theme, inner, buf, "no epoch is over yet"),
        },
        View::Misclassified | View::Augmented if samples::of_view(app).is_empty() => {
            say(theme, inner, buf, samples::why_none(app.results.view));
        }
        View::Misclassified | View::Augmented => samples::draw(theme, inner, buf, app),
    }
}

fn titles(theme: &Theme, app: &App) -> Vec<(String, ratatui::style::Style)> {
    let mut titles = vec![("Results".to_owned(), theme.style(Role::Strong))];
    for view in View::ALL {
        let role = if view == app.results.view { Role::Accent } else { Role::Dim };
        let count = match (view, app.run()) {
            (View::Misclassified, Some(run)) => run.training.misclassified.len(),
            (View::Augmented, Some(run)) => run.training.augmented.len(),
            _ => 0,
        };
        let count = if count > 0 { format!(" {count}") } else { String::new() };
        let [left, right] = if view == app.results.view { ["[", "]"] } else { [" ", " "] };
        titles.push((format!(" {left}{}{count}{right}", view.name()), theme.style(role)));
    }
    titles
}

fn say(theme: &Theme, inner: Rect, buf: &mut Buffer, text: &str) {
    Row::new(buf, inner, 0).gap(1).put(text, theme.style(Role::Dim));
}

fn confusion(app: &App) -> Option<&Confusion> {
    app.run()?.training.confusion.as_deref()
}

/// The chosen cell of the matrix, which is one that there is.
fn cell(app: &App) -> (usize, usize) {
    let Some(confusion) = confusion(app) else { return (0, 0) };
    let last = confusion.classes().saturating_sub(1);
    let (label, predicted) = app.results.cell.or_else(|| confusion.commonest_mistake()).unwrap_or((0, 0));
    (label.min(last), predicted.min(last))
}

/// Names of the classes, as far as they are known.
fn names(run: &RunState) -> &[String] {
    run.training.plan.as_ref().map_or(&[], |plan| &plan.classes)
}

/// Where on the screen it is, if it is shown.
fn area(app: &App) -> Option<Rect> {
    app.layout().bottom.filter(|_| app.pane(Focus::Bottom) == Pane::Results)
}

/// What the frame around `area` leaves.
fn inside(area: Rect) -> Rect {
    match area.width < 3 || area.height < 2 {
        true => area,
        false => Rect::new(area.x + 1, area.y + 1, area.width - 2, area.height - 2),
    }
}

#[cfg(test)]
mod tests;
