//! What actions are called in `config.toml` and in the palette: `cancel`, `show-log`, `log.search`.
//!
//! A name follows from the action itself, so that no row can be without one: the words of the action, after the name of
//! the scope where the row belongs to one pane alone. docs/dashboard.md lists them all, and a test holds them there.

use super::{Binding, Scope};

impl Binding {
    /// The name of the row.
    pub fn name(&self) -> String {
        if let Some(name) = self.named {
            return name.to_owned();
        }
        let debug = format!("{:?}", self.action);
        let mut words: Vec<String> =
            debug.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(kebab).collect();
        let pane = Scope::ALL.iter().filter_map(|scope| scope.word()).find(|word| words[0] == *word);
        match pane {
            Some(pane) if words.len() > 1 && words[1] == "open" => words = vec![pane.to_owned()],
            Some(_) if words.len() > 1 => drop(words.remove(0)),
            _ => {}
        }
        if words.len() > 1 && words[0] == "go" {
            words.remove(0);
        }
        let action = words.join("-");
        match self.scope.word() {
            Some(scope) => format!("{scope}.{action}"),
            None => action,
        }
    }
}

impl Scope {
    /// What stands before the names of its rows; nothing where keys are everywhere.
    pub fn word(self) -> Option<&'static str> {
        Some(match self {
            Scope::Everywhere | Scope::Panes => return None,
            Scope::Queue => "queue",
            Scope::Curves => "curves",
            Scope::Compare => "compare",
            Scope::Events => "events",
            Scope::Log => "log",
            Scope::Config => "config",
            Scope::Results => "results",
            Scope::System => "system",
            Scope::Prompt => "prompt",
            Scope::Palette => "palette",
            Scope::Add => "add",
            Scope::AddLine => "add-line",
            Scope::Question => "question",
            Scope::Sort => "sort",
            Scope::Help => "help",
        })
    }
}

/// `PageDown` as `page-down`.
fn kebab(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + 4);
    for (place, letter) in word.chars().enumerate() {
        if letter.is_uppercase() && place > 0 {
            out.push('-');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::tui::keymap;

    #[test]
    fn names_are_unique_and_plain() {
        let mut seen = BTreeMap::new();
        for binding in keymap::all() {
            let name = binding.name();
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c)), "{name}");
            let other = seen.insert(name.clone(), binding);
            assert!(other.is_none(), "{name}: {binding:?} and {other:?}; give one of them a name with `.named(…)`");
        }
        for name in ["cancel", "filter", "add", "palette", "show-log", "help.down", "page-up", "prompt.accept", "down"]
        {
            assert!(seen.contains_key(name), "{name} is not one of {:?}", seen.keys());
        }
    }
}
