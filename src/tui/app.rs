//! The state of the dashboard: all that a frame shows, and nothing else. Each pane keeps its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use ratatui::layout::Size;

use super::keymap::{Keymap, Scope};
use super::layout::{Edge, Focus, Layout, Shares, layout};
use super::meters::Reading;
use super::notices::Notices;
use super::pane::{self, Pane, Tab};
use super::probe::Terminal;
use super::prompt::Prompt;
use super::runs::{Choice, Runs};
use crate::base::clock::Timestamp;
use crate::base::id::RunId;
use crate::record::state::RunState;

/// The dashboard.
#[derive(Debug)]
pub struct App {
    pub runs: Runs,
    pub screen: Screen,
    pub keymap: Keymap,
    pub queue: pane::queue::Queue,
    pub curves: pane::curves::Curves,
    pub compare: pane::compare::Compare,
    pub events: pane::events::Events,
    pub log: pane::log::Log,
    pub config: pane::config::Config,
    pub results: pane::results::Results,
    pub system: pane::system::System,
    /// What lies over the panes and takes the keys.
    pub overlay: Option<Overlay>,
    /// What the runner answered last, or what went wrong.
    pub notice: Option<Notice>,
    /// The name of what the palette did last.
    pub last_done: Option<String>,
    /// What happened to runs while it is open.
    pub notices: Notices,
    pub orders: Orders,
    pub meters: Option<Reading>,
    /// What is known of the terminal.
    pub terminal: Terminal,
    /// The time, while something runs; a clock would be all that changes otherwise.
    pub clock: Option<Timestamp>,
    /// To be chosen as soon as it is there.
    pub awaited: Option<Choice>,
    /// The runs that are read whole.
    pub wanted: BTreeSet<RunId>,
}

/// What is where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    pub size: Size,
    pub focus: Focus,
    /// The focused place takes the whole screen.
    pub zoomed: bool,
    /// What the place at the bottom shows.
    pub tab: Tab,
    /// How the person divided it.
    pub shares: Shares,
    /// The border that the mouse holds.
    pub held: Option<Edge>,
    /// Whether runs are compared, where else the chosen one is shown.
    pub comparing: bool,
}

/// What lies over the panes.
// There is one at most.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq)]
pub enum Overlay {
    /// A line is typed into the footer.
    Prompt(Prompt),
    Add(pane::add::Add),
    Question(pane::question::Question),
    Sort(pane::queue::sorting::Sorting),
    Palette(pane::palette::Palette),
    /// The keys, scrolled by so many lines.
    Help(usize),
    /// The last notices, scrolled by so many lines.
    Notices(usize),
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
            screen: Screen {
                size,
                focus: Focus::Queue,
                zoomed: false,
                tab: Tab::Events,
                comparing: false,
                shares: Shares::default(),
                held: None,
            },
            keymap: Keymap::default(),
            queue: Default::default(),
            curves: Default::default(),
            compare: Default::default(),
            events: Default::default(),
            log: Default::default(),
            config: Default::default(),
            results: Default::default(),
            system: Default::default(),
            overlay: None,
            notice: None,
            last_done: None,
            notices: Notices::default(),
            orders: Orders::default(),
            meters: None,
            terminal: Terminal::default(),
            clock: None,
            awaited: awaited.map(Choice::Run),
            wanted: BTreeSet::new(),
        }
    }

    /// The chosen run, as far as it was read whole.
    pub fn run(&self) -> Option<&Arc<RunState>> {
        self.runs.whole(self.runs.chosen()?)
    }

    /// The runs that an order is about: the marked ones, else the chosen one, or those of the chosen group.
    pub fn targets(&self) -> Vec<RunId> {
        match self.runs.choice() {
            _ if !self.runs.marked().is_empty() => self.runs.marked().iter().copied().collect(),
            Some(choice) => self.runs.runs_of(choice),
            None => Vec::new(),
        }
    }

    /// What is in a place.
    pub fn pane(&self, focus: Focus) -> Pane {
        match focus {
            Focus::Queue => Pane::Queue,
            Focus::Run if self.screen.comparing => Pane::Compare,
            Focus::Run => Pane::Curves,
            Focus::Bottom => Pane::from(self.screen.tab),
        }
    }

    /// Where keys are pressed; the first that knows a key decides.
    pub fn scopes(&self) -> Vec<Scope> {
        let place = match &self.overlay {
            None => return vec![self.pane(self.screen.focus).scope(), Scope::Panes, Scope::Everywhere],
            Some(Overlay::Prompt(_)) => Scope::Prompt,
            Some(Overlay::Add(add)) if add.is_typing() => {
                return vec![Scope::AddLine, Scope::Prompt, Scope::Everywhere];
            }
            Some(Overlay::Add(_)) => Scope::Add,
            Some(Overlay::Question(_)) => Scope::Question,
            Some(Overlay::Sort(_)) => Scope::Sort,
            Some(Overlay::Palette(_)) => Scope::Palette,
            Some(Overlay::Help(_) | Overlay::Notices(_)) => Scope::Help,
        };
        vec![place, Scope::Everywhere]
    }

    /// Where everything is.
    pub fn layout(&self) -> Layout {
        layout(self.screen.size, self.screen.focus, self.screen.zoomed, self.screen.shares)
    }
}
