//! What a line is made of, and the little of it that a frame needs.
//!
//! Invariant: what a frame reads grows with its columns. Where a column has several points, what they span is
//! asked for,
//! which takes the logarithm of their number; where it has none or one, the points themselves are.

use std::ops::Range;

use crate::record::series::Span;

/// What one value spans; None where it is not finite.
pub fn alone(value: f64) -> Option<Span> {
    value.is_finite().then_some(Span { first: value, last: value, min: value, max: value })
}

fn join(before: Span, later: Span) -> Span {
    let (min, max) = (before.min.min(later.min), before.max.max(later.max));
    Span { first: before.first, last: later.last, min, max }
}

/// Figures in order of x, which rises.
pub trait Points {
    /// How many there are.
    fn len(&self) -> usize;

    /// Where the point of this index stands.
    fn x(&self, index: usize) -> f64;

    /// The figure of this index; NaN where there is none.
    fn y(&self, index: usize) -> f64;

    /// What a stretch spans.
    fn span(&self, range: Range<usize>) -> Option<Span> {
        range.filter_map(|index| alone(self.y(index))).reduce(join)
    }

    /// The index of the first point that is not left of `x`.
    fn find(&self, x: f64) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.x(middle) < x { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Points for Vec<(f64, f64)> {
    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn x(&self, index: usize) -> f64 {
        self.get(index).map_or(f64::NAN, |point| point.0)
    }

    fn y(&self, index: usize) -> f64 {
        self.get(index).map_or(f64::NAN, |point| point.1)
    }
}

/// A point of a line as it is drawn; one without a span breaks the line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    pub x: f64,
    pub span: Option<Span>,
}

/// Points of a column from which on what they span is drawn instead of each.
const DENSE: usize = 2;
/// Points or columns left of the window that smoothing begins with, so that panning hardly changes what is seen.
const WARMING: usize = 100;

/// What is to be drawn of `points` in a window of so many columns, with the point before it and the one behind it.
///
/// `smoothing` is the weight of the past in an exponential moving average without the bias of its beginning, as
/// TensorBoard has it; 0 leaves the points as they are. Where columns are dense it goes over the middles of the
/// columns,
/// so that it never reads more than they do.
pub fn spots(points: &dyn Points, window: (f64, f64), columns: usize, smoothing: f64) -> Vec<Spot> {
    let (left, right) = window;
    if points.is_empty() || columns == 0 || !(left.is_finite() && right.is_finite() && left < right) {
        return Vec::new();
    }
    let begin = points.find(left);
    let end = points.find(right.next_up()).max(begin);
    let mut average = Average { weight: smoothing, ..Average::default() };
    if end - begin > DENSE * columns {
        dense(points, window, columns, &mut average)
    } else {
        let warm = if smoothing > 0.0 { begin.saturating_sub(WARMING)..begin.saturating_sub(1) } else { 0..0 };
        for index in warm {
            average.take(alone(points.y(index)));
        }
        let shown = begin.saturating_sub(1)..(end + 1).min(points.len());
        shown.map(|index| Spot { x: points.x(index), span: average.take(alone(points.y(index))) }).collect()
    }
}

fn dense(points: &dyn Points, (left, right): (f64, f64), columns: usize, average: &mut Average) -> Vec<Spot> {
    let width = (right - left) / columns as f64;
    let warming = if average.weight > 0.0 { WARMING } else { 0 };
    let mut begin = points.find(left - width * warming as f64);
    let mut spots = Vec::with_capacity(columns);
    for column in 0..columns + warming {
        let at = left + width * (column as f64 - warming as f64);
        let is_last = column + 1 == columns + warming;
        let edge = if is_last { right.next_up() } else { at + width };
        let end = points.find(edge).max(begin);
        if begin < end {
            let span = average.take(points.span(begin..end));
            if column >= warming {
                spots.push(Spot { x: at + width / 2.0, span });
            }
        }
        begin = end;
    }
    spots
}

/// An exponential moving average, and how much of its weight it has seen.
#[derive(Debug, Default)]
struct Average {
    weight: f64,
    sum: f64,
    seen: f64,
}

impl Average {
    fn take(&mut self, span: Option<Span>) -> Option<Span> {
        if self.weight <= 0.0 {
            return span;
        }
        let span = span?;
        let value = span.min / 2.0 + span.max / 2.0;
        self.sum = self.weight * self.sum + (1.0 - self.weight) * value;
        self.seen = self.weight * self.seen + (1.0 - self.weight);
        alone(self.sum / self.seen)
    }
}

#[cfg(test)]
mod tests;
