//! The columns of the table: as many as there is room for, the most useful first.

use crate::tui::paint::{Row, columns};
use crate::tui::runs::sort::{Column, Sort};
use crate::tui::theme::{Role, Theme};

/// From this width inside of the frame on there are columns with heads; below it rows say a name and a result.
pub const WIDE: u16 = 56;

/// From this width on there is room for a bar beside name and result.
const BAR: u16 = 34;

/// Columns that a name keeps at least, where there are others.
const NAME: u16 = 18;

/// Columns between two.
const GAP: u16 = 2;

/// Columns before the name: a mark, a glyph, the id.
pub const LEFT: u16 = 9;

/// One column of the table, beside name and result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Bar,
    Best,
    Elapsed,
    Eta,
    Phase,
    Epochs,
    Priority,
    Tags,
    Ended,
    Figure(String),
}

/// The columns at some width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// From left to right, with their widths.
    pub cells: Vec<(Cell, u16)>,
    /// Of the result at the right end; None where it takes what it needs.
    pub result: Option<u16>,
}

/// Those that there may be, the most useful first, with their widths.
const USEFUL: [(Cell, u16); 9] = [
    (Cell::Bar, 8),
    (Cell::Best, 7),
    (Cell::Eta, 8),
    (Cell::Elapsed, 8),
    (Cell::Phase, 10),
    (Cell::Epochs, 7),
    (Cell::Priority, 4),
    (Cell::Tags, 14),
    (Cell::Ended, 16),
];

/// From left to right.
const ORDER: [Cell; 9] = [
    Cell::Phase,
    Cell::Epochs,
    Cell::Bar,
    Cell::Best,
    Cell::Elapsed,
    Cell::Eta,
    Cell::Ended,
    Cell::Priority,
    Cell::Tags,
];

impl Columns {
    /// Those that fit into `width`; one that is sorted by comes first.
    pub fn of(width: u16, sort: &Sort) -> Columns {
        if width < WIDE {
            let cells = if width >= BAR { vec![(Cell::Bar, 5)] } else { Vec::new() };
            return Columns { cells, result: None };
        }
        let result = 9;
        let mut left = width.saturating_sub(LEFT + NAME + GAP + result + 1);
        let mut cells = Vec::new();
        let sorted = Cell::sorted(&sort.column).map(|cell| {
            let width = USEFUL.iter().find(|(other, _)| *other == cell).map_or(9, |(_, width)| *width);
            (cell, width)
        });
        for (cell, width) in sorted.into_iter().chain(USEFUL) {
            if cells.iter().any(|(other, _)| *other == cell) {
                continue;
            }
            if width + GAP > left {
                break;
            }
            left -= width + GAP;
            cells.push((cell, width));
        }
        let place = |cell: &Cell| ORDER.iter().position(|other| other == cell).unwrap_or(3);
        cells.sort_by_key(|(cell, _)| place(cell));
        Columns { cells, result: Some(result) }
    }

    /// Whether a cell is shown.
    pub fn has(&self, cell: &Cell) -> bool {
        self.cells.iter().any(|(other, _)| other == cell)
    }

    /// Columns that all but the name and what is before it take.
    pub fn right(&self) -> u16 {
        let cells: u16 = self.cells.iter().map(|(_, width)| width + GAP).sum();
        cells + self.result.map_or(0, |result| result + GAP) + 1
    }

    /// What a place of the head is the head of, from the left inside of a frame of `width` columns.
    pub fn at(&self, place: u16, width: u16) -> Option<Column> {
        let mut end = width.saturating_sub(self.right());
        if place < end {
            return Some(match place {
                ..3 => Column::Queue,
                3..LEFT => Column::Id,
                _ => Column::Name,
            });
        }
        for (cell, width) in &self.cells {
            end += width + GAP;
            if place < end {
                return Some(cell.column());
            }
        }
        Some(Column::State)
    }

    /// Draws the heads, with an arrow at the one that is sorted by.
    pub fn draw_head(&self, theme: &Theme, row: &mut Row, sort: &Sort) {
        let width = row.left();
        let head = |name: &str, column: &Column| {
            let is_sorted = *column == sort.column && *sort != Sort::default();
            let arrow = if is_sorted { arrow(theme, sort) } else { "" };
            (format!("{name}{arrow}"), theme.style(if is_sorted { Role::Accent } else { Role::Dim }))
        };
        let (id, style) = head("id", &Column::Id);
        row.gap(3).put(&id, style).gap((LEFT - 3).saturating_sub(columns(&id)));
        let (name, style) = head("name", &Column::Name);
        row.put(&name, style).gap(width.saturating_sub(self.right() + LEFT + columns(&name)));
        for (cell, width) in &self.cells {
            let (name, style) = head(cell.head(), &cell.column());
            put_cell(row, cell, &name, *width, style);
        }
        let (name, style) = head("state", &Column::State);
        row.right(&format!("{name} "), style);
    }
}

/// Puts a cell's text where it belongs: numbers to the right, words to the left.
pub fn put_cell(row: &mut Row, cell: &Cell, text: &str, width: u16, style: ratatui::style::Style) {
    let before = row.left();
    row.gap(GAP);
    if cell.is_number() {
        row.gap(width.saturating_sub(columns(text)));
    }
    row.put_within(text, width, style);
    let used = before - row.left();
    row.gap((width + GAP).saturating_sub(used));
}

/// Which way the table is sorted.
pub fn arrow(theme: &Theme, sort: &Sort) -> &'static str {
    if sort.ascends() { theme.pick("▲", "^") } else { theme.pick("▼", "v") }
}

impl Cell {
    fn sorted(column: &Column) -> Option<Cell> {
        Some(match column {
            Column::Phase => Cell::Phase,
            Column::Progress => Cell::Bar,
            Column::Best => Cell::Best,
            Column::Elapsed => Cell::Elapsed,
            Column::Eta => Cell::Eta,
            Column::Ended => Cell::Ended,
            Column::Priority => Cell::Priority,
            Column::Tags => Cell::Tags,
            Column::Figure(name) => Cell::Figure(name.clone()),
            Column::Queue | Column::Id | Column::Name | Column::State => return None,
        })
    }

    fn column(&self) -> Column {
        match self {
            Cell::Bar | Cell::Epochs => Column::Progress,
            Cell::Best => Column::Best,
            Cell::Elapsed => Column::Elapsed,
            Cell::Eta => Column::Eta,
            Cell::Phase => Column::Phase,
            Cell::Priority => Column::Priority,
            Cell::Tags => Column::Tags,
            Cell::Ended => Column::Ended,
            Cell::Figure(name) => Column::Figure(name.clone()),
        }
    }

    fn head(&self) -> &str {
        match self {
            Cell::Bar => "progress",
            Cell::Best => "best",
            Cell::Elapsed => "elapsed",
            Cell::Eta => "ETA",
            Cell::Phase => "phase",
            Cell::Epochs => "epoch",
            Cell::Priority => "prio",
            Cell::Tags => "tags",
            Cell::Ended => "ended",
            Cell::Figure(name) => name,
        }
    }

    fn is_number(&self) -> bool {
        !matches!(self, Cell::Bar | Cell::Phase | Cell::Tags | Cell::Ended)
    }
}
