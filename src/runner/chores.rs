//! Work that no run waits for, done on threads beside the runner: the summaries of runs that are over.
//!
//! Invariant: a chore that is never done costs time later, and nothing else.

use tokio::task::JoinSet;

use super::log::Log;
use crate::record::{RunDir, summary};

/// The chores that are being done.
#[derive(Debug, Default)]
pub struct Chores(JoinSet<()>);

impl Chores {
    /// Writes `summary.json` of a run that is over.
    pub fn keep_summary(&mut self, dir: RunDir, log: Log) {
        while self.0.try_join_next().is_some() {}
        self.0.spawn_blocking(move || keep_summary(&dir, &log));
    }

    /// Waits until all are done.
    pub async fn done(&mut self) {
        while self.0.join_next().await.is_some() {}
    }
}

/// Writes `summary.json` of the run in `dir`, if it is over.
pub fn keep_summary(dir: &RunDir, log: &Log) {
    if let Err(error) = summary::save(dir) {
        log.line(&format!("{}: {error}", dir.folder_name()));
    }
}
