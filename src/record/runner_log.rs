//! Which runs the runner tells of in `runner.log`: with ten thousand of them that are over, a reader looks at these alone.
//!
//! Invariant: whoever changes the life of a run that may be over names it there after the change. What is named may be
//! no run, or one that did not change: to look at it costs a `stat`.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde::de::IgnoredAny;

use super::tail::{Tail, Told};
use super::watch::Changes;
use crate::base::id::RunId;

/// So many runs in one range, and all are looked at.
const MANY: u32 = 1000;

/// A reader's place in the log.
#[derive(Debug)]
pub(super) struct RunnerLog(Tail<IgnoredAny>);

impl RunnerLog {
    /// A reader of what is added to the log at `path` from now on.
    pub fn from_now(path: PathBuf) -> Self {
        RunnerLog(Tail::at_end(path))
    }

    /// The runs that were named since the last call. Costs one `stat` where none was.
    pub fn news(&mut self) -> Changes {
        let mut news = Changes::default();
        // What cannot be read now is looked at in its turn.
        let _ = self.0.read_with(named, |told| match told {
            Told::Restart => news.add(Changes::All),
            Told::Part(changes) => news.add(changes),
        });
        self.0.let_go();
        news
    }
}

/// Runs in a line of the log, as `0003 0007-0012`.
pub fn names(ids: &[RunId]) -> String {
    let ids: BTreeSet<RunId> = ids.iter().copied().collect();
    let mut ranges: Vec<(RunId, RunId)> = Vec::new();
    for id in ids {
        match ranges.last_mut() {
            Some((_, last)) if last.0.checked_add(1) == Some(id.0) => *last = id,
            _ => ranges.push((id, id)),
        }
    }
    let word =
        |(first, last): &(RunId, RunId)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    ranges.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// The runs that lines name behind their time, whatever else they say.
fn named(lines: &[u8]) -> Changes {
    let text = String::from_utf8_lossy(lines);
    let words = text.lines().flat_map(|line| line.split_whitespace().skip(1));
    let mut runs = BTreeSet::new();
    for range in words.filter_map(range) {
        if range.end().saturating_sub(*range.start()) >= MANY {
            return Changes::All;
        }
        runs.extend(range.map(RunId));
    }
    Changes::Runs(runs)
}

/// `7`, `0007-0012`, or the folder `0007-emoji`.
fn range(word: &str) -> Option<RangeInclusive<u32>> {
    let word = word.trim_end_matches([':', ',']);
    let (first, rest) = word.split_once('-').unwrap_or((word, word));
    let first = first.parse().ok()?;
    Some(first..=rest.parse().ok().filter(|&last| last > first).unwrap_or(first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    fn runs(ids: impl IntoIterator<Item = u32>) -> Changes {
        Changes::Runs(ids.into_iter().map(RunId).collect())
    }

    #[test]
    fn whatever_a_line_says_its_runs_are_found() {
        for (line, found) in [
            ("finetop 0.1.0 serves", runs([])),
            ("0007-emoji: attempt 2", runs([2, 7])),
            ("run 0012 is gone", runs([12])),
            ("tag 0003 0007-0009", runs([3, 7, 8, 9])),
            ("0007-3-layers: cancelled, because run 0005 did not finish", runs([5, 7])),
            ("0007-2: its end could not be written", runs([7])),
            ("cancel 0001-4294967295", Changes::All),
            ("é \u{1b}[31m 99999999999 -7 --", runs([])),
            ("", runs([])),
        ] {
            assert_eq!(named(format!("2026-11-25T04:41:07.120Z {line}\n").as_bytes()), found, "{line}");
        }
    }

    proptest! {
        #[test]
        fn what_is_named_is_found(ids in prop::collection::vec(1u32..2000, 0..40)) {
            let line = format!("now tag {}\n", names(&ids.iter().copied().map(RunId).collect::<Vec<_>>()));
            prop_assert_eq!(named(line.as_bytes()), runs(ids));
        }
    }

    #[test]
    fn only_what_is_added_is_news() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runner.log");
        fs::write(&path, "t tag 0001\n").unwrap();
        let mut log = RunnerLog::from_now(path.clone());
        assert_eq!(log.news(), runs([]));
        fs::write(&path, "t tag 0001\nt tag 0002\nt tag 00").unwrap();
        assert_eq!(log.news(), runs([2]));
        fs::write(&path, "t tag 0001\nt tag 0002\nt tag 0003\n").unwrap();
        assert_eq!(log.news(), runs([3]));
        fs::write(&path, "").unwrap();
        assert_eq!(log.news(), Changes::All);
        fs::remove_file(&path).unwrap();
        log.news();
        fs::write(&path, "t tag 0004\n").unwrap();
        assert_eq!(log.news(), runs([4]));
    }
}
