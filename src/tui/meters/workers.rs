//! What the workers take of the machine: the process group of each, and what it started (`finetop run` starts its worker
//! in a group of its own).

use std::collections::BTreeSet;
use std::fs;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::{Live, Rates};
use crate::base::id::RunId;
use crate::runner::process;

/// What a live run takes of this machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Worker {
    pub id: RunId,
    pub name: String,
    /// Percent of one core.
    pub cpu: u32,
    /// Resident bytes.
    pub memory: u64,
    /// None where the system does not tell.
    pub threads: Option<usize>,
    /// From and to disks.
    pub disk: Rates,
    /// Its processes.
    pub pids: Vec<u32>,
}

impl Worker {
    /// One that takes nothing.
    pub fn idle(id: RunId, name: String) -> Worker {
        Worker { id, name, cpu: 0, memory: 0, threads: None, disk: Rates::default(), pids: Vec::new() }
    }
}

/// Reads the workers.
#[derive(Default)]
pub struct Workers(Option<System>);

impl Workers {
    /// What happened in the `seconds` since the last reading; those that do not live here any more are left out.
    pub fn read(&mut self, live: &[Live], seconds: f64) -> Vec<Worker> {
        let here: Vec<&Live> = live.iter().filter(|run| process::is_alive(&run.process)).collect();
        if here.is_empty() {
            return Vec::new();
        }
        if self.0.is_none() {
            self.0 = System::new().ok();
        }
        let Some(system) = &mut self.0 else { return Vec::new() };
        let processes = processes();
        let families: Vec<Vec<u32>> = here.iter().map(|run| family(&processes, run.process.pid)).collect();
        let all: Vec<Pid> = families.iter().flatten().copied().map(Pid::from_u32).collect();
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().with_disk_usage().with_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&all), true, kind);
        here.into_iter().zip(families).map(|(run, pids)| of_family(system, run, pids, seconds)).collect()
    }
}

fn of_family(system: &System, run: &Live, pids: Vec<u32>, seconds: f64) -> Worker {
    let mut worker = Worker::idle(run.id, run.name.clone());
    for process in pids.iter().filter_map(|&pid| system.process(Pid::from_u32(pid))) {
        worker.cpu += process.cpu_usage().round() as u32;
        worker.memory = worker.memory.saturating_add(process.memory());
        // The first thread is the process, which is not among its tasks.
        worker.threads = process.tasks().map(|tasks| worker.threads.unwrap_or(0) + tasks.len()).or(worker.threads);
        let usage = process.disk_usage();
        worker.disk.read += usage.read_bytes as f64 / seconds;
        worker.disk.written += usage.written_bytes as f64 / seconds;
    }
    worker.pids = pids;
    worker
}

/// A process: its own number, its parent's and its group's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Process {
    pub pid: i32,
    pub parent: i32,
    pub group: i32,
}

/// All processes; none where there is no `/proc`.
fn processes() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter(|entry| entry.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit));
    pids.filter_map(|entry| process_of(&fs::read_to_string(entry.path().join("stat")).ok()?)).collect()
}

/// Reads `/proc/PID/stat`; the name in parentheses may hold spaces and parentheses of its own.
pub(super) fn process_of(stat: &str) -> Option<Process> {
    let (before, after) = stat.rsplit_once(')')?;
    let mut numbers = after.split_ascii_whitespace().skip(1).map(|number| number.parse().ok());
    let pid = before.split_once(' ')?.0.parse().ok()?;
    Some(Process { pid, parent: numbers.next()??, group: numbers.next()?? })
}

/// The process `leader`, those of its group, and what any of them started.
pub(super) fn family(all: &[Process], leader: i32) -> Vec<u32> {
    let mut family = BTreeSet::from([leader]);
    loop {
        let joins = |process: &&Process| process.group == leader || family.contains(&process.parent);
        let new: Vec<i32> =
            all.iter().filter(joins).map(|process| process.pid).filter(|pid| !family.contains(pid)).collect();
        if new.is_empty() {
            return family.into_iter().filter_map(|pid| u32::try_from(pid).ok()).collect();
        }
        family.extend(new);
    }
}
