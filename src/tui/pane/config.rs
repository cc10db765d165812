//! The resolved YAML of the chosen run.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::action::{Effect, Motion};
use crate::tui::app::App;
use crate::tui::keymap::Binding;
use crate::tui::paint::frame;
use crate::tui::theme::{Role, Theme};

/// What it shows.
#[derive(Debug, Default)]
pub struct Config {}

/// What it alone understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {}

/// Its keys.
pub const KEYS: &[Binding] = &[];

/// Does what it alone understands.
pub fn update(_app: &mut App, action: Action) -> Vec<Effect> {
    match action {}
}

/// Scrolls.
pub fn go(_app: &mut App, _motion: Motion, _page: usize) -> Vec<Effect> {
    Vec::new()
}

/// Another run is chosen.
pub fn chosen(_app: &mut App) -> Vec<Effect> {
    Vec::new()
}

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, _app: &App, focused: bool) {
    frame(buf, area, &[("Config", theme.style(Role::Strong))], focused, theme);
}
