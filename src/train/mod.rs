//! (being built)
pub mod callback;
pub mod checkpoint;
mod exact;
pub mod metrics;
pub mod optimizer;
mod tensor_file;
