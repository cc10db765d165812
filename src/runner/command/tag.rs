use super::{Page, does_not_fit};
use crate::record::life::{ExecutorKind, LifeEvent};
use crate::runner::protocol::{Done, Refusal};

/// The most tags that a run can have.
const MOST: usize = 32;

/// Gives a run tags and takes some away, whatever it does.
pub(super) fn tag(page: &Page, add: &[String], remove: &[String]) -> Result<Done, Refusal> {
    if page.run.status().is_live() && page.run.life.executor == Some(ExecutorKind::Foreground) {
        return Err(does_not_fit(&page.run, "it runs in the foreground: tag it when it has ended"));
    }
    let mut tags = page.run.life.tags.clone();
    tags.retain(|tag| !remove.contains(tag));
    tags.extend(add.iter().cloned());
    tags.sort();
    tags.dedup();
    if tags.len() > MOST {
        return Err(Refusal::new(format!("run {} would have {} tags", page.run.id, tags.len()), "it can have 32"));
    }
    if tags != page.run.life.tags {
        page.append([LifeEvent::Tagged { tags }])?;
    }
    Ok(Done::Tagged)
}
