//! Every action by its name.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::action::{Action as Any, Effect};
use crate::tui::app::{App, Overlay};
use crate::tui::keymap::Binding;
use crate::tui::keymap::key::letter;
use crate::tui::keymap::{self, Scope, binding};
use crate::tui::paint::popup;
use crate::tui::theme::Theme;

/// What is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Palette {
    pub text: String,
}

/// What opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Open,
}

/// Its keys.
pub const KEYS: &[Binding] = &[
    binding(Scope::Panes, &[letter(':')], Any::Palette(Action::Open), "all that can be done, by name", Some("command")),
    binding(Scope::Palette, keymap::ESC, Any::Back, "close", Some("close")),
];

/// Opens it.
pub fn start(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::Open => app.overlay = Some(Overlay::Palette(Palette::default())),
    }
    Vec::new()
}

/// Takes an action while it is open.
pub fn update(app: &mut App, mut palette: Palette, action: Any) -> Vec<Effect> {
    match action {
        Any::Back => return Vec::new(),
        Any::Type(letter) => palette.text.push(letter),
        _ => {}
    }
    app.overlay = Some(Overlay::Palette(palette));
    Vec::new()
}

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, _app: &App, _palette: &Palette) {
    popup(buf, area, (72, 20), "Command", theme);
}
