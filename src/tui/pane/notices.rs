//! What happened lately: the newest in the header, all of it on a page.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::app::App;
use crate::tui::notices::Kind;
use crate::tui::paint::{Row, columns, popup};
use crate::tui::theme::{Role, Theme};

/// Columns of the header that are left to what else stands there.
const LEFT: u16 = 20;

fn role(kind: Kind) -> Role {
    match kind {
        Kind::Finished => Role::Good,
        Kind::Failed => Role::Bad,
        Kind::Advice => Role::Warning,
    }
}

/// Draws the newest at the right of the header, and gives what is left of it; why the store cannot be read comes first.
pub fn headline(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App) -> Rect {
    let (text, role) = match (&app.notices.trouble, app.notices.newest()) {
        (Some(trouble), _) => (trouble, Role::Bad),
        (None, Some(told)) => (&told.text, role(told.kind)),
        (None, None) => return area,
    };
    let width = columns(text).saturating_add(2).min(area.width.saturating_sub(LEFT.min(area.width / 4)));
    let place = Rect { x: area.right() - width, width, ..area };
    Row::new(buf, place, 0).gap(1).put(text, theme.style(role));
    Rect { width: area.width - width, ..area }
}

/// Draws the page; `scroll` of them are hidden above.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, scroll: usize) {
    let kept = &app.notices.kept;
    let height = u16::try_from(kept.len().max(1)).unwrap_or(u16::MAX).saturating_add(2);
    let size = (area.width.saturating_sub(4).min(110), height.min(area.height.saturating_sub(2)));
    let inner = popup(buf, area, size, "What happened lately", theme);
    if kept.is_empty() {
        Row::new(buf, inner, 0).put("nothing since the dashboard was opened", theme.style(Role::Dim));
    }
    let scroll = scroll.min(kept.len().saturating_sub(usize::from(inner.height)));
    for (row, told) in (0..inner.height).zip(kept.iter().skip(scroll)) {
        let time = told.time.map_or_else(|| " ".repeat(8), |time| time.local_time());
        Row::new(buf, inner, row)
            .put(&time, theme.style(Role::Dim))
            .gap(2)
            .put(&format!("{:<8}", told.kind.name()), theme.style(role(told.kind)))
            .gap(1)
            .put(&told.text, theme.style(Role::Plain));
    }
}

#[cfg(test)]
mod tests {
    use crate::tui::action::News;
    use crate::tui::fixtures::{self, UNICODE, frame, text};
    use crate::tui::runs::Delta;
    use crate::tui::update::hear;

    #[test]
    fn the_counts_beside_it_are_whole() {
        for width in 1..120 {
            let mut app = fixtures::app((width, 10), fixtures::store());
            let whole = text(&frame(&app, &UNICODE)).lines().next().unwrap_or_default().to_owned();
            hear(&mut app, News::Runs(Delta { listed: Some(Err("X is gone".into())), ..Delta::default() }));
            let header = text(&frame(&app, &UNICODE)).lines().next().unwrap_or_default().to_owned();
            let counts = header.split('X').next().unwrap_or_default().trim_end();
            let rest = whole.strip_prefix(counts).unwrap_or_default();
            assert!(rest.is_empty() || rest.starts_with(' ') || counts.len() <= " finetop".len(), "{width}: {header}");
        }
    }
}
