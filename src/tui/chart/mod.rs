//! A line chart over epochs: raster, axes, marks and labels.

pub mod axis;
pub mod marks;
pub mod raster;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::marks::Mark;
use self::raster::{Ink, Raster, Scale, braille};
use super::paint::{Row, columns};
use super::theme::{Role, Theme};
use crate::base::text::metric;

/// What a chart shows. Points are (epochs trained, value), in order.
pub struct Chart<'a> {
    pub title: &'a str,
    pub steps: &'a [(f64, f64)],
    pub train: &'a [(f64, f64)],
    pub val: &'a [(f64, f64)],
    /// The epoch at the right end.
    pub last_epoch: u32,
    pub marks: &'a [Mark],
}

/// Columns that are kept free at the right for labels such as `train .2010`.
const LABEL: u16 = 12;
/// Epochs from which on the steps, noisier than the epochs, no longer decide the range.
const SETTLED: usize = 3;

/// Where the parts of a chart lie.
struct Parts {
    plot: Rect,
    /// Right end of what may hold lines; labels may go on from there to the end of the plot.
    lines: u16,
}

impl Chart<'_> {
    /// Draws the chart; an area too small for a plot shows the last values as text.
    pub fn draw(&self, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let range = self.range();
        self.title(theme, area, buf, area.height < 5 || area.width < 20);
        if area.height < 5 || area.width < 20 {
            return;
        }
        let plot = Rect { y: area.y + 1, height: area.height - 3, ..area };
        let ticks = axis::ticks(range, usize::from(plot.height).div_ceil(3).max(2));
        let gutter = self.tick_width(&ticks);
        let plot = Rect { x: plot.x + gutter + 1, width: plot.width - gutter - 1, ..plot };
        let lines = if plot.width > 3 * LABEL { plot.width - LABEL } else { plot.width };
        let parts = Parts { plot, lines };
        self.frame(theme, &parts, &ticks, range, buf);
        let scale = self.lines(theme, &parts, range, buf);
        self.labels(theme, &parts, &scale, buf);
        self.axis(theme, &parts, buf);
    }

    /// Holds the epochs' values, and the steps' as long as there are few epochs.
    fn range(&self) -> (f64, f64) {
        let epochs = self.train.iter().chain(self.val).map(|point| point.1);
        let steps = if self.train.len() < SETTLED { self.steps } else { &[] };
        axis::range(epochs.chain(steps.iter().map(|point| point.1))).unwrap_or((0.0, 1.0))
    }

    fn title(&self, theme: &Theme, area: Rect, buf: &mut Buffer, with_values: bool) {
        let mut row = Row::new(buf, area, 0);
        row.put(self.title, theme.style(Role::Strong));
        for (name, points, ink) in [("train", self.train, Ink::Train), ("val", self.val, Ink::Val)] {
            if let (true, Some(last)) = (with_values, points.last()) {
                row.gap(1).put(&format!("{name} {}", metric(last.1)), theme.style(theme.ink(ink).1));
            }
        }
    }

    fn tick_width(&self, ticks: &axis::Ticks) -> u16 {
        ticks.at.iter().map(|&at| columns(&axis::label(at, ticks.step))).max().unwrap_or(0)
    }

    /// The vertical axis with its labels.
    fn frame(&self, theme: &Theme, parts: &Parts, ticks: &axis::Ticks, range: (f64, f64), buf: &mut Buffer) {
        let plot = parts.plot;
        let style = theme.style(Role::Border);
        for row in 0..plot.height {
            let axis = Rect { x: plot.x - 1, width: 1, ..plot };
            Row::new(buf, axis, row).put(theme.pick("│", "|"), style);
        }
        let scale = Scale { x: (0.0, 1.0), y: range, dots: (2, usize::from(plot.height) * 4) };
        for &at in &ticks.at {
            let Ok(row) = u16::try_from(scale.dot((0.0, at)).1 / 4) else { continue };
            let label = axis::label(at, ticks.step);
            let width = columns(&label);
            let place = Rect { x: plot.x - 1 - width, width: width + 1, ..plot };
            Row::new(buf, place, row).put(&label, theme.style(Role::Dim)).put(theme.pick("┤", "+"), style);
        }
    }

    fn lines(&self, theme: &Theme, parts: &Parts, y: (f64, f64), buf: &mut Buffer) -> Scale {
        let mut raster = Raster::new(parts.lines, parts.plot.height);
        let scale = Scale { x: (0.0, f64::from(self.last_epoch.max(1))), y, dots: raster.dots() };
        raster.scatter(self.steps.iter().copied(), &scale, Ink::Steps);
        raster.curve(self.train.iter().copied(), &scale, Ink::Train);
        raster.curve(self.val.iter().copied(), &scale, Ink::Val);
        self.phases(theme, parts, buf);
        for (column, row, dots, ink) in raster.cells() {
            let (letter, role) = theme.ink(ink);
            if let Some(cell) = buf.cell_mut((parts.plot.x + column, parts.plot.y + row)) {
                cell.set_char(if theme.ascii { letter } else { braille(dots) }).set_style(theme.style(role));
            }
        }
        scale
    }

    /// A light line up through the plot where a phase begins; curves go over it.
    fn phases(&self, theme: &Theme, parts: &Parts, buf: &mut Buffer) {
        for mark in self.marks.iter().filter(|mark| mark.kind == marks::Kind::Phase) {
            let place = Rect { x: parts.plot.x + self.column(mark.epoch, parts), width: 1, ..parts.plot };
            for row in 0..parts.plot.height {
                Row::new(buf, place, row).put(theme.mark(mark.kind).0, theme.style(Role::Border));
            }
        }
    }

    /// Column of an epoch's end in the plot.
    fn column(&self, epoch: u32, parts: &Parts) -> u16 {
        let dots = usize::from(parts.lines) * 2;
        let scale = Scale { x: (0.0, f64::from(self.last_epoch.max(1))), y: (0.0, 1.0), dots: (dots, 4) };
        u16::try_from(scale.dot((f64::from(epoch), 0.0)).0 / 2).unwrap_or(0).min(parts.lines.saturating_sub(1))
    }

    /// Name and last value at each line's end, which tell the lines apart without colour.
    fn labels(&self, theme: &Theme, parts: &Parts, scale: &Scale, buf: &mut Buffer) {
        let train = Label::of("train", self.train, scale, Ink::Train);
        let val = Label::of("val", self.val, scale, Ink::Val);
        for label in apart(train, val, parts.plot.height).into_iter().flatten() {
            let width = columns(&label.text);
            let at = (label.column + 2).min(parts.plot.width.saturating_sub(width));
            let place = Rect { x: parts.plot.x + at, width: parts.plot.width - at, ..parts.plot };
            Row::new(buf, place, label.row).put(&label.text, theme.style(theme.ink(label.ink).1));
        }
    }

    /// The horizontal axis with the marks on it, and the epochs below.
    fn axis(&self, theme: &Theme, parts: &Parts, buf: &mut Buffer) {
        let plot = parts.plot;
        let place = Rect { x: plot.x - 1, y: plot.y + plot.height, width: parts.lines + 1, height: 1 };
        let line = theme.pick("─", "-").repeat(usize::from(parts.lines));
        let border = theme.style(Role::Border);
        Row::new(buf, place, 0).put(theme.pick("└", "+"), border).put(&line, border);
        let mut marks = self.marks.to_vec();
        marks.sort_by_key(|mark| mark.kind);
        for mark in marks {
            let (glyph, role) = theme.mark(mark.kind);
            let place = Rect { x: plot.x + self.column(mark.epoch, parts), width: 1, ..place };
            Row::new(buf, place, 0).put(glyph, theme.style(role));
        }
        let place = Rect { x: plot.x, y: place.y + 1, width: plot.width, height: 1 };
        let mut free = 0;
        for epoch in axis::epochs(self.last_epoch, parts.lines) {
            let text = epoch.to_string();
            let at = self.column(epoch, parts).saturating_sub(columns(&text) / 2);
            if at >= free && at + columns(&text) <= place.width {
                let place = Rect { x: place.x + at, width: place.width - at, ..place };
                Row::new(buf, place, 0).put(&text, theme.style(Role::Dim));
                free = at + columns(&text) + 1;
            }
        }
    }
}

/// The text at a line's end.
struct Label {
    text: String,
    column: u16,
    row: u16,
    ink: Ink,
}

impl Label {
    /// At the last finite point; None where there is no epoch at all.
    fn of(name: &str, points: &[(f64, f64)], scale: &Scale, ink: Ink) -> Option<Label> {
        let last = points.last()?;
        let end = points.iter().rev().find(|point| point.1.is_finite());
        let (x, y) = end.map_or((0, 0), |&end| scale.dot(end));
        let cell = |dot: i32, size: i32| u16::try_from(dot.max(0) / size).unwrap_or(0);
        Some(Label { text: format!("{name} {}", metric(last.1)), column: cell(x, 2), row: cell(y, 4), ink })
    }
}

/// Moves labels that would share a row apart.
fn apart(train: Option<Label>, val: Option<Label>, rows: u16) -> [Option<Label>; 2] {
    let (mut train, mut val) = match (train, val) {
        (Some(train), Some(val)) => (train, val),
        alone => return [alone.0, alone.1],
    };
    if train.row == val.row {
        if val.row > 0 {
            val.row -= 1;
        } else if rows > 1 {
            train.row += 1;
        }
    }
    [Some(train), Some(val)]
}
