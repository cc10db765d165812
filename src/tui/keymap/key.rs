//! A key as it is pressed, and as people write it.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key, with Ctrl or without. Shift is part of the letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    pub code: KeyCode,
    pub ctrl: bool,
}

/// A key without Ctrl.
pub const fn key(code: KeyCode) -> Key {
    Key { code, ctrl: false }
}

/// The key of a letter.
pub const fn letter(letter: char) -> Key {
    key(KeyCode::Char(letter))
}

/// A letter with Ctrl.
pub const fn ctrl(letter: char) -> Key {
    Key { code: KeyCode::Char(letter), ctrl: true }
}

/// Keys that have a name, as it is written for people; the first of several is the one that is shown.
const NAMED: [(&str, KeyCode); 21] = [
    ("Space", KeyCode::Char(' ')),
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Shift-Tab", KeyCode::BackTab),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Escape", KeyCode::Esc),
    ("Return", KeyCode::Enter),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
    ("Del", KeyCode::Delete),
];

impl Key {
    /// The key that was pressed.
    pub fn of(event: &KeyEvent) -> Key {
        Key { code: event.code, ctrl: event.modifiers.contains(KeyModifiers::CONTROL) }
    }

    /// As it is written for people.
    pub fn name(self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl-")?;
        }
        match (NAMED.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(letter)) => write!(f, "{letter}"),
            (None, KeyCode::F(number)) => write!(f, "F{number}"),
            (None, other) => write!(f, "{other:?}"),
        }
    }
}

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no key; write a letter, `Ctrl-x`, `F5`, or a name such as Enter, Space, PgUp, Left")]
pub struct NoKey(String);

impl FromStr for Key {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Key, NoKey> {
        let no_key = || NoKey(format!("`{}`", crate::base::text::printable(text)));
        let (name, ctrl) = match prefix(text, "Ctrl-").or_else(|| prefix(text, "C-")) {
            Some(rest) if !rest.is_empty() => (rest, true),
            _ => (text, false),
        };
        let named = NAMED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, code)| *code);
        let code = named.or_else(|| one_letter(name)).or_else(|| function(name)).ok_or_else(no_key)?;
        Ok(match (ctrl, code) {
            // What a terminal sends for these is what it sends for keys that have a name.
            (true, KeyCode::Char('i' | 'I')) => key(KeyCode::Tab),
            (true, KeyCode::Char('m' | 'M')) => key(KeyCode::Enter),
            (true, KeyCode::Char('[')) => key(KeyCode::Esc),
            (true, KeyCode::Char(letter)) => self::ctrl(letter.to_ascii_lowercase()),
            (ctrl, code) => Key { code, ctrl },
        })
    }
}

fn prefix<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    let head = text.get(..start.len())?;
    head.eq_ignore_ascii_case(start).then(|| &text[start.len()..])
}

fn one_letter(name: &str) -> Option<KeyCode> {
    let mut letters = name.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if !letter.is_control() => Some(KeyCode::Char(letter)),
        _ => None,
    }
}

fn function(name: &str) -> Option<KeyCode> {
    let number = prefix(name, "F")?.parse().ok()?;
    (1..=24).contains(&number).then_some(KeyCode::F(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_are_written_and_read_alike() {
        for (text, expected, shown) in [
            ("c", letter('c'), "c"),
            ("C", letter('C'), "C"),
            ("-", letter('-'), "-"),
            ("é", letter('é'), "é"),
            ("Space", letter(' '), "Space"),
            ("ctrl-X", ctrl('x'), "Ctrl-x"),
            ("C-x", ctrl('x'), "Ctrl-x"),
            ("Ctrl-Left", Key { code: KeyCode::Left, ctrl: true }, "Ctrl-Left"),
            ("ctrl-i", key(KeyCode::Tab), "Tab"),
            ("pageup", key(KeyCode::PageUp), "PgUp"),
            ("shift-tab", key(KeyCode::BackTab), "Shift-Tab"),
            ("F12", key(KeyCode::F(12)), "F12"),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
            assert_eq!(expected.name(), shown);
            assert_eq!(shown.parse(), Ok(expected));
        }
        for wrong in ["", "xy", "F0", "F99", "Ctrl-", "Alt-x", "\u{1b}", "Ctrl-Ctrl-x", "Enterr"] {
            assert!(wrong.parse::<Key>().is_err(), "{wrong:?}");
        }
        assert!(!"\x1b[2J".parse::<Key>().unwrap_err().to_string().contains('\x1b'));
    }

    #[test]
    fn every_key_of_the_table_is_read_as_it_is_written() {
        for key in crate::tui::keymap::all().flat_map(|binding| binding.keys) {
            assert_eq!(key.name().parse(), Ok(*key));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_key_or_none(text in ".{0,12}") {
            if let Ok(key) = text.parse::<Key>() {
                prop_assert_eq!(key.name().parse(), Ok(key));
            }
        }
    }
}
