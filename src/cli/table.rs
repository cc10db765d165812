//! Tables that stay readable on a terminal of 80 columns.

use crate::base::text::{printable, truncated, width};

/// The columns of a terminal that everybody has.
pub const COLUMNS: usize = 80;
/// A cell with more columns is cut.
const WIDEST_CELL: usize = 28;
/// The same for what names a row; names of runs are no longer.
const WIDEST_NAME: usize = 64;
/// Between two columns.
const GAP: usize = 2;

/// Rows of equal length, the first being the head, the first column naming the rows.
#[derive(Debug, Clone)]
pub struct Table(Vec<Vec<String>>);

impl Table {
    /// A table of `head` and `rows`, made safe for a terminal.
    pub fn new(head: Vec<String>, rows: Vec<Vec<String>>) -> Self {
        let safe = |(column, cell): (usize, &String)| match column {
            0 => truncated(&printable(cell), WIDEST_NAME),
            _ => short(&printable(cell)),
        };
        let row = |row: Vec<String>| row.iter().enumerate().map(safe).collect();
        Table(std::iter::once(head).chain(rows).map(row).collect())
    }

    /// The lines: in one piece where that fits into `columns`, else on its side, else in pieces one below the other, each
    /// with the first column.
    pub fn lines(&self, columns: usize) -> Vec<String> {
        let on_its_side = self.on_its_side();
        if self.width() > columns && on_its_side.width() <= columns {
            return on_its_side.piece(0..on_its_side.columns());
        }
        self.pieces(columns)
    }

    fn pieces(&self, columns: usize) -> Vec<String> {
        let widths = self.widths();
        let mut lines = Vec::new();
        let mut start = 1;
        while start < widths.len().max(2) {
            let mut end = start;
            let mut taken = widths.first().copied().unwrap_or(0);
            while end < widths.len() && (end == start || taken + GAP + widths[end] <= columns) {
                taken += GAP + widths[end];
                end += 1;
            }
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.extend(self.piece(start..end));
            start = end.max(start + 1);
        }
        lines
    }

    /// The first column with those in `range`.
    fn piece(&self, range: std::ops::Range<usize>) -> Vec<String> {
        let widths = self.widths();
        let shown = || std::iter::once(0).chain(range.clone().filter(|&column| column > 0 && column < widths.len()));
        let line = |row: &Vec<String>| {
            let cells = shown().map(|column| {
                let room = widths[column] + GAP - width(&row[column]);
                format!("{}{}", row[column], " ".repeat(room))
            });
            cells.collect::<String>().trim_end().to_owned()
        };
        self.0.iter().map(line).collect()
    }

    fn columns(&self) -> usize {
        self.0.first().map_or(0, Vec::len)
    }

    fn widths(&self) -> Vec<usize> {
        let widest = |column: usize| self.0.iter().map(|row| width(&row[column])).max().unwrap_or(0);
        (0..self.columns()).map(widest).collect()
    }

    /// Columns of the whole.
    pub fn width(&self) -> usize {
        let widths = self.widths();
        widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
    }

    fn on_its_side(&self) -> Table {
        let column = |column: usize| self.0.iter().map(|row| row[column].clone()).collect();
        Table((0..self.columns()).map(column).collect())
    }
}

/// `cell` cut: of a path the end is kept, of other texts the beginning.
fn short(cell: &str) -> String {
    if !cell.contains('/') || width(cell) <= WIDEST_CELL {
        return truncated(cell, WIDEST_CELL);
    }
    let starts = cell.char_indices().map(|(at, _)| &cell[at..]);
    let end = starts.into_iter().find(|end| width(end) < WIDEST_CELL);
    format!("…{}", end.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[&[&str]]) -> Table {
        let mut rows = rows.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect::<Vec<String>>());
        let head = rows.next().unwrap();
        Table::new(head, rows.collect())
    }

    #[test]
    fn what_fits_is_in_one_piece() {
        let table = table(&[&["id", "lr", "best"], &["0001", "0.001", "🍎"], &["0002", "1", "b"]]);
        assert_eq!(table.lines(80), ["id    lr     best", "0001  0.001  🍎", "0002  1      b"]);
        assert_eq!(table.width(), 17);
    }

    #[test]
    fn what_does_not_fit_is_put_on_its_side() {
        let head: Vec<String> = (0..12).map(|n| format!("column-{n}")).collect();
        let rows = vec![(0..12).map(|n| n.to_string()).collect::<Vec<_>>(); 2];
        let lines = Table::new(head, rows).lines(80);
        assert_eq!(lines.len(), 12);
        assert_eq!((&*lines[0], &*lines[11]), ("column-0   0   0", "column-11  11  11"));
    }

    #[test]
    fn what_fits_in_no_way_is_cut_into_pieces_with_the_names_of_the_rows() {
        let head: Vec<String> = (0..12).map(|n| format!("column-{n}")).collect();
        let rows = vec![(0..12).map(|n| n.to_string()).collect::<Vec<_>>(); 40];
        let lines = Table::new(head, rows).lines(80);
        assert!(lines.iter().all(|line| width(line) <= 80), "{lines:#?}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("column-0 ")).count(), 2);
        assert_eq!(lines.iter().filter(|line| line.is_empty()).count(), 1);
        let all = lines.join("\n");
        (0..12).for_each(|n| assert!(all.contains(&format!("column-{n}"))));
    }

    #[test]
    fn cells_are_safe_and_short() {
        let path = format!("/home/{}/train", "x".repeat(40));
        let table = table(&[&["id", "path"], &["\u{1b}[2J", &path], &["a\nb", &"long".repeat(20)]]);
        let lines = table.lines(80);
        assert!(!lines.concat().contains(|c: char| c.is_control()), "{lines:?}");
        assert!(lines[1].ends_with("xxxx/train") && lines[2].ends_with('…'), "{lines:?}");
        assert!(lines.iter().all(|line| width(line) <= 40));
        assert_eq!(Table::new(vec!["one".into()], vec![vec!["1".into()]]).lines(80), ["one", "1"]);
    }
}
