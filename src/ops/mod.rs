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
mod concat;
mod conv;
mod dropout;
#[cfg(test)]
pub(crate) mod gradient_check;
mod loss;
mod pool;
mod product;
mod storage;
mod vectorized;
mod window;

pub use activation::relu;
pub use concat::concat_channels;
pub use conv::{conv2d, conv2d_relu};
pub use dropout::dropout;
pub use loss::{cross_entropy, cross_entropy_per_sample};
pub use pool::{avg_pool2d, global_avg_pool2d, global_max_pool2d, max_pool2d};
