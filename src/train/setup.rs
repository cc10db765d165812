//! What stands before the first step: the device, the pictures, the network, and what each phase will train.

use std::collections::BTreeSet;

use candle_core::Device;

use super::error::Error;
use super::out::{Out, Progress};
use crate::data::{Dataset, Loader, Recipe};
use crate::experiment::{self, Experiment};
use crate::model::{Network, WeightReport};

/// All that an experiment's file names, found and built.
pub(super) struct Setup {
    pub device: Device,
    pub data: Dataset,
    pub loader: Loader,
    pub network: Network,
    pub weights: WeightReport,
    /// In the order of the experiment's phases.
    pub phases: Vec<PhaseShape>,
}

/// What a phase trains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PhaseShape {
    /// Leading layers whose outputs do not change while the phase trains.
    pub frozen_prefix: usize,
    /// Names of the layers that learn.
    pub trainable: Vec<String>,
    pub trainable_parameters: usize,
    /// Names of the tensors that learn.
    pub tensors: Vec<String>,
}

impl Setup {
    /// Finds the pictures and builds the network; progress as the stages `index`.
    pub fn new(experiment: &Experiment, out: &mut Out) -> Result<Self, Error> {
        let device = device(experiment.device)?;
        let data = index(experiment, out)?;
        let (mut network, weights) = Network::build(&experiment.model, data.classes.len(), experiment.seed, &device)?;
        let phases = shapes(&mut network, experiment)?;
        let experiment::Inputs::Pictures(pictures) = &experiment.data.inputs else {
            return Err(crate::data::Error::NoValidation.into());
        };
        let recipe = Recipe::new(pictures, network.preprocessing(), experiment.seed);
        let loader = Loader::new(recipe, experiment.data.loader_threads);
        Ok(Setup { device, data, loader, network, weights, phases })
    }

    /// Where the weights came from, in one line.
    pub fn weights_in_words(&self) -> String {
        let WeightReport { file, loaded, initialized, unused } = &self.weights;
        match file {
            None => format!("weights: {} tensors drawn by the seed, none pretrained", initialized.len()),
            Some(file) => format!(
                "weights: {} tensors loaded from {}, {} new{}",
                loaded.len(),
                file.display(),
                initialized.len(),
                if unused.is_empty() { String::new() } else { format!(", {} of the file unused", unused.len()) }
            ),
        }
    }

    /// Names of the tensors that some phase trains: all others stay what they are.
    pub fn trained_tensors(&self) -> BTreeSet<&str> {
        self.phases.iter().flat_map(|phase| &phase.tensors).map(String::as_str).collect()
    }
}

fn index(experiment: &Experiment, out: &mut Out) -> Result<Dataset, Error> {
    let mut progress = Progress::new("index", "pictures");
    let mut failed = None;
    let data = Dataset::index(&experiment.data, experiment.seed, &mut |done, total| {
        if let (None, Some(event)) = (&failed, progress.at(done, total)) {
            failed = out.event(event).err();
        }
    })?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(data),
    }
}

/// Freezes for each phase in turn, which also finds a layer name that is none.
fn shapes(network: &mut Network, experiment: &Experiment) -> Result<Vec<PhaseShape>, Error> {
    let shape = |phase: &experiment::Phase| {
        network.freeze(&phase.trainable)?;
        Ok(PhaseShape {
            frozen_prefix: network.frozen_prefix(),
            trainable: network.layers().filter(|l| l.is_trainable()).map(|l| l.name().to_owned()).collect(),
            trainable_parameters: network.trainable_parameter_count(),
            tensors: network.trainable().into_iter().map(|(name, _)| name).collect(),
        })
    };
    experiment.train.phases.iter().map(shape).collect()
}

pub(super) fn device(asked: experiment::Device) -> Result<Device, Error> {
    let failed = |device| move |e: candle_core::Error| Error::Device { device, reason: e.to_string() };
    match asked {
        experiment::Device::Cpu => Ok(Device::Cpu),
        experiment::Device::Cuda => Device::new_cuda(0).map_err(failed("cuda")),
        experiment::Device::Metal => Device::new_metal(0).map_err(failed("metal")),
        experiment::Device::Auto if candle_core::utils::cuda_is_available() => {
            Device::new_cuda(0).map_err(failed("auto"))
        }
        experiment::Device::Auto if candle_core::utils::metal_is_available() => {
            Device::new_metal(0).map_err(failed("auto"))
        }
        experiment::Device::Auto => Ok(Device::Cpu),
    }
}

/// The word for `device` in events.
pub(super) fn device_name(device: &Device) -> String {
    match device.location() {
        candle_core::DeviceLocation::Cpu => "cpu".to_owned(),
        candle_core::DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        candle_core::DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
    }
}
