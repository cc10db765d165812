//! Convolution of Candle's operations, for devices for which we have no kernel.

use candle_core::{Result, Tensor};

use super::Case;

/// Candle's backward is right where the windows use up the whole padded input, so the rest is cut away beforehand.
pub(super) fn conv2d(case: &Case, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let window = &case.window;
    let used = |output: usize, kernel: usize| (output - 1) * window.stride + kernel;
    let height = used(window.output.0, window.kernel.0);
    let width = used(window.output.1, window.kernel.1);
    let padded = match window.padding {
        0 => x.clone(),
        padding => x.pad_with_zeros(2, padding, padding)?.pad_with_zeros(3, padding, padding)?,
    };
    let y = padded.narrow(2, 0, height)?.narrow(3, 0, width)?.contiguous()?.conv2d(weight, 0, window.stride, 1, 1)?;
    match bias {
        None => Ok(y),
        Some(bias) => y.broadcast_add(&bias.reshape((1, case.out, 1, 1))?),
    }
}
