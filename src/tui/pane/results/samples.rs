//! Samples of the chosen run: as pictures where there are any, else line by line with their texts.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::tiles::{Grid, Tile};
use super::{View, cell, confusion, matrix, names, tiles};
use crate::base::text::metric;
use crate::record::event::Sample;
use crate::tui::app::App;
use crate::tui::paint::{Row, wrapped};
use crate::tui::picture::Protocol;
use crate::tui::theme::{Role, Theme};

/// Lines of a text that are shown.
const LINES: usize = 4;

/// The samples of the view.
pub fn of_view(app: &App) -> &[Sample] {
    let Some(run) = app.run() else { return &[] };
    match app.results.view {
        View::Confusion | View::Misclassified => &run.training.misclassified,
        View::Augmented => &run.training.augmented,
    }
}

/// Why there are none.
pub fn why_none(view: View) -> &'static str {
    match view {
        View::Augmented => "no training pictures are augmented in this run",
        View::Confusion | View::Misclassified => "none yet: they are told at the end of each phase",
    }
}

/// Those of the chosen cell of the matrix, with their places among all.
pub fn of_cell(app: &App) -> Vec<(usize, &Sample)> {
    let Some(run) = app.run() else { return Vec::new() };
    let (label, predicted) = cell(app);
    let [label, predicted] = [label, predicted].map(|class| matrix::name(names(run), class));
    let is_of_cell = |sample: &Sample| sample.label == label && sample.predicted.as_ref() == Some(&predicted);
    run.training.misclassified.iter().enumerate().filter(|(_, sample)| is_of_cell(sample)).collect()
}

/// Whether they are shown as pictures.
fn has_pictures(app: &App) -> bool {
    let protocol = app.results.setting.protocol(&app.terminal);
    protocol != Protocol::None && of_view(app).iter().any(|sample| sample.image.is_some())
}

/// How pictures are laid out in `area`, above a line for the chosen one; None where there are none.
pub fn grid(app: &App, area: Rect) -> Option<Grid> {
    let area = Rect { height: area.height.saturating_sub(1), ..area };
    has_pictures(app).then(|| Grid::of(area)).flatten()
}

/// The pictures of the page with the chosen one.
pub fn visible(app: &App, area: Rect) -> Vec<Tile<'_>> {
    let Some(grid) = grid(app, area) else { return Vec::new() };
    let samples = of_view(app);
    let page = grid.columns * grid.rows;
    let chosen = app.results.sample.min(samples.len().saturating_sub(1));
    let first = chosen / page * page;
    let of_page = samples.iter().enumerate().skip(first).take(page);
    grid.tiles(of_page, Some(chosen))
}

/// The pictures of the chosen cell, below the matrix.
pub fn visible_of_cell(app: &App, area: Rect) -> Vec<Tile<'_>> {
    let area = Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(1), ..area };
    match Grid::of(area) {
        Some(grid) if has_pictures(app) => grid.tiles(of_cell(app).into_iter().take(grid.columns * grid.rows), None),
        _ => Vec::new(),
    }
}

/// Draws the samples of a view.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App) {
    let samples = of_view(app);
    let chosen = app.results.sample.min(samples.len().saturating_sub(1));
    if grid(app, area).is_none() {
        return lines(theme, area, buf, samples.iter().skip(chosen));
    }
    tiles::draw(theme, buf, app, &visible(app, area));
    if let (Some(sample), Some(last)) = (samples.get(chosen), area.height.checked_sub(1)) {
        let place = format!("{} of {}", chosen + 1, samples.len());
        let mut row = Row::new(buf, area, last);
        row.put(&place, theme.style(Role::Dim)).gap(2);
        caption(theme, &mut row, sample);
        row.gap(2).put(&sample.source, theme.style(Role::Dim));
    }
}

/// What is said below the matrix of the chosen cell: how many, and line by line where there are no pictures.
pub fn draw_lines(theme: &Theme, buf: &mut Buffer, app: &App, area: Rect) {
    let (Some(run), Some(confusion)) = (app.run(), confusion(app)) else { return };
    let names = names(run);
    let (label, predicted) = cell(app);
    let (count, of) = (confusion.count(label, predicted), confusion.support(label));
    let mut row = Row::new(buf, area, 0);
    row.put(&matrix::name(names, label), theme.style(Role::Good));
    let verb = if label == predicted { " predicted right" } else { " taken for " };
    row.put(verb, theme.style(Role::Dim));
    if label != predicted {
        row.put(&matrix::name(names, predicted), theme.style(Role::Bad));
    }
    row.put(&format!(": {count} of {of}"), theme.style(Role::Plain));
    let samples = of_cell(app);
    let below = Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(1), ..area };
    if visible_of_cell(app, area).is_empty() {
        lines(theme, below, buf, samples.into_iter().map(|(_, sample)| sample));
    }
}

/// True label, what it was taken for, how surely.
pub fn caption(theme: &Theme, row: &mut Row, sample: &Sample) {
    row.put(&sample.label, theme.style(Role::Good));
    if let Some(predicted) = &sample.predicted {
        row.put(theme.pick(" → ", " > "), theme.style(Role::Dim)).put(predicted, theme.style(Role::Bad));
    }
    if let Some(probability) = sample.probability {
        row.gap(1).put(&short(probability), theme.style(Role::Plain));
    }
}

/// A probability in two or three letters.
pub fn short(probability: f64) -> String {
    match probability {
        p if !p.is_finite() => metric(p),
        p => format!("{:.0}%", 100.0 * p),
    }
}

fn lines<'a>(theme: &Theme, area: Rect, buf: &mut Buffer, samples: impl Iterator<Item = &'a Sample>) {
    let mut line = 0;
    for sample in samples {
        if line >= area.height {
            return;
        }
        let mut row = Row::new(buf, area, line);
        row.gap(1);
        caption(theme, &mut row, sample);
        row.gap(2).put(&sample.source, theme.style(Role::Dim));
        line += 1;
        let columns = usize::from(area.width.saturating_sub(4));
        let text = sample.text.as_deref().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        for part in wrapped(&text, columns).iter().filter(|part| !part.is_empty()).take(LINES) {
            Row::new(buf, area, line).gap(3).put(part, theme.style(Role::Plain));
            line = line.saturating_add(1);
        }
    }
}
