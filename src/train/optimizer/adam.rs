//! Adam as Keras computes it (`keras.optimizers.Adam`): `alpha = lr * sqrt(1 - beta_2^t) / (1 - beta_1^t)`, and epsilon
//! added outside the bias correction. All in f32, the powers too, as Keras does.

use std::collections::HashMap;
use std::sync::Mutex;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, InplaceOp2, Layout, Result, Tensor, Var};
use rayon::prelude::*;

use super::{Optimizer, slot};

/// Values below which one thread is quicker than several.
const CHUNK: usize = 1 << 16;

/// The optimizer of Kingma and Ba (2015), with Keras' arithmetic.
pub struct Adam {
    variables: Vec<Moments>,
    lr: f32,
    betas: [f64; 2],
    epsilon: f32,
    steps: u64,
}

/// A variable with the running means of its gradient and of the gradient's square.
struct Moments {
    name: String,
    variable: Var,
    /// On the CPU flat values that one pass updates together with the weights, elsewhere tensors.
    home: Home,
}

enum Home {
    Host { m: Vec<f32>, v: Vec<f32> },
    Device { m: Tensor, v: Tensor },
}

/// The scalars of one step.
#[derive(Clone, Copy)]
struct Scalars {
    alpha: f32,
    /// `1 - beta`, computed in f64 and rounded once, as a Python float is.
    rest_1: f32,
    rest_2: f32,
    epsilon: f32,
}

impl Adam {
    /// With both moments zero.
    pub fn new(variables: Vec<(String, Var)>, lr: f32, betas: [f64; 2], epsilon: f64) -> Result<Self> {
        let variables =
            variables.into_iter().map(|(name, variable)| Moments::new(name, variable)).collect::<Result<_>>()?;
        Ok(Adam { variables, lr, betas, epsilon: epsilon as f32, steps: 0 })
    }

    fn scalars(&self, step: u64) -> Scalars {
        let [power_1, power_2] = self.betas.map(|beta| (beta as f32).powf(step as f32));
        Scalars {
            alpha: self.lr * (1.0 - power_2).sqrt() / (1.0 - power_1),
            rest_1: (1.0 - self.betas[0]) as f32,
            rest_2: (1.0 - self.betas[1]) as f32,
            epsilon: self.epsilon,
        }
    }
}

impl Optimizer for Adam {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn step(&mut self, gradients: &GradStore) -> Result<()> {
        let scalars = self.scalars(self.steps + 1);
        for moments in &mut self.variables {
            if let Some(gradient) = gradients.get(moments.variable.as_tensor()) {
                moments.step(&gradient.contiguous()?, scalars)?;
            }
        }
        self.steps += 1;
        Ok(())
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
        let mut slots = Vec::with_capacity(2 * self.variables.len());
        for moments in &self.variables {
            let [m, v] = moments.tensors()?;
            slots.push((format!("m.{}", moments.name), m));
            slots.push((format!("v.{}", moments.name), v));
        }
        Ok(slots)
    }

    fn restore(&mut self, steps: u64, slots: &HashMap<String, Tensor>) -> Result<()> {
        for moments in &mut self.variables {
            let like = moments.variable.as_tensor();
            let m = slot(slots, &format!("m.{}", moments.name), like)?;
            let v = slot(slots, &format!("v.{}", moments.name), like)?;
            moments.home = Home::new(like, m, v)?;
        }
        self.steps = steps;
        Ok(())
    }
}

impl Moments {
    fn new(name: String, variable: Var) -> Result<Self> {
        let zeros = variable.zeros_like()?;
        let home = Home::new(&variable, &zeros, &zeros)?;
        Ok(Moments { name, variable, home })
    }

    fn step(&mut self, gradient: &Tensor, scalars: Scalars) -> Result<()> {
        match &mut self.home {
            Home::Host { m, v } => {
                let update = Update { moments: Mutex::new((m.as_mut_slice(), v.as_mut_slice())), scalars };
                self.variable.inplace_op2(gradient, &update)
            }
            Home::Device { m, v } => {
                *m = (&*m + ((gradient - &*m)? * f64::from(scalars.rest_1))?)?;
                *v = (&*v + ((gradient.sqr()? - &*v)? * f64::from(scalars.rest_2))?)?;
                let change = ((&*m * f64::from(scalars.alpha))? / (v.sqrt()? + f64::from(scalars.epsilon))?)?;
                self.variable.set(&(self.variable.as_tensor() - change)?.detach())
            }
        }
    }

    fn tensors(&self) -> Result<[Tensor; 2]> {
        match &self.home {
            Home::Host { m, v } => {
                let tensor = |values: &[f32]| Tensor::from_slice(values, self.variable.shape(), self.variable.device());
                Ok([tensor(m)?, tensor(v)?])
            }
            Home::Device { m, v } => Ok([m.clone(), v.clone()]),
        }
    }
}

impl Home {
    /// Beside the weights `like`.
    fn new(like: &Tensor, m: &Tensor, v: &Tensor) -> Result<Self> {
        if like.device().is_cpu() {
            let flat = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
            Ok(Home::Host { m: flat(m)?, v: flat(v)? })
        } else {
            let moved = |tensor: &Tensor| tensor.to_device(like.device());
            Ok(Home::Device { m: moved(m)?, v: moved(v)? })
        }
    }
}

/// One step on one variable: weights and both moments in a single pass over memory.
struct Update<'a> {
    /// The lock is never contended; it is there because Candle hands out the operation by `&self`.
    moments: Mutex<(&'a mut [f32], &'a mut [f32])>,
    scalars: Scalars,
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(
        &self,
        weights: &mut CpuStorage,
        at: &Layout,
        gradient: &CpuStorage,
        at_gradient: &Layout,
    ) -> Result<()> {
        let gradient = contiguous(gradient.as_slice::<f32>()?, at_gradient)?;
        let CpuStorage::F32(weights) = weights else { candle_core::bail!("adam needs f32 weights") };
        let Some((from, to)) = at.contiguous_offsets() else { candle_core::bail!("adam needs contiguous weights") };
        let weights = &mut weights[from..to];
        let mut moments = self.moments.lock().unwrap_or_else(|e| e.into_inner());
        let (m, v) = &mut *moments;
        if weights.len() <= CHUNK {
            self.scalars.update(weights, gradient, m, v);
            return Ok(());
        }
        let chunks = weights.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK));
        let chunks = chunks.zip(m.par_chunks_mut(CHUNK)).zip(v.par_chunks_mut(CHUNK));
        chunks.for_each(|(((weights, gradient), m), v)| self.scalars.update(weights, gradient, m, v));
        Ok(())
    }
}

impl Scalars {
    fn update(self, weights: &mut [f32], gradient: &[f32], m: &mut [f32], v: &mut [f32]) {
        for (((weight, &g), m), v) in weights.iter_mut().zip(gradient).zip(m).zip(v) {
            *m += (g - *m) * self.rest_1;
            *v += (g * g - *v) * self.rest_2;
            *weight -= *m * self.alpha / (v.sqrt() + self.epsilon);
        }
    }
}

fn contiguous<'a>(values: &'a [f32], layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&values[from..to]),
        None => candle_core::bail!("adam needs contiguous gradients"),
    }
}
