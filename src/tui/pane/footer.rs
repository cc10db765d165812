//! The last line: what can be pressed here, or what was just done, or the filter as it is typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::action::Action;
use crate::tui::app::{App, Notice, Overlay};
use crate::tui::keymap::Bound;
use crate::tui::paint::{Row, columns};
use crate::tui::theme::{Role, Theme};

pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App) {
    let mut row = Row::new(buf, area, 0);
    row.gap(1);
    match (&app.overlay, &app.notice) {
        (Some(Overlay::Prompt(prompt)), _) => {
            let cursor = theme.pick("█", "_");
            row.put(prompt.purpose.label(), theme.style(Role::Accent))
                .put(&prompt.text, theme.style(Role::Strong))
                .put(cursor, theme.style(Role::Accent))
                .gap(3);
            keys(theme, &mut row, app);
        }
        (_, Some(Notice::Done(text))) => {
            row.put(text, theme.style(Role::Good));
        }
        (_, Some(Notice::Wrong(text))) => {
            row.put(text, theme.style(Role::Bad));
        }
        (None, None) if app.orders.leaving => {
            row.put("waiting for the runner's answer; q leaves without it", theme.style(Role::Warning));
        }
        (None, None) if app.orders.under_way > 0 => {
            row.put("asking the runner", theme.style(Role::Dim));
        }
        _ => keys(theme, &mut row, app),
    }
}

/// As many keys as there is room for. Help has its place at the right end in any case.
fn keys(theme: &Theme, row: &mut Row, app: &App) {
    let rows = || app.scopes().into_iter().flat_map(|scope| app.keymap.of(scope));
    let said = |bound: &Bound| Some((bound.keys.first()?.name(), bound.binding.footer?));
    let help = rows().find(|bound| bound.binding.action == Action::Help).and_then(said);
    let reserved = help.as_ref().map_or(0, |(key, word)| columns(key) + columns(word) + 2);
    for (key, word) in rows().filter(|bound| bound.binding.action != Action::Help).filter_map(said) {
        if columns(&key) + 2 + columns(word) + reserved > row.left() {
            break;
        }
        row.put(&key, theme.style(Role::Accent)).gap(1).put(word, theme.style(Role::Dim)).gap(2);
    }
    if let Some((key, word)) = help.filter(|_| reserved <= row.left()) {
        row.gap(row.left() - reserved + 1);
        row.put(&key, theme.style(Role::Accent)).gap(1).put(word, theme.style(Role::Dim));
    }
}

#[cfg(test)]
mod tests {
    use crate::tui::fixtures::{self, UNICODE, frame, text};

    #[test]
    fn help_is_named_at_any_width() {
        for width in [12, 30, 60, 80, 200] {
            let footer = text(&frame(&fixtures::app((width, 24), fixtures::store()), &UNICODE));
            let footer = footer.lines().last().unwrap_or_default().to_owned();
            assert!(footer.ends_with("? help"), "{width}: {footer}");
        }
    }
}
