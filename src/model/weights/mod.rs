//! Where a network's first weights come from: a file, a model hub, the program itself, memory, or the seed.
//!
//! Invariants:
//! - A network is built only if every tensor of its backbone was found in its shape; nothing is filled in silently.
//! - Nothing that a file of weights says is ever executed, and a damaged one is an error.
//! - A tensor is read when it is asked for, one at a time; the rest of a file stays where it is.

mod checkpoint;
mod find;
mod found;
mod hub;
mod init;
mod names;
mod pickle;
mod report;
mod safetensors;
mod source;
mod stored;
#[cfg(test)]
mod tests;
mod torch;

pub use find::{Fetch, find};
pub use found::Found;
pub use hub::{Download, Error as HubError};
pub use report::{Origin, WeightReport};

pub(crate) use init::Init;
pub(crate) use report::some;
pub(crate) use safetensors::write;
pub(crate) use source::Source;
