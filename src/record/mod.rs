//! The record of a run: its folder, the events in it, and what they amount to.
//!
//! Invariants: each file has one writer (`run.jsonl` the runner, `events.jsonl` the worker); state is never stored
//! twice, it is folded; a reader takes whole lines only and ignores what it does not know.

pub mod event;
pub mod life;
pub mod state;
pub mod words;
