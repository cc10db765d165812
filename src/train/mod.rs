//! Training: phases, optimizers, callbacks, metrics, checkpoints and the feature cache. Knows neither queue nor terminal.
//!
//! Invariants:
//! - Keras' semantics: each phase is a call of `fit` with a fresh optimizer and callbacks that start over; the next phase
//!   starts from the weights that the one before left (restored, where that is asked for).
//! - Figures are a function of the experiment: not of loader threads, nor of where a run was stopped and resumed.
//! - Every figure that leaves is in an event; nothing is printed.
//! - A NaN or infinite loss ends the run before it reaches a checkpoint.

pub mod advice;
pub mod callback;
pub mod checkpoint;
mod epoch;
mod error;
mod exact;
mod feature_cache;
mod feed;
mod inference;
pub mod lr_finder;
pub mod memory;
pub mod metrics;
mod mixing;
mod objections;
mod objective;
pub mod optimizer;
mod out;
mod phase;
mod plan;
mod predictor;
mod rows;
mod samples;
mod saved_model;
mod saving;
mod schedule;
mod setup;
mod step;
mod tensor_file;
mod trained;
mod trainer;
pub mod verify;

use std::path::Path;
use std::sync::atomic::AtomicBool;

pub use error::Error;
pub use memory::Memory;
pub use objections::{load_all, load_text};
pub use plan::{ClassCount, PhasePlan, Plan, plan};
pub use predictor::{Prediction, Predictor, Unusable};

use crate::base::durable;
use crate::experiment::Experiment;
use crate::record::event::{Event, FinishReason};
use error::Interrupt;
use out::Out;

/// What to train, and where its files go.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    pub experiment: &'a Experiment,
    /// The run's folder: `checkpoints/` and `model/` are made in it.
    pub folder: &'a Path,
    /// From 1.
    pub attempt: u32,
}

/// How training ended, if not by an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Finished(FinishReason),
    /// Somebody asked to stop; a checkpoint was written if any training had begun.
    Stopped,
}

/// Trains `job`, from its latest checkpoint where there is one. Every event goes to `emit`, from `run_started`
/// (stages may come before) to `finished`; `failed` is left to the caller, who has the error. Once `stop` is set it ends
/// within one step, with a checkpoint.
pub fn run(
    job: &Job,
    emit: &mut dyn FnMut(Event) -> Result<(), durable::Error>,
    stop: &AtomicBool,
) -> Result<End, Error> {
    match trainer::train(job, Out::new(emit, stop)) {
        Ok(reason) => Ok(End::Finished(reason)),
        Err(Interrupt::Stopped) => Ok(End::Stopped),
        Err(Interrupt::Failed(error)) => Err(error),
    }
}
