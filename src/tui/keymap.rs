//! One table of keys: what they do, in which place, and how help and footer name them.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::action::{Action, Motion};

/// Where a key is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Everywhere,
    Panes,
    Filter,
    Picker,
    Question,
    Help,
}

/// A key, with Ctrl or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    ctrl: bool,
}

/// A row of the table.
#[derive(Debug)]
pub struct Binding {
    pub scope: Scope,
    pub keys: &'static [Key],
    pub action: Action,
    /// As the help page says it.
    pub help: &'static str,
    /// As the footer says it; None keeps it out of there.
    pub footer: Option<&'static str>,
}

const fn key(code: KeyCode) -> Key {
    Key { code, ctrl: false }
}

const fn letter(letter: char) -> Key {
    key(KeyCode::Char(letter))
}

const fn ctrl(letter: char) -> Key {
    Key { code: KeyCode::Char(letter), ctrl: true }
}

const fn binding(
    scope: Scope,
    keys: &'static [Key],
    action: Action,
    help: &'static str,
    footer: Option<&'static str>,
) -> Binding {
    Binding { scope, keys, action, help, footer }
}

const UP: &[Key] = &[letter('k'), key(KeyCode::Up)];
const DOWN: &[Key] = &[letter('j'), key(KeyCode::Down)];
const PAGE_UP: &[Key] = &[key(KeyCode::PageUp), ctrl('b')];
const PAGE_DOWN: &[Key] = &[key(KeyCode::PageDown), ctrl('f')];
const FIRST: &[Key] = &[letter('g'), key(KeyCode::Home)];
const LAST: &[Key] = &[letter('G'), key(KeyCode::End)];
const ENTER: &[Key] = &[key(KeyCode::Enter)];
const ESC: &[Key] = &[key(KeyCode::Esc)];

/// All keys. The footer takes them in this order, as far as it has room.
pub static KEYMAP: &[Binding] = &[
    binding(Scope::Panes, &[key(KeyCode::Tab)], Action::NextPane, "next pane", Some("panes")),
    binding(Scope::Panes, ENTER, Action::Open, "open the run; full screen", Some("open")),
    binding(Scope::Panes, &[letter('a')], Action::Add, "add an experiment to the queue", Some("add")),
    binding(Scope::Panes, &[letter('c')], Action::Cancel, "cancel the run", Some("cancel")),
    binding(Scope::Panes, &[letter('?'), key(KeyCode::F(1))], Action::Help, "help", Some("help")),
    binding(Scope::Panes, &[letter('q')], Action::Quit, "quit; runs go on", Some("quit")),
    binding(Scope::Panes, &[letter('/')], Action::Filter, "filter: words, state:failed", Some("filter")),
    binding(Scope::Panes, &[letter('l')], Action::ShowLog, "log of the run", Some("log")),
    binding(Scope::Panes, &[letter('e')], Action::ShowEvents, "events of the run", Some("events")),
    binding(Scope::Panes, &[letter('r')], Action::Retry, "queue an ended run again", Some("retry")),
    binding(Scope::Panes, &[letter('z'), letter('f')], Action::Zoom, "pane on the full screen, and back", Some("zoom")),
    binding(Scope::Panes, DOWN, Action::Go(Motion::Down), "down", None),
    binding(Scope::Panes, UP, Action::Go(Motion::Up), "up", None),
    binding(Scope::Panes, PAGE_DOWN, Action::Go(Motion::PageDown), "a page down", None),
    binding(Scope::Panes, PAGE_UP, Action::Go(Motion::PageUp), "a page up", None),
    binding(Scope::Panes, FIRST, Action::Go(Motion::First), "to the first", None),
    binding(Scope::Panes, LAST, Action::Go(Motion::Last), "to the last", None),
    binding(Scope::Panes, &[key(KeyCode::BackTab)], Action::PreviousPane, "pane before", None),
    binding(
        Scope::Panes,
        &[key(KeyCode::Left), key(KeyCode::Right)],
        Action::OtherChart,
        "loss or accuracy, where one chart fits",
        None,
    ),
    binding(Scope::Panes, ESC, Action::Back, "back; clear the filter", None),
    binding(Scope::Filter, ENTER, Action::Accept, "keep the filter", Some("keep")),
    binding(Scope::Filter, ESC, Action::Back, "no filter", Some("clear")),
    binding(Scope::Filter, &[key(KeyCode::Backspace), ctrl('h')], Action::Erase, "erase a letter", None),
    binding(Scope::Filter, &[key(KeyCode::Down)], Action::Go(Motion::Down), "down", None),
    binding(Scope::Filter, &[key(KeyCode::Up)], Action::Go(Motion::Up), "up", None),
    binding(Scope::Picker, ENTER, Action::Accept, "queue the experiment", Some("queue it")),
    binding(Scope::Picker, &[key(KeyCode::Esc), letter('q')], Action::Back, "close", Some("close")),
    binding(Scope::Picker, DOWN, Action::Go(Motion::Down), "down", Some("down")),
    binding(Scope::Picker, UP, Action::Go(Motion::Up), "up", Some("up")),
    binding(Scope::Picker, PAGE_DOWN, Action::Go(Motion::PageDown), "a page down", None),
    binding(Scope::Picker, PAGE_UP, Action::Go(Motion::PageUp), "a page up", None),
    binding(Scope::Picker, FIRST, Action::Go(Motion::First), "to the first", None),
    binding(Scope::Picker, LAST, Action::Go(Motion::Last), "to the last", None),
    binding(Scope::Question, &[letter('y'), letter('Y')], Action::Yes, "yes", Some("yes")),
    binding(Scope::Question, &[letter('n'), letter('N'), key(KeyCode::Esc), letter('q')], Action::No, "no", Some("no")),
    binding(
        Scope::Help,
        &[key(KeyCode::Esc), letter('?'), letter('q'), key(KeyCode::Enter), key(KeyCode::F(1))],
        Action::Back,
        "close",
        Some("close"),
    ),
    binding(Scope::Help, DOWN, Action::Go(Motion::Down), "down", Some("down")),
    binding(Scope::Help, UP, Action::Go(Motion::Up), "up", Some("up")),
    binding(Scope::Help, PAGE_DOWN, Action::Go(Motion::PageDown), "a page down", None),
    binding(Scope::Help, PAGE_UP, Action::Go(Motion::PageUp), "a page up", None),
    binding(Scope::Help, FIRST, Action::Go(Motion::First), "to the first", None),
    binding(Scope::Help, LAST, Action::Go(Motion::Last), "to the last", None),
    binding(Scope::Everywhere, &[ctrl('c')], Action::Quit, "quit; runs go on", None),
];

/// What a key does in `scope`. In the filter a letter without a meaning is typed.
pub fn action(scope: Scope, event: &KeyEvent) -> Option<Action> {
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    let pressed = Key { code: event.code, ctrl };
    let applies = |binding: &&Binding| binding.scope == scope || binding.scope == Scope::Everywhere;
    let bound = KEYMAP.iter().filter(applies).find(|binding| binding.keys.contains(&pressed));
    match (bound, event.code) {
        (Some(binding), _) => Some(binding.action.clone()),
        (None, KeyCode::Char(letter)) if scope == Scope::Filter && !ctrl => Some(Action::Type(letter)),
        _ => None,
    }
}

impl Key {
    /// As it is written for people.
    pub fn name(self) -> String {
        let name = match self.code {
            KeyCode::Char(letter) => letter.to_string(),
            KeyCode::F(number) => format!("F{number}"),
            KeyCode::BackTab => "Shift-Tab".into(),
            KeyCode::PageUp => "PgUp".into(),
            KeyCode::PageDown => "PgDn".into(),
            other => format!("{other:?}"),
        };
        if self.ctrl { format!("Ctrl-{name}") } else { name }
    }
}

impl Binding {
    /// All its keys: `k Up`.
    pub fn keys(&self) -> String {
        self.keys.iter().map(|key| key.name()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPES: [Scope; 5] = [Scope::Panes, Scope::Filter, Scope::Picker, Scope::Question, Scope::Help];

    fn press(key: &Key) -> KeyEvent {
        KeyEvent::new(key.code, if key.ctrl { KeyModifiers::CONTROL } else { KeyModifiers::NONE })
    }

    #[test]
    fn every_key_does_what_its_row_says_and_none_has_two_rows() {
        for binding in KEYMAP {
            for key in binding.keys {
                let scopes: &[Scope] =
                    if binding.scope == Scope::Everywhere { &SCOPES } else { std::slice::from_ref(&binding.scope) };
                for &scope in scopes {
                    assert_eq!(action(scope, &press(key)), Some(binding.action.clone()), "{} in {scope:?}", key.name());
                }
                let rows = KEYMAP.iter().filter(|other| other.scope == binding.scope && other.keys.contains(key));
                assert_eq!(rows.count(), 1, "{} in {:?}", key.name(), binding.scope);
            }
        }
    }

    #[test]
    fn every_scope_can_be_left_and_quit() {
        for scope in SCOPES {
            let esc = action(scope, &KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE));
            assert!(matches!(esc, Some(Action::Back | Action::No)), "{scope:?}");
            assert_eq!(action(scope, &press(&ctrl('c'))), Some(Action::Quit), "{scope:?}");
        }
    }

    #[test]
    fn letters_are_typed_only_into_the_filter() {
        for letter in ['a', 'q', 'G', '?', ' ', 'é'] {
            let event = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
            assert_eq!(action(Scope::Filter, &event), Some(Action::Type(letter)));
            assert!(!matches!(action(Scope::Panes, &event), Some(Action::Type(_))));
        }
    }
}
