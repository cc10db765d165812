//! What an experiment would do, without training it: what `finetop check` prints.

use std::sync::atomic::AtomicBool;

use super::error::Error;
use super::feature_cache::{FeatureCache, Side, Sizes};
use super::memory::{self, Memory};
use super::out::Out;
use super::phase::shown;
use super::schedule::Schedule;
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
    /// That of the first step of each epoch, plateaus apart.
    pub rates: Vec<f64>,
    /// As it begins.
    pub layers: Vec<LayerSummary>,
    /// What the rate of each of `layers` is multiplied by.
    pub layer_rates: Vec<f64>,
    /// Epochs of the phase (from 1) from which more layers learn, with all that do then.
    pub unfreezes: Vec<(u32, Vec<String>)>,
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
    let steps = setup.steps_per_epoch(&experiment.train);
    for (number, spec) in experiment.train.phases.iter().enumerate() {
        let index = setup.stretch(number, 0);
        let shape = &setup.stretches[index];
        setup.network.freeze(&shape.learns)?;
        let ahead: Vec<usize> = setup.stretches[index..].iter().map(|stretch| stretch.frozen_prefix).collect();
        cache.begin_phase(&ahead);
        let schedule = Schedule::new(spec.schedule, spec.optimizer.lr(), spec.epochs, steps);
        let lr = spec.optimizer.lr() as f32;
        let rates = (0..u64::from(spec.epochs)).map(|epoch| shown(schedule.rate(epoch * steps, lr)));
        let later = setup.stretches[index + 1..].iter().take_while(|stretch| stretch.phase == number);
        let layer_rates = setup.network.rates(spec.lr_decay, &spec.lr_factors)?;
        phases.push(PhasePlan {
            name: spec.name.clone(),
            epochs: spec.epochs,
            steps_per_epoch: steps as usize,
            lr: spec.optimizer.lr(),
            rates: rates.collect(),
            layers: setup.network.summary(setup.input)?,
            layer_rates,
            unfreezes: later.map(|stretch| (stretch.after + 1, stretch.trainable.clone())).collect(),
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
