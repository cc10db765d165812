//! Rules that turn gradients into new weights. An optimizer owns its state and shares the variables with the network.
//!
//! Invariants: a variable without a gradient is left as it is; [`Optimizer::slots`] and [`Optimizer::steps`] are the
//! whole state, so that an optimizer restored from them goes on as if nothing had happened.

mod adam;
mod adamw;
pub mod clip;
mod home;
mod rmsprop;
mod rule;
mod sgd;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};

use crate::experiment::{self, AdamVariant};
use adam::Adam;
use adamw::AdamW;
use rmsprop::RmsProp;
use rule::Ruled;
use sgd::Sgd;

/// A variable that is to be moved.
#[derive(Debug, Clone)]
pub struct Moved {
    pub name: String,
    pub variable: Var,
    /// What its learning rate is multiplied by (PyTorch's parameter groups).
    pub rate: f64,
}

/// A rule of the update, with its state.
pub trait Optimizer {
    /// The name in files and events.
    fn name(&self) -> &'static str;

    /// Moves every variable that has a gradient, in place, by `scale` times its gradient.
    fn step(&mut self, gradients: &GradStore, scale: f32) -> Result<()>;

    /// Moves `variables` too from now on, as an optimizer does that took `after` steps before it met them: their own
    /// state and count of steps begin anew, as PyTorch's `add_param_group` has it; those of the others go on.
    fn add(&mut self, variables: Vec<Moved>, after: u64) -> Result<()>;

    /// What it moves, in the order that it was built with.
    fn variables(&self) -> Vec<&Var>;

    fn learning_rate(&self) -> f32;

    fn set_learning_rate(&mut self, lr: f32);

    /// Steps taken so far.
    fn steps(&self) -> u64;

    /// The state of each variable, named `SLOT.VARIABLE` (`m.head.dense_1.weight`).
    fn slots(&self) -> Result<Vec<(String, Tensor)>>;

    /// Takes over the state after `steps` steps; a missing or misshapen slot is an error.
    fn restore(&mut self, steps: u64, slots: &HashMap<String, Tensor>) -> Result<()>;
}

/// A fresh optimizer for the named variables, all at its own rate.
pub fn build(spec: &experiment::Optimizer, variables: Vec<(String, Var)>) -> Result<Box<dyn Optimizer>> {
    let mut optimizer = empty(spec);
    let moved = |(name, variable)| Moved { name, variable, rate: 1.0 };
    optimizer.add(variables.into_iter().map(moved).collect(), 0)?;
    Ok(optimizer)
}

/// A fresh optimizer that moves nothing yet.
pub fn empty(spec: &experiment::Optimizer) -> Box<dyn Optimizer> {
    use experiment::Optimizer::{Adam as AdamSpec, AdamW as AdamWSpec, RmsProp as RmsPropSpec, Sgd as SgdSpec};
    let lr = spec.lr() as f32;
    match *spec {
        AdamSpec { beta_1, beta_2, epsilon, variant, .. } => {
            Box::new(Ruled::new(Adam { betas: [beta_1, beta_2], epsilon, variant }, lr))
        }
        AdamWSpec { beta_1, beta_2, epsilon, weight_decay, .. } => {
            let adam = Adam { betas: [beta_1, beta_2], epsilon, variant: AdamVariant::PyTorch };
            Box::new(Ruled::new(AdamW { adam, weight_decay }, lr))
        }
        SgdSpec { momentum, nesterov, weight_decay, dampening, .. } => {
            let rule = Sgd { momentum, dampening, nesterov, weight_decay };
            match momentum {
                0.0 => Box::new(Ruled::<_, 0>::new(rule, lr)),
                _ => Box::new(Ruled::<_, 1>::new(rule, lr)),
            }
        }
        RmsPropSpec { alpha, epsilon, momentum, weight_decay, .. } => {
            let rule = RmsProp { alpha, epsilon, momentum, weight_decay };
            match momentum {
                0.0 => Box::new(Ruled::<_, 1>::new(rule, lr)),
                _ => Box::new(Ruled::<_, 2>::new(rule, lr)),
            }
        }
    }
}

/// How many running values the rule of [`build`] keeps beside each weight.
pub fn running_values(spec: &experiment::Optimizer) -> usize {
    use experiment::Optimizer::{Adam, AdamW, RmsProp, Sgd};
    match *spec {
        Adam { .. } | AdamW { .. } => 2,
        Sgd { momentum, .. } => usize::from(momentum != 0.0),
        RmsProp { momentum, .. } => 1 + usize::from(momentum != 0.0),
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
