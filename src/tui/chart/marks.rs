//! What happened to a run, as marks on the axis of its epochs.

use crate::record::event::LrReason;
use crate::record::state::Training;

/// A kind of mark. Where several fall on one column the last of this list is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Phase,
    LrDrop,
    Best,
    EarlyStop,
}

impl Kind {
    /// All kinds, in the order of the legend.
    pub const ALL: [Kind; 4] = [Kind::Phase, Kind::LrDrop, Kind::Best, Kind::EarlyStop];

    /// The words of the legend.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Phase => "phase",
            Kind::LrDrop => "lr drop",
            Kind::Best => "best",
            Kind::EarlyStop => "early stop",
        }
    }
}

/// A mark at an epoch's end; a phase stands where the epoch before its first one ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub epoch: u32,
    pub kind: Kind,
}

/// The marks of a run.
pub fn of(training: &Training) -> Vec<Mark> {
    let phases = training.phases.iter().skip(1).map(|(first, _)| (first.saturating_sub(1), Kind::Phase));
    let drops = training.lr_changes.iter().filter(|change| change.reason != LrReason::Phase && change.to < change.from);
    let drops = drops.map(|change| (change.epoch, Kind::LrDrop));
    let best = training.best.iter().map(|best| (best.epoch, Kind::Best));
    let stops = training.early_stops.iter().map(|stop| (stop.epoch, Kind::EarlyStop));
    phases.chain(drops).chain(best).chain(stops).map(|(epoch, kind)| Mark { epoch, kind }).collect()
}
