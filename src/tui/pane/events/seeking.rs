//! A search through events: the nearest lines at once, more of them by a job, since there can be a hundred thousand.

use std::sync::Arc;

use super::feed::Feed;
use crate::base::id::RunId;
use crate::record::state::RunState;
use crate::tui::search::{self, Pattern, Way};

/// Lines that are looked at while a person waits: a millisecond's work.
const NEAR: usize = 500;

/// What is looked for, in which lines, and from where.
#[derive(Debug, Clone)]
pub struct Seeking {
    run: Arc<RunState>,
    feed: Feed,
    pattern: Pattern,
    /// The line that it begins beside, counted from the newest.
    from: usize,
    way: Way,
}

/// What a search came to; of a line where it stands in its run's logs, which stays so whatever comes.
#[derive(Debug, PartialEq, Eq)]
pub struct Sought {
    pub run: RunId,
    pub pattern: Pattern,
    pub place: Option<super::feed::Place>,
}

/// A line that was found, a search that goes on as a job, or neither.
#[derive(Debug)]
pub enum Near {
    Found(usize),
    Nothing,
    Far(Seeking),
}

/// Looks at the nearest lines; what is found is counted from the oldest.
pub fn near(run: &Arc<RunState>, feed: &Feed, pattern: &Pattern, from: usize, way: Way) -> Near {
    let seeking = || Seeking { run: Arc::clone(run), feed: feed.clone(), pattern: pattern.clone(), from, way };
    let newest = feed.len().saturating_sub(1);
    let is_in = |row: &usize| feed.get(run, newest - row).is_some_and(|line| pattern.is_in(&line.words()));
    match search::order(feed.len(), Some(from), way).take(NEAR).find(is_in) {
        Some(row) => Near::Found(newest - row),
        None if feed.len() <= NEAR => Near::Nothing,
        None => Near::Far(seeking()),
    }
}

impl Seeking {
    /// Looks at all the other lines.
    pub fn seek(self) -> Sought {
        let Seeking { run, feed, pattern, from, way } = self;
        let newest = feed.len().saturating_sub(1);
        let is_in = |row: &usize| feed.get(&run, newest - row).is_some_and(|line| pattern.is_in(&line.words()));
        let found = search::order(feed.len(), Some(from), way).skip(NEAR).find(is_in);
        Sought { run: run.id, place: found.and_then(|row| feed.place(newest - row)), pattern }
    }
}

/// The same search of the same run.
impl PartialEq for Seeking {
    fn eq(&self, other: &Self) -> bool {
        (self.run.id, &self.pattern, self.from, self.way) == (other.run.id, &other.pattern, other.from, other.way)
    }
}

impl Eq for Seeking {}
