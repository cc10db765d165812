//! A line chart: raster, axes, marks, labels. Pure: what it costs grows with the columns of its area, not with its
//! points.

pub mod axis;
mod ends;
mod figures;
pub mod history;
pub mod look;
pub mod marks;
pub mod overlay;
pub mod points;
pub mod raster;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

use self::axis::{Measure, Tick};
use self::figures::{between, figure, label, last, last_shown, under};
use self::marks::Kind;
use self::points::{Points, Spot, spots};
use self::raster::{Dots, Ink, Raster, Scale};
use super::paint::{Row, columns};
use super::theme::{Role, Theme};
use crate::record::series::Span;

/// What lies along the horizontal axis.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum XAxis {
    /// Steps of the whole run, from 1.
    Step,
    /// Epochs trained.
    #[default]
    Epoch,
    /// Seconds trained.
    Time,
}

impl XAxis {
    /// The kind after this one.
    pub fn next(self) -> XAxis {
        match self {
            XAxis::Step => XAxis::Epoch,
            XAxis::Epoch => XAxis::Time,
            XAxis::Time => XAxis::Step,
        }
    }

    /// The word for what it measures.
    pub fn name(self) -> &'static str {
        match self {
            XAxis::Step => "step",
            XAxis::Epoch => "epoch",
            XAxis::Time => "time",
        }
    }
}

/// A line of a chart; those further on cover those before.
pub struct Line<'a> {
    pub name: &'a str,
    pub points: &'a dyn Points,
    pub ink: Ink,
    /// Weight of the past, from 0 to less than 1.
    pub smoothing: f64,
}

/// A mark where the horizontal axis says `x`.
pub struct MarkAt<'a> {
    pub x: f64,
    pub kind: Kind,
    pub text: &'a str,
}

/// What the crosshair is on: a place of the horizontal axis, and where the stretch begins that it stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cursor {
    pub from: f64,
    pub x: f64,
}

/// What a chart shows.
pub struct Chart<'a> {
    pub title: &'a str,
    pub lines: &'a [Line<'a>],
    pub axis: XAxis,
    /// Left and right end.
    pub window: (f64, f64),
    pub measure: Measure,
    pub dots: Dots,
    pub marks: &'a [MarkAt<'a>],
    pub cursor: Option<Cursor>,
    /// Whether it is the one that keys are about.
    pub chosen: bool,
}

/// Columns of the tick labels at least, so that charts below each other begin at one column.
const GUTTER: u16 = 4;
/// An area smaller than this shows the last values as text.
const LEAST: (u16, u16) = (20, 5);
/// Epochs of a window from which on the steps, noisier than the epochs, no longer decide the range.
const SETTLED: usize = 3;
/// Columns between two markers of a line.
const MARKERS: usize = 16;

/// A chart, measured.
struct Parts {
    plot: Rect,
    /// Columns that may hold lines; labels go on from there to the end of the plot.
    lines: u16,
    scale: Scale,
    ticks: Vec<Tick>,
    spots: Vec<Vec<Spot>>,
}

impl Chart<'_> {
    /// Draws the chart.
    pub fn draw(&self, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        self.title(theme, area, buf);
        let Some(parts) = self.parts(theme, area) else { return };
        self.vertical(theme, &parts, buf);
        self.verticals(theme, &parts, buf);
        let dots = self.dots_of(theme);
        let mut raster = Raster::new(parts.lines, parts.plot.height, dots);
        for (line, spots) in self.lines.iter().zip(&parts.spots) {
            raster.curve(spots, &parts.scale, line.ink, look::of(theme, line.ink).dash);
        }
        paint(theme, &raster, dots, parts.plot, buf);
        self.markers(theme, &parts, buf);
        self.labels(theme, &parts, buf);
        self.horizontal(theme, &parts, buf);
    }

    /// Where the lines are drawn in `area`, if there is room for any.
    pub fn plot(&self, theme: &Theme, area: Rect) -> Option<Rect> {
        self.parts(theme, area).map(|parts| Rect { width: parts.lines, ..parts.plot })
    }

    /// What the horizontal axis says at a column of `plot`.
    pub fn x_at(&self, plot: Rect, column: u16) -> f64 {
        let share = f64::from(column.saturating_sub(plot.x)) / f64::from(plot.width.saturating_sub(1).max(1));
        self.window.0 + (self.window.1 - self.window.0) * share.min(1.0)
    }

    fn dots_of(&self, theme: &Theme) -> Dots {
        if theme.ascii { Dots::Ascii } else { self.dots }
    }

    fn parts(&self, theme: &Theme, area: Rect) -> Option<Parts> {
        if area.height < LEAST.1 || area.width < LEAST.0 {
            return None;
        }
        let (across, down) = self.dots_of(theme).per_cell();
        let columns_of_dots = usize::from(area.width) * usize::from(across);
        let spots: Vec<Vec<Spot>> =
            self.lines.iter().map(|line| spots(line.points, self.window, columns_of_dots, line.smoothing)).collect();
        let range = self.range(&spots);
        let height = area.height - 3;
        let ticks = axis::values(range, self.measure, usize::from(height).div_ceil(3).max(2));
        let gutter = ticks.iter().map(|tick| columns(&tick.label)).max().unwrap_or(0).max(GUTTER);
        let plot = Rect { x: area.x + gutter + 1, y: area.y + 1, width: area.width - gutter - 1, height };
        let label = self.lines.iter().filter_map(|line| label(theme, line)).map(|text| columns(&text) + 2).max();
        let lines = plot.width - label.filter(|&label| plot.width > label * 5 / 2).unwrap_or(0);
        let dots = (usize::from(lines * across), usize::from(height * down));
        let scale = Scale { x: self.window, y: range, log: self.measure == Measure::Log, dots };
        Some(Parts { plot, lines, scale, ticks, spots })
    }

    /// Holds what the lines have in the window, and the steps as long as there is little of that.
    fn range(&self, spots: &[Vec<Spot>]) -> (f64, f64) {
        let (left, right) = self.window;
        let inside = |spots: &Vec<Spot>| {
            let inside: Vec<Span> =
                spots.iter().filter(|spot| spot.x >= left && spot.x <= right).filter_map(|spot| spot.span).collect();
            inside
        };
        let of = |is_below: bool| {
            self.lines
                .iter()
                .zip(spots)
                .filter(move |(line, _)| line.ink.is_below() == is_below)
                .map(|(_, spots)| inside(spots))
        };
        let lines: Vec<Vec<Span>> = of(false).collect();
        let is_settled = lines.iter().any(|spans| spans.len() >= SETTLED);
        let below: Vec<Vec<Span>> = if is_settled { Vec::new() } else { of(true).collect() };
        let spans = lines.iter().chain(&below).flatten();
        let values = spans.flat_map(|span| [span.min, span.max, span.first, span.last]);
        let range = match self.measure {
            Measure::Linear => axis::range(values),
            Measure::Log => axis::range(values.filter(|&value| value > 0.0).map(f64::log10)),
        };
        range.unwrap_or((0.0, 1.0))
    }

    /// The name; the figures under the crosshair, or the last ones where there is no room for a plot.
    fn title(&self, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let mut row = Row::new(buf, area, 0);
        let role = if self.chosen { Role::Focus } else { Role::Strong };
        row.put(self.title, theme.style(role));
        if self.measure == Measure::Log {
            row.gap(1).put("log", theme.style(Role::Dim));
        }
        let is_small = area.height < LEAST.1 || area.width < LEAST.0;
        let (below, lines): (Vec<&Line>, Vec<&Line>) = self.lines.iter().partition(|line| line.ink.is_below());
        for line in lines.into_iter().chain(below) {
            let text = match self.cursor {
                Some(cursor) => under(line, cursor),
                None if is_small && !line.ink.is_below() => last(line).map(figure),
                None => None,
            };
            if let Some(text) = text {
                row.gap(2).put(&format!("{} {text}", line.name), look::of(theme, line.ink).style);
            }
        }
    }

    /// The vertical axis with its labels.
    fn vertical(&self, theme: &Theme, parts: &Parts, buf: &mut Buffer) {
        let plot = parts.plot;
        let style = theme.style(Role::Border);
        let axis = Rect { x: plot.x - 1, width: 1, ..plot };
        for row in 0..plot.height {
            Row::new(buf, axis, row).put(theme.pick("│", "|"), style);
        }
        let down = f64::from(plot.height.saturating_sub(1));
        let (low, high) = parts.scale.y;
        for tick in &parts.ticks {
            let share = (tick.at / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
            let row = ((1.0 - share) * down).round().clamp(0.0, down) as u16;
            let width = columns(&tick.label);
            let place = Rect { x: plot.x - 1 - width, width: width + 1, ..plot };
            Row::new(buf, place, row).put(&tick.label, theme.style(Role::Dim)).put(theme.pick("┤", "+"), style);
        }
    }

    /// Light lines up through the plot where a phase begins and where the crosshair is; curves go over them.
    fn verticals(&self, theme: &Theme, parts: &Parts, buf: &mut Buffer) {
        let phases = self.marks.iter().filter(|mark| mark.kind == Kind::Phase).map(|mark| (mark.x, Role::Border));
        let cursor = self.cursor.map(|cursor| (cursor.x, Role::Accent));
        for (x, role) in phases.chain(cursor) {
            let Some(column) = self.column(x, parts) else { continue };
            let place = Rect { x: parts.plot.x + column, width: 1, ..parts.plot };
            let glyph = if role == Role::Border { Kind::Phase.look(theme).0 } else { theme.pick("│", "|") };
            for row in 0..parts.plot.height {
                Row::new(buf, place, row).put(glyph, theme.style(role));
            }
        }
    }

    /// Column of `x` in the plot, where it is inside.
    fn column(&self, x: f64, parts: &Parts) -> Option<u16> {
        let (left, right) = self.window;
        let across = i32::from(self.dots.per_cell().0);
        let scale = Scale { dots: (usize::from(parts.lines) * across as usize, 1), ..parts.scale };
        let is_inside = x >= left && x <= right && parts.lines > 0;
        is_inside.then(|| u16::try_from(scale.across(x) / across).unwrap_or(0).min(parts.lines - 1))
    }

    /// Glyphs on the lines now and then, which tell them apart without colour.
    fn markers(&self, theme: &Theme, parts: &Parts, buf: &mut Buffer) {
        let (across, down) = self.dots_of(theme).per_cell();
        for (n, (line, spots)) in self.lines.iter().zip(&parts.spots).enumerate() {
            let look = look::of(theme, line.ink);
            if look.marker.is_empty() {
                continue;
            }
            let ends = last_shown(spots, self.window).map(|spot| spot.x);
            let columns = (n * 5 % MARKERS..usize::from(parts.lines)).step_by(MARKERS);
            let along = columns.filter_map(|column| {
                let x = parts.scale.x.0
                    + (parts.scale.x.1 - parts.scale.x.0) * (column as f64 + 0.5) / f64::from(parts.lines.max(1));
                Some((x, between(spots, x)?))
            });
            let end = ends.and_then(|x| Some((x, between(spots, x)?)));
            for (x, y) in along.chain(end) {
                let (x, y) = (parts.scale.across(x) / i32::from(across), parts.scale.down(y) / i32::from(down));
                let (Ok(x), Ok(y)) = (u16::try_from(x), u16::try_from(y)) else { continue };
                if x < parts.lines && y < parts.plot.height {
                    let place = Rect { x: parts.plot.x + x, width: 1, ..parts.plot };
                    Row::new(buf, place, y).put(look.marker, look.style);
                }
            }
        }
    }

    /// Name and last value behind the line's end, which tell the lines apart without colour.
    fn labels(&self, theme: &Theme, parts: &Parts, buf: &mut Buffer) {
        let lines = self.lines.iter().zip(&parts.spots);
        let mut ends: Vec<(String, Ink, Option<Spot>)> = lines
            .filter_map(|(line, spots)| Some((label(theme, line)?, line.ink, last_shown(spots, self.window))))
            .collect();
        // Those that share a row are moved apart in the order of their values.
        let value = |spot: &Option<Spot>| spot.and_then(|spot| spot.span).map_or(f64::NEG_INFINITY, |span| span.last);
        ends.sort_by(|a, b| value(&b.2).total_cmp(&value(&a.2)));
        let cell = |dot: i32, size: u16| u16::try_from(dot.max(0)).unwrap_or(0) / size.max(1);
        let (across, down) = self.dots_of(theme).per_cell();
        let row = |spot: &Spot| spot.span.map_or(0, |span| cell(parts.scale.down(span.last), down));
        let wanted: Vec<u16> = ends.iter().map(|(.., spot)| spot.as_ref().map_or(0, row)).collect();
        // Behind the steps too, which are ahead of the epochs.
        let ended = parts.spots.iter().filter_map(|spots| last_shown(spots, self.window));
        let ended = ended.map(|spot| cell(parts.scale.across(spot.x), across));
        let column = ended.max().map_or(0, |column| column + 2);
        for ((text, ink, _), row) in ends.iter().zip(ends::apart(&wanted, parts.plot.height)) {
            let Some(row) = row else { continue };
            let at = column.min(parts.plot.width.saturating_sub(columns(text)));
            let place = Rect { x: parts.plot.x + at, width: parts.plot.width - at, ..parts.plot };
            Row::new(buf, place, row).put(text, look::of(theme, *ink).style);
        }
    }

    /// The horizontal axis with the marks on it, and what it measures below.
    fn horizontal(&self, theme: &Theme, parts: &Parts, buf: &mut Buffer) {
        let plot = parts.plot;
        let place = Rect { x: plot.x - 1, y: plot.y + plot.height, width: parts.lines + 1, height: 1 };
        let line = theme.pick("─", "-").repeat(usize::from(parts.lines));
        let border = theme.style(Role::Border);
        Row::new(buf, place, 0).put(theme.pick("└", "+"), border).put(&line, border);
        let marks = self.marks.iter().filter_map(|mark| Some((self.column(mark.x, parts)?, mark.kind, mark.text)));
        for mark in marks::placed(marks, parts.lines) {
            let (glyph, role) = mark.kind.look(theme);
            let place = Rect { x: plot.x + mark.column, width: parts.lines - mark.column, ..place };
            let mut row = Row::new(buf, place, 0);
            row.put(glyph, theme.style(role));
            if !mark.text.is_empty() {
                row.put(&format!(" {} ", mark.text), theme.style(Role::Dim));
            }
        }
        let below = Rect { x: plot.x, y: place.y + 1, width: plot.width, height: 1 };
        let mut free = 0;
        for tick in axis::across(self.axis, self.window, (usize::from(parts.lines) / 7).max(1)) {
            let Some(column) = self.column(tick.at, parts) else { continue };
            let width = columns(&tick.label);
            let at = column.saturating_sub(width / 2);
            if at >= free && at + width <= below.width {
                let place = Rect { x: below.x + at, width: below.width - at, ..below };
                Row::new(buf, place, 0).put(&tick.label, theme.style(Role::Dim));
                free = at + width + 1;
            }
        }
    }
}

/// Puts the dots on the screen.
fn paint(theme: &Theme, raster: &Raster, dots: Dots, plot: Rect, buf: &mut Buffer) {
    let is_shaded = theme.colors != super::theme::Colors::True;
    for (column, row, bits, ink) in raster.cells() {
        let look = look::of(theme, ink);
        let character = match (ink, dots) {
            (Ink::Steps, Dots::Blocks) if is_shaded => '░',
            (Ink::Steps, Dots::Braille) if is_shaded => dots.character(raster::thinned(bits), look.letter),
            _ => dots.character(bits, look.letter),
        };
        if let Some(cell) = buf.cell_mut((plot.x + column, plot.y + row)) {
            cell.set_char(character).set_style(look.style);
        }
    }
}

#[cfg(test)]
mod tests;
