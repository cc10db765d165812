//! Whether a run is to be cancelled.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::id::RunId;
use crate::record::state::RunState;
use crate::tui::paint::{Row, columns, popup};
use crate::tui::theme::{Role, Theme};

pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, run: Option<&RunState>, id: RunId) {
    let question = format!("Cancel {id} {}?", run.map_or("", |run| &run.name));
    let what = match run {
        Some(run) if run.status().is_live() => "Its worker writes a checkpoint and stops.",
        _ => "It will not be started.",
    };
    let width = columns(&question).max(columns(what)).max(20) + 6;
    let inner = popup(buf, area, (width, 6), "Question", theme);
    Row::new(buf, inner, 0).put(&question, theme.style(Role::Strong));
    Row::new(buf, inner, 1).put(what, theme.style(Role::Dim));
    Row::new(buf, inner, 3)
        .put("y", theme.style(Role::Accent))
        .put(" yes   ", theme.style(Role::Plain))
        .put("n", theme.style(Role::Accent))
        .put(" no", theme.style(Role::Plain));
}
