//! What the curves are looked at with: kept between runs, and fit to be kept between starts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::sheet::Sheet;
use super::window::Window;
use crate::base::id::RunId;
use crate::tui::chart::XAxis;
use crate::tui::chart::axis::Measure;
use crate::tui::chart::raster::Dots;

/// How all runs are looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Look {
    pub axis: XAxis,
    pub smoothing: Smoothing,
    pub dots: Dots,
    /// The chosen chart.
    pub chart: String,
    /// Charts that are not shown.
    pub hidden: BTreeSet<String>,
    /// Charts with the other measure than they have at first.
    pub other_measure: BTreeSet<String>,
}

/// Stands among the hidden charts for those of single classes, where they are many.
pub const OF_CLASSES: &str = "*/*";
/// Charts that are hidden at first.
const HIDDEN: [&str; 2] = [OF_CLASSES, "samples_per_s"];

impl Default for Look {
    fn default() -> Self {
        Look {
            axis: XAxis::default(),
            smoothing: Smoothing::default(),
            dots: Dots::default(),
            chart: "loss".into(),
            hidden: HIDDEN.map(str::to_owned).into(),
            other_measure: BTreeSet::new(),
        }
    }
}

impl Look {
    /// Whether a chart measures values or logarithms.
    pub fn measure(&self, sheet: &Sheet) -> Measure {
        match (sheet.measure(), self.other_measure.contains(&sheet.name)) {
            (Measure::Linear, false) | (Measure::Log, true) => Measure::Linear,
            (Measure::Log, false) | (Measure::Linear, true) => Measure::Log,
        }
    }

    /// The other measure for a chart.
    pub fn turn_measure(&mut self, name: &str) {
        if !self.other_measure.remove(name) {
            self.other_measure.insert(name.to_owned());
        }
    }

    /// Shows all charts; the usual ones, where all are shown.
    pub fn show_all(&mut self) {
        self.hidden = if self.hidden.is_empty() { HIDDEN.map(str::to_owned).into() } else { BTreeSet::new() };
    }
}

/// How much of the past a line keeps.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Smoothing {
    #[default]
    Off,
    Light,
    Medium,
    Strong,
}

impl Smoothing {
    /// The one after this one.
    pub fn next(self) -> Smoothing {
        match self {
            Smoothing::Off => Smoothing::Light,
            Smoothing::Light => Smoothing::Medium,
            Smoothing::Medium => Smoothing::Strong,
            Smoothing::Strong => Smoothing::Off,
        }
    }

    /// Weight of the past in the average.
    pub fn weight(self) -> f64 {
        match self {
            Smoothing::Off => 0.0,
            Smoothing::Light => 0.3,
            Smoothing::Medium => 0.6,
            Smoothing::Strong => 0.9,
        }
    }
}

/// What belongs to the run that is looked at.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Sight {
    pub run: Option<RunId>,
    windows: [Window; 3],
    /// The crosshair, in epochs trained.
    pub cursor: Option<f64>,
}

impl Sight {
    /// All of a run.
    pub fn of(run: Option<RunId>) -> Sight {
        Sight { run, ..Sight::default() }
    }

    /// The window of an axis.
    pub fn window(&self, axis: XAxis) -> Window {
        let [step, epoch, time] = self.windows;
        match axis {
            XAxis::Step => step,
            XAxis::Epoch => epoch,
            XAxis::Time => time,
        }
    }

    /// The window of an axis, to be changed.
    pub fn window_mut(&mut self, axis: XAxis) -> &mut Window {
        let [step, epoch, time] = &mut self.windows;
        match axis {
            XAxis::Step => step,
            XAxis::Epoch => epoch,
            XAxis::Time => time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_look_is_written_and_read_back() {
        let mut look = Look { smoothing: Smoothing::Medium, dots: Dots::Blocks, axis: XAxis::Time, ..Look::default() };
        look.turn_measure("loss");
        look.show_all();
        let text = serde_json::to_string(&look).unwrap();
        assert_eq!(serde_json::from_str::<Look>(&text).unwrap(), look);
        assert_eq!(serde_json::from_str::<Look>("{}").unwrap(), Look::default());
    }

    #[test]
    fn smoothing_goes_through_its_levels() {
        let mut level = Smoothing::Off;
        let weights: Vec<f64> = (0..5)
            .map(|_| {
                let weight = level.weight();
                level = level.next();
                weight
            })
            .collect();
        assert_eq!(weights, [0.0, 0.3, 0.6, 0.9, 0.0]);
    }
}
