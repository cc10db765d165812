//! What the place at the bottom can show, on its lower border: `1 Events  2 Log …`.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::Tab;
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::paint::{Row, columns};
use crate::tui::theme::{Role, Theme};

/// A tab's key and name, and the columns from the left of the place that they take.
struct Label {
    tab: Tab,
    key: String,
    from: u16,
    to: u16,
}

/// The labels, which end two columns before the border does; none where they have no room.
fn labels(app: &App, area: Rect) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    let mut at = 0;
    for tab in Tab::ALL {
        let key = key_of(app, tab);
        let width = columns(&key) + u16::from(!key.is_empty()) + columns(tab.name());
        labels.push(Label { tab, key, from: at + 1, to: at + 1 + width });
        at += width + 2;
    }
    let Some(start) = area.width.checked_sub(at + 4).filter(|_| area.height >= 2) else { return Vec::new() };
    labels.iter_mut().for_each(|label| (label.from, label.to) = (label.from + start, label.to + start));
    labels
}

/// The last of its keys, which is its number.
fn key_of(app: &App, tab: Tab) -> String {
    let row = app.keymap.rows().iter().find(|row| row.binding.action == Action::Show(tab));
    row.and_then(|row| row.keys.last()).map(|key| key.name()).unwrap_or_default()
}

/// Draws them over the lower border of `area`.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App) {
    let Some(below) = area.height.checked_sub(1) else { return };
    for Label { tab, key, from, to } in labels(app, area) {
        let place = Rect { x: area.x + from - 1, width: to - from + 2, ..area };
        let is_shown = tab == app.screen.tab;
        let name = theme.style(if is_shown { Role::Strong } else { Role::Dim });
        let mut row = Row::new(buf, place, below);
        row.put(" ", name).put(&key, theme.style(Role::Accent));
        row.put(if key.is_empty() { "" } else { " " }, name).put(tab.name(), name).put(" ", name);
    }
}

/// The tab at a position of the place at the bottom.
pub fn at(app: &App, area: Rect, position: Position) -> Option<Tab> {
    let is_border = position.y + 1 == area.bottom();
    let column = position.x.checked_sub(area.x).filter(|_| is_border)?;
    labels(app, area).into_iter().find(|label| (label.from..label.to).contains(&column)).map(|label| label.tab)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::action::Action;
    use crate::tui::fixtures::{self, UNICODE, frame, text};
    use crate::tui::layout::Focus;
    use crate::tui::update::update;

    #[test]
    fn a_click_on_a_name_shows_it() {
        for (width, height) in [(200, 60), (80, 24), (60, 15)] {
            let mut app = fixtures::app((width, height), fixtures::store());
            let area = app.layout().bottom.unwrap();
            for tab in Tab::ALL {
                let screen = text(&frame(&app, &UNICODE));
                let border = screen.lines().nth(usize::from(area.bottom() - 1)).unwrap();
                let before = border.split(tab.name()).next().unwrap();
                let x = u16::try_from(before.chars().count()).unwrap();
                update(&mut app, Action::Click(Position { x, y: area.bottom() - 1 }));
                assert_eq!((app.screen.tab, app.screen.focus), (tab, Focus::Bottom), "{width}: {border}");
            }
        }
    }

    #[test]
    fn where_there_is_no_room_there_are_none() {
        let app = fixtures::app((30, 12), fixtures::store());
        for width in 0..60 {
            let area = Rect::new(3, 2, width, 6);
            let found = (0..70).any(|x| at(&app, area, Position { x, y: 7 }).is_some());
            assert_eq!(found, width >= 52, "{width}");
        }
    }
}
