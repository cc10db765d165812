//! The panes: each draws a part of the state into an area and knows nothing of the others.

pub mod events;
pub mod footer;
pub mod help;
pub mod log;
pub mod picker;
pub mod question;
pub mod queue;
pub mod run;
pub mod totals;
