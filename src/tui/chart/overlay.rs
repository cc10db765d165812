//! Several runs over each other in one chart.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::axis::Measure;
use super::history::Epochs;
use super::points::Points;
use super::raster::{Dots, Ink};
use super::{Chart, XAxis, look};
use crate::record::state::RunState;
use crate::tui::paint::Row;
use crate::tui::theme::{Role, Theme};

/// A run of the chart; its slot, from 0 to 7, decides colour, glyph and dashes.
pub struct Line<'a> {
    pub run: &'a RunState,
    pub slot: usize,
}

/// Draws what a metric of the runs' epochs was, aligned by `axis`.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, lines: &[Line], metric: &str, axis: XAxis, log: bool) {
    let epochs: Vec<Epochs> = lines.iter().map(|line| Epochs { run: line.run, metric, axis }).collect();
    let ends = epochs.iter().filter_map(|points| points.len().checked_sub(1).map(|last| points.x(last)));
    let right = ends.fold(0.0, f64::max);
    if epochs.iter().all(|points| points.is_empty()) {
        Row::new(buf, area, 0)
            .put(&format!("no epoch of these runs is over that has {metric}"), theme.style(Role::Dim));
        return;
    }
    let names: Vec<String> = lines.iter().map(|line| line.run.id.to_string()).collect();
    let drawn: Vec<super::Line> = (lines.iter().zip(&epochs).zip(&names))
        .map(|((line, points), name)| super::Line { name, points, ink: Ink::Run(line.slot), smoothing: 0.0 })
        .collect();
    let chart = Chart {
        title: metric,
        lines: &drawn,
        axis,
        window: (0.0, if right > 0.0 { right } else { 1.0 }),
        measure: if log { Measure::Log } else { Measure::Linear },
        dots: Dots::Braille,
        marks: &[],
        cursor: None,
        chosen: false,
    };
    chart.draw(theme, area, buf);
}

/// Glyph and style of a slot, for a list of the runs.
pub fn swatch(theme: &Theme, slot: usize) -> (&'static str, Style) {
    let ink = Ink::Run(slot);
    (look::swatch(theme, Dots::Braille, ink), look::of(theme, ink).style)
}

/// The metrics that any of the runs has, those that all runs have first.
pub fn metrics<'a>(runs: impl IntoIterator<Item = &'a RunState>) -> Vec<String> {
    const KNOWN: [&str; 6] = ["val_loss", "val_accuracy", "loss", "accuracy", "lr", "samples_per_s"];
    let of_run = |run: &'a RunState| run.training.epochs.last().into_iter().flat_map(|epoch| epoch.metrics.keys());
    let further: BTreeSet<&String> = runs.into_iter().flat_map(of_run).collect();
    KNOWN.into_iter().map(str::to_owned).chain(further.into_iter().cloned()).collect()
}

#[cfg(test)]
mod tests;
