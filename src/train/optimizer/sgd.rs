//! Stochastic gradient descent as `torch.optim.SGD`: alone, or with a momentum, which may be Nesterov's.

use candle_core::{Result, Tensor};

use super::rule::{Rule, Updated};

pub(super) struct Sgd {
    pub momentum: f64,
    pub dampening: f64,
    pub nesterov: bool,
    /// Added to the gradient for each unit of the weight.
    pub weight_decay: f64,
}

#[derive(Clone, Copy)]
pub(super) struct Scalars {
    lr: f32,
    decay: f32,
    momentum: f32,
    /// The share of the gradient that goes into the velocity: all of it at the first step.
    fresh: f32,
    nesterov: bool,
}

impl Sgd {
    fn scalars(&self, lr: f32, step: u64) -> Scalars {
        let fresh = if step == 1 { 1.0 } else { (1.0 - self.dampening) as f32 };
        let (decay, momentum) = (self.weight_decay as f32, self.momentum as f32);
        Scalars { lr, decay, momentum, fresh, nesterov: self.nesterov }
    }
}

const NAME: &str = "sgd";

/// Without momentum.
impl Rule<0> for Sgd {
    const NAME: &'static str = NAME;
    const SLOTS: [&'static str; 0] = [];
    type Scalars = Scalars;

    fn scalars(&self, lr: f32, step: u64) -> Scalars {
        self.scalars(lr, step)
    }

    #[inline(always)]
    fn update(s: Scalars, weight: f32, gradient: f32, []: [f32; 0]) -> (f32, [f32; 0]) {
        (weight - s.lr * (gradient + s.decay * weight), [])
    }

    fn composed(s: Scalars, weight: &Tensor, gradient: &Tensor, []: &[Tensor; 0]) -> Result<Updated<0>> {
        let g = (gradient + (weight * f64::from(s.decay))?)?;
        Ok(((weight - (g * f64::from(s.lr))?)?, []))
    }
}

/// With momentum.
impl Rule<1> for Sgd {
    const NAME: &'static str = NAME;
    const SLOTS: [&'static str; 1] = ["velocity"];
    type Scalars = Scalars;

    fn scalars(&self, lr: f32, step: u64) -> Scalars {
        self.scalars(lr, step)
    }

    #[inline(always)]
    fn update(s: Scalars, weight: f32, gradient: f32, [velocity]: [f32; 1]) -> (f32, [f32; 1]) {
        let g = gradient + s.decay * weight;
        let velocity = s.momentum * velocity + s.fresh * g;
        let change = if s.nesterov { g + s.momentum * velocity } else { velocity };
        (weight - s.lr * change, [velocity])
    }

    fn composed(s: Scalars, weight: &Tensor, gradient: &Tensor, [velocity]: &[Tensor; 1]) -> Result<Updated<1>> {
        let momentum = f64::from(s.momentum);
        let g = (gradient + (weight * f64::from(s.decay))?)?;
        let velocity = ((velocity * momentum)? + (&g * f64::from(s.fresh))?)?;
        let change = if s.nesterov { (g + (&velocity * momentum)?)? } else { velocity.clone() };
        Ok(((weight - (change * f64::from(s.lr))?)?, [velocity]))
    }
}
