//! Which checkpoint a run goes on from: the last one, the one before it where that is damaged, or none.
//!
//! Invariant: a damaged file is set aside before anything is written, so that it never replaces a good one.

use std::path::Path;

use candle_core::Device;

use super::{Checkpoint, LAST, PREVIOUS};
use crate::base::durable;
use crate::train::tensor_file::Error;

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Latest {
    pub checkpoint: Option<Checkpoint>,
    /// What a person should know of how it was found.
    pub warnings: Vec<String>,
}

/// Finds the latest checkpoint below `run` that is whole. A damaged one becomes `….damaged`.
pub fn latest(run: &Path, device: &Device) -> Result<Latest, Error> {
    let mut warnings = Vec::new();
    for file in [LAST, PREVIOUS] {
        match Checkpoint::read(run, file, device) {
            Ok(None) => {}
            Ok(Some(checkpoint)) => {
                if file == PREVIOUS {
                    warnings.push(instead(&checkpoint, warnings.is_empty()));
                }
                return Ok(Latest { checkpoint: Some(checkpoint), warnings });
            }
            Err(Error::Damaged { reason, .. }) => {
                let aside = format!("{file}.damaged");
                durable::rename(&run.join(file), &run.join(&aside))?;
                warnings.push(format!("{file} is damaged: {reason}; it is now {aside}"));
            }
            Err(error) => return Err(error),
        }
    }
    if !warnings.is_empty() {
        warnings.push("no checkpoint is left: training begins anew".to_owned());
    }
    Ok(Latest { checkpoint: None, warnings })
}

fn instead(checkpoint: &Checkpoint, is_missing: bool) -> String {
    let why = if is_missing { format!("{LAST} is missing: ") } else { String::new() };
    let (epoch, step) = (checkpoint.progress.epoch, checkpoint.progress.step);
    format!("{why}training goes on from the checkpoint before it, of epoch {epoch}, step {step}")
}
