//! What a network takes.

use candle_core::{DType, Device, Tensor};

use crate::experiment::{Data, Inputs};

/// The shape of one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputShape {
    /// `[3, size, size]`, preprocessed (f32).
    Picture { size: usize },
    /// `[tokens]`, ids (u32).
    Text { tokens: usize },
}

impl InputShape {
    /// Of the largest samples of `data`.
    pub fn of(data: &Data) -> InputShape {
        match &data.inputs {
            Inputs::Pictures(pictures) => InputShape::Picture { size: pictures.image_size as usize },
            Inputs::Texts(texts) => InputShape::Text { tokens: texts.max_length },
        }
    }

    /// Scalars of a sample.
    pub fn elements(self) -> usize {
        match self {
            InputShape::Picture { size } => 3 * size * size,
            InputShape::Text { tokens } => tokens,
        }
    }

    /// A batch of one sample that says nothing.
    pub(crate) fn blank(self, device: &Device) -> candle_core::Result<Tensor> {
        match self {
            InputShape::Picture { size } => Tensor::zeros((1, 3, size, size), DType::F32, device),
            InputShape::Text { tokens } => Tensor::zeros((1, tokens), DType::U32, device),
        }
    }
}

impl std::fmt::Display for InputShape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            InputShape::Picture { size } => write!(f, "pictures of {size}×{size} pixels"),
            InputShape::Text { tokens } => write!(f, "texts of {tokens} tokens"),
        }
    }
}
