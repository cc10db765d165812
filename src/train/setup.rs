//! What stands before the first step: the device, the samples, the network, and what each phase will train.

use std::collections::BTreeSet;

use candle_core::Device;

use super::error::Error;
use super::feed::Preparation;
use super::metrics;
use super::objective::Objective;
use super::out::{Out, Progress};
use crate::data::{Dataset, Loader, Recipe, Samples, Tokenizer};
use crate::experiment::{self, Experiment, Inputs};
use crate::model::{self, Fetch, Found, InputShape, Network, WeightReport};

/// All that an experiment's file names, found and built.
pub(super) struct Setup {
    pub device: Device,
    pub data: Dataset,
    pub preparation: Preparation,
    /// The shape of the largest sample.
    pub input: InputShape,
    pub network: Network,
    /// What the network was built of.
    pub found: Found,
    pub weights: WeightReport,
    /// In the order of the experiment's phases.
    pub phases: Vec<PhaseShape>,
    /// Of training.
    pub objective: Objective,
}

/// What a phase trains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PhaseShape {
    /// Leading layers whose outputs do not change while the phase trains.
    pub frozen_prefix: usize,
    /// Names of the layers that learn.
    pub trainable: Vec<String>,
    pub trainable_parameters: usize,
    /// Names of the tensors that change while it trains.
    pub tensors: Vec<String>,
}

impl Setup {
    /// Finds the weights and the samples and builds the network; progress as the stages `download` and `index`.
    pub fn new(experiment: &Experiment, fetch: Fetch, out: &mut Out) -> Result<Self, Error> {
        let device = device(experiment.device)?;
        let found = find(experiment, fetch, out)?;
        let tokenizer = tokenizer(experiment, &found)?;
        let data = index(experiment, tokenizer.as_ref(), out)?;
        metrics::check(&experiment.train.metrics, &data.classes)?;
        let (mut network, weights) =
            Network::build(&experiment.model, &found, data.classes.len(), experiment.seed, &device)?;
        let phases = shapes(&mut network, experiment)?;
        let preparation = preparation(experiment, &network, tokenizer.as_ref());
        let input = input_shape(&experiment.data, &data);
        Ok(Setup { device, data, preparation, input, network, found, weights, phases, objective: Objective::default() })
    }

    /// Names of the tensors that some phase trains: all others stay what they are.
    pub fn trained_tensors(&self) -> BTreeSet<&str> {
        self.phases.iter().flat_map(|phase| &phase.tensors).map(String::as_str).collect()
    }
}

/// What takes texts apart, where there are any.
pub(super) fn tokenizer(experiment: &Experiment, found: &Found) -> Result<Option<Tokenizer>, Error> {
    let (Inputs::Texts(texts), Some(path)) = (&experiment.data.inputs, found.tokenizer()) else {
        return Ok(None);
    };
    Ok(Some(Tokenizer::open(path, texts.max_length)?))
}

pub(super) fn preparation(experiment: &Experiment, network: &Network, tokenizer: Option<&Tokenizer>) -> Preparation {
    match &experiment.data.inputs {
        Inputs::Pictures(pictures) => {
            let recipe = Recipe::new(pictures, network.preprocessing(), experiment.seed);
            Preparation::Pictures(Loader::new(recipe, experiment.data.loader_threads))
        }
        Inputs::Texts(_) => Preparation::Texts { pad: tokenizer.map_or(0, Tokenizer::pad_id) },
    }
}

/// Pictures are all of one size; texts are as long as the longest of them.
fn input_shape(spec: &experiment::Data, data: &Dataset) -> InputShape {
    let longest = |samples: &Samples| match samples {
        Samples::Pictures(_) => 0,
        Samples::Texts(texts) => texts.iter().map(|text| text.tokens.len()).max().unwrap_or(0),
    };
    match (InputShape::of(spec), longest(&data.train).max(longest(&data.val))) {
        (InputShape::Text { .. }, tokens @ 1..) => InputShape::Text { tokens },
        (shape, _) => shape,
    }
}

fn index(experiment: &Experiment, tokenizer: Option<&Tokenizer>, out: &mut Out) -> Result<Dataset, Error> {
    let mut progress = Progress::new("index", "samples");
    let mut failed = None;
    let data = Dataset::index(&experiment.data, tokenizer, experiment.seed, &mut |done, total| {
        if let (None, Some(event)) = (&failed, progress.at(done, total)) {
            failed = out.event(event).err();
        }
        failed.is_none() && !out.is_stopped()
    });
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(data?),
    }
}

/// Finds the weights; whoever asks to stop meanwhile stops it.
fn find(experiment: &Experiment, fetch: Fetch, out: &mut Out) -> Result<Found, Error> {
    let mut progress = Progress::new("download", "bytes");
    let mut failed = None;
    let found = model::find(&experiment.model, fetch, &mut |download| {
        if let (None, Some(event)) = (&failed, progress.at(download.done, download.total)) {
            failed = out.event(event).err();
        }
        failed.is_none() && !out.is_stopped()
    });
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(found?),
    }
}

/// Freezes for each phase in turn, which also finds a layer name that is none.
pub(super) fn shapes(network: &mut Network, experiment: &Experiment) -> Result<Vec<PhaseShape>, Error> {
    let shape = |phase: &experiment::Phase| {
        network.freeze(&phase.trainable)?;
        Ok(PhaseShape {
            frozen_prefix: network.frozen_prefix(),
            trainable: network.layers().filter(|l| l.is_trainable()).map(|l| l.name().to_owned()).collect(),
            trainable_parameters: network.trainable_parameter_count(),
            tensors: network.moving_tensors(),
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
