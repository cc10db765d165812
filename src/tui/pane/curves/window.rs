//! The stretch of an axis that is looked at, and how zooming and panning change it.

use super::Way;
use serde::{Deserialize, Serialize};

/// What is looked at.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    #[default]
    All,
    /// So much of the newest; it goes on with the run.
    Newest(f64),
    At(f64, f64),
}

/// An axis: where it begins and ends, and the newest that is known on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    pub left: f64,
    pub right: f64,
    pub newest: f64,
    /// The smallest stretch that is worth a look.
    pub least: f64,
}

/// Parts of a window that follows the newest by which it moves on: seldom, so that little is drawn anew.
const JUMPS: f64 = 8.0;
/// Share of the window by which one key pans it.
const PAN: f64 = 0.25;

impl Extent {
    fn span(&self) -> f64 {
        self.right - self.left
    }
}

impl Window {
    /// Its left and right end on an axis.
    pub fn on(self, axis: Extent) -> (f64, f64) {
        match self {
            Window::All => (axis.left, axis.right),
            Window::Newest(span) => {
                let jump = span / JUMPS;
                let right = ((axis.newest / jump).ceil() * jump).max(axis.left + span);
                if right.is_finite() { (right - span, right) } else { (axis.left, axis.right) }
            }
            Window::At(left, right) => (left, right),
        }
    }

    /// Makes it so many times as wide; what lies at `still` stays where it is. Without one the newest does, where it is
    /// followed, else the middle.
    pub fn zoomed(self, axis: Extent, times: f64, still: Option<f64>) -> Window {
        let (left, right) = self.on(axis);
        let span = ((right - left) * times).max(axis.least);
        if span.is_nan() || span >= axis.span() {
            return Window::All;
        }
        let still = match (still, self) {
            (None, Window::All | Window::Newest(_)) => return Window::Newest(span),
            (None, Window::At(..)) => left / 2.0 + right / 2.0,
            (Some(still), _) => still.clamp(left, right),
        };
        let left = still - (still - left) * span / (right - left);
        Window::at(left, span, axis)
    }

    /// Moves it by some of its width; one that reaches the newest follows it.
    pub fn panned(self, axis: Extent, way: Way) -> Window {
        let (left, right) = self.on(axis);
        let span = right - left;
        let step = if way == Way::On { span * PAN } else { -span * PAN };
        match self {
            Window::All => Window::All,
            _ if way == Way::On && right + step >= axis.newest => Window::Newest(span),
            _ => Window::at(left + step, span, axis),
        }
    }

    /// Moved just so far that `x` is inside, and not quite at the edge.
    pub fn holding(self, axis: Extent, x: f64) -> Window {
        let (left, right) = self.on(axis);
        let span = right - left;
        if (left..=right).contains(&x) || !x.is_finite() || self == Window::All {
            self
        } else if x < left {
            Window::at(x - span * 0.1, span, axis)
        } else {
            Window::at(x - span * 0.9, span, axis)
        }
    }

    fn at(left: f64, span: f64, axis: Extent) -> Window {
        let left = left.min(axis.right - span).max(axis.left);
        Window::At(left, left + span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AXIS: Extent = Extent { left: 0.0, right: 100.0, newest: 40.0, least: 0.1 };

    #[test]
    fn zooming_in_from_all_follows_the_newest() {
        let window = Window::All.zoomed(AXIS, 0.5, None);
        assert_eq!(window, Window::Newest(50.0));
        assert_eq!(window.on(AXIS), (0.0, 50.0));
        let later = Extent { newest: 60.0, ..AXIS };
        assert_eq!(window.on(later), (12.5, 62.5));
        assert_eq!(window.on(Extent { newest: 60.5, ..AXIS }), (12.5, 62.5), "it moves seldom");
        assert_eq!(window.zoomed(AXIS, 4.0, None), Window::All);
    }

    #[test]
    fn what_is_pointed_at_stays_where_it_is() {
        let (left, right) = Window::All.zoomed(AXIS, 0.5, Some(20.0)).on(AXIS);
        assert_eq!((left, right), (10.0, 60.0));
        assert_eq!((20.0 - left) / (right - left), 0.2);
    }

    #[test]
    fn panning_stays_on_the_axis_and_comes_back_to_the_newest() {
        let window = Window::At(20.0, 28.0);
        assert_eq!(window.panned(AXIS, Way::On), Window::At(22.0, 30.0));
        assert_eq!(window.panned(AXIS, Way::Back), Window::At(18.0, 26.0));
        assert_eq!(Window::At(1.0, 9.0).panned(AXIS, Way::Back), Window::At(0.0, 8.0));
        assert_eq!(Window::At(31.0, 39.0).panned(AXIS, Way::On), Window::Newest(8.0));
        assert_eq!(Window::Newest(8.0).panned(AXIS, Way::Back), Window::At(30.0, 38.0));
    }

    #[test]
    fn a_place_outside_is_brought_inside() {
        assert_eq!(Window::At(20.0, 30.0).holding(AXIS, 25.0), Window::At(20.0, 30.0));
        assert_eq!(Window::At(20.0, 30.0).holding(AXIS, 50.0), Window::At(41.0, 51.0));
        assert_eq!(Window::At(20.0, 30.0).holding(AXIS, 0.5), Window::At(0.0, 10.0));
    }

    proptest! {
        #[test]
        fn any_way_leads_to_a_window_on_the_axis(
            right in 0.0f64..1e9,
            ways in prop::collection::vec((0u8..5, -1e9f64..1e9), 0..30),
        ) {
            let axis = Extent { left: 0.0, right, newest: right * 0.7, least: right / 1e4 };
            let mut window = Window::All;
            for (way, x) in ways {
                window = match way {
                    0 => window.zoomed(axis, 0.5, None),
                    1 => window.zoomed(axis, 0.7, Some(x)),
                    2 => window.zoomed(axis, 1.6, Some(x)),
                    3 => window.panned(axis, if x > 0.0 { Way::On } else { Way::Back }),
                    _ => window.holding(axis, x.clamp(0.0, right)),
                };
                let (left, end) = window.on(axis);
                prop_assert!(left >= -1e-6 && left <= end && end <= right * 1.13 + 1e-6, "{window:?}: {left}..{end}");
            }
        }
    }
}
