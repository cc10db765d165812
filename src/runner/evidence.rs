//! What the machine says about an end beside the worker's own word: the kernel's count of kills for memory, the space on
//! the disk, the last lines of the log.
//!
//! Invariant: what an earlier attempt left in the log says nothing about a later one.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::oom;
use super::outcome::{Evidence, ProcessEnd, exit_code};
use crate::base::durable;
use crate::record::RunDir;

/// Begins the part of the log that an attempt has.
const HEADING: &str = "finetop: attempt ";

/// Bytes at the end of a log in which last words are looked for; a backtrace may come after them.
const BLOCK: u64 = 64 * 1024;

/// How things stood when an attempt began, or was taken over.
#[derive(Debug)]
pub struct Before {
    kills: Option<u64>,
}

impl Before {
    /// Before an attempt begins; its part of the log begins here. A disk that is full is no reason not to try.
    pub fn start(dir: &RunDir, attempt: u32) -> Before {
        if let Ok(mut log) = durable::open_log(&dir.log_txt()) {
            let _ = log.write_all(format!("{HEADING}{attempt}\n").as_bytes());
        }
        Before::taken_over()
    }

    /// Now, when an attempt is taken over.
    pub fn taken_over() -> Before {
        Before { kills: oom::kills() }
    }

    /// What is known now that the attempt has ended.
    pub fn compare(self, dir: &RunDir, end: ProcessEnd) -> Evidence {
        if end.code == Some(exit_code::FINISHED) {
            return Evidence::default();
        }
        let memory_ran_out = matches!((self.kills, oom::kills()), (Some(before), Some(now)) if now > before);
        Evidence { memory_ran_out, disk_is_full: is_full(dir.path()), said: said(dir), ..Evidence::default() }
    }
}

/// The last lines of the latest attempt in the log of a run.
pub fn said(dir: &RunDir) -> String {
    let text = end_of(&dir.log_txt()).unwrap_or_default();
    let is_heading = |line: &str| line.starts_with(HEADING);
    let its_own: Vec<&str> = text.lines().rev().take_while(|line| !is_heading(line)).collect();
    its_own.into_iter().rev().collect::<Vec<_>>().join("\n")
}

fn end_of(path: &Path) -> io::Result<String> {
    let mut file = durable::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(BLOCK)))?;
    let mut bytes = Vec::new();
    file.take(BLOCK).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether not even a line could be written to the disk that `path` is on.
fn is_full(path: &Path) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|disk| disk.f_blocks > 0 && disk.f_bavail == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::RunId;

    #[test]
    fn only_what_the_latest_attempt_said_counts() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path(), RunId(1), "x");
        std::fs::create_dir(dir.path()).unwrap();
        assert_eq!(said(&dir), "");
        let append = |text: &str| durable::open_log(&dir.log_txt()).unwrap().write_all(text.as_bytes()).unwrap();
        Before::start(&dir, 1);
        append(&"x".repeat(70_000));
        append("\nmemory allocation of 8 bytes failed\n");
        assert!(said(&dir).ends_with("x\nmemory allocation of 8 bytes failed"));
        Before::start(&dir, 2);
        assert_eq!(said(&dir), "");
        append("one\ntwo");
        assert_eq!(said(&dir), "one\ntwo");
        assert!(!is_full(folder.path()));
    }
}
