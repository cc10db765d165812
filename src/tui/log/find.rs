//! A search through a whole log, piece by piece, so that it can be stopped between two of them.

use super::ansi;
use super::source::Source;
use super::window::{BLOCK, Window};
use crate::tui::search::{Pattern, Way};

/// Bytes that are searched in one go.
const PIECE: u64 = 64 * BLOCK;

/// What to look for, and from which line on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Find {
    pub pattern: Pattern,
    pub way: Way,
    /// Where a line begins.
    pub from: u64,
    /// Whether that line counts.
    pub inclusive: bool,
}

/// A search that is under way: to the end of the log, then round from its other end to where it began.
#[derive(Debug)]
pub struct Finding {
    find: Find,
    /// Forward, where the next line begins; backward, where the last one that was looked at does.
    at: u64,
    round: bool,
    searched: u64,
}

/// How a search goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many percent are done.
    Goes(u8),
    /// In the line that begins there.
    Found(u64),
    Nothing,
}

impl Finding {
    /// A search that has looked at nothing.
    pub fn new(find: Find) -> Finding {
        // One byte further is inside of the line or behind it: enough to count it, or to leave it out.
        let aside = match find.way {
            Way::Forward => !find.inclusive,
            Way::Backward => find.inclusive,
        };
        let at = find.from + u64::from(aside);
        Finding { find, at, round: false, searched: 0 }
    }

    /// Searches the next piece.
    pub fn step(&mut self, log: &mut Source) -> Step {
        let found = match self.find.way {
            Way::Forward => self.forward(log),
            Way::Backward => self.backward(log),
        };
        found.unwrap_or_else(|| {
            let percent = self.searched.saturating_mul(100) / log.length().max(1);
            Step::Goes(u8::try_from(percent.min(99)).unwrap_or(99))
        })
    }

    fn forward(&mut self, log: &mut Source) -> Option<Step> {
        let before = self.at.saturating_sub(BLOCK);
        let window = log.lines(before, self.at.saturating_add(PIECE));
        let first = (0..window.lines()).find(|&line| window.offset(line) >= self.at);
        let mut lines = first.unwrap_or(window.lines())..window.lines();
        if let Some(line) = lines.find(|&line| self.is_in(&window, line)) {
            return Some(self.found(window.offset(line)));
        }
        self.searched += window.end().saturating_sub(self.at);
        self.at = window.end().max(self.at);
        let is_over = self.round && self.at > self.find.from;
        if is_over || (window.has_last() && self.round) {
            return Some(Step::Nothing);
        }
        if window.has_last() || window.lines() == 0 {
            (self.at, self.round) = (0, true);
        }
        None
    }

    fn backward(&mut self, log: &mut Source) -> Option<Step> {
        let window = log.lines(self.at.saturating_sub(PIECE), self.at);
        let end = (0..window.lines()).rfind(|&line| window.offset(line) < self.at).map_or(0, |line| line + 1);
        if let Some(line) = (0..end).rev().find(|&line| self.is_in(&window, line)) {
            return Some(self.found(window.offset(line)));
        }
        let first = if end == 0 { 0 } else { window.offset(0) };
        self.searched += self.at.saturating_sub(first);
        self.at = first;
        if self.round && self.at <= self.find.from {
            return Some(Step::Nothing);
        }
        if self.at == 0 {
            (self.at, self.round) = (log.length(), true);
        }
        None
    }

    /// Having gone round, what lies beyond the beginning was looked at before.
    fn found(&self, offset: u64) -> Step {
        let is_beyond = match self.find.way {
            Way::Forward => offset > self.find.from,
            Way::Backward => offset < self.find.from,
        };
        if self.round && is_beyond { Step::Nothing } else { Step::Found(offset) }
    }

    fn is_in(&self, window: &Window, line: usize) -> bool {
        self.find.pattern.is_in(&ansi::text(window.line(line)))
    }
}
