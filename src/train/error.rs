//! What ends a run before its time.

use crate::base::durable;
use crate::model::HubError;
use crate::record::life::Cause;
use crate::{data, model};

use super::tensor_file;

/// Why a run could not be trained to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Data(Box<data::Error>),
    #[error(transparent)]
    Model(Box<model::Error>),
    /// In the arithmetic of a step.
    #[error("the computation failed: {0}")]
    Compute(#[from] candle_core::Error),
    #[error(transparent)]
    Write(#[from] durable::Error),
    #[error(transparent)]
    TensorFile(#[from] tensor_file::Error),
    #[error("the checkpoint {file} does not fit this experiment: {reason}")]
    Checkpoint { file: &'static str, reason: String },
    #[error("{} does not hold a saved model that can be used: {reason}", .path.display())]
    SavedModel { path: std::path::PathBuf, reason: String },
    #[error("the {what} became {value} in epoch {epoch}, step {step} of {steps} (phase `{phase}`)")]
    Diverged { what: &'static str, value: f64, epoch: u32, step: u32, steps: u32, phase: String, lr: f32 },
    #[error("`train.class_weight` has a weight for `{name}`, and there is no such class")]
    UnknownClass { name: String, nearest: Option<String>, known: Vec<String> },
    #[error("`device: {device}` cannot be used: {reason}")]
    Device { device: &'static str, reason: String },
    #[error("`train.metrics`: {metric} {reason}")]
    Metric { metric: String, reason: String, hint: String },
    #[error("could not use {asked} threads: {reason}")]
    Threads { asked: usize, reason: String },
}

impl From<data::Error> for Error {
    fn from(error: data::Error) -> Self {
        Error::Data(Box::new(error))
    }
}

impl From<model::Error> for Error {
    fn from(error: model::Error) -> Self {
        Error::Model(Box::new(error))
    }
}

impl Error {
    /// The cause of the run's end in its record.
    pub fn cause(&self) -> Cause {
        match self {
            Error::Data(e) if matches!(**e, data::Error::Crashed { .. }) => Cause::Crashed,
            Error::Data(_)
            | Error::Checkpoint { .. }
            | Error::SavedModel { .. }
            | Error::UnknownClass { .. }
            | Error::Device { .. }
            | Error::Metric { .. } => Cause::Experiment,
            Error::Model(e) => match &**e {
                model::Error::Tensor(e) => of_candle(e),
                model::Error::Hub(HubError::Write(e)) if e.is_full() => Cause::DiskFull,
                model::Error::Hub(e) if e.is_passing() => Cause::Network,
                _ => Cause::Experiment,
            },
            Error::Compute(e) => of_candle(e),
            Error::Write(e) | Error::TensorFile(tensor_file::Error::Write(e)) if e.is_full() => Cause::DiskFull,
            Error::TensorFile(tensor_file::Error::Damaged { .. } | tensor_file::Error::Newer { .. }) => {
                Cause::Experiment
            }
            Error::Write(_) | Error::TensorFile(_) | Error::Threads { .. } => Cause::Crashed,
            Error::Diverged { .. } => Cause::Diverged,
        }
    }

    /// Whether a download would tell what is asked, and nothing else is wrong.
    pub fn is_before_download(&self) -> bool {
        matches!(self, Error::Model(e) if matches!(**e, model::Error::UnknownSize { .. }))
    }

    /// What a person can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            _ if self.cause() == Cause::OutOfMemory => {
                Some("use a smaller `train.batch_size`, `data.image_size` or `data.max_length`".into())
            }
            Error::Data(e) => e.hint().map(str::to_owned),
            Error::Model(e) => e.hint(),
            Error::Write(e) | Error::TensorFile(tensor_file::Error::Write(e)) => e.hint().map(str::to_owned),
            Error::TensorFile(tensor_file::Error::Damaged { .. }) | Error::Checkpoint { .. } => {
                Some("remove the run's `checkpoints` folder to train it from the start".into())
            }
            Error::TensorFile(tensor_file::Error::Newer { .. }) => {
                Some("use that version, or train it from the start with `finetop retry --fresh`".into())
            }
            Error::Diverged { lr, .. } => {
                Some(format!("use a lower learning rate than {lr}, as `lr: {}`, or `train.clip_norm: 1`", lr / 10.0))
            }
            Error::UnknownClass { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Error::UnknownClass { known, .. } => Some(format!("the classes are {}", known.join(", "))),
            Error::Device { .. } => Some("use `device: auto`".into()),
            Error::Metric { hint, .. } => Some(hint.clone()),
            Error::SavedModel { .. } | Error::Compute(_) | Error::TensorFile(_) | Error::Threads { .. } => None,
        }
    }
}

/// Candle passes an accelerator's errors on as text.
fn of_candle(error: &candle_core::Error) -> Cause {
    let text = error.to_string().to_lowercase();
    if text.contains("out of memory") || text.contains("out_of_memory") { Cause::OutOfMemory } else { Cause::Crashed }
}

/// What ends the work in the middle: an error, or somebody asked to stop.
#[derive(Debug)]
pub(super) enum Interrupt {
    Stopped,
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Interrupt {
    fn from(error: E) -> Self {
        match error.into() {
            Error::Model(e) if e.is_stopped() => Interrupt::Stopped,
            Error::Data(e) if matches!(*e, data::Error::Stopped) => Interrupt::Stopped,
            error => Interrupt::Failed(error),
        }
    }
}

/// The result of work that can be stopped.
pub(super) type Stoppable<T> = std::result::Result<T, Interrupt>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_apart() {
        let candle = |text: &str| candle_core::Error::Msg(text.to_owned());
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let folder = tempfile::tempdir().unwrap();
        let full = durable::write_with(&folder.path().join("x"), |_| Err(full)).unwrap_err();
        let nowhere = durable::write(&folder.path().join("no/x"), b"").unwrap_err();
        for (error, cause, has_hint) in [
            (Error::from(candle("CUDA_ERROR_OUT_OF_MEMORY")), Cause::OutOfMemory, true),
            (Error::from(model::Error::Tensor(candle("out of memory"))), Cause::OutOfMemory, true),
            (Error::from(candle("shape mismatch")), Cause::Crashed, false),
            (Error::from(data::Error::NoValidation), Cause::Experiment, true),
            (Error::TensorFile(full.into()), Cause::DiskFull, true),
            (Error::from(nowhere), Cause::Crashed, false),
        ] {
            assert_eq!(error.cause(), cause, "{error}");
            assert_eq!(error.hint().is_some(), has_hint, "{error}");
        }
    }
}
