//! The runner: a background process, one per store, that owns the queue, starts a worker for each experiment and
//! answers clients on a Unix socket.
//!
//! Invariants: it is the only writer of `run.jsonl` (a foreground run writes its own); the queue is derived from the
//! runs' files and kept nowhere else, so a runner that dies loses nothing; a damaged run is left aside and stops no other.

pub mod client;
mod chores;
mod command;
mod daemon;
mod dependency;
mod dirs;
mod endpoint;
pub mod error;
mod evidence;
mod executor;
mod foreground;
pub mod gpus;
mod last_word;
mod limits;
pub mod lock;
mod log;
pub mod memory;
pub mod needs;
mod oom;
pub mod options;
pub mod outcome;
mod pidfd;
pub mod process;
pub mod protocol;
pub mod queue;
mod recover;
mod serve;
mod server;
mod signals;
pub mod start;
mod supervisor;
mod surroundings;

#[cfg(test)]
mod tests;

pub use client::Client;
pub use error::Error;
pub use foreground::foreground;
pub use options::{ServeOptions, WorkerCommand};
pub use outcome::exit_code;
pub use protocol::{Request, Response};
pub use serve::serve;
pub use start::StartOptions;
