//! The dashboard: key → [`keymap`] → [`action::Action`] → [`update::update`] → state ([`app::App`]) → [`view::draw`].
//!
//! Invariants: panes are pure functions of state and area; nothing on the loop waits for a disk, a runner or the
//! terminal; the terminal is written to when something changed, and only then; whatever ends the program, the terminal
//! is as it was before.

pub mod action;
mod announce;
pub mod app;
pub mod chart;
pub mod editor;
mod ending;
mod event_loop;
#[cfg(test)]
mod fixtures;
pub mod format;
pub mod fuzzy;
mod job;
mod kept;
pub mod keymap;
pub mod layout;
pub mod library;
pub mod log;
pub mod meters;
pub mod notices;
pub mod orders;
mod output;
mod paint;
mod pacing;
pub mod pane;
pub mod picture;
pub mod probe;
mod prompt;
mod reader;
mod rhythm;
pub mod runs;
pub mod settings;
pub mod search;
pub mod styled;
mod terminal;
pub mod theme;
pub mod update;
mod view;

use std::io;

use crate::base::id::RunId;
use crate::record::Store;
use crate::runner::StartOptions;
use settings::Settings;

/// How the dashboard is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// How a runner is started when an experiment is added and none lives.
    pub start: StartOptions,
    pub settings: Settings,
    /// The run to be chosen at first.
    pub selected: Option<RunId>,
}

/// What can go wrong with a terminal.
#[derive(Debug, thiserror::Error)]
#[error("the dashboard could not use the terminal: {0}")]
pub struct Error(#[from] io::Error);

/// Opens the dashboard on `store` and returns when the person leaves it. Runs and runner go on.
pub fn run(store: Store, options: Options) -> Result<(), Error> {
    let theme = options.settings.theme(None, |name| std::env::var(name).ok());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    ending::watch()?;
    let terminal = terminal::Guard::open(options.settings.mouse)?;
    let ended = runtime.block_on(event_loop::run(store, options, theme));
    drop(terminal);
    // A thread that waits for the keyboard must not keep the program.
    runtime.shutdown_background();
    Ok(ended?)
}

/// Panics in the thread that `FINETOP_TEST_PANIC` names, so that a test sees the terminal restored.
#[cfg(debug_assertions)]
#[allow(clippy::panic)]
fn panic_where_asked(thread: &str) {
    if std::env::var_os("FINETOP_TEST_PANIC").is_some_and(|wanted| wanted == thread) {
        std::panic::panic_any("asked to panic by a test");
    }
}
