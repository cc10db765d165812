//! The last line: what can be pressed here, or what was just done, or the filter as it is typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::app::{App, Notice, Overlay};
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

/// As many keys as there is room for.
fn keys(theme: &Theme, row: &mut Row, app: &App) {
    for bound in app.scopes().into_iter().flat_map(|scope| app.keymap.of(scope)) {
        let (Some(word), Some(key)) = (bound.binding.footer, bound.keys.first()) else { continue };
        let key = key.name();
        if columns(&key) + 1 + columns(word) > row.left() {
            return;
        }
        row.put(&key, theme.style(Role::Accent)).gap(1).put(word, theme.style(Role::Dim)).gap(2);
    }
}
