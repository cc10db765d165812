//! The files at the left, at the right what the chosen one would do or its text, and below what is typed and the command
//! that does the same.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::form::{Field, candidates};
use super::{Add, Verdict, View};
use crate::base::text::{counted, grouped, printable};
use crate::tui::app::App;
use crate::tui::layout::first_row;
use crate::tui::library::{Preview, Problem};
use crate::tui::paint::{Row, popup, wrapped};
use crate::tui::theme::{Role, Theme};

/// Where its parts are.
struct Parts {
    files: Rect,
    about: Rect,
    form: Rect,
}

/// Size of the dialog on a screen.
fn size(screen: Size) -> (u16, u16) {
    (screen.width.saturating_sub(4).min(130), screen.height.saturating_sub(2).min(44))
}

/// Side by side where there is room, else one above the other.
fn parts(inner: Rect, lists: bool) -> Parts {
    let below = if inner.height >= 9 { 4 } else { inner.height.min(1) };
    let form = Rect { y: inner.y + inner.height - below, height: below, ..inner };
    let upper = Rect { height: inner.height - below, ..inner };
    if !lists {
        return Parts { files: Rect { height: 0, ..upper }, about: upper, form };
    }
    if upper.width >= 70 {
        let width = upper.width / 3;
        let about = Rect { x: upper.x + width + 2, width: upper.width - width - 2, ..upper };
        return Parts { files: Rect { width, ..upper }, about, form };
    }
    let height = upper.height / 3;
    let about = Rect { y: upper.y + height, height: upper.height - height, ..upper };
    Parts { files: Rect { height, ..upper }, about, form }
}

/// Lines of what is shown of the chosen file, and the rows that it has for them.
pub fn length(screen: Size, add: &Add) -> (usize, usize) {
    let (width, height) = size(screen);
    // As a popup has it: a frame, and a column within it at each side.
    let inner = Rect::new(0, 0, width.saturating_sub(4), height.saturating_sub(2));
    let about = parts(inner, add.files.run.is_none()).about;
    (page(add, about.width).len(), usize::from(about.height))
}

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, add: &Add) {
    let title = match &add.files.run {
        Some(run) => format!("Queue {} again", printable(run)),
        None => "Add an experiment".to_owned(),
    };
    let inner = popup(buf, area, size(app.screen.size), &title, theme);
    let Some(files) = &add.files.all else {
        Row::new(buf, inner, 0).put("looking for experiment files", theme.style(Role::Dim));
        return;
    };
    if files.is_empty() {
        let text = "there is no .yaml file in this folder or in the folders in it";
        Row::new(buf, inner, 0).put(text, theme.style(Role::Dim));
        return;
    }
    let parts = parts(inner, add.files.run.is_none());
    draw_files(theme, parts.files, buf, add);
    for (row, line) in (0..parts.about.height).zip(page(add, parts.about.width).iter().skip(add.page.scroll)) {
        Row::new(buf, parts.about, row).put(&line.0, theme.style(line.1));
    }
    draw_form(theme, parts.form, buf, add);
}

fn draw_files(theme: &Theme, area: Rect, buf: &mut Buffer, add: &Add) {
    let filter = add.form.text(Field::Filter);
    let is_filtered = !filter.is_empty() || add.form.typed() == Some(Field::Filter);
    if is_filtered {
        let mut row = Row::new(buf, area, 0);
        row.put("/", theme.style(Role::Accent)).put(filter, theme.style(Role::Strong));
        cursor(theme, &mut row, add, Field::Filter);
    }
    let head = u16::from(is_filtered).min(area.height);
    let area = Rect { y: area.y + head, height: area.height - head, ..area };
    if add.files.shown.is_empty() {
        Row::new(buf, area, 0).put("no file has these letters", theme.style(Role::Dim));
    }
    let first = first_row(add.files.shown.len(), add.files.place, usize::from(area.height));
    for (row, (index, file)) in (0..area.height).zip(add.files.shown.iter().enumerate().skip(first)) {
        let (glyph, role) = match add.known.checks.get(file).map(|(_, check)| &check.verdict) {
            None => (" ", Role::Dim),
            Some(Verdict::Good(_)) => (theme.pick("✓", "+"), Role::Good),
            Some(Verdict::Mistaken(_)) => (theme.pick("✗", "x"), Role::Bad),
        };
        let mut row = Row::new(buf, area, row);
        row.put(glyph, theme.style(role)).gap(1).put(&file.to_string_lossy(), theme.style(Role::Plain));
        if add.edited.as_ref().is_some_and(|edited| edited.path == *file) {
            row.gap(1).put("edited", theme.style(Role::Warning));
        }
        if index == add.files.place {
            row.over(theme.selected());
        }
    }
}

type Line<'a> = (Cow<'a, str>, Role);

/// What is shown of the chosen file, in lines of at most `columns` columns.
fn page(add: &Add, columns: u16) -> Vec<Line<'_>> {
    let Some((check, _)) = add.check() else { return Vec::new() };
    let broken = |text: &str, role: Role| -> Vec<Line<'static>> {
        wrapped(text, usize::from(columns)).into_iter().map(|line| (Cow::Owned(line), role)).collect()
    };
    match (add.page.view, &check.verdict) {
        (View::Yaml, verdict) => yaml(&check.text, verdict),
        (View::Preview, Verdict::Mistaken(problems)) => {
            let line = |problem: &Problem| {
                let hint = problem.hint.iter().flat_map(|hint| broken(&format!("  {hint}"), Role::Dim));
                broken(&problem.words, Role::Bad).into_iter().chain(hint).collect::<Vec<_>>()
            };
            problems.iter().flat_map(line).collect()
        }
        (View::Preview, Verdict::Good(preview)) => {
            good(preview).iter().flat_map(|(text, role)| broken(text, *role)).collect()
        }
    }
}

fn good(preview: &Preview) -> Vec<(String, Role)> {
    let mut lines = Vec::new();
    let is_sweep = preview.runs.len() > 1;
    if is_sweep {
        lines.push((format!("a sweep of {} runs, the first:", grouped(preview.runs.len())), Role::Strong));
    }
    lines.extend(preview.about.iter().map(|text| (text.clone(), Role::Plain)));
    lines.extend(preview.notes.iter().map(|note| (format!("note: {note}"), Role::Warning)));
    if is_sweep {
        lines.push((String::new(), Role::Plain));
        lines.push((format!("its {}:", counted(preview.runs.len() as u64, "run")), Role::Dim));
        lines.extend(preview.runs.iter().map(|name| (name.clone(), Role::Plain)));
    }
    lines
}

/// The text with its lines' numbers, and what is wrong with them right below.
fn yaml<'a>(text: &'a str, verdict: &Verdict) -> Vec<Line<'a>> {
    let problems = if let Verdict::Mistaken(problems) = verdict { problems.as_slice() } else { &[] };
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let mut wrong = problems.iter().filter(|problem| problem.line == Some(number)).peekable();
        let role = if wrong.peek().is_some() { Role::Bad } else { Role::Plain };
        lines.push((Cow::Owned(format!("{number:>4}  {line}")), role));
        lines.extend(wrong.map(|problem| (Cow::Owned(format!("      ^ {}", problem.words)), Role::Warning)));
    }
    lines
}

/// The lines that are typed, what can be typed, and the command; where there is one row, what is typed.
fn draw_form(theme: &Theme, area: Rect, buf: &mut Buffer, add: &Add) {
    let typed = add.form.typed().filter(|&field| field != Field::Filter);
    if area.height < 4 {
        match typed {
            Some(field) => draw_fields(theme, area, 0, buf, add, &[field]),
            None => draw_command(theme, area, 0, buf, add),
        }
        return;
    }
    draw_fields(theme, area, 1, buf, add, &[Field::Changes]);
    match typed {
        Some(Field::Changes) => draw_help(theme, area, buf, add),
        _ => draw_fields(theme, area, 2, buf, add, &[Field::Group, Field::Priority, Field::After]),
    }
    draw_command(theme, area, 3, buf, add);
}

fn draw_fields(theme: &Theme, area: Rect, row: u16, buf: &mut Buffer, add: &Add, fields: &[Field]) {
    let mut row = Row::new(buf, area, row);
    for &field in fields {
        let is_typed = add.form.typed() == Some(field);
        let role = if is_typed { Role::Accent } else { Role::Dim };
        row.put(label(field), theme.style(role)).gap(1);
        let text = add.form.text(field);
        match text {
            "" if !is_typed => row.put(unsaid(add, field).unwrap_or(theme.pick("–", "-")), theme.style(Role::Dim)),
            // The end is what is typed at.
            text => row.put(&end_of(text, usize::from(row.left().saturating_sub(1))), theme.style(Role::Strong)),
        };
        cursor(theme, &mut row, add, field);
        row.gap(3);
    }
}

/// What holds where nothing is typed.
fn unsaid(add: &Add, field: Field) -> Option<&str> {
    match (field, &add.check()?.0.verdict) {
        (Field::Group, Verdict::Good(preview)) => preview.group.as_deref(),
        _ => None,
    }
}

fn cursor(theme: &Theme, row: &mut Row, add: &Add, field: Field) {
    if add.form.typed() == Some(field) {
        row.put(theme.pick("█", "_"), theme.style(Role::Accent));
    }
}

fn label(field: Field) -> &'static str {
    match field {
        Field::Filter => "/",
        Field::Changes => "override",
        Field::Group => "group",
        Field::Priority => "priority",
        Field::After => "wait for",
    }
}

/// The last columns of a text.
fn end_of(text: &str, columns: usize) -> String {
    let text = printable(text);
    let ends = text.char_indices().map(|(at, _)| &text[at..]);
    ends.chain([""]).find(|end| crate::base::text::width(end) <= columns).unwrap_or_default().to_owned()
}

/// The keys that can be typed, or what the only one takes.
fn draw_help(theme: &Theme, area: Rect, buf: &mut Buffer, add: &Add) {
    let (keys, _) = candidates(add.form.text(Field::Changes));
    let text = match &*keys {
        [] => String::new(),
        [one] => format!("{}: {}. {}", one.name(), one.expected(), one.about),
        several => several.iter().map(|key| key.name()).collect::<Vec<_>>().join(" "),
    };
    Row::new(buf, area, 2).put(&text, theme.style(Role::Dim));
}

fn draw_command(theme: &Theme, area: Rect, row: u16, buf: &mut Buffer, add: &Add) {
    let mut row = Row::new(buf, area, row);
    let is_current = add.check().is_some_and(|(_, is_current)| is_current);
    let Some(draft) = add.draft() else { return };
    let is_edited = draft.text.is_some();
    let text = match add.form.order(draft) {
        Ok(_) if is_edited => "the edited text is queued, the file stays as it is".to_owned(),
        Ok(order) => format!("$ {}", order.command()),
        Err(problem) => {
            row.put(&problem, theme.style(Role::Bad));
            return;
        }
    };
    row.put(&text, theme.style(if is_current { Role::Accent } else { Role::Dim }));
}
