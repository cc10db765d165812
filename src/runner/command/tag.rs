use crate::record::life::LifeEvent;
use crate::record::{RunDir, RunState};
use crate::runner::protocol::{Done, Refusal};
use crate::runner::supervisor::append;

/// Gives a run tags and takes some away, whatever it does.
pub(super) fn tag(dir: &RunDir, run: &RunState, add: &[String], remove: &[String]) -> Result<Done, Refusal> {
    let mut tags = run.life.tags.clone();
    tags.retain(|tag| !remove.contains(tag));
    tags.extend(add.iter().cloned());
    tags.sort();
    tags.dedup();
    if tags != run.life.tags {
        append(dir, [LifeEvent::Tagged { tags }])?;
    }
    Ok(Done::Tagged)
}
