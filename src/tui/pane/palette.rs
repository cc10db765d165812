//! Every action by its name, its key, and the command line that does the same.

use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::action::{Action as Any, Effect, Motion};
use crate::tui::app::{App, Overlay};
use crate::tui::fuzzy::{self, Match};
use crate::tui::keymap::key::{ctrl, key, letter};
use crate::tui::keymap::{self, Binding, Bound, Scope, binding};
use crate::tui::layout::{Focus, first_row};
use crate::tui::paint::{Row, columns, popup};
use crate::tui::pane::{Pane, Tab, add, compare, config, log, queue};
use crate::tui::theme::{Role, Theme};
use crate::tui::update;

/// What is typed, and which of what it leaves is chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Palette {
    pub text: String,
    pub place: usize,
}

/// What opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Open,
}

/// Its keys.
pub const KEYS: &[Binding] = &[
    binding(
        Scope::Panes,
        &[letter(':'), ctrl('p')],
        Any::Palette(Action::Open),
        "all that can be done, by name",
        Some("command"),
    ),
    binding(Scope::Palette, keymap::ENTER, Any::Accept, "do it", Some("do it")),
    binding(Scope::Palette, keymap::ESC, Any::Back, "close", Some("close")),
    binding(Scope::Palette, &[key(KeyCode::Backspace), ctrl('h')], Any::Erase, "erase a letter", None),
    binding(Scope::Palette, &[key(KeyCode::Down), ctrl('n')], Any::Go(Motion::Down), "down", Some("down")),
    binding(Scope::Palette, &[key(KeyCode::Up), ctrl('p')], Any::Go(Motion::Up), "up", Some("up")),
    binding(Scope::Palette, &[key(KeyCode::PageDown)], Any::Go(Motion::PageDown), "a page down", None),
    binding(Scope::Palette, &[key(KeyCode::PageUp)], Any::Go(Motion::PageUp), "a page up", None),
];

/// Opens it.
pub fn start(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::Open => app.overlay = Some(Overlay::Palette(Palette::default())),
    }
    Vec::new()
}

/// The rows that it offers: what was done last, those of the pane that has the focus, those of any pane, then those of the
/// other panes. What only works while something lies over the panes makes no sense from here.
fn offered(app: &App) -> Vec<&Bound> {
    let here = app.pane(app.screen.focus).scope();
    let rank = |row: &Bound| match row.binding.scope {
        _ if app.last_done.as_deref() == Some(row.name.as_str()) => Some(0),
        scope if scope == here => Some(1),
        Scope::Panes => Some(2),
        Scope::Everywhere => Some(3),
        scope => place_of(scope).map(|_| 4),
    };
    let is_other = |row: &&Bound| row.binding.action != Any::Palette(Action::Open);
    let rows = app.keymap.rows().iter().filter(is_other);
    let mut rows: Vec<(u8, &Bound)> = rows.filter_map(|row| Some((rank(row)?, row))).collect();
    rows.sort_by_key(|(rank, _)| *rank);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// What is offered and matches `text`, the best first; a name that is typed comes before all.
fn found<'a>(app: &'a App, text: &str) -> Vec<(&'a Bound, Match)> {
    let rows = offered(app);
    let ranked = fuzzy::ranked(text, &rows, |row| words(row));
    let mut found: Vec<(&Bound, Match)> = ranked.into_iter().map(|(row, found)| (*row, found)).collect();
    found.sort_by_key(|(row, _)| (row.name != text, !row.name.starts_with(text)));
    found
}

fn words(row: &Bound) -> String {
    format!("{}  {}", row.name, row.binding.help)
}

/// Where the pane of a scope is, and what has to be shown there.
fn place_of(scope: Scope) -> Option<(Focus, Option<Tab>)> {
    let tab = Tab::ALL.into_iter().find(|&tab| Pane::from(tab).scope() == scope);
    match scope {
        Scope::Queue => Some((Focus::Queue, None)),
        Scope::Curves | Scope::Compare => Some((Focus::Run, None)),
        _ => tab.map(|tab| (Focus::Bottom, Some(tab))),
    }
}

/// Takes an action while it is open.
pub fn update(app: &mut App, palette: Palette, action: Any) -> Vec<Effect> {
    let Palette { mut text, mut place } = palette;
    match action {
        Any::Back => return Vec::new(),
        Any::Accept => {
            let row = found(app, &text).get(place).map(|(row, _)| row.binding);
            return row.map_or_else(Vec::new, |row| carry_out(app, row));
        }
        Any::Go(motion) | Any::Wheel(_, motion) => place = motion.from(place, found(app, &text).len(), 10),
        Any::Type(letter) => text.push(letter),
        Any::Paste(pasted) => text.push_str(pasted.lines().next().unwrap_or_default()),
        Any::Erase => drop(text.pop()),
        _ => {}
    }
    let last = found(app, &text).len().saturating_sub(1);
    app.overlay = Some(Overlay::Palette(Palette { text, place: place.min(last) }));
    Vec::new()
}

/// Does what a row says, in the pane that it belongs to.
fn carry_out(app: &mut App, row: &'static Binding) -> Vec<Effect> {
    app.last_done = Some(row.name());
    let mut effects = Vec::new();
    if let Some((focus, tab)) = place_of(row.scope) {
        effects.extend(tab.map(|tab| update::update(app, Any::Show(tab))).unwrap_or_default());
        app.screen.focus = focus;
    }
    effects.extend(update::update(app, row.action.clone()));
    effects
}

/// The command line that does the same; none of what is the dashboard's alone.
fn command(app: &App, action: &Any) -> Option<String> {
    match *action {
        Any::Queue(action) => queue::command(app, action),
        Any::Compare(action) => compare::command(app, action),
        Any::Config(action) => config::command(app, action),
        Any::Log(action) => log::command(app, action),
        Any::Add(action) => add::command(app, action),
        Any::Show(tab) => {
            let id = app.runs.chosen()?.0;
            match tab {
                Tab::Log => Some(format!("finetop logs {id}")),
                Tab::Events => Some(format!("finetop events {id}")),
                Tab::Results => Some(format!("finetop show {id}")),
                Tab::Config => Some(format!("finetop show {id} --config")),
                Tab::System => None,
            }
        }
        _ => None,
    }
}

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, palette: &Palette) {
    let size = (area.width.saturating_sub(4).min(96), area.height.saturating_sub(2).min(24));
    let inner = popup(buf, area, size, "What to do", theme);
    Row::new(buf, inner, 0)
        .put("> ", theme.style(Role::Accent))
        .put(&palette.text, theme.style(Role::Strong))
        .put(theme.pick("█", "_"), theme.style(Role::Accent));
    let found = found(app, &palette.text);
    // The last line is for the command of what is chosen.
    let below = u16::from(inner.height >= 4);
    let list = Rect { y: inner.y + 1.min(inner.height), height: inner.height.saturating_sub(1 + below), ..inner };
    if found.is_empty() {
        Row::new(buf, list, 0).put("nothing is called that", theme.style(Role::Dim));
    }
    let first = first_row(found.len(), palette.place, usize::from(list.height));
    for (line, (place, (row, found))) in (0..list.height).zip(found.iter().enumerate().skip(first)) {
        draw_row(theme, &mut Row::new(buf, list, line), app, row, found, place == palette.place);
    }
    let chosen = found.get(palette.place).and_then(|(row, _)| command(app, &row.binding.action));
    if let Some(command) = chosen.filter(|_| below > 0) {
        Row::new(buf, inner, inner.height - 1).put(&format!("$ {command}"), theme.style(Role::Good));
    }
}

fn draw_row(theme: &Theme, line: &mut Row, app: &App, row: &Bound, found: &Match, is_chosen: bool) {
    let keys = row.keys();
    let reserved = columns(&keys).saturating_add(1);
    let name = row.name.chars().count();
    let words = words(row);
    let is_cut = columns(&words).saturating_add(reserved) > line.left();
    for (place, letter) in words.chars().enumerate() {
        let role = match found.places.binary_search(&place) {
            Ok(_) => Role::Accent,
            Err(_) if place < name => Role::Strong,
            Err(_) => Role::Dim,
        };
        if line.left() > reserved + u16::from(is_cut) {
            line.put(letter.encode_utf8(&mut [0; 4]), theme.style(role));
        }
    }
    line.put(if is_cut { theme.pick("…", "~") } else { "" }, theme.style(Role::Dim));
    if let Some(command) = command(app, &row.binding.action).map(|command| format!("$ {command}"))
        && columns(&command) + 2 + reserved <= line.left()
    {
        line.gap(2).put(&command, theme.style(Role::Dim));
    }
    line.right(&keys, theme.style(Role::Accent));
    if is_chosen {
        line.over(theme.selected());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures::{self, UNICODE, frame, press, text};

    #[test]
    fn it_finds_ranks_does_and_remembers() {
        let mut app = fixtures::app((100, 30), fixtures::store());
        press(&mut app, ":zoo");
        let shown = text(&frame(&app, &UNICODE));
        assert!(shown.contains("> zoo") && shown.contains("zoom") && shown.contains("z f"), "{shown}");
        press(&mut app, "<Enter>");
        assert!(app.screen.zoomed && app.overlay.is_none());
        assert_eq!(found(&app, "")[0].0.name, "zoom", "what was done last is the first");
        press(&mut app, ":xyzxyz");
        assert!(text(&frame(&app, &UNICODE)).contains("nothing is called that"));
        press(&mut app, "<Enter>");
        assert_eq!(app.overlay, None);
    }

    #[test]
    fn every_action_but_those_over_the_panes_is_reached_by_its_name() {
        let app = fixtures::app((100, 30), fixtures::store());
        let open = |scope| matches!(scope, Scope::Panes | Scope::Everywhere) || place_of(scope).is_some();
        for row in app.keymap.rows().iter().filter(|row| open(row.binding.scope) && row.name != "palette") {
            let found = found(&app, &row.name);
            assert_eq!(found[0].0.name, row.name);
        }
    }

    #[test]
    fn an_action_of_another_pane_brings_that_pane() {
        let mut app = fixtures::app((100, 30), fixtures::store());
        let row = app.keymap.rows().iter().find(|row| row.binding.scope == Scope::Log).map(|row| row.binding);
        carry_out(&mut app, row.unwrap());
        assert_eq!((app.screen.focus, app.screen.tab), (Focus::Bottom, Tab::Log));
    }

    #[test]
    fn the_command_line_does_the_same() {
        let app = fixtures::app((100, 30), fixtures::store());
        let of = |app: &App, name: &str| {
            let row = app.keymap.rows().iter().find(|row| row.name == name).unwrap();
            command(app, &row.binding.action)
        };
        for (name, expected) in [
            ("cancel", Some("finetop cancel 15")),
            ("pause", Some("finetop pause 15")),
            ("retry", Some("finetop retry 15")),
            ("retry-fresh", Some("finetop retry 15 --fresh")),
            ("remove", Some("finetop rm 15")),
            ("tag", Some("finetop tag 15 --add TAG")),
            ("priority", Some("finetop priority N 15")),
            ("queue.raise", Some("finetop priority 1 15")),
            ("queue.slots", Some("finetop slots N")),
            ("move-up", None),
            ("add", Some("finetop add FILE")),
            ("duplicate", Some("finetop add /store/resolved.yaml --set KEY=VALUE")),
            ("compare", None),
            ("export", Some("finetop export 15 --out finetop-export.csv")),
            ("show-log", Some("finetop logs 15")),
            ("log.time", Some("finetop logs 15 --since TIME")),
            ("show-results", Some("finetop show 15")),
            ("show-config", Some("finetop show 15 --config")),
            ("config.against", Some("finetop compare 14 15")),
            ("zoom", None),
            ("filter", None),
            ("mark", None),
        ] {
            assert_eq!(of(&app, name).as_deref(), expected, "{name}");
        }
    }
}
