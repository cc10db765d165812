//! The dashboard: key → [`keymap`] → [`action::Action`] → [`update::update`] → state ([`app::App`]) → [`view::draw`].
//!
//! Invariants: panes are pure functions of state and area; nothing on the loop waits for a disk, a runner or the
//! terminal; the terminal is written to when something changed, and only then; whatever ends the program, the terminal
//! is as it was before.

pub mod action;
pub mod app;
pub mod chart;
#[cfg(test)]
mod fixtures;
pub mod format;
pub mod keymap;
pub mod layout;
pub mod library;
pub mod meters;
mod paint;
mod pane;
pub mod runs;
pub mod theme;
mod view;
