//! The tensors that some phase trains, and copies of them.

use candle_core::Var;

use super::checkpoint::{self, Weights};
use super::error::Error;
use super::setup::Setup;

/// What some phase trains: parameters and running statistics, in the order of the network.
pub(super) struct Trained {
    tensors: Vec<(String, Var)>,
    /// What they are now, where that is known.
    copy: Option<Weights>,
}

impl Trained {
    pub fn of(setup: &Setup) -> Trained {
        let names = setup.trained_tensors();
        let tensors = setup.network.tensors().into_iter().filter(|(name, _)| names.contains(name.as_str())).collect();
        Trained { tensors, copy: None }
    }

    /// Scalars in all of them.
    pub fn elements(&self) -> usize {
        self.tensors.iter().map(|(_, var)| var.elem_count()).sum()
    }

    /// A copy of what they are. Until they move again, any other is the same copy.
    pub fn copy(&mut self) -> Result<Weights, Error> {
        if let Some(copy) = &self.copy {
            return Ok(copy.clone());
        }
        let copied = |(name, var): &(String, Var)| Ok((name.clone(), var.as_tensor().copy()?));
        let copy = self.tensors.iter().map(copied).collect::<Result<Weights, Error>>()?;
        self.copy = Some(copy.clone());
        Ok(copy)
    }

    /// Makes them what `weights` says.
    pub fn set(&mut self, weights: &Weights) -> Result<(), Error> {
        let misfit = |reason: String| Error::Checkpoint { file: checkpoint::LAST, reason };
        if weights.len() != self.tensors.len() {
            return Err(misfit(format!("it has {} trained tensors, not {}", weights.len(), self.tensors.len())));
        }
        self.copy = None;
        for (name, var) in &self.tensors {
            let tensor = weights.get(name).filter(|tensor| tensor.shape() == var.shape());
            var.set(tensor.ok_or_else(|| misfit(format!("{name} is missing or of another shape")))?)?;
        }
        self.copy = Some(weights.clone());
        Ok(())
    }

    /// To be told when a step has moved them.
    pub fn moved(&mut self) {
        self.copy = None;
    }
}
