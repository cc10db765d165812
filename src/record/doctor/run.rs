//! What is wrong in the folder of a run.

use std::fs;
use std::path::Path;

use super::{Fault, Finding, is_left_over, root};
use crate::base::durable;
use crate::record::state::Status;
use crate::record::{RunDir, summary, view};

/// Looks into the run at `dir`, unless it may have a worker.
pub(super) fn look(dir: &RunDir, is_second: bool, mask: u32, findings: &mut Vec<Finding>) {
    let run = view::load_life(dir);
    let status = run.life.status;
    if status.is_live() || status == Status::Lost {
        return;
    }
    let mut say = |place: &Path, fault| findings.push(Finding::new(place, fault));
    // With a link for a log there is no life either, but the link is what is wrong.
    let log_is_link = durable::refuse_link(&dir.run_log()).is_err();
    if run.life.queued.is_none() && !log_is_link {
        return say(dir.path(), Fault::NoLife);
    }
    if is_second {
        say(dir.path(), Fault::SameNumber);
    }
    if let Some(bytes) = torn(&dir.run_log()) {
        say(&dir.run_log(), Fault::TornTail { bytes });
    }
    if status.is_over() {
        // A worker that nobody wrote down yet may be at those of others.
        if let Some(bytes) = torn(&dir.events()) {
            say(&dir.events(), Fault::TornTail { bytes });
        }
        if summary::load_row(dir).is_none() {
            say(&dir.summary_json(), Fault::StaleSummary);
        }
    }
    files(dir.path(), 0, mask, findings);
}

/// Bytes after the last whole line.
fn torn(path: &Path) -> Option<u64> {
    let mut file = durable::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let whole = durable::whole_lines(&mut file).ok()?;
    (length > whole).then(|| length - whole)
}

/// Links, left-over files and permissions in `folder` and below.
fn files(folder: &Path, depth: usize, mask: u32, findings: &mut Vec<Finding>) {
    const DEEPEST: usize = 4;
    let Ok(known) = folder.symlink_metadata() else { return };
    findings.extend(root::mode(folder, &known, mask));
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = entries.flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let Ok(known) = entry.metadata() else { continue };
        if is_left_over(&path) {
            findings.push(Finding::new(path, Fault::Temporary));
        } else if known.is_symlink() {
            findings.push(Finding::new(path, Fault::Link));
        } else if known.is_dir() && depth < DEEPEST {
            files(&path, depth + 1, mask, findings);
        } else {
            findings.extend(root::mode(&path, &known, mask));
        }
    }
}
