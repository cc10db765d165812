//! What all rules have in common: running values beside each weight, updated together with it.

use std::collections::HashMap;

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};

use super::home::Home;
use super::{Moved, Optimizer, slot};

/// The update of one weight. `N` running values stand beside it, all zero at first.
pub(super) trait Rule<const N: usize>: Send + Sync {
    /// The name in files and events.
    const NAME: &'static str;
    /// What the running values are called.
    const SLOTS: [&'static str; N];

    /// The scalars of a step, the same for all weights.
    type Scalars: Copy + Send + Sync;

    /// For the step number `step`, from 1.
    fn scalars(&self, lr: f32, step: u64) -> Self::Scalars;

    /// The new weight and its new running values.
    fn update(scalars: Self::Scalars, weight: f32, gradient: f32, slots: [f32; N]) -> (f32, [f32; N]);

    /// The same for whole tensors, for devices that [`Rule::update`] does not reach.
    fn composed(scalars: Self::Scalars, weight: &Tensor, gradient: &Tensor, slots: &[Tensor; N]) -> Result<Updated<N>>;
}

/// New weights and running values.
pub(super) type Updated<const N: usize> = (Tensor, [Tensor; N]);

/// A rule with its variables.
pub(super) struct Ruled<R, const N: usize> {
    rule: R,
    variables: Vec<Variable<N>>,
    lr: f32,
    steps: u64,
}

/// A variable with its running values.
struct Variable<const N: usize> {
    name: String,
    variable: Var,
    home: Home<N>,
    /// What the learning rate is multiplied by.
    rate: f64,
    /// Steps of the optimizer before it took part.
    after: u64,
}

impl<R: Rule<N>, const N: usize> Ruled<R, N> {
    /// Without variables.
    pub fn new(rule: R, lr: f32) -> Self {
        Ruled { rule, variables: Vec::new(), lr, steps: 0 }
    }
}

impl<R: Rule<N>, const N: usize> Optimizer for Ruled<R, N> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn step(&mut self, gradients: &GradStore, scale: f32) -> Result<()> {
        for Variable { variable, home, rate, after, .. } in &mut self.variables {
            let lr = if *rate == 1.0 { self.lr } else { (f64::from(self.lr) * *rate) as f32 };
            let scalars = self.rule.scalars(lr, self.steps.saturating_sub(*after) + 1);
            if let Some(gradient) = gradients.get(variable.as_tensor()) {
                home.step::<R>(variable, gradient, scale, scalars)?;
            }
        }
        self.steps += 1;
        Ok(())
    }

    fn add(&mut self, variables: Vec<Moved>, after: u64) -> Result<()> {
        for Moved { name, variable, rate } in variables {
            let home = Home::zero(&variable)?;
            self.variables.push(Variable { name, variable, home, rate, after });
        }
        Ok(())
    }

    fn variables(&self) -> Vec<&Var> {
        self.variables.iter().map(|variable| &variable.variable).collect()
    }

    fn learning_rate(&self) -> f32 {
        self.lr
    }

    fn set_learning_rate(&mut self, lr: f32) {
        self.lr = lr;
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    fn slots(&self) -> Result<Vec<(String, Tensor)>> {
        let mut all = Vec::with_capacity(N * self.variables.len());
        for Variable { name, variable, home, .. } in &self.variables {
            let tensors = home.tensors(variable)?;
            all.extend(R::SLOTS.iter().map(|slot| format!("{slot}.{name}")).zip(tensors));
        }
        Ok(all)
    }

    fn restore(&mut self, steps: u64, slots: &HashMap<String, Tensor>) -> Result<()> {
        for Variable { name, variable, home, .. } in &mut self.variables {
            let find = |part: &&str| slot(slots, &format!("{part}.{name}"), variable);
            *home = Home::of(variable, &R::SLOTS.iter().map(find).collect::<Result<Vec<_>>>()?)?;
        }
        self.steps = steps;
        Ok(())
    }
}
