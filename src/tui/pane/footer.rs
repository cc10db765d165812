//! The last line: what can be pressed here, or what was just done, or the filter as it is typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::app::{App, Notice, Overlay};
use crate::tui::keymap::{Bound, Scope};
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

/// What any pane has, the most useful first; the rest follows as the table has it.
const FIRST: [&str; 11] =
    ["next-pane", "open", "filter", "sort", "compare", "cancel", "retry", "show-log", "palette", "export", "mark"];
/// What has its place at the right end in any case, the last one longest.
const ALWAYS: [&str; 3] = ["add", "quit", "help"];

/// As many keys as there is room for: those of the place itself, then those of any pane.
fn keys(theme: &Theme, row: &mut Row, app: &App) {
    let mut said: Vec<(&Bound, String, &str)> = said(app);
    said.sort_by_key(|(bound, ..)| match bound.binding.scope {
        Scope::Panes => FIRST.iter().position(|name| *name == bound.name).unwrap_or(FIRST.len()) + 1,
        _ => 0,
    });
    let is_always = |bound: &Bound| ALWAYS.contains(&bound.name.as_str());
    let (mut last, first): (Vec<_>, Vec<_>) = said.into_iter().partition(|(bound, ..)| is_always(bound));
    last.sort_by_key(|(bound, ..)| ALWAYS.iter().position(|name| *name == bound.name));
    // Each with a space within and two behind it, where something follows.
    let taken = |(_, key, word): &(&Bound, String, &str)| columns(key) + columns(word) + 3;
    let needed = |last: &[(&Bound, String, &str)]| last.iter().map(taken).sum::<u16>().saturating_sub(2);
    while needed(&last) > row.left() {
        last.remove(0);
    }
    let put = |row: &mut Row, key: &str, word: &str| {
        row.put(key, theme.style(Role::Accent)).gap(1).put(word, theme.style(Role::Dim)).gap(2);
    };
    for one in first {
        if taken(&one) + needed(&last) > row.left() {
            break;
        }
        put(row, &one.1, one.2);
    }
    row.gap(row.left().saturating_sub(needed(&last)));
    last.iter().for_each(|(_, key, word)| put(row, key, word));
}

/// What can be pressed here and has a word for it, with the first of its keys that does nothing else before.
fn said(app: &App) -> Vec<(&Bound, String, &'static str)> {
    let scopes = app.scopes();
    let mut said = Vec::new();
    for (at, &scope) in scopes.iter().enumerate() {
        let before = || scopes[..at].iter().flat_map(|&scope| app.keymap.of(scope));
        for bound in app.keymap.of(scope) {
            let key = bound.keys.iter().find(|key| !before().any(|other| other.keys.contains(key)));
            said.extend(key.zip(bound.binding.footer).map(|(key, word)| (bound, key.name(), word)));
        }
    }
    said
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
            let others = footer.contains("a add") && footer.contains("q quit");
            assert_eq!(others, width >= 30, "{width}: {footer}");
        }
    }

    #[test]
    fn keys_are_named_that_do_here_what_is_said() {
        for (keys, here, elsewhere) in [
            ("", "/ filter", "/ find"),
            ("l", "/ find", "/ filter"),
            ("e", "Space kind on/off", "Space mark"),
            ("3", "/ find", "/ filter"),
        ] {
            let mut app = fixtures::app((200, 40), fixtures::store());
            fixtures::press(&mut app, keys);
            let footer = text(&frame(&app, &UNICODE)).lines().last().unwrap_or_default().to_owned();
            assert!(footer.contains(here) && !footer.contains(elsewhere), "{keys}: {footer}");
        }
        let footer = text(&frame(&fixtures::app((80, 24), fixtures::store()), &UNICODE));
        let footer = footer.lines().last().unwrap_or_default().to_owned();
        for said in ["Enter open", "Tab panes", "/ filter", "s sort", "C compare", "a add", "q quit", "? help"] {
            assert!(footer.contains(said), "{said}: {footer}");
        }
    }
}
