//! The workers: what the process group of each takes.

use std::collections::BTreeMap;
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
    /// Processes of its group.
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
        let groups = groups();
        let pids_of = |run: &Live| {
            let leader = u32::try_from(run.process.pid).unwrap_or(0);
            groups.get(&run.process.pid).cloned().unwrap_or_else(|| vec![leader])
        };
        let all: Vec<Pid> = here.iter().flat_map(|run| pids_of(run)).map(Pid::from_u32).collect();
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().with_disk_usage().with_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&all), true, kind);
        here.into_iter().map(|run| of_group(system, run, pids_of(run), seconds)).collect()
    }
}

fn of_group(system: &System, run: &Live, pids: Vec<u32>, seconds: f64) -> Worker {
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

/// The processes of each process group; none where there is no `/proc`.
fn groups() -> BTreeMap<i32, Vec<u32>> {
    let mut groups: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        if let Some(group) = group_of(&stat) {
            groups.entry(group).or_default().push(pid);
        }
    }
    groups
}

/// Field 5 of `/proc/PID/stat`; the name in parentheses may hold spaces and parentheses of its own.
pub(super) fn group_of(stat: &str) -> Option<i32> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(2)?.parse().ok()
}
