//! What an experiment would do, without training it: what `finetop check` prints.

use std::sync::atomic::AtomicBool;

use super::error::Error;
use super::feature_cache::{FeatureCache, Side, Sizes, memory_limit};
use super::out::Out;
use super::setup::{Setup, device_name};
use crate::data::{Samples, Skipped};
use crate::experiment::Experiment;
use crate::model::{Fetch, LayerSummary, WeightReport};

/// An experiment, looked at from all sides.
#[derive(Debug)]
pub struct Plan {
    pub device: String,
    /// In the order of their indices.
    pub classes: Vec<ClassCount>,
    pub skipped: Vec<Skipped>,
    pub weights: WeightReport,
    pub phases: Vec<PhasePlan>,
    pub memory: Memory,
}

/// How many pictures a class has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassCount {
    pub name: String,
    pub train: usize,
    pub val: usize,
}

/// A phase, and the network as it trains it.
#[derive(Debug, Clone, PartialEq)]
pub struct PhasePlan {
    pub name: String,
    pub epochs: u32,
    pub steps_per_epoch: usize,
    pub lr: f64,
    pub layers: Vec<LayerSummary>,
    pub trainable_parameters: usize,
    /// Leading layers that are computed once, or None where the cache holds nothing of the training pictures.
    pub cached_layers: Option<usize>,
}

/// An estimate, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Weights, their gradients, the optimizer's state and the copies of the best ones.
    pub weights: u64,
    /// Outputs of layers that a training step keeps for its backward pass, at their most.
    pub activations: u64,
    /// Outputs of frozen layers that are kept for all pictures, at their most.
    pub features: u64,
}

impl Memory {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.weights + self.activations + self.features
    }
}

/// Finds the pictures, builds the network and looks at every phase.
///
/// # Errors
/// Whatever would end the run before its first step: data, weights, layers that do not exist.
pub fn plan(experiment: &Experiment) -> Result<Plan, Error> {
    let (mut ignore, never) = (|_| Ok(()), AtomicBool::new(false));
    let setup = Setup::new(experiment, Fetch::CacheOnly, &mut Out::new(&mut ignore, &never))?;
    of_setup(experiment, setup)
}

fn of_setup(experiment: &Experiment, mut setup: Setup) -> Result<Plan, Error> {
    let sizes = Sizes::new(experiment, &setup)?;
    let mut cache = FeatureCache::new(sizes.clone(), memory_limit());
    let mut memory = Memory::default();
    let mut phases = Vec::new();
    for (index, spec) in experiment.train.phases.iter().enumerate() {
        setup.network.freeze(&spec.trainable)?;
        let ahead: Vec<usize> = setup.phases[index..].iter().map(|phase| phase.frozen_prefix).collect();
        cache.begin_phase(&ahead);
        let shape = &setup.phases[index];
        let activations: usize = sizes.at_layer[shape.frozen_prefix.min(sizes.at_layer.len())..].iter().sum();
        memory.activations = memory.activations.max(bytes(2 * activations * experiment.train.batch_size));
        memory.features = memory.features.max(cache.admitted_bytes());
        phases.push(PhasePlan {
            name: spec.name.clone(),
            epochs: spec.epochs,
            steps_per_epoch: setup.data.train.len().div_ceil(experiment.train.batch_size),
            lr: spec.optimizer.lr(),
            layers: setup.network.summary(setup.input)?,
            trainable_parameters: shape.trainable_parameters,
            cached_layers: cache.is_admitted(Side::Train, shape.frozen_prefix).then_some(shape.frozen_prefix),
        });
    }
    let most_trained = setup.phases.iter().map(|phase| phase.trainable_parameters).max().unwrap_or(0);
    // Beside each trained weight: its gradient, two running values at most, and two copies of the best.
    memory.weights = bytes(setup.network.parameter_count() + 5 * most_trained);
    Ok(Plan {
        device: device_name(&setup.device),
        classes: class_counts(&setup.data.classes, &setup.data.train, &setup.data.val),
        skipped: setup.data.skipped,
        weights: setup.weights,
        phases,
        memory,
    })
}

fn bytes(scalars: usize) -> u64 {
    scalars as u64 * size_of::<f32>() as u64
}

fn class_counts(classes: &[String], train: &Samples, val: &Samples) -> Vec<ClassCount> {
    let count = |samples: &Samples, class| samples.labels().filter(|&label| label as usize == class).count();
    let names = classes.iter().enumerate();
    names.map(|(i, name)| ClassCount { name: name.clone(), train: count(train, i), val: count(val, i) }).collect()
}
