//! Max pooling as a layer.

use candle_core::{Result, Tensor};

use super::layer::{Block, Call};
use super::outline::Outline;
use crate::ops;

/// The largest of each square window.
#[derive(Debug)]
pub(crate) struct MaxPool2d {
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
    /// Whether a last window counts that only partly fits.
    pub ceil: bool,
}

impl Block for MaxPool2d {
    fn kind(&self) -> &'static str {
        "MaxPooling2D"
    }

    fn forward(&self, x: &Tensor, _call: &Call) -> Result<Tensor> {
        ops::max_pool2d(x, self.kernel, self.stride, self.padding, self.ceil)
    }

    fn outline(&self, x: &[usize], outline: &mut Outline) -> Result<Vec<usize>> {
        outline.max_pool2d(x, self.kernel, self.stride, self.padding, self.ceil)
    }
}
