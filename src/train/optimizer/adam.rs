//! Adam (Kingma and Ba 2015) as Keras and as PyTorch compute it: they differ in where epsilon is added, and in whether
//! the scalars of a step are computed in f32 or in f64.

use candle_core::{Result, Tensor};

use super::rule::{Rule, Updated};
use crate::experiment::AdamVariant;

pub(super) struct Adam {
    pub betas: [f64; 2],
    pub epsilon: f64,
    pub variant: AdamVariant,
}

/// `weight -= alpha * m / (root * sqrt(v) + epsilon)`
#[derive(Clone, Copy)]
pub(super) struct Scalars {
    alpha: f32,
    root: f32,
    epsilon: f32,
    /// `1 - beta`, computed in f64 and rounded once, as a Python float is.
    rest: [f32; 2],
}

impl Rule<2> for Adam {
    const NAME: &'static str = "adam";
    const SLOTS: [&'static str; 2] = ["m", "v"];
    type Scalars = Scalars;

    fn scalars(&self, lr: f32, step: u64) -> Scalars {
        let (alpha, root) = match self.variant {
            // `keras.optimizers.Adam`: epsilon stays outside of the correction of the bias
            AdamVariant::Keras => {
                let [power_1, power_2] = self.betas.map(|beta| (beta as f32).powf(step as f32));
                (lr * (1.0 - power_2).sqrt() / (1.0 - power_1), 1.0)
            }
            // `torch.optim.Adam`: epsilon is added to the corrected root
            AdamVariant::PyTorch => {
                let [rest_1, rest_2] = self.betas.map(|beta| 1.0 - beta.powf(step as f64));
                ((f64::from(lr) / rest_1) as f32, (1.0 / rest_2.sqrt()) as f32)
            }
        };
        Scalars { alpha, root, epsilon: self.epsilon as f32, rest: self.betas.map(|beta| (1.0 - beta) as f32) }
    }

    #[inline(always)]
    fn update(s: Scalars, weight: f32, g: f32, [m, v]: [f32; 2]) -> (f32, [f32; 2]) {
        let m = m + (g - m) * s.rest[0];
        let v = v + (g * g - v) * s.rest[1];
        (weight - m * s.alpha / (v.sqrt() * s.root + s.epsilon), [m, v])
    }

    fn composed(s: Scalars, weight: &Tensor, g: &Tensor, [m, v]: &[Tensor; 2]) -> Result<Updated<2>> {
        let m = (m + ((g - m)? * f64::from(s.rest[0]))?)?;
        let v = (v + ((g.sqr()? - v)? * f64::from(s.rest[1]))?)?;
        let below = v.sqrt()?.affine(f64::from(s.root), f64::from(s.epsilon))?;
        let change = ((&m * f64::from(s.alpha))? / below)?;
        Ok(((weight - change)?, [m, v]))
    }
}
