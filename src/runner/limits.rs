//! What a run may take, as its `resolved.yaml` says at this moment: it may be edited between attempts.

use std::fs;

use crate::experiment::{self, Experiment, Limits, Origin};
use crate::record::RunDir;

/// The limits of the run in `dir`; the defaults where its file cannot be understood, which its worker will say.
pub fn of(dir: &RunDir) -> Limits {
    read(dir).map_or_else(Limits::default, |experiment| experiment.limits)
}

fn read(dir: &RunDir) -> Option<Experiment> {
    let path = dir.resolved_yaml();
    let text = fs::read_to_string(&path).ok()?;
    experiment::parse(&text, &Origin::of(&path).ok()?, &[]).ok()
}
