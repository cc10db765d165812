//! What runs a worker.

pub mod local;
