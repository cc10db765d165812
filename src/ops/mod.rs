//! Tensor operations that Candle lacks, gets wrong or does slowly, forward and backward.
//!
//! Invariants:
//! - Every function here has a right gradient, held to finite differences by its tests.
//! - An argument that is not tracked (frozen weights, inputs) costs nothing backwards.
//! - One operation, two homes: a kernel of our own on the CPU, a composition of Candle's operations elsewhere.
//! - Results do not depend on the number of threads: every sum has an order of its own, and a sample's convolution is
//!   the same to the bit whatever else is in its batch.
//! - A NaN is never swallowed: a diverged model must look like one.

mod activation;
mod attention;
mod batch_norm;
mod columns;
mod concat;
mod conv;
mod dropout;
mod elementwise;
mod embedding;
mod gelu;
#[cfg(test)]
pub(crate) mod gradient_check;
mod layer_norm;
mod linear;
mod loss;
mod masked_mean;
mod pool;
mod product;
mod real;
mod scratch;
mod storage;
mod vectorized;
mod window;

pub use activation::{After, add_relu, relu};
pub use attention::attention;
pub(crate) use attention::scratch as attention_scratch;
pub use batch_norm::{BatchStatistics, Norm, batch_norm, batch_norm_train};
pub use concat::concat_channels;
pub(crate) use conv::outline as conv2d_outline;
pub use conv::{conv2d, conv2d_relu};
pub use dropout::dropout;
pub use embedding::embedding;
pub use gelu::{gelu, gelu_tanh};
pub use layer_norm::layer_norm;
pub use linear::linear;
pub use loss::{Targets, cross_entropy, cross_entropy_per_sample};
pub use masked_mean::masked_mean;
pub(crate) use pool::max_pool2d_window;
pub use pool::{avg_pool2d, global_avg_pool2d, global_max_pool2d, max_pool2d};
pub use scratch::Scratch;
pub(crate) use vectorized::vectorized;
