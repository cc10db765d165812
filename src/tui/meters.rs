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

/// The meters of this machine; none where the system tells nothing.
#[derive(Debug)]
pub struct Meters(Option<System>);

impl Meters {
    /// Meters whose first reading counts from now.
    pub fn start() -> Self {
        let mut system = System::new().ok();
        system.iter_mut().for_each(System::refresh_cpu_usage);
        Meters(system)
    }

    /// What happened since the last reading.
    pub fn read(&mut self) -> Option<Reading> {
        let system = self.0.as_mut()?;
        system.refresh_cpu_usage();
        system.refresh_memory();
        let cpu = system.cpus().iter().map(|cpu| cpu.usage()).sum::<f32>();
        Some(Reading {
            cpu: cpu.round() as u32,
            memory_used: system.used_memory(),
            memory_total: system.total_memory(),
        })
    }
}
