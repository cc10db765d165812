//! Where the chosen run stands, in words: how near its callbacks are, what it waits for, why it ended and what to do.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::clock::Timestamp;
use crate::base::text::{bytes, duration};
use crate::record::event::Stage;
use crate::record::life::Cause;
use crate::record::state::{Asked, RunState, Status};
use crate::record::words;
use crate::tui::app::App;
use crate::tui::format;
use crate::tui::paint::{Row, wrapped};
use crate::tui::theme::{Role, Theme};

/// Columns of a bar.
const BAR: u16 = 20;

/// Lines with their roles.
type Lines = Vec<(String, Role)>;

/// Rows that the words take of `area`.
pub fn height(theme: &Theme, area: Rect, app: &App, run: &RunState) -> u16 {
    let rows = match bar(run) {
        Some(_) => 1,
        None => fitting(theme, area, app, run).len() as u16,
    };
    rows.min(area.height)
}

/// Writes them.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, run: &RunState) {
    if let Some(stage) = bar(run) {
        return stage_bar(theme, area, buf, stage);
    }
    for (row, (line, role)) in (0..).zip(fitting(theme, area, app, run)) {
        Row::new(buf, area, row).put(&line, theme.style(role));
    }
}

/// Work in progress that is not training.
fn bar(run: &RunState) -> Option<&Stage> {
    run.training.stage.as_ref().filter(|_| matches!(run.status(), Status::Running))
}

/// The lines, broken to the width; at most a third of the area, so that there is room for curves, or all of it where
/// there are none.
fn fitting(theme: &Theme, area: Rect, app: &App, run: &RunState) -> Lines {
    let has_curves = !run.training.epochs.is_empty() || !run.training.steps.is_empty();
    let most = if has_curves { (area.height / 3).max(1) } else { area.height }.min(area.height);
    let lines = said(theme, app, run).into_iter().flat_map(|(text, role)| {
        let lines = wrapped(&text, usize::from(area.width));
        lines.into_iter().map(move |line| (line, role))
    });
    lines.take(usize::from(most)).collect()
}

/// What there is to say.
fn said(theme: &Theme, app: &App, run: &RunState) -> Lines {
    let separator = theme.pick("·", "-");
    match run.status() {
        Status::Queued => waiting(app, run),
        Status::Starting => vec![(format!("its worker is starting{}", on_host(run)), Role::Dim)],
        Status::Running => running(run, separator),
        Status::Paused => {
            let mut lines =
                vec![("paused: `u` or `finetop resume` lets it go on from its checkpoint".into(), Role::Warning)];
            lines.extend(callbacks(run, separator));
            lines
        }
        Status::Finished | Status::Failed | Status::Cancelled | Status::Lost => ended(run, separator),
    }
}

fn on_host(run: &RunState) -> String {
    let host = run.life.host.as_ref().map_or(String::new(), |host| format!(" on {host}"));
    let gpu = run.life.gpu.as_ref().map_or(String::new(), |gpu| format!(", GPU {gpu}"));
    host + &gpu
}

fn running(run: &RunState, separator: &str) -> Lines {
    let asked = run.life.asked.map(|asked| match asked {
        Asked::Pause => "it pauses as soon as its checkpoint is written",
        Asked::Cancel => "it ends as soon as its step is done",
    });
    let mut lines: Lines = asked.map(|words| (words.to_owned(), Role::Warning)).into_iter().collect();
    lines.extend(callbacks(run, separator));
    lines
}

/// In a new phase the callbacks start over, and say nothing before its first epoch.
fn callbacks(run: &RunState, separator: &str) -> Option<(String, Role)> {
    let last = run.training.epochs.last().filter(|epoch| Some(epoch.phase.as_str()) == run.training.phase())?;
    let words = format::nearness(&last.callbacks, separator);
    (!words.is_empty()).then_some((words, Role::Accent))
}

/// Why a run waits.
fn waiting(app: &App, run: &RunState) -> Lines {
    let mut lines: Lines = Vec::new();
    let needed: Vec<String> = run.life.after.iter().filter_map(|&id| needed(app, id)).collect();
    let retry = run.life.retry_at.and_then(|at| again_in(at, app.clock));
    match (retry, needed.is_empty()) {
        (Some(time), _) => {
            lines.push((format!("is tried again in {time} (attempt {})", run.life.attempts + 1), Role::Warning));
        }
        (None, false) => lines.push((format!("waits for {}", needed.join(" and ")), Role::Plain)),
        (None, true) => lines.push((for_a_slot(app, run), Role::Plain)),
    }
    let needs = run.life.needs;
    let gpu = needs.gpu.then(|| "a GPU of its own".to_owned());
    let memory =
        (needs.memory > 0).then(|| format!("about {} of memory{}", bytes(needs.memory), free(app, needs.memory)));
    let needs: Vec<String> = gpu.into_iter().chain(memory).collect();
    if !needs.is_empty() {
        lines.push((format!("needs {}", needs.join(" and ")), Role::Dim));
    }
    if let Some(failed) = run.training.failed.as_ref().filter(|_| run.life.attempts > 0) {
        lines.push((format!("attempt {} failed: {}", run.life.attempts, failed.error), Role::Warning));
    }
    lines
}

/// A run that has to end well first, and where it stands.
fn needed(app: &App, id: crate::base::id::RunId) -> Option<String> {
    match app.runs.row(id) {
        Some(row) if row.state == Status::Finished => None,
        Some(row) => Some(format!("{id} {} ({})", row.name, row.state.name())),
        None => Some(format!("{id}, which is not here")),
    }
}

/// The rest of the time until then; None when it is over. Without a clock nothing is known of it.
fn again_in(at: Timestamp, now: Option<Timestamp>) -> Option<String> {
    match now {
        Some(now) if at > now => Some(duration(at.since(now))),
        Some(_) => None,
        None => Some(format!("a while, at {}", at.local_time())),
    }
}

fn for_a_slot(app: &App, run: &RunState) -> String {
    let again = if run.life.attempts > 0 { " to go on" } else { "" };
    match app.runs.totals().running {
        0 => format!("waits for the runner{again}: `finetop runner status` says whether one is there"),
        1 => format!("waits for a free slot{again}: 1 run is live"),
        live => format!("waits for a free slot{again}: {live} runs are live"),
    }
}

fn free(app: &App, wanted: u64) -> String {
    let free = app.meters.as_ref().map(|meters| meters.memory_total.saturating_sub(meters.memory_used));
    match free {
        Some(free) if free < wanted => format!(", of which {} are free", bytes(free)),
        _ => String::new(),
    }
}

/// How it ended, what that amounts to, and what to do.
fn ended(run: &RunState, separator: &str) -> Lines {
    let status = run.status();
    let role = match status {
        Status::Failed => Role::Bad,
        Status::Lost | Status::Cancelled => Role::Warning,
        _ => Role::Good,
    };
    let mut lines: Lines = format::ending(run).map(|words| (words, role)).into_iter().collect();
    if let Some(how) = how(run) {
        lines.push((how, Role::Dim));
    }
    let summary = format::summary(run, separator);
    if !summary.is_empty() {
        lines.push((summary, Role::Plain));
    }
    lines.extend(hint(run).map(|hint| (format!("hint: {hint}"), Role::Warning)));
    lines
}

/// What the worker's error came from, and the signal that ended it.
fn how(run: &RunState) -> Option<String> {
    let failed =
        run.training.failed.as_ref().filter(|failed| run.status() == Status::Failed && !failed.causes.is_empty());
    let causes = failed.map(|failed| format!("because {}", failed.causes.join(", because ")));
    let signal =
        run.life.exit.as_ref().and_then(|exit| exit.signal).map(|signal| format!("it ended by signal {signal}"));
    let words: Vec<String> = causes.into_iter().chain(signal).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// What a person can do: what the worker said, else what is known of the cause; as `finetop show` has it.
fn hint(run: &RunState) -> Option<String> {
    let is_bad = run.status() != Status::Finished;
    let of_worker = run.training.failed.as_ref().and_then(|failed| failed.hint.clone()).filter(|_| is_bad);
    of_worker.or_else(|| run.cause().and_then(Cause::advice).filter(|_| is_bad).map(str::to_owned))
}

/// `features  340/488 pictures  ████████░░░░`.
fn stage_bar(theme: &Theme, area: Rect, buf: &mut Buffer, stage: &Stage) {
    let Stage { name, done, total, .. } = stage;
    let share = *done as f64 / (*total).max(1) as f64;
    let full = (share.clamp(0.0, 1.0) * f64::from(BAR)).round() as usize;
    let bar = theme.pick("█", "#").repeat(full) + &theme.pick("░", ".").repeat(usize::from(BAR) - full);
    Row::new(buf, area, 0)
        .put(name, theme.style(Role::Live))
        .gap(2)
        .put(&words::progress(stage), theme.style(Role::Plain))
        .gap(2)
        .put(&bar, theme.style(Role::Live));
}

#[cfg(test)]
mod tests;
