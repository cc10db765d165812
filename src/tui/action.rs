//! What a person asks for, what the dashboard then does, and what it hears back.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use ratatui::layout::{Position, Size};

use super::editor::Edit;
use super::job::Job;
use super::layout::Edge;
use super::library::{Check, Draft};
use super::log;
use super::meters::{Reading, Wish};
use super::notices::Told;
use super::orders::Order;
use super::pane::{self, Tab};
use super::picture::Page;
use super::runs::Delta;
use crate::base::id::RunId;

/// A way to go in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
}

impl Motion {
    /// Where it leads from `place` among `rows`, when `page` rows make a page.
    pub fn from(self, place: usize, rows: usize, page: usize) -> usize {
        let page = page.saturating_sub(1).max(1);
        let to = match self {
            Motion::Up => place.saturating_sub(1),
            Motion::Down => place.saturating_add(1),
            Motion::PageUp => place.saturating_sub(page),
            Motion::PageDown => place.saturating_add(page),
            Motion::First => 0,
            Motion::Last => usize::MAX,
        };
        to.min(rows.saturating_sub(1))
    }
}

/// What a key, the mouse or the terminal asks for. What one pane alone understands is its own.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Go(Motion),
    NextPane,
    PreviousPane,
    Open,
    Back,
    Zoom,
    Show(Tab),
    Help,
    /// The last notices.
    Notices,
    /// Moves a border by so many columns to the right, or rows upwards.
    Move(Edge, i16),
    Yes,
    No,
    Accept,
    Erase,
    Quit,
    Type(char),
    Paste(String),
    Click(Position),
    Wheel(Position, Motion),
    /// The mouse is here, with the button still held down after a click.
    Drag(Position),
    /// The button was let go.
    Drop,
    /// Draw all anew: something else wrote on the screen.
    Redraw,
    /// Give the terminal to the shell until it says to go on.
    Suspend,
    Resize(Size),
    Queue(pane::queue::Action),
    Curves(pane::curves::Action),
    Compare(pane::compare::Action),
    Events(pane::events::Action),
    Log(pane::log::Action),
    Config(pane::config::Action),
    Results(pane::results::Action),
    System(pane::system::Action),
    Add(pane::add::Action),
    Palette(pane::palette::Action),
}

/// What is to be done outside of the state.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Quit,
    Suspend,
    Redraw,
    /// Say it also where the dashboard is not looked at, as the person wishes.
    Announce(Vec<Told>),
    /// Read these runs whole, and go on reading them.
    Want(BTreeSet<RunId>),
    /// Ask the reader of logs.
    Log(log::Order),
    /// Read the meters so.
    Measure(Wish),
    /// On a thread of its own; what comes out is heard as news.
    Do(Job),
    /// Ask the runner.
    Ask(Order),
    /// Let the person's editor have the terminal, and this text.
    Edit(Edit),
}

/// What is heard from other threads.
#[derive(Debug)]
pub enum News {
    Runs(Delta),
    Log(pane::log::News),
    Config(pane::config::News),
    Experiments(Vec<PathBuf>),
    Checked(Draft, Check),
    Compared(Box<pane::compare::Compared>),
    Sought(pane::events::Sought),
    /// What was written into which file, or why not.
    Exported(Result<String, String>),
    /// The text that was edited; None where it is what it was, or why there is none.
    Edited(Result<Option<Arc<str>>, String>),
    /// The runner's answer: what was done, or why not.
    Answered(Result<String, String>),
    /// How many runs may train at once; None where no runner lives.
    Slots(Option<usize>),
    Meters(Reading),
    Pictures(Page),
    /// The store could not be read.
    Trouble(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn motions_stay_inside() {
        for (motion, place, rows, page, to) in [
            (Motion::Up, 0, 5, 3, 0),
            (Motion::Down, 4, 5, 3, 4),
            (Motion::PageDown, 0, 10, 4, 3),
            (Motion::PageUp, 9, 10, 4, 6),
            (Motion::First, 7, 10, 4, 0),
            (Motion::Last, 0, 10, 4, 9),
            (Motion::Last, 0, 0, 4, 0),
            (Motion::Down, 0, 0, 0, 0),
        ] {
            assert_eq!(motion.from(place, rows, page), to, "{motion:?} from {place} of {rows}");
        }
    }
}
