//! The keys that are in force: those of the table, with what `config.toml` changes.

use crossterm::event::{KeyCode, KeyEvent};

use super::key::Key;
use super::{Binding, Scope, all};
use crate::tui::action::Action;

/// A row and its keys.
#[derive(Debug, Clone)]
pub struct Bound {
    pub binding: &'static Binding,
    pub name: String,
    /// None where it was unbound.
    pub keys: Vec<Key>,
}

/// All rows with their keys.
#[derive(Debug, Clone)]
pub struct Keymap {
    rows: Vec<Bound>,
}

impl Default for Keymap {
    fn default() -> Self {
        let bound = |binding: &'static Binding| Bound { binding, name: binding.name(), keys: binding.keys.to_vec() };
        Keymap { rows: all().map(bound).collect() }
    }
}

impl Keymap {
    /// All rows, in the order of the table.
    pub fn rows(&self) -> &[Bound] {
        &self.rows
    }

    /// The rows of one scope.
    pub fn of(&self, scope: Scope) -> impl Iterator<Item = &Bound> {
        self.rows.iter().filter(move |row| row.binding.scope == scope)
    }

    /// What a key does where these scopes are, the first that knows it decides. Where a line is typed a letter without
    /// a meaning is typed.
    pub fn action(&self, scopes: &[Scope], event: &KeyEvent) -> Option<Action> {
        let pressed = Key::of(event);
        let bound = scopes.iter().find_map(|&scope| self.of(scope).find(|row| row.keys.contains(&pressed)));
        match (bound, event.code) {
            (Some(row), _) => Some(row.binding.action.clone()),
            (None, KeyCode::Char(letter)) if !pressed.ctrl && scopes.iter().any(|scope| scope.is_typed_in()) => {
                Some(Action::Type(letter))
            }
            _ => None,
        }
    }

    /// The first key of the row of this name, as it is written for people; nothing where it has none.
    pub fn key(&self, name: &str) -> Option<String> {
        self.rows.iter().find(|row| row.name == name)?.keys.first().map(|key| key.name())
    }

    /// Gives the row of this name other keys; false where there is none of it.
    pub fn bind(&mut self, name: &str, keys: Vec<Key>) -> bool {
        let row = self.rows.iter_mut().find(|row| row.name == name);
        row.map(|row| row.keys = keys).is_some()
    }
}

impl Bound {
    /// All its keys: `k Up`.
    pub fn keys(&self) -> String {
        self.keys.iter().map(|key| key.name()).collect::<Vec<_>>().join(" ")
    }
}
