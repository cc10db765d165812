//! The choice of an experiment file, with what it would do or what is wrong with it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::action::{Action as Any, Effect, Motion};
use crate::tui::app::{App, Overlay};
use crate::tui::job::Job;
use crate::tui::keymap::key::{key, letter};
use crate::tui::keymap::{self, Binding, Scope, binding};
use crate::tui::layout::first_row;
use crate::tui::library::Check;
use crate::tui::orders::Order;
use crate::tui::paint::{Row, popup, wrapped};
use crate::tui::theme::{Role, Theme};

/// A choice among experiment files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Add {
    /// None while they are being looked for.
    pub files: Option<Vec<PathBuf>>,
    pub place: usize,
    /// What is known of the files that were looked at.
    pub checks: BTreeMap<PathBuf, Check>,
}

/// What opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Open,
}

/// Its keys.
pub const KEYS: &[Binding] = &[
    binding(Scope::Panes, &[letter('a')], Any::Add(Action::Open), "add an experiment to the queue", Some("add")),
    binding(Scope::Add, keymap::ENTER, Any::Accept, "queue the experiment", Some("queue it")),
    binding(Scope::Add, &[key(KeyCode::Esc), letter('q')], Any::Back, "close", Some("close")),
    binding(Scope::Add, keymap::DOWN, Any::Go(Motion::Down), "down", Some("down")),
    binding(Scope::Add, keymap::UP, Any::Go(Motion::Up), "up", Some("up")),
    binding(Scope::Add, keymap::PAGE_DOWN, Any::Go(Motion::PageDown), "a page down", None),
    binding(Scope::Add, keymap::PAGE_UP, Any::Go(Motion::PageUp), "a page up", None),
    binding(Scope::Add, keymap::FIRST, Any::Go(Motion::First), "to the first", None),
    binding(Scope::Add, keymap::LAST, Any::Go(Motion::Last), "to the last", None),
];

impl Add {
    /// The chosen file.
    pub fn chosen(&self) -> Option<&PathBuf> {
        self.files.as_ref()?.get(self.place)
    }

    /// What is known of the chosen file.
    pub fn check(&self) -> Option<&Check> {
        self.checks.get(self.chosen()?)
    }

    /// The chosen file is looked at the first time it is chosen.
    fn unchecked(&self) -> Vec<Effect> {
        let chosen = self.chosen().filter(|_| self.check().is_none());
        chosen.map(|path| Effect::Do(Job::Check(path.clone()))).into_iter().collect()
    }
}

/// Opens it.
pub fn start(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::Open => {
            app.overlay = Some(Overlay::Add(Add::default()));
            vec![Effect::Do(Job::List)]
        }
    }
}

/// The experiment files were found.
pub fn list(app: &mut App, files: Vec<PathBuf>) -> Vec<Effect> {
    let Some(Overlay::Add(add)) = &mut app.overlay else { return Vec::new() };
    add.files = Some(files);
    add.place = 0;
    add.unchecked()
}

/// A file was looked at.
pub fn checked(app: &mut App, path: PathBuf, check: Check) -> Vec<Effect> {
    if let Some(Overlay::Add(add)) = &mut app.overlay {
        add.checks.insert(path, check);
    }
    Vec::new()
}

/// Takes an action while it is open; it stays open unless it is left.
pub fn update(app: &mut App, mut add: Add, action: Any) -> Vec<Effect> {
    let effects = match action {
        Any::Back => return Vec::new(),
        Any::Accept => match add.chosen().cloned() {
            Some(path) => return vec![Effect::Ask(Order::Add(path))],
            None => Vec::new(),
        },
        Any::Go(motion) | Any::Wheel(_, motion) => {
            let files = add.files.as_ref().map_or(0, Vec::len);
            add.place = motion.from(add.place, files, usize::from(app.screen.size.height / 2));
            add.unchecked()
        }
        _ => Vec::new(),
    };
    app.overlay = Some(Overlay::Add(add));
    effects
}

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, _app: &App, picker: &Add) {
    let size = (area.width.saturating_sub(8).min(110), area.height.saturating_sub(4).min(30));
    let inner = popup(buf, area, size, "Add an experiment", theme);
    let Some(files) = &picker.files else {
        Row::new(buf, inner, 0).put("looking for experiment files", theme.style(Role::Dim));
        return;
    };
    if files.is_empty() {
        let text = "there is no .yaml file in this folder or in the folders in it";
        Row::new(buf, inner, 0).put(text, theme.style(Role::Dim));
        return;
    }
    let (list, about) = parts(inner);
    draw_list(theme, list, buf, picker);
    draw_about(theme, about, buf, picker);
}

/// Side by side where there is room, else one above the other.
fn parts(inner: Rect) -> (Rect, Rect) {
    if inner.width >= 70 {
        let width = inner.width * 2 / 5;
        let about = Rect { x: inner.x + width + 2, width: inner.width - width - 2, ..inner };
        (Rect { width, ..inner }, about)
    } else {
        let height = inner.height / 2;
        (Rect { height, ..inner }, Rect { y: inner.y + height, height: inner.height - height, ..inner })
    }
}

fn draw_list(theme: &Theme, area: Rect, buf: &mut Buffer, picker: &Add) {
    let files = picker.files.as_deref().unwrap_or_default();
    let first = first_row(files.len(), picker.place, usize::from(area.height));
    for (row, (index, file)) in (0..area.height).zip(files.iter().enumerate().skip(first)) {
        let (glyph, role) = match picker.checks.get(file) {
            None => (" ", Role::Dim),
            Some(Check::Good(_)) => (theme.pick("✓", "+"), Role::Good),
            Some(Check::Mistaken(_)) => (theme.pick("✗", "x"), Role::Bad),
        };
        let mut row = Row::new(buf, area, row);
        row.put(glyph, theme.style(role)).gap(1).put(&file.display().to_string(), theme.style(Role::Plain));
        if index == picker.place {
            row.over(theme.selected());
        }
    }
}

fn draw_about(theme: &Theme, area: Rect, buf: &mut Buffer, picker: &Add) {
    let (lines, role) = match picker.check() {
        None => return,
        Some(Check::Good(lines)) => (lines, Role::Plain),
        Some(Check::Mistaken(lines)) => (lines, Role::Bad),
    };
    let lines = lines.iter().flat_map(|line| wrapped(line, usize::from(area.width)));
    for (row, line) in (0..area.height).zip(lines) {
        Row::new(buf, area, row).put(&line, theme.style(role));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::action::News;
    use crate::tui::fixtures::{self, press};
    use crate::tui::update::hear;

    #[test]
    fn it_lists_checks_as_one_moves_and_adds() {
        let mut app = fixtures::app((120, 40), fixtures::store());
        assert_eq!(press(&mut app, "a"), vec![Effect::Do(Job::List)]);
        assert_eq!(press(&mut app, "<Enter>"), vec![], "nothing is there to be added yet");
        let files: Vec<PathBuf> = ["a.yaml", "b.yaml"].map(PathBuf::from).to_vec();
        let check = |n: usize| vec![Effect::Do(Job::Check(files[n].clone()))];
        assert_eq!(hear(&mut app, News::Experiments(files.clone())), check(0));
        hear(&mut app, News::Checked(files[0].clone(), Check::Good(vec!["fine".into()])));
        assert_eq!(press(&mut app, "j"), check(1));
        assert_eq!(press(&mut app, "k"), vec![], "what was checked is not checked again");
        assert_eq!(press(&mut app, "<Enter>"), vec![Effect::Ask(Order::Add(files[0].clone()))]);
        assert_eq!(app.overlay, None);
        press(&mut app, "a<Esc>");
        assert_eq!(app.overlay, None);
        assert_eq!(hear(&mut app, News::Experiments(files)), vec![], "it was closed meanwhile");
    }
}
