//! RMSprop (Tieleman and Hinton 2012) as `torch.optim.RMSprop`, not centered: alone, or with a momentum.

use candle_core::{Result, Tensor};

use super::rule::{Rule, Updated};

pub(super) struct RmsProp {
    /// Decay of the running mean of the gradient's square.
    pub alpha: f64,
    pub epsilon: f64,
    pub momentum: f64,
    /// Added to the gradient for each unit of the weight.
    pub weight_decay: f64,
}

#[derive(Clone, Copy)]
pub(super) struct Scalars {
    lr: f32,
    decay: f32,
    alpha: f32,
    /// `1 - alpha`
    rest: f32,
    epsilon: f32,
    momentum: f32,
}

impl RmsProp {
    fn scalars(&self, lr: f32) -> Scalars {
        Scalars {
            lr,
            decay: self.weight_decay as f32,
            alpha: self.alpha as f32,
            rest: (1.0 - self.alpha) as f32,
            epsilon: self.epsilon as f32,
            momentum: self.momentum as f32,
        }
    }
}

impl Scalars {
    /// The gradient over its running root mean square, and the running mean square.
    #[inline(always)]
    fn evened(self, weight: f32, gradient: f32, square: f32) -> (f32, f32) {
        let g = gradient + self.decay * weight;
        let square = self.alpha * square + self.rest * g * g;
        (g / (square.sqrt() + self.epsilon), square)
    }

    fn evened_composed(self, weight: &Tensor, gradient: &Tensor, square: &Tensor) -> Result<(Tensor, Tensor)> {
        let g = (gradient + (weight * f64::from(self.decay))?)?;
        let square = ((square * f64::from(self.alpha))? + (g.sqr()? * f64::from(self.rest))?)?;
        let root = (square.sqrt()? + f64::from(self.epsilon))?;
        Ok(((g / root)?, square))
    }
}

const NAME: &str = "rmsprop";

/// Without momentum.
impl Rule<1> for RmsProp {
    const NAME: &'static str = NAME;
    const SLOTS: [&'static str; 1] = ["square"];
    type Scalars = Scalars;

    fn scalars(&self, lr: f32, _step: u64) -> Scalars {
        self.scalars(lr)
    }

    #[inline(always)]
    fn update(s: Scalars, weight: f32, gradient: f32, [square]: [f32; 1]) -> (f32, [f32; 1]) {
        let (change, square) = s.evened(weight, gradient, square);
        (weight - s.lr * change, [square])
    }

    fn composed(s: Scalars, weight: &Tensor, gradient: &Tensor, [square]: &[Tensor; 1]) -> Result<Updated<1>> {
        let (change, square) = s.evened_composed(weight, gradient, square)?;
        Ok(((weight - (change * f64::from(s.lr))?)?, [square]))
    }
}

/// With momentum.
impl Rule<2> for RmsProp {
    const NAME: &'static str = NAME;
    const SLOTS: [&'static str; 2] = ["square", "velocity"];
    type Scalars = Scalars;

    fn scalars(&self, lr: f32, _step: u64) -> Scalars {
        self.scalars(lr)
    }

    #[inline(always)]
    fn update(s: Scalars, weight: f32, gradient: f32, [square, velocity]: [f32; 2]) -> (f32, [f32; 2]) {
        let (change, square) = s.evened(weight, gradient, square);
        let velocity = s.momentum * velocity + change;
        (weight - s.lr * velocity, [square, velocity])
    }

    fn composed(
        s: Scalars,
        weight: &Tensor,
        gradient: &Tensor,
        [square, velocity]: &[Tensor; 2],
    ) -> Result<Updated<2>> {
        let (change, square) = s.evened_composed(weight, gradient, square)?;
        let velocity = ((velocity * f64::from(s.momentum))? + change)?;
        Ok(((weight - (&velocity * f64::from(s.lr))?)?, [square, velocity]))
    }
}
