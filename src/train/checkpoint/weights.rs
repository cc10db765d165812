//! Copies of weights, by name.

use std::ops::Deref;
use std::sync::Arc;

use candle_core::Tensor;

/// Named copies of weights, in the order of the network or of their names. A clone is the same copy.
#[derive(Debug, Clone, Default)]
pub struct Weights(Arc<Vec<(String, Tensor)>>);

impl Weights {
    /// Whether both are the same copy, and so the same weights.
    pub fn is(&self, other: &Weights) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The tensor called `name`.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.0.iter().find(|(of, _)| of == name).map(|(_, tensor)| tensor)
    }
}

impl Deref for Weights {
    type Target = [(String, Tensor)];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl FromIterator<(String, Tensor)> for Weights {
    fn from_iter<T: IntoIterator<Item = (String, Tensor)>>(tensors: T) -> Self {
        Weights(Arc::new(tensors.into_iter().collect()))
    }
}
