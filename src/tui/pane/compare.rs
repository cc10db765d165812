//! Runs side by side.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::action::{Effect, Motion};
use crate::tui::app::App;
use crate::tui::keymap::Binding;
use crate::tui::paint::frame;
use crate::tui::theme::{Role, Theme};

/// What it shows.
#[derive(Debug, Default)]
pub struct Compare {}

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

/// The runs that are compared, which are read whole.
pub fn runs(_app: &App) -> Vec<crate::base::id::RunId> {
    Vec::new()
}

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, _app: &App, focused: bool) {
    frame(buf, area, &[("Compare", theme.style(Role::Strong))], focused, theme);
}
