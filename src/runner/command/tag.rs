use super::does_not_fit;
use crate::record::life::{ExecutorKind, LifeEvent};
use crate::record::{RunDir, RunState};
use crate::runner::protocol::{Done, Refusal};
use crate::runner::supervisor::append;

/// The most tags that a run can have.
const MOST: usize = 32;

/// Gives a run tags and takes some away, whatever it does.
pub(super) fn tag(dir: &RunDir, run: &RunState, add: &[String], remove: &[String]) -> Result<Done, Refusal> {
    if run.status().is_live() && run.life.executor == Some(ExecutorKind::Foreground) {
        return Err(does_not_fit(run, "it runs in the foreground: tag it when it has ended"));
    }
    let mut tags = run.life.tags.clone();
    tags.retain(|tag| !remove.contains(tag));
    tags.extend(add.iter().cloned());
    tags.sort();
    tags.dedup();
    if tags.len() > MOST {
        return Err(Refusal::new(format!("run {} would have {} tags", run.id, tags.len()), "it can have 32"));
    }
    if tags != run.life.tags {
        append(dir, [LifeEvent::Tagged { tags }])?;
    }
    Ok(Done::Tagged)
}
