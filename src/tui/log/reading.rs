//! What the log of one run has to say, to whoever looks at a part of it.

use std::path::PathBuf;

use super::find::{Find, Finding, Step};
use super::source::{Change, Source};
use super::time;
use super::{Heard, Place};

/// A log that is looked at.
#[derive(Debug)]
pub struct Reading {
    path: PathBuf,
    /// None while there is no log.
    source: Option<Source>,
    look: Look,
    /// Whether what is looked at reached the end of the log.
    at_end: bool,
    finding: Option<(Finding, u8)>,
}

/// What is looked at.
#[derive(Debug, Clone, Copy)]
enum Look {
    End,
    Around(u64),
}

impl Reading {
    /// A reader of the log at `path`, which need not be there; it looks at the end.
    pub fn new(path: PathBuf) -> Reading {
        Reading { path, source: None, look: Look::End, at_end: true, finding: None }
    }

    /// Looks whether there is anything new, and at it.
    pub fn refresh(&mut self) -> Option<Heard> {
        let change = match &mut self.source {
            None => Change::Another,
            Some(source) => source.look(&self.path),
        };
        match change {
            Change::None => None,
            Change::Gone => {
                self.source = None;
                self.look = Look::End;
                Some(Heard::Gone)
            }
            Change::Another => {
                self.source = Source::open(&self.path);
                self.finding = None;
                self.look = Look::End;
                self.source.is_some().then(|| self.window(Some(Place::End)))
            }
            Change::Grown if self.at_end => Some(self.window(None)),
            Change::Grown => Some(Heard::Length(self.source.as_ref()?.length())),
        }
    }

    /// Looks at another place.
    pub fn show(&mut self, place: Place) -> Option<Heard> {
        let source = self.source.as_mut()?;
        self.look = match place {
            Place::End => Look::End,
            Place::Around(offset) => {
                self.look = Look::Around(offset);
                return Some(self.window(None));
            }
            Place::Line(offset) => Look::Around(offset),
            Place::Time(wanted) => match time::place(source, wanted) {
                time::Place::Line(offset) => Look::Around(offset),
                time::Place::End => Look::End,
                time::Place::Timeless => return Some(Heard::Timeless),
            },
        };
        let go = match self.look {
            Look::End => Place::End,
            Look::Around(offset) => Place::Line(offset),
        };
        Some(self.window(Some(go)))
    }

    /// Begins a search, in place of the one before.
    pub fn find(&mut self, find: Find) {
        self.finding = self.source.is_some().then(|| (Finding::new(find), 0));
    }

    /// Gives the search up.
    pub fn stop(&mut self) {
        self.finding = None;
    }

    /// Whether there is something to [`Reading::step`] on with.
    pub fn is_searching(&self) -> bool {
        self.finding.is_some()
    }

    /// Searches on a little; says something where it came to an end, or a percent further.
    pub fn step(&mut self) -> Option<Heard> {
        let (finding, said) = self.finding.as_mut()?;
        match finding.step(self.source.as_mut()?) {
            Step::Goes(percent) if percent > *said => {
                *said = percent;
                Some(Heard::Searching(percent))
            }
            Step::Goes(_) => None,
            Step::Nothing => {
                self.finding = None;
                Some(Heard::Nothing)
            }
            Step::Found(offset) => {
                self.finding = None;
                self.look = Look::Around(offset);
                match self.window(None) {
                    Heard::Window { window, .. } => Some(Heard::Found { window, offset }),
                    heard => Some(heard),
                }
            }
        }
    }

    fn window(&mut self, go: Option<Place>) -> Heard {
        let Some(source) = &mut self.source else { return Heard::Gone };
        let offset = match self.look {
            Look::End => source.length().saturating_sub(1),
            Look::Around(offset) => offset,
        };
        let window = source.around(offset);
        self.at_end = window.has_last();
        Heard::Window { window, go }
    }

    /// Bytes that were read of the log that is there now.
    #[cfg(test)]
    pub fn read(&self) -> u64 {
        self.source.as_ref().map_or(0, |source| source.read)
    }
}

#[cfg(test)]
mod tests;
