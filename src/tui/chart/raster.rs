//! A grid of dots, two across and four down to a character cell, as braille has them.
//!
//! Invariant: whatever is asked to be drawn, nothing outside of the grid is touched and nothing panics.

/// What a line was drawn with; a later one covers an earlier one where both share a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ink {
    Steps,
    Train,
    Val,
}

/// The steps lie below the lines: where a cell has of both, the line alone is seen.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    steps: u8,
    lines: u8,
    ink: Option<Ink>,
}

/// The dots of a plot; `width` by `height` cells.
#[derive(Debug)]
pub struct Raster {
    width: usize,
    height: usize,
    cells: Vec<Cell>,
}

/// Where a value stands among the dots.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Left and right end of the plot.
    pub x: (f64, f64),
    /// Bottom and top of the plot.
    pub y: (f64, f64),
    /// Dots across and down.
    pub dots: (usize, usize),
}

impl Scale {
    /// The dot of a finite point, counted from the top left; far outside is cut to just outside.
    pub fn dot(&self, (x, y): (f64, f64)) -> (i32, i32) {
        let across = place(x, self.x) * last(self.dots.0);
        let down = (1.0 - place(y, self.y)) * last(self.dots.1);
        (cut(across, self.dots.0), cut(down, self.dots.1))
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

impl Raster {
    /// An empty plot of `width` by `height` cells.
    pub fn new(width: u16, height: u16) -> Self {
        let (width, height) = (usize::from(width), usize::from(height));
        Raster { width, height, cells: vec![Cell::default(); width * height] }
    }

    /// Dots across and down.
    pub fn dots(&self) -> (usize, usize) {
        (self.width * 2, self.height * 4)
    }

    /// Sets a dot, counted from the top left.
    pub fn dot(&mut self, x: i32, y: i32, ink: Ink) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x >= self.width * 2 || y >= self.height * 4 {
            return;
        }
        let cell = &mut self.cells[y / 4 * self.width + x / 2];
        let layer = if ink == Ink::Steps { &mut cell.steps } else { &mut cell.lines };
        *layer |= bit(x % 2, y % 4);
        cell.ink = cell.ink.max(Some(ink));
    }

    /// A straight line between two dots, both included (Bresenham).
    pub fn line(&mut self, from: (i32, i32), to: (i32, i32), ink: Ink) {
        let (dx, dy) = ((to.0 - from.0).abs(), -(to.1 - from.1).abs());
        let (sx, sy) = ((to.0 - from.0).signum(), (to.1 - from.1).signum());
        let (mut x, mut y) = from;
        let mut error = dx + dy;
        loop {
            self.dot(x, y, ink);
            if (x, y) == to {
                return;
            }
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

    /// A line through `points` in order of x; a value that is not finite breaks it. Points that share a column of dots
    /// become one stroke from the lowest to the highest, so that a hundred thousand cost no more than reading them.
    pub fn curve(&mut self, points: impl Iterator<Item = (f64, f64)>, scale: &Scale, ink: Ink) {
        let mut stroke: Option<Stroke> = None;
        for point in points {
            if !(point.0.is_finite() && point.1.is_finite()) {
                self.finish(stroke.take(), ink);
                continue;
            }
            let (x, y) = scale.dot(point);
            match &mut stroke {
                Some(stroke) if stroke.x == x => stroke.extend(y),
                Some(previous) => {
                    let end = (previous.x, previous.last);
                    self.finish(stroke.replace(Stroke::at(x, y)), ink);
                    self.line(end, (x, y), ink);
                }
                None => stroke = Some(Stroke::at(x, y)),
            }
        }
        self.finish(stroke, ink);
    }

    /// A dot for each of `points`, without a line between them.
    pub fn scatter(&mut self, points: impl Iterator<Item = (f64, f64)>, scale: &Scale, ink: Ink) {
        for point in points.filter(|point| point.0.is_finite() && point.1.is_finite()) {
            let (x, y) = scale.dot(point);
            self.dot(x, y, ink);
        }
    }

    fn finish(&mut self, stroke: Option<Stroke>, ink: Ink) {
        if let Some(stroke) = stroke {
            self.line((stroke.x, stroke.top), (stroke.x, stroke.bottom), ink);
        }
    }

    /// The cells that have a dot: column, row, dots as the low byte of the braille block, ink.
    pub fn cells(&self) -> impl Iterator<Item = (u16, u16, u8, Ink)> {
        self.cells.iter().enumerate().filter_map(|(index, cell)| {
            let (column, row) = (index % self.width, index / self.width);
            let dots = if cell.lines == 0 { cell.steps } else { cell.lines };
            Some((u16::try_from(column).ok()?, u16::try_from(row).ok()?, dots, cell.ink?))
        })
    }
}

/// What falls into one column of dots.
#[derive(Clone, Copy)]
struct Stroke {
    x: i32,
    top: i32,
    bottom: i32,
    last: i32,
}

impl Stroke {
    fn at(x: i32, y: i32) -> Self {
        Stroke { x, top: y, bottom: y, last: y }
    }

    fn extend(&mut self, y: i32) {
        self.top = self.top.min(y);
        self.bottom = self.bottom.max(y);
        self.last = y;
    }
}

/// The bit of a dot in its cell; braille numbers the lowest row last.
fn bit(x: usize, y: usize) -> u8 {
    const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
    BITS[x][y]
}

/// The braille character with these dots.
pub fn braille(dots: u8) -> char {
    char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(raster: &Raster) -> Vec<String> {
        let mut rows = vec![vec![' '; raster.width]; raster.height];
        for (column, row, dots, _) in raster.cells() {
            rows[usize::from(row)][usize::from(column)] = braille(dots);
        }
        rows.into_iter().map(|row| row.into_iter().collect()).collect()
    }

    fn scale(raster: &Raster, x: (f64, f64), y: (f64, f64)) -> Scale {
        Scale { x, y, dots: raster.dots() }
    }

    #[test]
    fn corners_and_a_diagonal() {
        let mut raster = Raster::new(2, 1);
        let scale = scale(&raster, (0.0, 3.0), (0.0, 3.0));
        raster.curve([(0.0, 0.0), (3.0, 3.0)].into_iter(), &scale, Ink::Train);
        assert_eq!(text(&raster), ["⡠⠊"]);
    }

    #[test]
    fn a_single_point_is_a_dot_and_equal_values_a_level() {
        let mut raster = Raster::new(3, 1);
        let scale = scale(&raster, (0.0, 1.0), (0.0, 1.0));
        raster.curve([(1.0, 1.0)].into_iter(), &scale, Ink::Val);
        assert_eq!(text(&raster), ["  ⠈"]);
        let mut raster = Raster::new(3, 1);
        raster.curve([(0.0, 0.0), (0.5, 0.0), (1.0, 0.0)].into_iter(), &scale, Ink::Val);
        assert_eq!(text(&raster), ["⣀⣀⣀"]);
    }

    #[test]
    fn what_is_not_finite_breaks_the_line() {
        let mut raster = Raster::new(4, 1);
        let scale = scale(&raster, (0.0, 7.0), (0.0, 3.0));
        let points = [(0.0, 3.0), (1.0, 3.0), (3.0, f64::NAN), (4.0, f64::INFINITY), (6.0, 3.0), (7.0, 3.0)];
        raster.curve(points.into_iter(), &scale, Ink::Train);
        assert_eq!(text(&raster), ["⠉  ⠉"]);
    }

    #[test]
    fn many_points_in_a_column_become_one_stroke() {
        let mut raster = Raster::new(1, 2);
        let scale = scale(&raster, (0.0, 1.0), (0.0, 1.0));
        let points = (0..100_000).map(|i| (0.0, f64::from(i % 1000) / 999.0));
        raster.curve(points, &scale, Ink::Steps);
        assert_eq!(text(&raster), ["⡇", "⡇"]);
    }

    #[test]
    fn a_later_ink_covers_an_earlier_one() {
        let mut raster = Raster::new(1, 1);
        raster.dot(0, 0, Ink::Val);
        raster.dot(1, 0, Ink::Steps);
        assert_eq!(raster.cells().collect::<Vec<_>>(), [(0, 0, 0x01, Ink::Val)], "steps give way to a line");
        raster.dot(1, 3, Ink::Train);
        assert_eq!(raster.cells().collect::<Vec<_>>(), [(0, 0, 0x81, Ink::Val)], "lines share a cell");
    }

    #[test]
    fn any_number_is_drawn_without_harm() {
        let mut raster = Raster::new(3, 2);
        for y in [(0.0, 0.0), (f64::MIN, f64::MAX), (1e-320, 2e-320)] {
            let scale = scale(&raster, (0.0, 1.0), y);
            raster.curve([(0.0, f64::MAX), (0.5, f64::MIN), (1.0, 1e-321)].into_iter(), &scale, Ink::Val);
        }
        Raster::new(0, 0).dot(0, 0, Ink::Val);
    }
}
