//! A grid of dots, of which each character cell has some, as the kind of characters allows.
//!
//! Invariant: whatever is asked to be drawn, nothing outside of the grid is touched and nothing panics.

use serde::{Deserialize, Serialize};

use super::points::Spot;
use crate::record::series::Span;

/// What a cell is made of.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dots {
    /// Two across and four down.
    #[default]
    Braille,
    /// Half blocks, two down, for fonts without braille.
    Blocks,
    /// A letter for each line.
    Ascii,
}

impl Dots {
    /// The kind after this one.
    pub fn next(self) -> Dots {
        match self {
            Dots::Braille => Dots::Blocks,
            Dots::Blocks => Dots::Ascii,
            Dots::Ascii => Dots::Braille,
        }
    }

    /// Dots of a cell, across and down.
    pub fn per_cell(self) -> (u16, u16) {
        match self {
            Dots::Braille => (2, 4),
            Dots::Blocks => (1, 2),
            Dots::Ascii => (1, 1),
        }
    }

    /// The character with these dots; `letter` where dots cannot be drawn.
    pub fn character(self, dots: u8, letter: char) -> char {
        match (self, dots) {
            (Dots::Braille, _) => char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' '),
            (Dots::Blocks, 0x01) => '▀',
            (Dots::Blocks, 0x02) => '▄',
            (Dots::Blocks, _) => '█',
            (Dots::Ascii, _) => letter,
        }
    }
}

/// What is drawn with; a later one covers an earlier one where both share a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ink {
    /// What steps span.
    Steps,
    /// What lies behind a smoothed line.
    RawTrain,
    RawVal,
    /// The smoothed steps.
    Smooth,
    Train,
    Val,
    /// A run among others, by its slot.
    Run(usize),
}

impl Ink {
    /// Whether it lies below the lines: where a cell has of both, the line alone is seen.
    pub fn is_below(self) -> bool {
        matches!(self, Ink::Steps | Ink::RawTrain | Ink::RawVal)
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    below: u8,
    lines: u8,
    ink: Option<Ink>,
}

/// The dots of a plot; `width` by `height` cells.
#[derive(Debug)]
pub struct Raster {
    dots: Dots,
    width: usize,
    height: usize,
    cells: Vec<Cell>,
}

/// Where a value stands among the dots.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Left and right end of the plot.
    pub x: (f64, f64),
    /// Bottom and top of the plot, of logarithms where `log`.
    pub y: (f64, f64),
    pub log: bool,
    /// Dots across and down.
    pub dots: (usize, usize),
}

impl Scale {
    /// The column of dots of `x`, from the left; far outside is cut to just outside.
    pub fn across(&self, x: f64) -> i32 {
        cut(place(x, self.x) * last(self.dots.0), self.dots.0)
    }

    /// The row of dots of a value, from the top; far outside is cut to just outside, as is what has no logarithm.
    pub fn down(&self, y: f64) -> i32 {
        let y = if self.log { y.log10() } else { y };
        if y.is_nan() || y == f64::NEG_INFINITY {
            return cut(f64::INFINITY, self.dots.1);
        }
        cut((1.0 - place(y, self.y)) * last(self.dots.1), self.dots.1)
    }

    fn can_show(&self, span: &Span) -> bool {
        !self.log || span.max > 0.0
    }
}

fn last(dots: usize) -> f64 {
    dots.saturating_sub(1) as f64
}

/// Share of the way from low to high; halves, so that even the widest range does not overflow.
fn place(value: f64, (low, high): (f64, f64)) -> f64 {
    let share = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
    if share.is_finite() { share } else { 0.5 }
}

fn cut(dot: f64, dots: usize) -> i32 {
    let limit = dots as f64;
    dot.round().clamp(-limit, 2.0 * limit) as i32
}

/// So many dots of a line that are seen, and so many that are not; one without a gap is whole.
pub type Dash = (u16, u16);

impl Raster {
    /// An empty plot of `width` by `height` cells.
    pub fn new(width: u16, height: u16, dots: Dots) -> Self {
        let (width, height) = (usize::from(width), usize::from(height));
        Raster { dots, width, height, cells: vec![Cell::default(); width * height] }
    }

    /// Dots across and down.
    pub fn dots(&self) -> (usize, usize) {
        let (across, down) = self.dots.per_cell();
        (self.width * usize::from(across), self.height * usize::from(down))
    }

    /// Sets a dot, counted from the top left.
    pub fn dot(&mut self, x: i32, y: i32, ink: Ink) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        let (across, down) = self.dots();
        if x >= across || y >= down {
            return;
        }
        let (across, down) = self.dots.per_cell();
        let (across, down) = (usize::from(across), usize::from(down));
        let cell = &mut self.cells[y / down * self.width + x / across];
        let layer = if ink.is_below() { &mut cell.below } else { &mut cell.lines };
        *layer |= bit(x % across, y % down);
        cell.ink = cell.ink.max(Some(ink));
    }

    /// A line through `spots`, each of which is a stroke over what it spans.
    pub fn curve(&mut self, spots: &[Spot], scale: &Scale, ink: Ink, dash: Dash) {
        let mut pen = Pen { ink, dash, drawn: 0 };
        let mut before: Option<(i32, i32)> = None;
        for spot in spots {
            let Some(span) = spot.span.filter(|span| spot.x.is_finite() && scale.can_show(span)) else {
                before = None;
                continue;
            };
            let x = scale.across(spot.x);
            let first = (x, scale.down(span.first));
            self.line(before.unwrap_or(first), first, &mut pen);
            if span.min < span.max {
                self.line((x, scale.down(span.min)), (x, scale.down(span.max)), &mut pen);
            }
            before = Some((x, scale.down(span.last)));
        }
    }

    /// A straight line between two dots, both included (Bresenham).
    fn line(&mut self, from: (i32, i32), to: (i32, i32), pen: &mut Pen) {
        let (dx, dy) = ((to.0 - from.0).abs(), -(to.1 - from.1).abs());
        let (sx, sy) = ((to.0 - from.0).signum(), (to.1 - from.1).signum());
        let (mut x, mut y) = from;
        let mut error = dx + dy;
        loop {
            if pen.is_down() {
                self.dot(x, y, pen.ink);
            }
            if (x, y) == to {
                return;
            }
            pen.drawn = pen.drawn.wrapping_add(1);
            let doubled = 2 * error;
            if doubled >= dy {
                error += dy;
                x += sx;
            }
            if doubled <= dx {
                error += dx;
                y += sy;
            }
        }
    }

    /// The cells that have a dot: column, row, dots as the low byte of the braille block, ink.
    pub fn cells(&self) -> impl Iterator<Item = (u16, u16, u8, Ink)> {
        self.cells.iter().enumerate().filter_map(|(index, cell)| {
            let (column, row) = (index % self.width, index / self.width);
            let dots = if cell.lines == 0 { cell.below } else { cell.lines };
            Some((u16::try_from(column).ok()?, u16::try_from(row).ok()?, dots, cell.ink?))
        })
    }
}

/// What draws a line; it is lifted now and then where the line is dashed.
struct Pen {
    ink: Ink,
    dash: Dash,
    drawn: u16,
}

impl Pen {
    fn is_down(&self) -> bool {
        let (on, off) = self.dash;
        off == 0 || self.drawn % on.saturating_add(off) < on
    }
}

/// The bit of a dot in its cell; braille numbers the lowest row last.
fn bit(x: usize, y: usize) -> u8 {
    const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
    BITS[x][y]
}

/// Every second dot of a cell, which reads as a shade; all of them where that would leave none.
pub fn thinned(dots: u8) -> u8 {
    let thin = dots & 0x95;
    if thin == 0 { dots } else { thin }
}

#[cfg(test)]
mod tests;
