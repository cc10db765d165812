//! AdamW (Loshchilov and Hutter 2019) as `torch.optim.AdamW`: weights shrink by themselves, then PyTorch's Adam.

use candle_core::{Result, Tensor};

use super::adam::{self, Adam};
use super::rule::{Rule, Updated};

pub(super) struct AdamW {
    pub adam: Adam,
    pub weight_decay: f64,
}

#[derive(Clone, Copy)]
pub(super) struct Scalars {
    adam: adam::Scalars,
    /// What each weight is multiplied by.
    shrink: f32,
}

impl Rule<2> for AdamW {
    const NAME: &'static str = "adamw";
    const SLOTS: [&'static str; 2] = Adam::SLOTS;
    type Scalars = Scalars;

    fn scalars(&self, lr: f32, step: u64) -> Scalars {
        let shrink = (1.0 - f64::from(lr) * self.weight_decay) as f32;
        Scalars { adam: self.adam.scalars(lr, step), shrink }
    }

    #[inline(always)]
    fn update(s: Scalars, weight: f32, gradient: f32, slots: [f32; 2]) -> (f32, [f32; 2]) {
        Adam::update(s.adam, s.shrink * weight, gradient, slots)
    }

    fn composed(s: Scalars, weight: &Tensor, gradient: &Tensor, slots: &[Tensor; 2]) -> Result<Updated<2>> {
        Adam::composed(s.adam, &(weight * f64::from(s.shrink))?, gradient, slots)
    }
}
