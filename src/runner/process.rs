//! Processes by identity. A pid alone is not one: it is given again to another process sooner than one thinks.
//!
//! Invariant: a signal is sent only to a group whose leader is who it was, or is gone while the group still holds its
//! number; never to a stranger that was given the same pid.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process};

use crate::record::life::ProcessId;

/// The identity of the live process `pid`; None when there is none.
pub fn identify(pid: i32) -> Option<ProcessId> {
    match (stat(pid), boot_id()) {
        (Some(stat), boot_id) if stat.is_alive => Some(ProcessId { pid, start_ticks: stat.start_ticks, boot_id }),
        (Some(_), _) => None,
        // Without /proc (macOS) a pid is all there is.
        (None, _) if has_proc() => None,
        (None, boot_id) => {
            test_kill_process(Pid::from_raw(pid)?).ok().map(|()| ProcessId { pid, start_ticks: 0, boot_id })
        }
    }
}

/// The identity of our child `pid` that was not waited for yet, even if it has ended: until then the pid is its own.
pub fn identify_child(pid: i32) -> ProcessId {
    let start_ticks = stat(pid).map_or(0, |stat| stat.start_ticks);
    ProcessId { pid, start_ticks, boot_id: boot_id() }
}

/// The identity of this process.
pub fn own() -> Option<ProcessId> {
    identify(i32::try_from(std::process::id()).ok()?)
}

/// Whether this very process lives; one that ended and was not yet waited for does not.
pub fn is_alive(process: &ProcessId) -> bool {
    identify(process.pid).as_ref() == Some(process)
}

/// Whether the machine was started anew since `process` ran, or is another machine.
pub fn is_of_another_boot(process: &ProcessId) -> bool {
    process.boot_id != boot_id()
}

/// Sends `signal` to the whole group that `process` leads, and says whether there was anyone to take it.
pub fn signal_group(process: &ProcessId, signal: Signal) -> bool {
    let is_ours = !is_of_another_boot(process)
        && match stat(process.pid) {
            Some(leader) => leader.start_ticks == process.start_ticks,
            // The kernel gives no pid to a new process while a group still goes by it.
            None => true,
        };
    is_ours && Pid::from_raw(process.pid).is_some_and(|group| kill_process_group(group, signal).is_ok())
}

/// The leaders of process groups that were started with the variable `name`, by its value.
pub fn marked_leaders(name: &str) -> BTreeMap<String, ProcessId> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let leaders = pids.filter(|&pid| stat(pid).is_some_and(|stat| stat.group == pid));
    leaders.filter_map(|pid| Some((variable(pid, name)?, identify(pid)?))).collect()
}

fn variable(pid: i32, name: &str) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let value = |variable: &[u8]| Some(variable.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?.to_owned());
    environment.split(|&b| b == 0).find_map(value).and_then(|value| String::from_utf8(value).ok())
}

/// What is needed of `/proc/PID/stat`.
struct Stat {
    is_alive: bool,
    group: i32,
    start_ticks: u64,
}

fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold spaces and parentheses of its own.
    let (_, after_name) = text.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_ascii_whitespace().collect();
    // Counted from field 3, the state.
    let state = *fields.first()?;
    Some(Stat {
        is_alive: !matches!(state, "Z" | "X" | "x"),
        group: fields.get(2)?.parse().ok()?,
        start_ticks: fields.get(19)?.parse().ok()?,
    })
}

fn has_proc() -> bool {
    Path::new("/proc/self/stat").exists()
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map_or_else(|_| String::new(), |id| id.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn an_identity_is_of_one_process() {
        let own = own().unwrap();
        assert!(is_alive(&own) && !is_of_another_boot(&own));
        for other in [
            ProcessId { start_ticks: own.start_ticks + 1, ..own.clone() },
            ProcessId { boot_id: "other".into(), ..own.clone() },
            ProcessId { pid: i32::MAX, ..own.clone() },
        ] {
            assert!(!is_alive(&other), "{other:?}");
            assert!(!signal_group(&other, Signal::TERM), "nobody else is signalled");
        }
    }

    #[test]
    fn a_zombie_is_not_alive_and_its_group_can_be_ended() {
        let mut child = Command::new("/bin/sh")
            .args(["-c", "sleep 1000 & exec sleep 1000"])
            .env("FINETOP_TEST_MARK", "here")
            .process_group(0)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let process = identify(child.id() as i32).unwrap();
        let deadline = crate::base::clock::Stopwatch::start();
        while marked_leaders("FINETOP_TEST_MARK").get("here") != Some(&process) {
            assert!(deadline.seconds() < 20.0, "it was not found by its environment");
            std::thread::yield_now();
        }
        assert!(signal_group(&process, Signal::KILL));
        while is_alive(&process) {
            assert!(deadline.seconds() < 20.0, "it did not end");
            std::thread::yield_now();
        }
        child.wait().unwrap();
        while signal_group(&process, Signal::KILL) {
            assert!(deadline.seconds() < 20.0, "its group did not end");
            std::thread::yield_now();
        }
    }
}
