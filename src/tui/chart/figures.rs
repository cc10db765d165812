//! The figures of lines: the last one, the one under the crosshair, and how they are written.

use super::points::Spot;
use super::raster::Ink;
use super::{Cursor, Line, axis, look};
use crate::base::text::metric;
use crate::tui::theme::Theme;

/// A figure in short; small ones with as many digits as large ones.
pub fn figure(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.01 { axis::short(value) } else { metric(value) }
}

/// The last figure of a line; NaN where that is none.
pub fn last(line: &Line) -> Option<f64> {
    line.points.len().checked_sub(1).map(|last| line.points.y(last))
}

/// The text at a line's end; those below the lines have none.
pub fn label(theme: &Theme, line: &Line) -> Option<String> {
    if line.ink.is_below() || line.ink == Ink::Smooth {
        return None;
    }
    let marker = look::of(theme, line.ink).marker;
    let gap = if marker.is_empty() { "" } else { " " };
    Some(format!("{marker}{gap}{} {}", line.name, figure(last(line)?)))
}

/// The last point in the window that is drawn.
pub fn last_shown(spots: &[Spot], (left, right): (f64, f64)) -> Option<Spot> {
    let inside = |spot: &&Spot| spot.x >= left && spot.x <= right && spot.span.is_some();
    spots.iter().rev().find(inside).copied()
}

/// The height of a line at `x`, between the two points that it is between.
pub fn between(spots: &[Spot], x: f64) -> Option<f64> {
    let behind = spots.partition_point(|spot| spot.x < x);
    let right = spots.get(behind)?;
    let to = right.span?;
    if right.x <= x {
        return Some(to.last);
    }
    let left = spots.get(behind.checked_sub(1)?)?;
    let share = (x - left.x) / (right.x - left.x);
    let from = left.span?.last;
    share.is_finite().then_some(from + (to.first - from) * share)
}

/// What a line has under the crosshair: the epoch's figure, or what the steps span.
pub fn under(line: &Line, cursor: Cursor) -> Option<String> {
    let points = line.points;
    if line.ink == Ink::Steps {
        let span = points.span(points.find(cursor.from.next_up())..points.find(cursor.x.next_up()))?;
        let (low, high) = (figure(span.min), figure(span.max));
        return Some(if low == high { low } else { format!("{low}–{high}") });
    }
    if line.ink.is_below() || line.ink == Ink::Smooth {
        return None;
    }
    let index = points.find(cursor.x - (cursor.x.abs() * 1e-12).max(1e-9));
    (index < points.len()).then(|| figure(points.y(index)))
}
