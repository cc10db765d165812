//! The network as it is, without learning.

use std::ops::Range;

use candle_core::Tensor;

use super::error::Stoppable;
use super::feed::Input;
use super::out::Out;
use crate::model::{Network, Pass};

/// What the layers in `range` make of `input`, as at inference. A wish to stop is heard before each layer.
pub(super) fn forward(network: &Network, range: Range<usize>, input: &Input, out: &Out) -> Stoppable<Tensor> {
    let mut x = input.x.clone();
    for layer in range.start..range.end.min(network.layers().count()) {
        out.check()?;
        x = network.forward_range(layer..layer + 1, &x, input.mask.as_ref(), &Pass::Eval)?;
    }
    Ok(x)
}
