//! From the way a worker ended to what is written about it: pure decisions.
//!
//! Invariant: the worker's own last word counts first, then what it was asked for, then how its process ended.

use std::time::Duration;

use rustix::process::Signal;

use super::last_word::LastWord;
use crate::record::event::FinishReason;
use crate::record::life::{Cause, Outcome};
use crate::record::state::Tries;

/// The longest pause before a run is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// Exit codes of `finetop worker`, a contract between it and its supervisor.
pub mod exit_code {
    /// Training came to its end, and its last event is `finished`.
    pub const FINISHED: i32 = 0;
    /// It could not go on, and its last event is `failed`, which has the cause.
    pub const FAILED: i32 = 1;
    /// No space was left on the disk, not even to write that down (`EX_IOERR` of sysexits.h).
    pub const DISK_FULL: i32 = 74;
    /// It was asked to stop by SIGTERM, and its checkpoint is written (`EX_TEMPFAIL` of sysexits.h).
    pub const STOPPED: i32 = 75;
}

/// What is wanted of a live worker. Later ones outweigh earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wish {
    /// That it works.
    Run,
    /// That it stops, because the runner does; it goes on with the next runner.
    Stop,
    /// That it stops until a person resumes it.
    Pause,
    /// That it ends for good.
    Cancel,
    /// That it ends for good and at once.
    Kill,
}

/// How a worker's process ended; neither is known of a worker that another runner started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProcessEnd {
    pub code: Option<i32>,
    pub signal: Option<i32>,
}

/// What else is known of the circumstances.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The kernel killed for memory meanwhile.
    pub memory_ran_out: bool,
    /// The machine is not the one that it was started on, or was started anew.
    pub host_restarted: bool,
    /// It was stopped because it had run for as long as it may.
    pub time_ran_out: bool,
    /// No space is left on the disk that it writes to.
    pub disk_is_full: bool,
    /// The last lines of this attempt in its log.
    pub said: String,
}

impl Evidence {
    /// `how`, and what could not be done, as the worker said before it exited.
    fn with_error(&self, how: &str) -> String {
        let error = self.said.lines().rev().find_map(|line| line.strip_prefix("error: "));
        error.map_or_else(|| how.to_owned(), |error| format!("{how}: {error}"))
    }

    /// Whether an allocation failed, as Rust says before it aborts.
    fn allocation_failed(&self) -> bool {
        let is_it = |line: &str| line.contains("memory allocation of ") && line.ends_with(" bytes failed");
        self.said.lines().any(is_it)
    }

    /// A message, and what the worker said last, cut to what a message can hold.
    fn with_last_line(&self, message: &str) -> String {
        // What is indented, or begins so, belongs to a backtrace.
        let is_trace = |line: &str| ["note: ", "stack backtrace:", " "].iter().any(|start| line.starts_with(start));
        match self.said.lines().rfind(|line| !line.trim().is_empty() && !is_trace(line)) {
            Some(line) => format!("{message}: {}", line.trim().chars().take(500).collect::<String>()),
            None => message.to_owned(),
        }
    }
}

/// What is written about an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub outcome: Outcome,
    pub cause: Cause,
    pub message: Option<String>,
}

impl Verdict {
    fn new(outcome: Outcome, cause: Cause, message: impl Into<Option<String>>) -> Self {
        Verdict { outcome, cause, message: message.into() }
    }

    /// The verdict on a worker that could not be started.
    pub fn not_started(cause: Cause, message: String) -> Self {
        Verdict::new(Outcome::Failed, cause, message)
    }

    /// The verdict on a worker that ended.
    pub fn of(word: Option<LastWord>, end: ProcessEnd, wish: Wish, evidence: Evidence) -> Self {
        match (word, wish) {
            (Some(LastWord::Finished(FinishReason::Completed)), _) => {
                Verdict::new(Outcome::Finished, Cause::Completed, None)
            }
            (Some(LastWord::Finished(FinishReason::EarlyStopped)), _) => {
                Verdict::new(Outcome::Finished, Cause::EarlyStopped, None)
            }
            (_, Wish::Cancel | Wish::Kill) => Verdict::new(Outcome::Cancelled, Cause::User, None),
            (Some(LastWord::Failed(cause, error)), _) => Verdict::new(Outcome::Failed, cause, error),
            (None, _) if evidence.time_ran_out => {
                Verdict::new(Outcome::Failed, Cause::TimeLimit, "it ran for as long as it may".to_owned())
            }
            (None, Wish::Pause) => Verdict::new(Outcome::Paused, Cause::User, None),
            (None, Wish::Stop) => Verdict::new(Outcome::Paused, Cause::Preempted, None),
            (None, Wish::Run) => Verdict::unasked(end, &evidence),
        }
    }

    fn unasked(end: ProcessEnd, evidence: &Evidence) -> Self {
        let failed = |cause, message: String| Verdict::new(Outcome::Failed, cause, message);
        let may_be = |signal: Signal| end.code.is_none() && end.signal.is_none_or(|raw| raw == signal.as_raw());
        match (end.code, end.signal) {
            (Some(exit_code::STOPPED), _) => Verdict::new(Outcome::Paused, Cause::Preempted, None),
            (Some(code), _) if code == exit_code::DISK_FULL || evidence.disk_is_full => failed(
                Cause::DiskFull,
                evidence.with_error("no space is left on the disk, so the worker could not go on"),
            ),
            (Some(code), _) => {
                let how = format!("the worker exited with code {code} and said no more");
                failed(Cause::Crashed, evidence.with_last_line(&how))
            }
            _ if may_be(Signal::ABORT) && evidence.allocation_failed() => {
                failed(Cause::OutOfMemory, evidence.with_last_line("the worker got no more memory"))
            }
            _ if may_be(Signal::KILL) && evidence.memory_ran_out => {
                failed(Cause::OutOfMemory, "the kernel killed the worker because memory ran out".into())
            }
            (None, Some(signal)) => {
                let how = format!("the worker was killed by {}", signal_name(signal));
                failed(Cause::Crashed, evidence.with_last_line(&how))
            }
            (None, None) if evidence.host_restarted => Verdict::new(Outcome::Lost, Cause::HostRestarted, None),
            (None, None) => Verdict::new(Outcome::Lost, Cause::WorkerGone, None),
        }
    }

    /// After how long it is tried again, after those `tries`: lost and crashed runs are, at most `limit` times; one that
    /// was preempted always is, but each time later; what would fail again is not.
    pub fn retry_after(&self, tries: Tries, limit: impl Fn() -> u32, backoff: Duration) -> Option<Duration> {
        let pause = |times| LONGEST_PAUSE.min(backoff.saturating_mul(3u32.saturating_pow(times)));
        match self.cause {
            Cause::Preempted => Some(pause(tries.preemptions)),
            Cause::Crashed | Cause::Network | Cause::WorkerGone | Cause::NodeFailed | Cause::HostRestarted
                if tries.retries < limit() =>
            {
                Some(pause(tries.retries))
            }
            _ => None,
        }
    }

    /// Nobody tries a lost run again: it failed.
    pub fn given_up(mut self) -> Self {
        if self.outcome == Outcome::Lost {
            self.outcome = Outcome::Failed;
        }
        self
    }
}

/// `SIGSEGV (11)`, or `signal 34` of one without a name.
fn signal_name(raw: i32) -> String {
    let name = match raw {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => return format!("signal {raw}"),
    };
    format!("{name} ({raw})")
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn code(code: i32) -> ProcessEnd {
        ProcessEnd { code: Some(code), signal: None }
    }

    const fn signal(signal: i32) -> ProcessEnd {
        ProcessEnd { code: None, signal: Some(signal) }
    }

    const UNKNOWN: ProcessEnd = ProcessEnd { code: None, signal: None };

    #[test]
    fn every_end_has_its_cause() {
        use {Cause::*, FinishReason as Why, LastWord as Said, Outcome::*};
        let done = || Some(Said::Finished(Why::Completed));
        let diverged = || Some(Said::Failed(Diverged, "NaN".into()));
        let nothing = Evidence::default;
        let oom = || Evidence { memory_ran_out: true, ..nothing() };
        let reboot = || Evidence { host_restarted: true, ..nothing() };
        let late = || Evidence { time_ran_out: true, ..nothing() };
        let full = || Evidence { disk_is_full: true, ..nothing() };
        let said = |text: &str| Evidence { said: text.into(), ..nothing() };
        let no_memory = || said("memory allocation of 134217728 bytes failed");
        for (word, end, wish, evidence, outcome, cause) in [
            (done(), code(0), Wish::Run, nothing(), Finished, Completed),
            (Some(Said::Finished(Why::EarlyStopped)), code(0), Wish::Run, nothing(), Finished, EarlyStopped),
            (done(), code(0), Wish::Cancel, nothing(), Finished, Completed),
            (done(), UNKNOWN, Wish::Run, reboot(), Finished, Completed),
            (diverged(), code(1), Wish::Run, nothing(), Failed, Diverged),
            (diverged(), UNKNOWN, Wish::Run, nothing(), Failed, Diverged),
            (diverged(), code(1), Wish::Cancel, nothing(), Cancelled, User),
            (None, code(0), Wish::Run, nothing(), Failed, Crashed),
            (None, code(1), Wish::Run, nothing(), Failed, Crashed),
            (None, code(101), Wish::Run, nothing(), Failed, Crashed),
            (None, code(75), Wish::Run, nothing(), Paused, Preempted),
            (None, code(75), Wish::Stop, nothing(), Paused, Preempted),
            (None, code(75), Wish::Pause, nothing(), Paused, User),
            (None, signal(9), Wish::Pause, nothing(), Paused, User),
            (None, code(75), Wish::Cancel, nothing(), Cancelled, User),
            (None, signal(9), Wish::Kill, oom(), Cancelled, User),
            (None, signal(9), Wish::Run, oom(), Failed, OutOfMemory),
            (None, signal(9), Wish::Run, nothing(), Failed, Crashed),
            (None, signal(11), Wish::Run, oom(), Failed, Crashed),
            (None, UNKNOWN, Wish::Run, oom(), Failed, OutOfMemory),
            (None, signal(6), Wish::Run, no_memory(), Failed, OutOfMemory),
            (None, UNKNOWN, Wish::Run, no_memory(), Failed, OutOfMemory),
            (None, signal(6), Wish::Run, said("assertion failed"), Failed, Crashed),
            (None, code(1), Wish::Run, no_memory(), Failed, Crashed),
            (Some(Said::Failed(OutOfMemory, "CUDA".into())), code(1), Wish::Run, nothing(), Failed, OutOfMemory),
            (None, code(75), Wish::Run, late(), Failed, TimeLimit),
            (None, signal(9), Wish::Stop, late(), Failed, TimeLimit),
            (None, signal(9), Wish::Cancel, late(), Cancelled, User),
            (done(), code(0), Wish::Run, late(), Finished, Completed),
            (None, code(74), Wish::Run, nothing(), Failed, DiskFull),
            (None, code(1), Wish::Run, full(), Failed, DiskFull),
            (None, signal(11), Wish::Run, full(), Failed, Crashed),
            (None, UNKNOWN, Wish::Run, full(), Lost, WorkerGone),
            (None, UNKNOWN, Wish::Run, nothing(), Lost, WorkerGone),
            (None, UNKNOWN, Wish::Run, reboot(), Lost, HostRestarted),
            (None, UNKNOWN, Wish::Cancel, nothing(), Cancelled, User),
        ] {
            let verdict = Verdict::of(word.clone(), end, wish, evidence.clone());
            assert_eq!((verdict.outcome, verdict.cause), (outcome, cause), "{word:?} {end:?} {wish:?} {evidence:?}");
        }
    }

    #[test]
    fn what_would_fail_again_is_not_tried_again() {
        let after = |cause, retries| {
            let tries = Tries { retries, preemptions: retries, ..Tries::default() };
            let verdict = Verdict::new(Outcome::Failed, cause, None);
            verdict.retry_after(tries, || 2, Duration::from_secs(10)).map(|time| time.as_secs())
        };
        for cause in [Cause::Crashed, Cause::Network, Cause::WorkerGone, Cause::HostRestarted] {
            assert_eq!([0, 1, 2, 3].map(|retries| after(cause, retries)), [Some(10), Some(30), None, None]);
        }
        let preempted = [0, 1, 3, 4, 1000].map(|times| after(Cause::Preempted, times));
        assert_eq!(preempted, [10, 30, 270, 600, 600].map(Some), "always, but ever later");
        for cause in
            [Cause::Experiment, Cause::Diverged, Cause::OutOfMemory, Cause::User, Cause::Start, Cause::Completed]
        {
            assert_eq!(after(cause, 0), None);
        }
    }
}
