//! What happened to the chosen run, the newest first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::clock::Timestamp;
use crate::record::event::{Event, Line};
use crate::record::state::RunState;
use crate::record::words;
use crate::tui::action::{Effect, Motion};
use crate::tui::app::App;
use crate::tui::format;
use crate::tui::keymap::Binding;
use crate::tui::paint::{Row, frame};
use crate::tui::theme::{Role, Theme};

/// Which of them are seen.
#[derive(Debug, Default)]
pub struct Events {
    /// Newer lines hidden above the first one seen.
    pub scroll: usize,
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
    let last = app.run().map_or(0, |run| length(run)).saturating_sub(page);
    app.events.scroll = motion.from(app.events.scroll, last + 1, page);
    Vec::new()
}

/// Another run is chosen.
pub fn chosen(app: &mut App) -> Vec<Effect> {
    app.events.scroll = 0;
    Vec::new()
}

/// Draws it.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, focused: bool) {
    let (run, scroll) = (app.run(), app.events.scroll);
    let title = [("Events", theme.style(Role::Strong))];
    let inner = frame(buf, area, &title, focused, theme);
    let Some(run) = run else { return };
    let lines = ending(run).into_iter().chain(happenings(run)).chain(beginning(run));
    for (row, happening) in (0..inner.height).zip(lines.skip(scroll)) {
        Row::new(buf, inner, row)
            .gap(1)
            .put(&happening.time.local_time(), theme.style(Role::Dim))
            .gap(1)
            .put(&format!("{:<6}", happening.kind), theme.style(happening.role(theme)))
            .gap(1)
            .put(&happening.text, theme.style(happening.text_role(theme)));
    }
}

/// A line of the pane.
struct Happening<'a> {
    time: Timestamp,
    kind: &'static str,
    text: String,
    /// None for what the runner did.
    event: Option<&'a Event>,
}

impl Happening<'_> {
    fn role(&self, theme: &Theme) -> Role {
        self.event.map_or(Role::Dim, |event| theme.event(event))
    }

    fn text_role(&self, theme: &Theme) -> Role {
        match self.event {
            Some(Event::Epoch(_) | Event::PhaseStarted(_) | Event::RunStarted(_)) => Role::Plain,
            Some(event) => theme.event(event),
            None => Role::Plain,
        }
    }
}

/// Lines that say the same as others, or nothing to a person, are left out.
fn is_shown(event: &Event) -> bool {
    !matches!(event, Event::Confusion(_) | Event::Samples(_) | Event::Checkpoint(_) | Event::Unknown)
}

fn happenings(run: &RunState) -> impl Iterator<Item = Happening<'_>> {
    let of_line = |line: &'_ Line<Event>| (line.time, words::kind(&line.event), words::words(&line.event));
    run.training.feed.iter().rev().filter(|line| is_shown(&line.event)).map(move |line| {
        let (time, kind, text) = of_line(line);
        Happening { time, kind, text, event: Some(&line.event) }
    })
}

/// How many lines there are about `run`.
pub fn length(run: &RunState) -> usize {
    let happenings = run.training.feed.iter().filter(|line| is_shown(&line.event)).count();
    happenings + ending(run).iter().len() + beginning(run).count()
}

fn ending(run: &RunState) -> Option<Happening<'_>> {
    let (time, text) = (run.life.ended?, format::ending(run)?);
    Some(Happening { time, kind: "end", text, event: None })
}

fn beginning(run: &RunState) -> impl Iterator<Item = Happening<'_>> {
    let started = run.life.started.map(|time| {
        let host = run.life.host.as_deref().unwrap_or("this machine");
        (time, "run", format!("attempt {} started on {host}", run.life.attempts))
    });
    let queued = run.life.queued.map(|time| (time, "queue", "queued".to_owned()));
    started.into_iter().chain(queued).map(|(time, kind, text)| Happening { time, kind, text, event: None })
}
