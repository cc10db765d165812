//! The confusion matrix as a heat map: a row for each class with its figures, a column for what it was taken for.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};

use crate::base::text::{metric, truncated, width};
use crate::record::event::Confusion;
use crate::tui::layout::first_row;
use crate::tui::paint::Row;
use crate::tui::theme::{Colors, Role, Theme};

/// Widest column of the names of the true classes.
const NAMES: u16 = 16;
/// Widest column of a predicted class.
const WIDEST: u16 = 14;
/// Columns of precision, recall, F1 and support.
const FIGURES: [(&str, u16); 4] = [("precision", 11), ("recall", 8), ("F1", 8), ("support", 9)];
/// Lines besides those of the classes: the heads of the columns and the figures of all.
const OTHERS: u16 = 2;

/// What of the matrix is where.
#[derive(Debug)]
pub struct Plan<'a> {
    confusion: &'a Confusion,
    names: &'a [String],
    /// True and predicted class.
    cell: (usize, usize),
    area: Rect,
    /// Columns of the names of the true classes.
    label: u16,
    /// Columns of a predicted class.
    column: u16,
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
    has_figures: bool,
}

impl<'a> Plan<'a> {
    /// The part of the matrix around `cell` that fits into `area`.
    pub fn of(confusion: &'a Confusion, names: &'a [String], cell: (usize, usize), area: Rect) -> Plan<'a> {
        let classes = confusion.classes();
        let cell = (cell.0.min(classes.saturating_sub(1)), cell.1.min(classes.saturating_sub(1)));
        let longest = (0..classes).map(|class| width(&name(names, class))).max().unwrap_or(0);
        let longest = u16::try_from(longest).unwrap_or(u16::MAX);
        let label = longest.clamp(6, NAMES).min(area.width / 3) + 1;
        let most = confusion.counts.iter().flatten().max().copied().unwrap_or(0);
        let narrowest = u16::try_from(most.to_string().len()).unwrap_or(20) + 3;
        let figures: u16 = FIGURES.iter().map(|(_, width)| width).sum();
        let has_figures = area.width >= label + figures + narrowest.saturating_mul(3.min(classes as u16));
        let room = area.width.saturating_sub(label + if has_figures { figures } else { 0 });
        let even = room / u16::try_from(classes.max(1)).unwrap_or(u16::MAX);
        let column = even.min(longest.saturating_add(2).min(WIDEST)).max(narrowest);
        // What is below the matrix wants a few lines, where there are many.
        let spare = if area.height >= 12 { area.height / 3 } else { u16::from(area.height >= 6) };
        // A class at least, and rather than the figures of all.
        let least = area.height.saturating_sub(1).min(1);
        let fitting = usize::from(area.height.saturating_sub(OTHERS + spare).max(least)).min(classes);
        let first = first_row(classes, cell.0, fitting);
        let across = usize::from(room / column).min(classes);
        let left = first_row(classes, cell.1, across);
        let (rows, columns) = (first..first + fitting, left..left + across);
        Plan { confusion, names, cell, area, label, column, rows, columns, has_figures }
    }

    /// What it leaves below.
    pub fn below(&self) -> Rect {
        let taken = (OTHERS + u16::try_from(self.rows.len()).unwrap_or(u16::MAX)).min(self.area.height);
        Rect { y: self.area.y + taken, height: self.area.height - taken, ..self.area }
    }

    /// The cell at a position of the screen.
    pub fn at(&self, position: Position) -> Option<(usize, usize)> {
        let row = position.y.checked_sub(self.area.y + 1)?;
        let column = position.x.checked_sub(self.area.x + self.label)? / self.column;
        let (label, predicted) = (self.rows.start + usize::from(row), self.columns.start + usize::from(column));
        (self.rows.contains(&label) && self.columns.contains(&predicted)).then_some((label, predicted))
    }

    /// Draws the matrix and the line of the figures of all classes.
    pub fn draw(&self, theme: &Theme, buf: &mut Buffer, is_light: bool) {
        self.heads(theme, buf);
        for (line, class) in (1..).zip(self.rows.clone()) {
            self.class(theme, buf, line, class, is_light);
        }
        let line = 1 + u16::try_from(self.rows.len()).unwrap_or(u16::MAX);
        self.all(theme, buf, line);
    }

    fn heads(&self, theme: &Theme, buf: &mut Buffer) {
        let mut row = Row::new(buf, self.area, 0);
        let corner = theme.pick("true ╲ as", "true \\ as");
        put_left(&mut row, corner, self.label, theme.style(Role::Dim));
        for class in self.columns.clone() {
            let role = if class == self.cell.1 { Role::Strong } else { Role::Dim };
            put_right(&mut row, &name(self.names, class), self.column, theme.style(role));
        }
        if self.has_figures {
            FIGURES.iter().for_each(|(head, width)| put_right(&mut row, head, *width, theme.style(Role::Dim)));
        }
    }

    fn class(&self, theme: &Theme, buf: &mut Buffer, line: u16, class: usize, is_light: bool) {
        let mut row = Row::new(buf, self.area, line);
        let role = if class == self.cell.0 { Role::Strong } else { Role::Plain };
        put_left(&mut row, &name(self.names, class), self.label, theme.style(role));
        let of = self.confusion.of_class(class);
        for predicted in self.columns.clone() {
            let count = self.confusion.count(class, predicted);
            let share = if of.support > 0 { count as f64 / of.support as f64 } else { 0.0 };
            let is_chosen = (class, predicted) == self.cell;
            let text = cell_text(theme, count, share, usize::from(self.column), is_chosen);
            row.put(&text, heat(theme, share, class == predicted, is_light));
        }
        if self.has_figures {
            let figures = [of.precision, of.recall, of.f1].map(|value| value.map_or_else(|| "-".to_owned(), metric));
            let texts = figures.into_iter().chain([of.support.to_string()]);
            for (text, (_, width)) in texts.zip(FIGURES) {
                put_right(&mut row, &text, width, theme.style(Role::Plain));
            }
        }
    }

    fn all(&self, theme: &Theme, buf: &mut Buffer, line: u16) {
        let shown = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), metric);
        let Confusion { epoch, .. } = self.confusion;
        let (right, total) = (self.confusion.right(), self.confusion.total());
        Row::new(buf, self.area, line)
            .put("accuracy ", theme.style(Role::Dim))
            .put(&shown(self.confusion.accuracy()), theme.style(Role::Strong))
            .put(&format!("  {right} of {total}  macro F1 "), theme.style(Role::Dim))
            .put(&shown(self.confusion.macro_f1()), theme.style(Role::Strong))
            .put(&format!("  epoch {epoch}"), theme.style(Role::Dim));
    }
}

/// A class in words.
pub fn name(names: &[String], class: usize) -> String {
    names.get(class).map_or_else(|| class.to_string(), |name| crate::base::text::printable(name))
}

fn put_left(row: &mut Row, text: &str, columns: u16, style: Style) {
    let text = truncated(text, usize::from(columns.saturating_sub(1)));
    let rest = columns.saturating_sub(u16::try_from(width(&text)).unwrap_or(u16::MAX));
    row.put(&text, style).gap(rest);
}

fn put_right(row: &mut Row, text: &str, columns: u16, style: Style) {
    let text = truncated(text, usize::from(columns.saturating_sub(1)));
    let before = columns.saturating_sub(u16::try_from(width(&text)).unwrap_or(u16::MAX));
    row.gap(before).put(&text, style);
}

/// The count, with a bar for its share where colours do not tell it, and brackets around the chosen one.
fn cell_text(theme: &Theme, count: u64, share: f64, columns: usize, is_chosen: bool) -> String {
    let bar = match theme.colors {
        Colors::True => ' ',
        _ => bar(theme, share),
    };
    let [left, right] = if is_chosen { ['[', ']'] } else { [' ', ' '] };
    let count = if count == 0 { theme.pick("·", ".").to_owned() } else { count.to_string() };
    format!("{left}{count:>digits$}{bar}{right}", digits = columns.saturating_sub(3))
}

/// A bar as high as a share.
fn bar(theme: &Theme, share: f64) -> char {
    const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const ASCII: [char; 9] = [' ', '.', ':', '-', '=', '+', '*', '#', '@'];
    let place = (share.clamp(0.0, 1.0) * 8.0).ceil() as usize;
    if theme.ascii { ASCII[place] } else { BARS[place] }
}

/// What is right glows in one colour, what is wrong in another, the more the larger its share of the class.
fn heat(theme: &Theme, share: f64, is_right: bool, is_light: bool) -> Style {
    if theme.colors != Colors::True {
        let style = theme.style(if is_right { Role::Good } else { Role::Bad });
        return match share {
            share if share >= 0.75 => style.add_modifier(Modifier::REVERSED | Modifier::BOLD),
            share if share >= 0.4 => style.add_modifier(Modifier::REVERSED),
            share if share >= 0.1 => style.add_modifier(Modifier::BOLD),
            share if share > 0.0 => style,
            _ => theme.style(Role::Dim),
        };
    }
    let cold = if is_light { [0xec, 0xee, 0xf2] } else { [0x1d, 0x22, 0x2c] };
    let hot = if is_right { [0x4c, 0xa6, 0x5a] } else { [0xe0, 0x4f, 0x5a] };
    // The root, so that a few among many are seen.
    let share = share.clamp(0.0, 1.0).sqrt();
    let mix = |at: usize| (f64::from(cold[at]) * (1.0 - share) + f64::from(hot[at]) * share) as u8;
    let [r, g, b] = [mix(0), mix(1), mix(2)];
    let is_bright = 299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b) > 110_000;
    let text = if is_bright { Color::Rgb(0x10, 0x12, 0x18) } else { Color::Rgb(0xe8, 0xea, 0xf0) };
    Style::new().bg(Color::Rgb(r, g, b)).fg(text)
}
