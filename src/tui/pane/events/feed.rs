//! The lines that are shown, in order of time: which they are is worked out once, and added to as lines come.
//!
//! Invariant: it holds places of lines and nothing of what they say, so that only what is seen is put into words.

use super::happening::{Happening, Kind};
use crate::base::clock::Timestamp;
use crate::base::id::RunId;
use crate::record::state::RunState;

/// Which kinds are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds([bool; Kind::ALL.len()]);

impl Default for Kinds {
    /// All but the checkpoints, of which there is one an epoch.
    fn default() -> Self {
        let mut kinds = Kinds::all();
        kinds.turn(Kind::Saved);
        kinds
    }
}

impl Kinds {
    /// All of them.
    pub fn all() -> Self {
        Kinds([true; Kind::ALL.len()])
    }

    /// This one alone.
    pub fn only(kind: Kind) -> Self {
        let mut kinds = Kinds([false; Kind::ALL.len()]);
        kinds.turn(kind);
        kinds
    }

    /// The names of those that are shown.
    pub fn names(self) -> Vec<String> {
        Kind::ALL.into_iter().filter(|&kind| self.has(kind)).map(|kind| kind.name().to_owned()).collect()
    }

    /// Those that are called so.
    pub fn named(names: &[String]) -> Self {
        Kinds(Kind::ALL.map(|kind| names.iter().any(|name| name == kind.name())))
    }

    /// Whether a kind is shown.
    pub fn has(self, kind: Kind) -> bool {
        self.0[kind as usize]
    }

    /// Shows a kind, or does not.
    pub fn turn(&mut self, kind: Kind) {
        self.0[kind as usize] = !self.has(kind);
    }
}

/// Where a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Life(usize),
    Training(usize),
}

/// The shown lines of a run, the oldest first.
#[derive(Debug, Clone, Default)]
pub struct Feed {
    run: Option<RunId>,
    kinds: Kinds,
    places: Vec<Place>,
    /// What was taken of both logs.
    life: Taken,
    training: Taken,
}

/// How many lines were taken of a log, and the last of them, by which one that began anew is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Taken {
    lines: usize,
    last: Option<(u64, Timestamp)>,
}

impl Feed {
    /// Whose feed it is.
    pub fn run(&self) -> Option<RunId> {
        self.run
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// A line of `run`, whose feed this is.
    pub fn get<'a>(&self, run: &'a RunState, at: usize) -> Option<Happening<'a>> {
        happening(run, *self.places.get(at)?)
    }

    /// Where a line stands in the logs.
    pub fn place(&self, at: usize) -> Option<Place> {
        self.places.get(at).copied()
    }

    /// The line that stands there in the logs, where it is shown.
    pub fn find(&self, place: Place) -> Option<usize> {
        self.places.iter().position(|other| *other == place)
    }

    /// The last line that was written at `time` or before.
    pub fn at_time(&self, run: &RunState, time: Timestamp) -> Option<usize> {
        let later = |place: &Place| happening(run, *place).is_none_or(|line| line.time() <= time);
        self.places.partition_point(later).checked_sub(1)
    }

    /// Takes the lines that came since, and says for the line `kept` where it is now; begins anew where it must.
    pub fn refresh(&mut self, run: &RunState, kinds: Kinds, kept: Option<usize>) -> Option<usize> {
        let is_another = self.run != Some(run.id);
        if is_another || self.kinds != kinds || !self.goes_on(run) {
            let time = kept.filter(|_| !is_another).and_then(|at| self.get(run, at)).map(|line| line.time());
            *self = Feed { run: Some(run.id), kinds, ..Feed::default() };
            self.take(run, None);
            return time.map(|time| self.at_time(run, time).unwrap_or(0));
        }
        self.take(run, kept)
    }

    /// Whether what was taken is still what the logs begin with.
    fn goes_on(&self, run: &RunState) -> bool {
        self.life == taken(&run.life.feed[..self.life.lines.min(run.life.feed.len())], |line| (line.seq, line.time))
            && self.training
                == taken(&run.training.feed[..self.training.lines.min(run.training.feed.len())], |line| {
                    (line.seq, line.time)
                })
    }

    fn take(&mut self, run: &RunState, mut kept: Option<usize>) -> Option<usize> {
        let (mut life, mut training) = (self.life.lines, self.training.lines);
        loop {
            let next = (run.life.feed.get(life), run.training.feed.get(training));
            let place = match next {
                (None, None) => break,
                (Some(first), Some(second)) if first.time <= second.time => Place::Life(life),
                (Some(_), None) => Place::Life(life),
                (_, Some(_)) => Place::Training(training),
            };
            let kind = match place {
                Place::Life(at) => Kind::of_life(&run.life.feed[at].event),
                Place::Training(at) => Kind::of_event(&run.training.feed[at].event),
            };
            match place {
                Place::Life(_) => life += 1,
                Place::Training(_) => training += 1,
            }
            if kind.is_some_and(|kind| self.kinds.has(kind)) {
                let at = self.insert(run, place);
                kept = kept.map(|kept| if at <= kept { kept + 1 } else { kept });
            }
        }
        self.life = taken(&run.life.feed, |line| (line.seq, line.time));
        self.training = taken(&run.training.feed, |line| (line.seq, line.time));
        kept
    }

    /// Puts a line behind all that are older, and behind all that are from the same log.
    fn insert(&mut self, run: &RunState, place: Place) -> usize {
        let time = |place: Place| happening(run, place).map(|line| line.time());
        let is_of = |other: &Place| std::mem::discriminant(other) == std::mem::discriminant(&place);
        let older = |other: &Place| is_of(other) || time(*other) <= time(place);
        let at = self.places.iter().rposition(older).map_or(0, |before| before + 1);
        self.places.insert(at, place);
        at
    }
}

fn taken<L>(lines: &[L], mark: impl Fn(&L) -> (u64, Timestamp)) -> Taken {
    Taken { lines: lines.len(), last: lines.last().map(mark) }
}

fn happening(run: &RunState, place: Place) -> Option<Happening<'_>> {
    match place {
        Place::Life(at) => run.life.feed.get(at).map(Happening::Life),
        Place::Training(at) => run.training.feed.get(at).map(|line| Happening::Training(line)),
    }
}

#[cfg(test)]
mod tests;
