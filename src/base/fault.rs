//! Faults on request, so that tests see what a full disk, a broken one or a kill does at every step of every write.
//!
//! Before each step of a durable operation [`at`] is asked, by the step's name: `create`, `write`, `sync`, `rename`,
//! `sync_folder`, `open`, `append`, `append.sync`, `folder`, `remove`, `link`. The environment says what happens there:
//! `FINETOP_FAULT="ROLE:POINT#N=ACTION"`, a comma between several.
//!
//! - ROLE: `worker`, `runner`, `command`, or `*` for any process.
//! - POINT: a step's name, or `*` for any.
//! - N: the n-th step of that name in this process, from 1.
//! - ACTION: `enospc`, `eio`, `erofs`, `edquot` (the step fails so), `short` (half of the bytes are written, then the disk
//!   is full), `kill` (SIGKILL before the step), `tear` (half of the bytes are written, then SIGKILL),
//!   `panic`.
//!
//! With `FINETOP_FAULT_ONCE=FOLDER` (which exists) each of them acts in the first process that comes to it and in none
//! after it: a folder in FOLDER is its mark.
//!
//! Invariants: a fault that acts says so first, `fault: POINT#N ACTION` on standard error; without `debug_assertions` all
//! of this is nothing.

#[cfg(debug_assertions)]
mod armed;

use std::fs::File;
use std::io::{self, Write};

#[cfg(all(test, debug_assertions))]
pub use armed::on_this_thread;

/// What a process is, as far as faults are chosen by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Trains one run.
    Worker,
    /// Works the queue off.
    Runner,
    /// Any other.
    Command,
}

/// Says what this process is; before it, only faults of `*` act.
#[cfg_attr(not(debug_assertions), expect(unused_variables, reason = "without faults there are no roles"))]
pub fn act_as(role: Role) {
    #[cfg(debug_assertions)]
    armed::act_as(role);
}

/// Comes to the step `point`.
///
/// # Errors
/// What was asked for.
#[cfg_attr(not(debug_assertions), expect(unused_variables, reason = "without faults there are no steps"))]
#[inline]
pub fn at(point: &'static str) -> io::Result<()> {
    #[cfg(debug_assertions)]
    if let Some(action) = armed::asked(point) {
        return Err(action.strike());
    }
    Ok(())
}

/// Writes all of `bytes` to `file` as the step `point`.
///
/// # Errors
/// The file's, or what was asked for.
#[cfg_attr(not(debug_assertions), expect(unused_variables, reason = "without faults there are no steps"))]
#[inline]
pub fn write_all(point: &'static str, file: &mut File, bytes: &[u8]) -> io::Result<()> {
    #[cfg(debug_assertions)]
    if let Some(action) = armed::asked(point) {
        if action.tears() {
            file.write_all(&bytes[..bytes.len() / 2])?;
        }
        return Err(action.strike());
    }
    file.write_all(bytes)
}
