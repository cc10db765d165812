//! The state of the dashboard: all that a frame shows, and nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ratatui::layout::Size;

use super::keymap::Scope;
use super::layout::{Focus, Layout, layout};
use super::library::Check;
use super::meters::Reading;
use super::runs::Runs;
use crate::base::clock::Timestamp;
use crate::base::id::RunId;

/// The dashboard.
#[derive(Debug)]
pub struct App {
    pub runs: Runs,
    pub screen: Screen,
    pub bottom: Bottom,
    /// What lies over the panes and takes the keys.
    pub overlay: Option<Overlay>,
    /// What the runner answered last, or what went wrong.
    pub notice: Option<Notice>,
    pub orders: Orders,
    pub meters: Option<Reading>,
    /// The time, while something runs; a clock would be all that changes otherwise.
    pub clock: Option<Timestamp>,
    /// To be chosen as soon as it is there.
    pub awaited: Option<RunId>,
}

/// What is where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    pub size: Size,
    pub focus: Focus,
    /// The focused place takes the whole screen.
    pub zoomed: bool,
    /// Which chart is shown where only one fits.
    pub chart: Measure,
}

/// What a chart shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    Loss,
    Accuracy,
}

/// The pane at the bottom, about the chosen run.
#[derive(Debug)]
pub struct Bottom {
    pub tab: Tab,
    /// Lines scrolled away from the newest.
    pub scroll: usize,
    /// The end of the log of the run that is followed.
    pub log: Option<(RunId, Arc<Vec<String>>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    Events,
    Log,
}

/// What lies over the panes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlay {
    /// A filter is being typed into the footer; the text is the runs' filter.
    Filter,
    Picker(Picker),
    /// Whether to cancel this run.
    Cancel(RunId),
    /// The keys, scrolled by so many lines.
    Help(usize),
}

/// A choice among experiment files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picker {
    /// None while they are being looked for.
    pub files: Option<Vec<PathBuf>>,
    pub place: usize,
    /// What is known of the files that were looked at.
    pub checks: BTreeMap<PathBuf, Check>,
}

/// What the runner was asked for and has not answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Orders {
    pub under_way: usize,
    /// The person wants to leave; only the answers are waited for.
    pub leaving: bool,
}

/// A line for the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    Done(String),
    Wrong(String),
}

impl App {
    /// A dashboard without runs.
    pub fn new(size: Size, awaited: Option<RunId>) -> Self {
        App {
            runs: Runs::default(),
            screen: Screen { size, focus: Focus::Queue, zoomed: false, chart: Measure::Loss },
            bottom: Bottom { tab: Tab::Events, scroll: 0, log: None },
            overlay: None,
            notice: None,
            orders: Orders::default(),
            meters: None,
            clock: None,
            awaited,
        }
    }

    /// Where keys are pressed.
    pub fn scope(&self) -> Scope {
        match self.overlay {
            None => Scope::Panes,
            Some(Overlay::Filter) => Scope::Filter,
            Some(Overlay::Picker(_)) => Scope::Picker,
            Some(Overlay::Cancel(_)) => Scope::Question,
            Some(Overlay::Help(_)) => Scope::Help,
        }
    }

    /// Where everything is.
    pub fn layout(&self) -> Layout {
        layout(self.screen.size, self.screen.focus, self.screen.zoomed)
    }
}

impl Picker {
    /// The chosen file.
    pub fn chosen(&self) -> Option<&PathBuf> {
        self.files.as_ref()?.get(self.place)
    }

    /// What is known of the chosen file.
    pub fn check(&self) -> Option<&Check> {
        self.checks.get(self.chosen()?)
    }
}
