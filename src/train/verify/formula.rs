//! The values of tensors that no file has to hold.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor};
use serde::Deserialize;

use super::error::Trouble;
use crate::base::random::mix;

/// `value[i] = f32(scale * (2u - 1))` with `u = (mix(k * 2^32 + i) >> 40) / 2^24`, row-major.
pub(super) fn values(k: u64, scale: f64, count: usize) -> Vec<f32> {
    (0..count as u64)
        .map(|i| (mix((k << 32).wrapping_add(i)) >> 40) as f64 / f64::from(1 << 24))
        .map(|u| (scale * (2.0 * u - 1.0)) as f32)
        .collect()
}

/// [`values`] as a tensor of `shape`.
pub(super) fn tensor(k: u64, scale: f64, shape: &[usize], device: &Device) -> Result<Tensor> {
    Tensor::from_vec(values(k, scale, shape.iter().product()), shape, device)
}

/// The field `k`: where each tensor begins.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Starts(BTreeMap<String, u64>);

impl Starts {
    pub fn of(&self, name: &str) -> std::result::Result<u64, Trouble> {
        self.0.get(name).copied().ok_or_else(|| Trouble::field("k", format!("does not say where `{name}` begins")))
    }
}
