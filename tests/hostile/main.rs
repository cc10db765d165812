//! Hostile input, at random: the record's reader, the socket, pictures, weights and sweeps answer whatever bytes they get
//! with a result or an error, in bounded memory; and another user gets nowhere. (YAML alone: `experiment/tests`.)
//! `PROPTEST_CASES=100000` tries more.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod change;
mod memory;
mod pictures;
mod record;
mod socket;
mod stranger;
mod sweeps;
mod weights;
#[path = "../workplace/mod.rs"]
mod workplace;
