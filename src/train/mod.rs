//! (being built)
pub mod callback;
pub mod optimizer;
