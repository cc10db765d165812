//! finetop: *htop for fine-tuning*. One binary queues experiments written as YAML, trains each with Candle under a
//! supervised background task, and shows them live in a dashboard that works over SSH.
//!
//! The way of a run: [`experiment`] reads the file, [`runner`] queues it and starts a worker process, [`train`] trains
//! and emits typed events, [`record`] keeps and folds them, [`tui`] and [`cli`] show what the fold says.
//!
//! A room may use the rooms above it in this list, never one below; `tests/tidy.rs` holds that.

// Tests damage files on purpose; the product writes them through `base::durable`.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

/// What everything stands on: durable file writes, ids, the clock, counter-based random numbers, text made safe.
pub mod base;
/// The YAML schema: parsing with the place of every mistake, validation, defaults.
pub mod experiment;
/// Tensor operations that Candle lacks, gets wrong or does slowly, forward and backward.
pub mod ops;
/// Datasets, decoding, augmentation, preprocessing and the prefetching loader.
pub mod data;
/// Backbones as ordered named layers, the head, weights, what is trainable.
pub mod model;
/// Events, the run directory, writer, tail, and the fold of all that a run said.
pub mod record;
/// Phases, optimizers, callbacks, metrics, checkpoints, the feature cache.
pub mod train;
/// The queue, the supervisor of each experiment, the socket protocol and its client.
pub mod runner;
/// The dashboard: state, actions, panes, charts.
pub mod tui;
/// The command line, one file per subcommand.
pub mod cli;
