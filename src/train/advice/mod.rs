//! Pitfalls of fine-tuning, told while they happen: one line with its evidence, and one key of the YAML file to change.
//! One pitfall a file.

mod overfitting;

pub use overfitting::Overfitting;
