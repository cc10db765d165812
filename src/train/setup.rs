//! What stands before the first step: the device, the samples, the network, and what each phase will train.

use std::collections::BTreeSet;

use candle_core::Device;

use super::error::Error;
use super::feed::Preparation;
use super::metrics;
use super::objective::Objective;
use super::out::{Out, Progress};
use crate::base::text::most_alike;
use crate::data::{Dataset, Loader, Recipe, Samples, Tokenizer};
use crate::experiment::{self, ClassWeight, Experiment, Inputs, Trainable};
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
    /// In their order; each phase has at least one.
    pub stretches: Vec<Stretch>,
    /// Of training.
    pub objective: Objective,
}

/// Epochs of a phase in which the same layers learn: all of them, unless more and more are unfrozen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stretch {
    /// Index of the phase.
    pub phase: usize,
    /// Epochs of the phase before it.
    pub after: u32,
    /// As it stands for these epochs: never gradual.
    pub learns: Trainable,
    /// Leading layers whose outputs do not change meanwhile.
    pub frozen_prefix: usize,
    /// Names of the layers that learn.
    pub trainable: Vec<String>,
    pub trainable_parameters: usize,
    /// Names of the tensors that change meanwhile.
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
        let stretches = stretches(&mut network, experiment)?;
        let objective = objective(&experiment.train, &data)?;
        let preparation = preparation(experiment, &network, tokenizer.as_ref());
        let input = input_shape(&experiment.data, &data);
        Ok(Setup { device, data, preparation, input, network, found, weights, stretches, objective })
    }

    /// Names of the tensors that some phase trains: all others stay what they are.
    pub fn trained_tensors(&self) -> BTreeSet<&str> {
        self.stretches.iter().flat_map(|stretch| &stretch.tensors).map(String::as_str).collect()
    }

    /// Index of the stretch that `epochs` epochs of the phase number `phase` lead into.
    pub fn stretch(&self, phase: usize, epochs: u32) -> usize {
        let begun = |stretch: &Stretch| (stretch.phase, stretch.after) <= (phase, epochs);
        self.stretches.partition_point(begun).saturating_sub(1)
    }

    /// Steps of the optimizer in an epoch.
    pub fn steps_per_epoch(&self, train: &experiment::Train) -> u64 {
        self.data.train.len().div_ceil(train.batch_size).div_ceil(train.accumulate) as u64
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

/// Freezes for each stretch of each phase in turn, which also finds a layer name that is none.
pub(super) fn stretches(network: &mut Network, experiment: &Experiment) -> Result<Vec<Stretch>, Error> {
    let mut stretches = Vec::new();
    for (phase, spec) in experiment.train.phases.iter().enumerate() {
        network.rates(spec.lr_decay, &spec.lr_factors)?;
        for (after, learns) in network.stretches(&spec.trainable, spec.epochs)? {
            network.freeze(&learns)?;
            stretches.push(Stretch {
                phase,
                after,
                learns,
                frozen_prefix: network.frozen_prefix(),
                trainable: network.layers().filter(|l| l.is_trainable()).map(|l| l.name().to_owned()).collect(),
                trainable_parameters: network.trainable_parameter_count(),
                tensors: network.moving_tensors(),
            });
        }
    }
    Ok(stretches)
}

/// What training makes small; names of classes that are not there are found.
fn objective(train: &experiment::Train, data: &Dataset) -> Result<Objective, Error> {
    let class_weights = match &train.class_weight {
        None => Vec::new(),
        Some(ClassWeight::Balanced) => balanced(data),
        Some(ClassWeight::Of(weights)) => {
            let mut of_class = vec![1.0; data.classes.len()];
            for (name, weight) in weights {
                let known = data.classes.iter().position(|class| class == name);
                of_class[known.ok_or_else(|| unknown_class(name, &data.classes))?] = *weight;
            }
            of_class
        }
    };
    Ok(Objective { label_smoothing: train.label_smoothing, class_weights })
}

/// Samples / (classes × samples of the class): scikit-learn's `compute_class_weight("balanced")`.
fn balanced(data: &Dataset) -> Vec<f64> {
    let mut counts = vec![0usize; data.classes.len()];
    data.train.labels().for_each(|label| counts[label as usize] += 1);
    let evenly = data.train.len() as f64 / counts.len() as f64;
    counts.into_iter().map(|count| evenly / count.max(1) as f64).collect()
}

pub(super) fn unknown_class(name: &str, classes: &[String]) -> Error {
    let nearest = most_alike(name, classes.iter().map(String::as_str)).map(str::to_owned);
    Error::UnknownClass { name: name.to_owned(), nearest, known: classes.to_vec() }
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
