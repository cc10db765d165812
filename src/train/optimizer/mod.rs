//! Rules that turn gradients into new weights. An optimizer owns its state and shares the variables with the network.
//!
//! Invariants: a variable without a gradient is left as it is; [`Optimizer::slots`] and [`Optimizer::steps`] are the
//! whole state, so that an optimizer restored from them goes on as if nothing had happened.

mod adam;
#[cfg(test)]
mod reference;

use std::collections::HashMap;

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};

pub use adam::Adam;

use crate::experiment;

/// A rule of the update, with its state.
pub trait Optimizer {
    /// The name in files and events.
    fn name(&self) -> &'static str;

    /// Moves every variable that has a gradient, in place.
    fn step(&mut self, gradients: &GradStore) -> Result<()>;

    fn learning_rate(&self) -> f32;

    fn set_learning_rate(&mut self, lr: f32);

    /// Steps taken so far.
    fn steps(&self) -> u64;

    /// The state of each variable, named `SLOT.VARIABLE` (`m.head.dense_1.weight`).
    fn slots(&self) -> Result<Vec<(String, Tensor)>>;

    /// Takes over the state after `steps` steps; a missing or misshapen slot is an error.
    fn restore(&mut self, steps: u64, slots: &HashMap<String, Tensor>) -> Result<()>;
}

/// A fresh optimizer for the named variables.
pub fn build(spec: &experiment::Optimizer, variables: Vec<(String, Var)>) -> Result<Box<dyn Optimizer>> {
    match *spec {
        experiment::Optimizer::Adam { lr, beta_1, beta_2, epsilon } => {
            Ok(Box::new(Adam::new(variables, lr as f32, [beta_1, beta_2], epsilon)?))
        }
    }
}

/// The slot `name`, which must have the shape of its variable.
fn slot<'a>(slots: &'a HashMap<String, Tensor>, name: &str, like: &Tensor) -> Result<&'a Tensor> {
    let Some(tensor) = slots.get(name) else { candle_core::bail!("the optimizer's state lacks {name}") };
    if tensor.shape() != like.shape() {
        candle_core::bail!("the optimizer's {name} is {:?}, not {:?}", tensor.shape(), like.shape());
    }
    Ok(tensor)
}
