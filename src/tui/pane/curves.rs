//! The chosen run: where it stands in words, and its curves.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::record::event::{Epoch, Stage};
use crate::record::state::{RunState, Status};
use crate::record::steps::StepColumn;
use crate::record::words;
use crossterm::event::KeyCode;

use crate::tui::action::{Action as Any, Effect, Motion};
use crate::tui::app::App;
use crate::tui::chart::Chart;
use crate::tui::chart::marks::{self, Kind};
use crate::tui::format;
use crate::tui::keymap::key::key;
use crate::tui::keymap::{Binding, Scope, binding};
use crate::tui::layout::Room;
use crate::tui::paint::{Row, frame, wrapped};
use crate::tui::theme::{Role, Theme};

/// Columns of a bar.
const BAR: u16 = 20;

/// What it shows.
#[derive(Debug, Default)]
pub struct Curves {
    /// Which chart is shown where only one fits.
    pub chart: Measure,
}

/// What a chart shows.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    #[default]
    Loss,
    Accuracy,
}

/// What it alone understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    OtherChart,
}

/// Its keys.
pub const KEYS: &[Binding] = &[binding(
    Scope::Panes,
    &[key(KeyCode::Left), key(KeyCode::Right)],
    Any::Curves(Action::OtherChart),
    "loss or accuracy, where one chart fits",
    None,
)];

/// Does what it alone understands.
pub fn update(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::OtherChart => {
            app.curves.chart = match app.curves.chart {
                Measure::Loss => Measure::Accuracy,
                Measure::Accuracy => Measure::Loss,
            }
        }
    }
    Vec::new()
}

/// Up and down lead to other runs.
pub fn go(app: &mut App, motion: Motion, page: usize) -> Vec<Effect> {
    app.runs.go(motion, page);
    Vec::new()
}

/// A click in its area.
pub fn click(_app: &mut App, _area: Rect, _position: Position) -> Vec<Effect> {
    Vec::new()
}

/// A turn of the wheel over it.
pub fn wheel(_app: &mut App, _area: Rect, _position: Position, _motion: Motion) -> Vec<Effect> {
    Vec::new()
}

/// Another run is chosen.
pub fn chosen(_app: &mut App) -> Vec<Effect> {
    Vec::new()
}

/// Draws it: both charts side by side where there is room, else one.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, focused: bool) {
    let only = (app.layout().room != Room::Wide).then_some(app.curves.chart);
    let Some(run) = app.run() else {
        let inner = frame(buf, area, &[("Run", theme.style(Role::Strong))], focused, theme);
        Row::new(buf, inner, 0).gap(1).put("no run is chosen", theme.style(Role::Dim));
        return;
    };
    let name = format!("{} {}  ", run.id, run.name);
    let progress = format::progress(run).join("  ");
    let title = [(name.as_str(), theme.style(Role::Strong)), (progress.as_str(), theme.style(Role::Plain))];
    let inner = frame(buf, area, &title, focused, theme);
    let inner = Rect { x: inner.x + 1.min(inner.width), width: inner.width.saturating_sub(2), ..inner };
    let used = said(theme, inner, buf, run);
    let rest = Rect { y: inner.y + used, height: inner.height - used, ..inner };
    if !run.training.epochs.is_empty() || !run.training.steps.is_empty() {
        charts(theme, rest, buf, run, only);
    }
}

/// Writes where the run stands, and gives the lines that this took.
fn said(theme: &Theme, area: Rect, buf: &mut Buffer, run: &RunState) -> u16 {
    let separator = theme.pick("·", "-");
    let mut lines: Vec<(String, Role)> = Vec::new();
    match run.status() {
        Status::Queued if run.life.attempts > 0 => lines.push(("waits to be tried again".into(), Role::Dim)),
        Status::Queued => lines.push(("waits for a free slot".into(), Role::Dim)),
        Status::Starting => lines.push(("its worker is starting".into(), Role::Dim)),
        Status::Running | Status::Paused => {
            if let Some(stage) = &run.training.stage {
                return stage_bar(theme, area, buf, stage);
            }
            // In a new phase the callbacks start over, and say nothing before its first epoch.
            let last = run.training.epochs.last().filter(|epoch| Some(epoch.phase.as_str()) == run.training.phase());
            let callbacks = last.map(|epoch| format::nearness(&epoch.callbacks, separator));
            lines.extend(callbacks.filter(|words| !words.is_empty()).map(|words| (words, Role::Accent)));
        }
        status @ (Status::Finished | Status::Cancelled | Status::Failed | Status::Lost) => {
            let role = if status == Status::Failed { Role::Bad } else { Role::Good };
            lines.extend(format::ending(run).map(|words| (words, role)));
            let summary = format::summary(run, separator);
            if !summary.is_empty() {
                lines.push((summary, Role::Plain));
            }
            let hint = run.training.failed.as_ref().and_then(|failed| failed.hint.clone());
            lines
                .extend(hint.filter(|_| status == Status::Failed).map(|hint| (format!("hint: {hint}"), Role::Warning)));
        }
    }
    let lines = lines
        .iter()
        .flat_map(|(text, role)| wrapped(text, usize::from(area.width)).into_iter().map(|line| (line, *role)));
    let most = (area.height / 3).max(1).min(area.height);
    let mut used = 0;
    for (row, (line, role)) in (0..most).zip(lines) {
        Row::new(buf, area, row).put(&line, theme.style(role));
        used = row + 1;
    }
    used
}

/// `features  340/488 pictures  ████████░░░░`.
fn stage_bar(theme: &Theme, area: Rect, buf: &mut Buffer, stage: &Stage) -> u16 {
    let Stage { name, done, total, .. } = stage;
    let share = *done as f64 / (*total).max(1) as f64;
    let full = (share.clamp(0.0, 1.0) * f64::from(BAR)).round() as usize;
    let bar = theme.pick("█", "#").repeat(full) + &theme.pick("░", ".").repeat(usize::from(BAR) - full);
    Row::new(buf, area, 0)
        .put(name, theme.style(Role::Live))
        .gap(2)
        .put(&words::progress(stage), theme.style(Role::Plain))
        .gap(2)
        .put(&bar, theme.style(Role::Live));
    1.min(area.height)
}

fn charts(theme: &Theme, area: Rect, buf: &mut Buffer, run: &RunState, only: Option<Measure>) {
    let legend_height = u16::from(area.height >= 12);
    let area = Rect { height: area.height - legend_height, ..area };
    match only {
        Some(measure) => chart(theme, area, buf, run, measure),
        None => {
            let half = area.width.saturating_sub(2) / 2;
            chart(theme, Rect { width: half, ..area }, buf, run, Measure::Loss);
            let right = Rect { x: area.x + area.width - half, width: half, ..area };
            chart(theme, right, buf, run, Measure::Accuracy);
        }
    }
    if legend_height > 0 {
        legend(theme, Rect { y: area.y + area.height, height: 1, ..area }, buf, run);
    }
}

fn chart(theme: &Theme, area: Rect, buf: &mut Buffer, run: &RunState, measure: Measure) {
    let training = &run.training;
    let points = |value: fn(&Epoch) -> f64| -> Vec<(f64, f64)> {
        training.epochs.iter().map(|epoch| (f64::from(epoch.epoch), value(epoch))).collect()
    };
    let (title, train, val) = match measure {
        Measure::Loss => ("loss", points(|epoch| epoch.loss), points(|epoch| epoch.val_loss)),
        Measure::Accuracy => ("accuracy", points(|epoch| epoch.accuracy), points(|epoch| epoch.val_accuracy)),
    };
    let values = training.steps.column(match measure {
        Measure::Loss => StepColumn::Loss,
        Measure::Accuracy => StepColumn::Accuracy,
    });
    let steps: Vec<(f64, f64)> = training.steps.place().iter().zip(values.iter()).collect();
    let marks = marks::of(training);
    let chart =
        Chart { title, steps: &steps, train: &train, val: &val, last_epoch: format::last_epoch(run), marks: &marks };
    chart.draw(theme, area, buf);
}

/// The kinds of marks that are there.
fn legend(theme: &Theme, area: Rect, buf: &mut Buffer, run: &RunState) {
    let marks = marks::of(&run.training);
    let mut row = Row::new(buf, area, 0);
    for kind in Kind::ALL.into_iter().filter(|&kind| marks.iter().any(|mark| mark.kind == kind)) {
        let (glyph, role) = theme.mark(kind);
        row.put(glyph, theme.style(role)).gap(1).put(kind.name(), theme.style(Role::Dim)).gap(2);
    }
}
