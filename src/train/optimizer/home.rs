//! Where running values live: on the CPU as flat values that one pass over memory updates together with the weights,
//! elsewhere as tensors.

use std::marker::PhantomData;
use std::sync::Mutex;

use candle_core::{CpuStorage, InplaceOp2, Layout, Result, Tensor, Var, bail};
use rayon::prelude::*;

use super::rule::Rule;
use crate::ops::vectorized;

/// Values below which one thread is quicker than several.
const CHUNK: usize = 1 << 16;

/// The `N` running values of every weight of a variable.
pub(super) enum Home<const N: usize> {
    Host([Vec<f32>; N]),
    Device([Tensor; N]),
}

impl<const N: usize> Home<N> {
    /// All zero, beside the weights `like`.
    pub fn zero(like: &Tensor) -> Result<Self> {
        let zeros = like.zeros_like()?;
        Home::of(like, &[&zeros; N])
    }

    /// The values of `slots`, one tensor each, beside the weights `like`.
    pub fn of(like: &Tensor, slots: &[&Tensor]) -> Result<Self> {
        if like.device().is_cpu() {
            let flat = |tensor: &&Tensor| tensor.flatten_all()?.to_vec1::<f32>();
            Ok(Home::Host(array(slots.iter().map(flat).collect::<Result<_>>()?)?))
        } else {
            Home::on_device(like, slots)
        }
    }

    pub(super) fn on_device(like: &Tensor, slots: &[&Tensor]) -> Result<Self> {
        let moved = |tensor: &&Tensor| tensor.to_device(like.device());
        Ok(Home::Device(array(slots.iter().map(moved).collect::<Result<_>>()?)?))
    }

    /// As tensors of the shape of `like`.
    pub fn tensors(&self, like: &Tensor) -> Result<Vec<Tensor>> {
        match self {
            Home::Host(slots) => {
                slots.iter().map(|values| Tensor::from_slice(values, like.shape(), like.device())).collect()
            }
            Home::Device(slots) => Ok(slots.to_vec()),
        }
    }

    /// One step by the rule `R` with `scale` times the gradient.
    pub fn step<R: Rule<N>>(
        &mut self,
        variable: &Var,
        gradient: &Tensor,
        scale: f32,
        scalars: R::Scalars,
    ) -> Result<()> {
        match self {
            Home::Host(slots) => {
                let slots = Mutex::new(slots.each_mut().map(Vec::as_mut_slice));
                variable.inplace_op2(&gradient.contiguous()?, &Pass::<R, N> { slots, scale, scalars })
            }
            Home::Device(slots) => {
                let gradient = (gradient * f64::from(scale))?;
                let (weight, new) = R::composed(scalars, variable, &gradient, slots)?;
                *slots = new.map(|slot| slot.detach());
                variable.set(&weight.detach())
            }
        }
    }
}

fn array<T, const N: usize>(items: Vec<T>) -> Result<[T; N]> {
    items.try_into().map_err(|items: Vec<T>| candle_core::Error::msg(format!("{} slots, not {N}", items.len())))
}

/// One step on one variable in a single pass over memory.
struct Pass<'a, R: Rule<N>, const N: usize> {
    /// The lock is never contended; it is there because Candle hands out the operation by `&self`.
    slots: Mutex<[&'a mut [f32]; N]>,
    scale: f32,
    scalars: R::Scalars,
}

impl<R: Rule<N>, const N: usize> InplaceOp2 for Pass<'_, R, N> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn cpu_fwd(
        &self,
        weights: &mut CpuStorage,
        at: &Layout,
        gradient: &CpuStorage,
        at_gradient: &Layout,
    ) -> Result<()> {
        let Some((from, to)) = at_gradient.contiguous_offsets() else { bail!("{} takes gradients in a row", R::NAME) };
        let gradient = &gradient.as_slice::<f32>()?[from..to];
        let CpuStorage::F32(weights) = weights else { bail!("{} takes weights that are f32", R::NAME) };
        let Some((from, to)) = at.contiguous_offsets() else { bail!("{} takes weights in a row", R::NAME) };
        let mut slots = self.slots.lock().unwrap_or_else(|e| e.into_inner());
        let mut rest = slots.each_mut().map(|slot| &mut **slot);
        let mut chunks = Vec::new();
        for (weights, gradient) in weights[from..to].chunks_mut(CHUNK).zip(gradient.chunks(CHUNK)) {
            let taken = rest.each_mut().map(|slot| {
                let (chunk, after) = std::mem::take(slot).split_at_mut(weights.len());
                *slot = after;
                chunk
            });
            chunks.push((weights, gradient, taken));
        }
        match chunks.len() {
            1 => chunks.into_iter().for_each(|(weights, gradient, slots)| self.update(weights, gradient, slots)),
            _ => chunks.into_par_iter().for_each(|(weights, gradient, slots)| self.update(weights, gradient, slots)),
        }
        Ok(())
    }
}

impl<R: Rule<N>, const N: usize> Pass<'_, R, N> {
    fn update(&self, weights: &mut [f32], gradient: &[f32], slots: [&mut [f32]; N]) {
        update::<R, N>(PhantomData, self.scalars, self.scale, weights, gradient, slots);
    }
}

vectorized! {
    fn update[R: Rule<N>, const N: usize](
        rule: PhantomData<R>,
        scalars: R::Scalars,
        scale: f32,
        weights: &mut [f32],
        gradient: &[f32],
        slots: [&mut [f32]; N],
    ) {
        let _: PhantomData<R> = rule;
        let length = weights.len().min(gradient.len());
        let (weights, gradient) = (&mut weights[..length], &gradient[..length]);
        let mut slots = slots.map(|slot| &mut slot[..length]);
        for i in 0..length {
            let before = std::array::from_fn(|slot| slots[slot][i]);
            let (weight, after) = R::update(scalars, weights[i], scale * gradient[i], before);
            weights[i] = weight;
            slots.iter_mut().zip(after).for_each(|(slot, value)| slot[i] = value);
        }
    }
}
