//! NVIDIA's GPUs, by the driver's own library, which is looked for when somebody looks at the machine. Where it is
//! missing there are none.

use std::ffi::OsStr;

use nvml_wrapper::enum_wrappers::device::TemperatureSensor;
use nvml_wrapper::{Device, Nvml};

use super::{Live, Worker};
use crate::base::id::RunId;

/// The name of the library where only the driver is installed, without what programs are built with.
const LIBRARY: &str = "libnvidia-ml.so.1";

/// A GPU. What it does not tell is None.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gpu {
    pub index: u32,
    pub name: String,
    /// How busy it is, in percent.
    pub busy: Option<u32>,
    /// Bytes that are used, and all.
    pub memory: Option<(u64, u64)>,
    /// Degrees Celsius.
    pub temperature: Option<u32>,
    /// Watts that it takes, and the most that it may.
    pub power: Option<(f64, Option<f64>)>,
    /// The live runs that have it.
    pub runs: Vec<RunId>,
}

/// Reads the GPUs.
pub struct Gpus(Option<Nvml>);

impl Gpus {
    /// Looks for the library.
    pub fn start() -> Self {
        let by_driver = Nvml::builder().lib_path(OsStr::new(LIBRARY)).init();
        Gpus(by_driver.or_else(|_| Nvml::init()).ok())
    }

    /// As they are now.
    pub fn read(&self, live: &[Live], workers: &[Worker]) -> Vec<Gpu> {
        let Some(nvml) = &self.0 else { return Vec::new() };
        let devices =
            (0..nvml.device_count().unwrap_or(0)).filter_map(|index| Some((index, nvml.device_by_index(index).ok()?)));
        devices.map(|(index, device)| read(index, &device, live, workers)).collect()
    }
}

fn read(index: u32, device: &Device, live: &[Live], workers: &[Worker]) -> Gpu {
    let processes = device.running_compute_processes().unwrap_or_default();
    let pids: Vec<u32> = processes.iter().map(|process| process.pid).collect();
    let watts = |milliwatts: u32| f64::from(milliwatts) / 1000.0;
    Gpu {
        index,
        name: device.name().unwrap_or_default(),
        busy: device.utilization_rates().ok().map(|rates| rates.gpu),
        memory: device.memory_info().ok().map(|memory| (memory.used, memory.total)),
        temperature: device.temperature(TemperatureSensor::Gpu).ok(),
        power: device.power_usage().ok().map(|used| (watts(used), device.enforced_power_limit().ok().map(watts))),
        runs: runs(index, &device.uuid().unwrap_or_default(), &pids, live, workers),
    }
}

/// The runs that were given it, or whose processes are on it.
pub(super) fn runs(index: u32, uuid: &str, pids: &[u32], live: &[Live], workers: &[Worker]) -> Vec<RunId> {
    let is_given = |run: &Live| {
        let name = run.gpu.as_deref().unwrap_or_default();
        name == index.to_string() || (name.starts_with("GPU-") && uuid.starts_with(name))
    };
    let is_on_it =
        |id: RunId| workers.iter().any(|worker| worker.id == id && worker.pids.iter().any(|pid| pids.contains(pid)));
    live.iter().filter(|run| is_given(run) || is_on_it(run.id)).map(|run| run.id).collect()
}
