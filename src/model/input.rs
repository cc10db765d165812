//! What a network takes.

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

    /// Of a batch.
    pub(crate) fn of_batch(self, batch: usize) -> Vec<usize> {
        match self {
            InputShape::Picture { size } => vec![batch, 3, size, size],
            InputShape::Text { tokens } => vec![batch, tokens],
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
