//! The choice of a column to sort by, tried out as it is made.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::columns::arrow;
use crate::tui::action::{Action, Effect};
use crate::tui::app::{App, Overlay};
use crate::tui::layout::first_row;
use crate::tui::paint::{Row, columns, popup};
use crate::tui::runs::sort::{Column, Sort};
use crate::tui::theme::{Role, Theme};

/// The columns that there are, and the order to go back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sorting {
    columns: Vec<Column>,
    place: usize,
    before: Sort,
}

/// Opens it.
pub fn start(app: &mut App) -> Vec<Effect> {
    let (columns, before) = (app.runs.columns(), app.runs.sort().clone());
    let place = columns.iter().position(|column| *column == before.column).unwrap_or(0);
    app.overlay = Some(Overlay::Sort(Sorting { columns, place, before }));
    Vec::new()
}

/// Takes an action while it is open.
pub fn update(app: &mut App, mut sorting: Sorting, action: Action) -> Vec<Effect> {
    match action {
        Action::Accept => return Vec::new(),
        Action::Back => {
            app.runs.set_sort(sorting.before);
            return Vec::new();
        }
        Action::Go(motion) => {
            sorting.place = motion.from(sorting.place, sorting.columns.len(), 8);
            if let Some(column) = sorting.columns.get(sorting.place) {
                app.runs.set_sort(Sort::by(column.clone()));
            }
        }
        Action::Queue(super::Action::Sort) => {
            return update(app, sorting, Action::Go(crate::tui::action::Motion::Down));
        }
        Action::Queue(super::Action::Reverse) => drop(super::update(app, super::Action::Reverse)),
        _ => {}
    }
    app.overlay = Some(Overlay::Sort(sorting));
    Vec::new()
}

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, sorting: &Sorting) {
    let width = sorting.columns.iter().map(|column| columns(column.name())).max().unwrap_or(0).max(18) + 8;
    let height = u16::try_from(sorting.columns.len()).unwrap_or(u16::MAX).saturating_add(2);
    let inner = popup(buf, area, (width, height.min(area.height.saturating_sub(2))), "Sort by", theme);
    let first = first_row(sorting.columns.len(), sorting.place, usize::from(inner.height));
    for (line, (index, column)) in (0..inner.height).zip(sorting.columns.iter().enumerate().skip(first)) {
        let mut row = Row::new(buf, inner, line);
        let is_chosen = index == sorting.place;
        row.put(column.name(), theme.style(if is_chosen { Role::Strong } else { Role::Plain }));
        if is_chosen {
            row.right(arrow(theme, app.runs.sort()), theme.style(Role::Accent));
            row.over(theme.selected());
        }
    }
}
