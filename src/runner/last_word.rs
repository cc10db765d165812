//! The last word of a worker: how its attempt ended, in its own view, read from the end of its events.
//!
//! Invariant: nothing that an earlier attempt said counts, and the end of a long run is found as fast as that of a short
//! one: it stands in the last lines or nowhere.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::base::durable;
use crate::record::event::{Event, FinishReason, Line};
use crate::record::life::Cause;
use crate::record::state::Life;

/// Bytes at the end of the events in which the last word is looked for.
const BLOCK: u64 = 256 * 1024;

/// What a worker said last of its attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LastWord {
    Finished(FinishReason),
    Failed(Cause, String),
}

impl LastWord {
    /// The last word in the events at `path` that was said in the latest attempt of `life`, if it had one.
    pub fn read(path: &Path, life: &Life) -> Option<LastWord> {
        let bytes = end_of(path).ok()?;
        let lines = bytes.split(|&b| b == b'\n').rev().filter_map(|line| serde_json::from_slice(line).ok());
        LastWord::of(lines, life)
    }

    /// The same, of lines from the last one on back.
    fn of(lines: impl Iterator<Item = Line<Event>>, life: &Life) -> Option<LastWord> {
        // A quick worker may speak before its start is written down, but never before the attempt before it ended.
        let mut its_own = lines.take_while(|line| life.is_of_this_attempt(line.time));
        its_own.find_map(|line| match line.event {
            Event::Finished(finished) => Some(Some(LastWord::Finished(finished.reason))),
            Event::Failed(failed) => Some(Some(LastWord::Failed(failed.cause, failed.error))),
            Event::RunStarted(_) => Some(None),
            _ => None,
        })?
    }
}

/// The last bytes of a file, whole lines where there is more than that.
fn end_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = durable::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(BLOCK)))?;
    let mut bytes = Vec::new();
    file.take(BLOCK).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Timestamp;
    use crate::base::id::RunId;
    use crate::record::RunState;
    use crate::record::event::{Failed, Finished, Level, Log};
    use crate::record::life::{ExecutorKind, Exited, LifeEvent, Outcome};

    fn line<E>(time: i64, event: E) -> Line<E> {
        Line { seq: 0, time: Timestamp::from_millis(time), event }
    }

    fn failed() -> Event {
        Event::Failed(Failed { cause: Cause::Experiment, error: "no".into(), causes: vec![], hint: None })
    }

    fn write(path: &Path, lines: &[Line<Event>]) {
        let text: Vec<String> = lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
        std::fs::write(path, text.concat()).unwrap();
    }

    #[test]
    fn a_quick_worker_may_speak_before_its_start_is_written_down() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let started = |attempt| LifeEvent::Started {
            attempt,
            executor: ExecutorKind::Local,
            process: None,
            job_id: None,
            host: String::new(),
            gpu: None,
        };
        let (outcome, cause) = (Outcome::Failed, Cause::Experiment);
        let exited = Exited { attempt: 1, outcome, cause, exit_code: Some(1), signal: None, message: None };
        let mut run = RunState::new(RunId(1), "x".into());
        assert_eq!(LastWord::read(&path, &run.life), None, "there are no events");
        write(&path, &[line(5, failed())]);
        run.life(line(10, started(1)));
        assert_eq!(LastWord::read(&path, &run.life), Some(LastWord::Failed(Cause::Experiment, "no".into())));
        run.life(line(20, LifeEvent::Exited(exited)));
        run.life(line(21, LifeEvent::Resumed));
        run.life(line(30, started(2)));
        assert_eq!(LastWord::read(&path, &run.life), None, "what an earlier attempt said is not this one's");
        write(&path, &[line(5, failed()), line(31, failed())]);
        assert!(LastWord::read(&path, &run.life).is_some());
    }

    #[test]
    fn the_last_word_stands_at_the_end_of_a_long_record_or_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let run = RunState::new(RunId(1), "x".into());
        let noise = || line(1, Event::Log(Log { level: Level::Info, message: "n".repeat(1000) }));
        let reason = FinishReason::EarlyStopped;
        let finished = line(2, Event::Finished(Finished { reason, epochs: 1, seconds: 1.0, best: None }));
        let long: Vec<_> = std::iter::repeat_with(noise).take(1000).collect();
        write(&path, &[long.clone(), vec![finished.clone(), noise()]].concat());
        assert_eq!(LastWord::read(&path, &run.life), Some(LastWord::Finished(reason)));
        write(&path, &[vec![finished], long].concat());
        assert_eq!(LastWord::read(&path, &run.life), None);
    }
}
