//! The machine: how busy it is and was in the last minutes, its GPUs, and what each worker takes of it.

mod lines;
mod spark;

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Pane;
use crate::base::id::RunId;
use crate::record::state::RunState;
use crate::tui::action::{Effect, Motion};
use crate::tui::app::App;
use crate::tui::keymap::Binding;
use crate::tui::layout::Focus;
use crate::tui::meters::{History, Live, Reading, Wish};
use crate::tui::paint::{Row, frame};
use crate::tui::runs::Delta;
use crate::tui::theme::{Role, Theme};

/// What it shows.
#[derive(Debug)]
pub struct System {
    history: History,
    /// The live runs, wherever they run.
    live: BTreeMap<RunId, Live>,
    /// What the meters were asked for.
    wish: Wish,
    /// Lines hidden above the first one seen.
    scroll: usize,
}

impl Default for System {
    fn default() -> Self {
        System { history: History::default(), live: BTreeMap::new(), wish: Wish::Nothing, scroll: 0 }
    }
}

/// What it alone understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {}

/// Its keys.
pub const KEYS: &[Binding] = &[];

/// Does what it alone understands.
pub fn update(_app: &mut App, action: Action) -> Vec<Effect> {
    match action {}
}

/// Scrolls.
pub fn go(app: &mut App, motion: Motion, page: usize) -> Vec<Effect> {
    let last = lines::of(app).len().saturating_sub(page);
    app.system.scroll = motion.from(app.system.scroll, last + 1, page);
    Vec::new()
}

/// Takes what is new in the store: who lives.
pub fn take(app: &mut App, delta: &Delta) {
    for id in &delta.gone {
        app.system.live.remove(id);
    }
    for row in delta.rows.iter().filter(|row| !row.state.is_live()) {
        app.system.live.remove(&row.id);
    }
    for run in &delta.whole {
        match live(run) {
            Some(live) => drop(app.system.live.insert(run.id, live)),
            None => drop(app.system.live.remove(&run.id)),
        }
    }
}

fn live(run: &RunState) -> Option<Live> {
    let process = run.life.process.clone().filter(|_| run.life.status.is_live())?;
    Some(Live { id: run.id, name: run.name.clone(), process, gpu: run.life.gpu.clone() })
}

/// Takes a reading.
pub fn hear(app: &mut App, reading: Reading) {
    if app.system.wish != Wish::Nothing {
        app.meters = Some(reading.clone());
        app.system.history.take(reading);
    }
}

/// The meters are read while something runs or this pane is shown; what happened before a pause is no history of it.
pub fn follow(app: &mut App) -> Vec<Effect> {
    let is_shown = app.layout().bottom.is_some() && app.pane(Focus::Bottom) == Pane::System;
    let wish = match (is_shown, app.runs.any_live()) {
        (true, _) => Wish::All(app.system.live.values().cloned().collect()),
        (false, true) => Wish::Host,
        (false, false) => Wish::Nothing,
    };
    if wish == app.system.wish {
        return Vec::new();
    }
    if wish == Wish::Nothing {
        app.meters = None;
        app.system.history.clear();
    }
    app.system.wish = wish.clone();
    vec![Effect::Measure(wish)]
}

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, focused: bool) {
    let inner = frame(buf, area, &[("System", theme.style(Role::Strong))], focused, theme);
    let inner = Rect { width: inner.width.saturating_sub(1), ..inner };
    let lines = lines::of(app);
    if lines.is_empty() {
        Row::new(buf, inner, 0).gap(1).put("reading the meters", theme.style(Role::Dim));
        return;
    }
    let scroll = app.system.scroll.min(lines.len().saturating_sub(usize::from(inner.height)));
    for (row, line) in (0..inner.height).zip(lines.iter().skip(scroll)) {
        line.draw(theme, &mut Row::new(buf, inner, row));
    }
}

#[cfg(test)]
mod tests;
