//! The machine: processors, memory, the disk of the store, the network.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use sysinfo::System;

use super::Reading;

/// Bytes of a sector in `/proc/diskstats`, whatever the disk's own are.
const SECTOR: u64 = 512;

/// Besides processors and memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Host {
    /// How busy each core is, in percent.
    pub cores: Vec<u32>,
    /// Runnable tasks, averaged over 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// Bytes.
    pub swap_used: u64,
    pub swap_total: u64,
    /// Bytes of the store's disk that are free to its owner, and all.
    pub space: Option<(u64, u64)>,
    /// Read from and written to all disks; None where the system does not tell.
    pub disk: Option<Rates>,
    /// Received and sent over all networks.
    pub network: Option<Rates>,
}

/// Bytes in a second, in and out.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rates {
    pub read: f64,
    pub written: f64,
}

impl Rates {
    /// What two counters came to in `seconds`; one that was reset says nothing.
    pub fn between(before: (u64, u64), now: (u64, u64), seconds: f64) -> Rates {
        let rate = |before: u64, now: u64| now.saturating_sub(before) as f64 / seconds;
        Rates { read: rate(before.0, now.0), written: rate(before.1, now.1) }
    }
}

/// Reads the machine.
pub struct Hosts {
    system: Option<System>,
    store: PathBuf,
    disk: Option<(u64, u64)>,
    network: Option<(u64, u64)>,
}

impl Hosts {
    /// The first reading counts from now.
    pub fn start(store: PathBuf) -> Self {
        let mut system = System::new().ok();
        system.iter_mut().for_each(System::refresh_cpu_usage);
        Hosts { system, store, disk: disk(), network: network() }
    }

    /// What happened in the `seconds` since the last reading.
    pub fn read(&mut self, seconds: f64) -> Reading {
        let mut reading = Reading { host: self.rates(seconds), ..Reading::default() };
        reading.host.load = System::load_average().ok().map(|load| [load.one, load.five, load.fifteen]);
        reading.host.space = self.space();
        if let Some(system) = &mut self.system {
            system.refresh_cpu_usage();
            system.refresh_memory();
            let cores: Vec<f32> = system.cpus().iter().map(|cpu| cpu.usage()).collect();
            reading.cpu = cores.iter().sum::<f32>().round() as u32;
            reading.host.cores = cores.iter().map(|usage| usage.round() as u32).collect();
            (reading.memory_used, reading.memory_total) = (system.used_memory(), system.total_memory());
            (reading.host.swap_used, reading.host.swap_total) = (system.used_swap(), system.total_swap());
        }
        reading
    }

    fn rates(&mut self, seconds: f64) -> Host {
        let rates = |before: Option<(u64, u64)>, now: Option<(u64, u64)>| Some(Rates::between(before?, now?, seconds));
        let [disk, network] = [disk(), network()];
        let host = Host { disk: rates(self.disk, disk), network: rates(self.network, network), ..Host::default() };
        (self.disk, self.network) = (disk, network);
        host
    }

    fn space(&self) -> Option<(u64, u64)> {
        let disk = rustix::fs::statvfs(&self.store).ok()?;
        Some((disk.f_bavail.checked_mul(disk.f_frsize)?, disk.f_blocks.checked_mul(disk.f_frsize)?))
    }
}

fn disk() -> Option<(u64, u64)> {
    let disks =
        fs::read_dir("/sys/block").ok()?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let disks: Vec<String> = disks.collect();
    Some(sum_of_disks(&fs::read_to_string("/proc/diskstats").ok()?, &disks))
}

fn network() -> Option<(u64, u64)> {
    Some(sum_of_networks(&fs::read_to_string("/proc/net/dev").ok()?))
}

/// Bytes read and written by the real ones among `disks`: not by partitions, nor by what lies on top of other disks.
pub(super) fn sum_of_disks(diskstats: &str, disks: &[String]) -> (u64, u64) {
    let is_real = |name: &str| !["loop", "ram", "zram", "dm-", "md", "sr"].iter().any(|kind| name.starts_with(kind));
    let all = diskstats.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let name = *fields.get(2)?;
        let sectors = |at: usize| fields.get(at)?.parse::<u64>().ok();
        (is_real(name) && disks.iter().any(|disk| disk == name)).then_some((sectors(5)?, sectors(9)?))
    });
    let (read, written) = all.fold((0u64, 0u64), |sum, one| (sum.0.wrapping_add(one.0), sum.1.wrapping_add(one.1)));
    (read.wrapping_mul(SECTOR), written.wrapping_mul(SECTOR))
}

/// Bytes received and sent, but not by this machine to itself.
pub(super) fn sum_of_networks(dev: &str) -> (u64, u64) {
    let is_real =
        |name: &str| name != "lo" && !["veth", "docker", "br-", "virbr"].iter().any(|kind| name.starts_with(kind));
    let lines = dev.lines().filter_map(|line| {
        let (name, counters) = line.split_once(':')?;
        let counters: Vec<u64> = counters.split_ascii_whitespace().filter_map(|counter| counter.parse().ok()).collect();
        is_real(name.trim()).then_some((name.trim(), (*counters.first()?, *counters.get(8)?)))
    });
    let all: BTreeMap<&str, (u64, u64)> = lines.collect();
    all.values().fold((0, 0), |sum, one| (sum.0.wrapping_add(one.0), sum.1.wrapping_add(one.1)))
}
