//! How busy the machine is.

use sysinfo::System;

/// What the meters show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Percent of one core: two busy cores are 200.
    pub cpu: u32,
    /// Bytes.
    pub memory_used: u64,
    pub memory_total: u64,
}

/// The meters of this machine.
#[derive(Debug)]
pub struct Meters(System);

impl Meters {
    /// Meters whose first reading shows no work.
    pub fn new() -> Self {
        let mut system = System::new();
        system.refresh_cpu_usage();
        Meters(system)
    }

    /// What happened since the last reading.
    pub fn read(&mut self) -> Reading {
        self.0.refresh_cpu_usage();
        self.0.refresh_memory();
        let cpu = self.0.cpus().iter().map(|cpu| cpu.cpu_usage()).sum::<f32>();
        Reading { cpu: cpu.round() as u32, memory_used: self.0.used_memory(), memory_total: self.0.total_memory() }
    }
}
