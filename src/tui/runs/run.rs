//! A run as a row of the table shows it: in short, and with live values where it was read whole.

use std::cmp::Reverse;
use std::time::Duration;

use crate::base::clock::Timestamp;
use crate::base::id::RunId;
use crate::experiment::Mode;
use crate::record::life::Cause;
use crate::record::state::{Asked, RunState, Status};
use crate::record::summary::Row;
use crate::tui::format;

/// A run of the table.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    pub row: &'a Row,
    /// Its two logs, folded, while it is live.
    live: Option<&'a RunState>,
}

/// Where a run stands when nothing else is asked for: running ones first, then the queue as it will be worked off, then
/// what is over, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    band: Band,
    priority: Reverse<i32>,
    order: i64,
    pub id: RunId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Band {
    Live,
    Waiting,
    Over,
}

impl Rank {
    /// The rank of a run.
    pub fn of(row: &Row) -> Rank {
        let rank = |band, priority, order| Rank { band, priority: Reverse(priority), order, id: row.id };
        match row.state {
            Status::Running | Status::Starting => rank(Band::Live, 0, i64::from(row.id.0)),
            Status::Queued | Status::Paused | Status::Lost => rank(Band::Waiting, row.place.priority, row.place.order),
            Status::Finished | Status::Failed | Status::Cancelled => rank(Band::Over, 0, -i64::from(row.id.0)),
        }
    }

    /// Whether it has a place in the queue.
    pub fn waits(self) -> bool {
        self.band == Band::Waiting
    }

    /// Whether both are of one priority, among whom runs are moved.
    pub fn is_beside(self, other: Rank) -> bool {
        self.band == other.band && self.priority == other.priority
    }
}

impl<'a> Run<'a> {
    /// A run with what is known of it.
    pub fn new(row: &'a Row, whole: Option<&'a RunState>) -> Self {
        Run { row, live: whole.filter(|_| row.state.is_live()) }
    }

    /// The part of the planned epochs that is trained, from 0 to 1, steps included; None before the plan is known.
    pub fn share(&self) -> Option<f64> {
        if let Some(run) = self.live {
            return format::percent(&run.training).map(|percent| f64::from(percent) / 100.0);
        }
        let (done, planned) = (self.row.progress.epoch, self.row.progress.planned_epochs);
        (planned > 0).then(|| f64::from(done.min(planned)) / f64::from(planned))
    }

    /// What it is doing that is no training.
    pub fn stage(&self) -> Option<&'a str> {
        self.live?.training.stage.as_ref().map(|stage| stage.name.as_str())
    }

    /// Time until the last planned epoch ends, while it trains.
    pub fn eta(&self) -> Option<Duration> {
        self.live.filter(|run| run.training.stage.is_none()).and_then(format::eta)
    }

    /// From the start of the latest attempt to its end, or to `now` while it lives.
    pub fn elapsed(&self, now: Option<Timestamp>) -> Option<Duration> {
        let times = &self.row.times;
        match (times.started, now.filter(|_| self.row.state.is_live())) {
            (Some(started), Some(now)) => Some(now.since(started)),
            _ => Duration::try_from_secs_f64(times.seconds?).ok(),
        }
    }

    /// A figure of the best epoch, by its name in the record; of the last one where none is the best.
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.row.figures.get(name).copied()
    }

    /// The value of whatever it monitors, and whether less is better.
    pub fn best(&self) -> Option<(&'a str, f64, bool)> {
        let best = self.row.best.as_ref()?;
        let less = self.row.mode == Some(Mode::Min);
        Some((&best.monitor, best.value, less))
    }

    /// What a person asked of it that has not come about yet.
    pub fn asked(&self) -> Option<Asked> {
        self.row.place.asked
    }

    /// Whether it finished by early stopping.
    pub fn stopped_early(&self) -> bool {
        self.row.state == Status::Finished && self.row.reason == Some(Cause::EarlyStopped)
    }
}

/// The names of the figures of a run's best epoch.
pub fn figures(row: &Row) -> impl Iterator<Item = &str> {
    row.figures.keys().map(String::as_str)
}
