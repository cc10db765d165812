//! What a row says of a run: how far it is, how good it became, or why it failed.

use crate::base::text::metric;
use crate::record::state::{Asked, Status};
use crate::tui::format::short;
use crate::tui::runs::run::Run;
use crate::tui::theme::Role;

/// The last word of a row; `with_best` where no column of its own says how good the run became.
pub fn result(run: &Run, number: Option<usize>, with_best: bool) -> String {
    match run.row.state {
        Status::Running | Status::Starting => match (run.asked(), run.stage(), run.share()) {
            (Some(Asked::Cancel), _, _) => "ending".into(),
            (Some(Asked::Pause), _, _) => "pausing".into(),
            (None, Some(stage), _) => stage.to_owned(),
            (None, None, Some(share)) => format!("{:.0}%", (100.0 * share).floor()),
            (None, None, None) => "starting".into(),
        },
        Status::Finished => match run.best().filter(|_| with_best) {
            Some((_, value, _)) => metric(value),
            None if run.stopped_early() => "early".into(),
            None => "done".into(),
        },
        Status::Failed => run.row.reason.map_or("failed", short).into(),
        Status::Cancelled => "cancelled".into(),
        Status::Lost => "lost".into(),
        Status::Paused => "paused".into(),
        Status::Queued if run.row.attempts > 0 => format!("attempt {}", run.row.attempts + 1),
        Status::Queued => number.map_or(String::new(), |number| format!("#{number}")),
    }
}

/// The role of a state's words.
pub fn role(state: Status) -> Role {
    match state {
        Status::Failed => Role::Bad,
        Status::Running | Status::Starting => Role::Live,
        Status::Paused | Status::Lost => Role::Warning,
        Status::Finished => Role::Good,
        Status::Queued | Status::Cancelled => Role::Dim,
    }
}
