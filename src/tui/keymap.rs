//! One table of keys: what they do, in which place, and how help, footer and palette name them. Each pane has its rows.

mod effective;
pub mod key;
#[cfg(test)]
mod manual;
mod name;

use crossterm::event::KeyCode;

pub use self::effective::{Bound, Keymap};

use self::key::{Key, ctrl, key, letter};
use super::action::{Action, Motion};
use super::layout::Edge;
use super::pane;

/// Where a key is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    Everywhere,
    /// In any pane; what the pane itself has comes first.
    Panes,
    Queue,
    Curves,
    Compare,
    Events,
    Log,
    Config,
    Results,
    System,
    /// While a line is typed.
    Prompt,
    Palette,
    Add,
    Question,
    Help,
    /// While a line of an experiment that is added is typed.
    AddLine,
    /// While a column to sort by is chosen.
    Sort,
}

impl Scope {
    /// All of them, in the order of the help page.
    pub const ALL: [Scope; 17] = [
        Scope::Panes,
        Scope::Queue,
        Scope::Curves,
        Scope::Compare,
        Scope::Events,
        Scope::Log,
        Scope::Config,
        Scope::Results,
        Scope::System,
        Scope::Prompt,
        Scope::Palette,
        Scope::Add,
        Scope::AddLine,
        Scope::Question,
        Scope::Sort,
        Scope::Help,
        Scope::Everywhere,
    ];

    /// Head of its part of the help page.
    pub fn title(self) -> &'static str {
        match self {
            Scope::Everywhere => "Everywhere",
            Scope::Panes => "In the panes",
            Scope::Queue => "In the queue",
            Scope::Curves => "In the curves",
            Scope::Compare => "In the comparison",
            Scope::Events => "In the events",
            Scope::Log => "In the log",
            Scope::Config => "In the configuration",
            Scope::Results => "In the results",
            Scope::System => "In the system pane",
            Scope::Prompt => "While a line is typed",
            Scope::Palette => "In the palette",
            Scope::Add => "While an experiment is chosen",
            Scope::AddLine => "While its overrides are typed",
            Scope::Question => "While a question is asked",
            Scope::Sort => "While a column is chosen",
            Scope::Help => "On this page",
        }
    }

    /// Whether a letter without a meaning is typed.
    fn is_typed_in(self) -> bool {
        matches!(self, Scope::Prompt | Scope::Palette | Scope::AddLine)
    }
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
    /// Its name, where the action's own words are not one.
    named: Option<&'static str>,
}

impl Binding {
    /// The row under another name than its action's own words.
    pub const fn named(mut self, name: &'static str) -> Binding {
        self.named = Some(name);
        self
    }
}

/// A row of the table.
pub const fn binding(
    scope: Scope,
    keys: &'static [Key],
    action: Action,
    help: &'static str,
    footer: Option<&'static str>,
) -> Binding {
    Binding { scope, keys, action, help, footer, named: None }
}

pub const UP: &[Key] = &[letter('k'), key(KeyCode::Up)];
pub const DOWN: &[Key] = &[letter('j'), key(KeyCode::Down)];
pub const PAGE_UP: &[Key] = &[key(KeyCode::PageUp), ctrl('b')];
pub const PAGE_DOWN: &[Key] = &[key(KeyCode::PageDown), ctrl('f')];
pub const FIRST: &[Key] = &[letter('g'), key(KeyCode::Home)];
pub const LAST: &[Key] = &[letter('G'), key(KeyCode::End)];
pub const ENTER: &[Key] = &[key(KeyCode::Enter)];
pub const ESC: &[Key] = &[key(KeyCode::Esc)];

/// The keys of every pane. The footer takes them in this order, as far as it has room.
const PANES: &[Binding] = &[
    binding(Scope::Panes, &[key(KeyCode::Tab)], Action::NextPane, "next pane", Some("panes")),
    binding(Scope::Panes, ENTER, Action::Open, "open; full screen", Some("open")),
    binding(Scope::Panes, &[letter('?'), key(KeyCode::F(1))], Action::Help, "help", Some("help")),
    binding(Scope::Panes, &[letter('q')], Action::Quit, "quit; runs go on", Some("quit")),
    binding(Scope::Panes, &[letter('e'), letter('1')], Action::Show(pane::Tab::Events), "events of the run", None),
    binding(Scope::Panes, &[letter('l'), letter('2')], Action::Show(pane::Tab::Log), "log of the run", Some("log")),
    binding(Scope::Panes, &[letter('3')], Action::Show(pane::Tab::Config), "configuration of the run", None),
    binding(Scope::Panes, &[letter('4')], Action::Show(pane::Tab::Results), "results of the run", None),
    binding(Scope::Panes, &[letter('5')], Action::Show(pane::Tab::System), "the machine", None),
    binding(Scope::Panes, &[letter('z'), letter('f')], Action::Zoom, "pane on the full screen, and back", Some("zoom")),
    binding(Scope::Panes, DOWN, Action::Go(Motion::Down), "down", None),
    binding(Scope::Panes, UP, Action::Go(Motion::Up), "up", None),
    binding(Scope::Panes, PAGE_DOWN, Action::Go(Motion::PageDown), "a page down", None),
    binding(Scope::Panes, PAGE_UP, Action::Go(Motion::PageUp), "a page up", None),
    binding(Scope::Panes, FIRST, Action::Go(Motion::First), "to the first", None),
    binding(Scope::Panes, LAST, Action::Go(Motion::Last), "to the last", None),
    binding(Scope::Panes, &[key(KeyCode::BackTab)], Action::PreviousPane, "pane before", None),
    binding(Scope::Panes, ESC, Action::Back, "back; clear the filter", None),
];

const OVERLAYS: &[Binding] = &[
    binding(Scope::Prompt, ENTER, Action::Accept, "done", Some("done")),
    binding(Scope::Prompt, ESC, Action::Back, "close", Some("close")),
    binding(Scope::Prompt, &[key(KeyCode::Backspace), ctrl('h')], Action::Erase, "erase a letter", None),
    binding(Scope::Prompt, &[key(KeyCode::Down)], Action::Go(Motion::Down), "down", None),
    binding(Scope::Prompt, &[key(KeyCode::Up)], Action::Go(Motion::Up), "up", None),
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
    binding(
        Scope::Panes,
        &[Key { code: KeyCode::Right, ctrl: true }],
        Action::Move(Edge::Queue, 2),
        "a wider queue",
        None,
    )
    .named("queue-wider"),
    binding(
        Scope::Panes,
        &[Key { code: KeyCode::Left, ctrl: true }],
        Action::Move(Edge::Queue, -2),
        "a narrower queue",
        None,
    )
    .named("queue-narrower"),
    binding(
        Scope::Panes,
        &[Key { code: KeyCode::Up, ctrl: true }],
        Action::Move(Edge::Bottom, 1),
        "a higher place at the bottom",
        None,
    )
    .named("bottom-higher"),
    binding(
        Scope::Panes,
        &[Key { code: KeyCode::Down, ctrl: true }],
        Action::Move(Edge::Bottom, -1),
        "a lower place at the bottom",
        None,
    )
    .named("bottom-lower"),
    binding(Scope::Panes, &[letter('N')], Action::Notices, "what happened lately", None),
    binding(Scope::Everywhere, &[ctrl('l')], Action::Redraw, "draw the screen anew", None),
    binding(Scope::Everywhere, &[ctrl('z')], Action::Suspend, "back to the shell; fg returns", None),
    binding(Scope::Everywhere, &[ctrl('c')], Action::Quit, "quit, also out of what lies over the panes", None)
        .named("quit-anywhere"),
];

static TABLES: &[&[Binding]] = &[
    pane::queue::KEYS,
    pane::queue::SORT_KEYS,
    pane::curves::KEYS,
    pane::compare::KEYS,
    pane::events::KEYS,
    pane::log::KEYS,
    pane::config::KEYS,
    pane::results::KEYS,
    pane::system::KEYS,
    PANES,
    pane::add::KEYS,
    pane::palette::KEYS,
    OVERLAYS,
];

/// All rows.
pub fn all() -> impl Iterator<Item = &'static Binding> {
    TABLES.iter().copied().flatten()
}

/// The rows of one scope.
pub fn of(scope: Scope) -> impl Iterator<Item = &'static Binding> {
    all().filter(move |binding| binding.scope == scope)
}

#[cfg(test)]
mod tests {
    use super::key::Key;
    use super::*;
    use crossterm::event::{KeyEvent, KeyModifiers};

    fn action(scopes: &[Scope], event: &KeyEvent) -> Option<Action> {
        Keymap::default().action(scopes, event)
    }

    fn press(key: &Key) -> KeyEvent {
        KeyEvent::new(key.code, if key.ctrl { KeyModifiers::CONTROL } else { KeyModifiers::NONE })
    }

    #[test]
    fn every_key_does_what_its_row_says_and_none_has_two_rows() {
        for binding in all() {
            for key in binding.keys {
                assert_eq!(action(&[binding.scope], &press(key)), Some(binding.action.clone()), "{}", key.name());
                let rows = of(binding.scope).filter(|other| other.keys.contains(key));
                assert_eq!(rows.count(), 1, "{} in {:?}", key.name(), binding.scope);
            }
        }
    }

    #[test]
    fn every_overlay_can_be_left() {
        for scope in [Scope::Panes, Scope::Prompt, Scope::Palette, Scope::Add, Scope::Question, Scope::Help] {
            let esc = action(&[scope], &KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE));
            assert!(matches!(esc, Some(Action::Back | Action::No)), "{scope:?}");
        }
    }

    #[test]
    fn letters_are_typed_only_where_a_line_is_typed() {
        for letter in ['a', 'q', 'G', '?', ' ', 'é'] {
            let event = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
            assert_eq!(action(&[Scope::Prompt, Scope::Everywhere], &event), Some(Action::Type(letter)));
            assert!(!matches!(action(&[Scope::Panes], &event), Some(Action::Type(_))));
        }
    }
}
