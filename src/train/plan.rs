//! What an experiment would do, without training it: what `finetop check` prints.

use std::sync::atomic::AtomicBool;

use super::error::Error;
use super::feature_cache::{FeatureCache, Side, Sizes};
use super::memory::{self, Memory};
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
    let memory = memory::of_setup(experiment, &setup)?;
    let mut cache = FeatureCache::new(Sizes::of(experiment, &setup)?, memory::feature_limit(experiment, &setup)?);
    let mut phases = Vec::new();
    for (index, spec) in experiment.train.phases.iter().enumerate() {
        setup.network.freeze(&spec.trainable)?;
        let ahead: Vec<usize> = setup.phases[index..].iter().map(|phase| phase.frozen_prefix).collect();
        cache.begin_phase(&ahead);
        let shape = &setup.phases[index];
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
    Ok(Plan {
        device: device_name(&setup.device),
        classes: class_counts(&setup.data.classes, &setup.data.train, &setup.data.val),
        skipped: setup.data.skipped,
        weights: setup.weights,
        phases,
        memory,
    })
}

fn class_counts(classes: &[String], train: &Samples, val: &Samples) -> Vec<ClassCount> {
    let count = |samples: &Samples, class| samples.labels().filter(|&label| label as usize == class).count();
    let names = classes.iter().enumerate();
    names.map(|(i, name)| ClassCount { name: name.clone(), train: count(train, i), val: count(val, i) }).collect()
}
