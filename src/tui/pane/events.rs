//! What happened to the chosen run, the newest first: filtered by kind, searched, and led from to the curve and the log.

mod draw;
mod feed;
mod happening;
mod seeking;

use crossterm::event::KeyCode;
use ratatui::layout::{Position, Rect};

pub use self::draw::draw;
use self::feed::Feed;
pub use self::feed::Kinds;
use self::happening::{Happening, Kind};
use self::seeking::Near;
pub use self::seeking::{Seeking, Sought};
use super::Tab;
use crate::record::event::Event;
use crate::record::state::RunState;
use crate::tui::action::{Action as Any, Effect, Motion};
use crate::tui::app::{App, Notice, Overlay};
use crate::tui::job::Job;
use crate::tui::keymap::key::{Key, key, letter};
use crate::tui::keymap::{Binding, ESC, Scope, binding};
use crate::tui::layout::Focus;
use crate::tui::prompt::{Prompt, Purpose};
use crate::tui::search::{Pattern, Way};

/// Which of the lines are seen, and how.
#[derive(Debug, Default)]
pub struct Events {
    feed: Feed,
    /// The chosen line, counted from the oldest; None is the newest, whatever comes.
    chosen: Option<usize>,
    pub kinds: Kinds,
    /// The kind that a key turns on or off, one of [`Kind::ALL`].
    kind: usize,
    /// Whether long lines are wrapped, not cut.
    pub wrapped: bool,
    pattern: Option<Pattern>,
}

/// What it alone understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    NextKind,
    PreviousKind,
    Turn,
    Only,
    ToCurve,
    ToLog,
    Wrap,
    Find,
    Next(Way),
    Leave,
}

/// Its keys.
pub const KEYS: &[Binding] = &[
    row(&[letter('i'), key(KeyCode::Enter)], Action::ToCurve, "its place on the curve", Some("curve")),
    row(&[letter('o')], Action::ToLog, "its place in the log", Some("in the log")),
    row(&[key(KeyCode::Right)], Action::NextKind, "next kind of events", None),
    row(&[key(KeyCode::Left)], Action::PreviousKind, "kind before", None),
    row(&[letter(' ')], Action::Turn, "show this kind, or not", Some("kind on/off")),
    row(&[letter('F')], Action::Only, "this kind alone, or all", Some("only")),
    row(&[letter('/')], Action::Find, "find", Some("find")),
    row(&[letter('n')], Action::Next(Way::Forward), "next place that was found", None),
    row(&[letter('N')], Action::Next(Way::Backward), "the place before", None),
    row(&[letter('w')], Action::Wrap, "wrap long lines, or cut them", Some("wrap")),
    row(ESC, Action::Leave, "end the search; back", None),
];

const fn row(keys: &'static [Key], action: Action, help: &'static str, footer: Option<&'static str>) -> Binding {
    binding(Scope::Events, keys, Any::Events(action), help, footer)
}

/// Does what it alone understands.
pub fn update(app: &mut App, action: Action) -> Vec<Effect> {
    let events = &mut app.events;
    let kinds = Kind::ALL.len();
    match action {
        Action::NextKind => events.kind = (events.kind + 1) % kinds,
        Action::PreviousKind => events.kind = (events.kind + kinds - 1) % kinds,
        Action::Turn => events.kinds.turn(Kind::ALL[events.kind]),
        Action::Only => {
            let only = Kinds::only(Kind::ALL[events.kind]);
            events.kinds = if events.kinds == only { Kinds::all() } else { only };
        }
        Action::Wrap => events.wrapped = !events.wrapped,
        Action::Find => app.overlay = Some(Overlay::Prompt(Prompt { purpose: Purpose::Find, text: String::new() })),
        Action::Next(way) => {
            let effects = next(app, way);
            refresh(app);
            return effects;
        }
        Action::ToCurve => to_curve(app),
        Action::ToLog => return to_log(app),
        Action::Leave if events.pattern.take().is_some() => {}
        Action::Leave => return crate::tui::update::update(app, Any::Back),
    }
    refresh(app);
    Vec::new()
}

/// Takes what came since; called whenever anything did.
pub fn refresh(app: &mut App) {
    let Some(run) = app.runs.chosen().and_then(|id| app.runs.whole(id)) else { return };
    let events = &mut app.events;
    events.chosen = events.feed.refresh(run, events.kinds, events.chosen);
}

impl Events {
    /// The chosen line, counted from the oldest; 0 where there is none.
    fn at(&self) -> usize {
        let newest = self.feed.len().saturating_sub(1);
        self.chosen.map_or(newest, |at| at.min(newest))
    }

    /// Chooses a line; the newest stays the newest.
    fn choose(&mut self, at: usize) {
        self.chosen = Some(at).filter(|&at| at + 1 < self.feed.len());
    }

    /// The chosen line and its run.
    fn line<'a>(&self, run: &'a RunState) -> Option<Happening<'a>> {
        self.feed.get(run, self.at())
    }
}

/// Goes to other lines: down is older.
pub fn go(app: &mut App, motion: Motion, page: usize) -> Vec<Effect> {
    let events = &mut app.events;
    let rows = events.feed.len();
    let row = motion.from(rows.saturating_sub(1) - events.at(), rows, page);
    events.choose(rows.saturating_sub(1) - row);
    Vec::new()
}

/// Chooses the line at a position, or turns the kind that stands there.
pub fn click(app: &mut App, area: Rect, position: Position) -> Vec<Effect> {
    if position.y == area.y {
        if let Some(kind) = draw::kind_at(app, area, position.x) {
            app.events.kind = kind;
            return update(app, Action::Turn);
        }
    } else if let Some(at) = draw::line_at(app, area, position.y) {
        app.events.choose(at);
    }
    Vec::new()
}

/// Another run is chosen.
pub fn chosen(app: &mut App) -> Vec<Effect> {
    let is_another = app.events.feed.run() != app.runs.chosen();
    if is_another {
        app.events.chosen = None;
        refresh(app);
    }
    Vec::new()
}

/// A line is being typed that is to be found.
pub fn look_for(app: &mut App, typed: &str) {
    app.events.pattern = Pattern::new(typed);
}

/// It was typed: the chosen line has it, or the next one that does is chosen.
pub fn find(app: &mut App) -> Vec<Effect> {
    let is_here = app.run().and_then(|run| app.events.line(run)).is_some_and(|line| {
        let words = line.words();
        app.events.pattern.as_ref().is_none_or(|pattern| pattern.is_in(&words))
    });
    if is_here { Vec::new() } else { next(app, Way::Forward) }
}

fn next(app: &mut App, way: Way) -> Vec<Effect> {
    let events = &app.events;
    let (Some(run), Some(pattern)) = (app.run(), &events.pattern) else { return Vec::new() };
    let newest = events.feed.len().saturating_sub(1);
    match seeking::near(run, &events.feed, pattern, newest - events.at(), way) {
        Near::Found(at) => app.events.choose(at),
        Near::Nothing => not_found(app),
        Near::Far(seeking) => {
            app.notice =
                Some(Notice::Done(format!("looking for `{}` among {} events", pattern.typed(), events.feed.len())));
            return vec![Effect::Do(Job::Seek(Box::new(seeking)))];
        }
    }
    Vec::new()
}

/// A search that was long came to its end; something else may be looked for by now.
pub fn sought(app: &mut App, sought: Sought) -> Vec<Effect> {
    if app.events.feed.run() == Some(sought.run) && app.events.pattern.as_ref() == Some(&sought.pattern) {
        match sought.place.and_then(|place| app.events.feed.find(place)) {
            Some(at) => {
                app.events.choose(at);
                app.notice = None;
            }
            None => not_found(app),
        }
    }
    Vec::new()
}

fn not_found(app: &mut App) {
    if let Some(pattern) = &app.events.pattern {
        app.notice = Some(Notice::Wrong(format!("`{}` is not in the events", pattern.typed())));
    }
}

/// Shows the chosen line's epoch on the curves.
fn to_curve(app: &mut App) {
    let epoch = app.run().and_then(|run| epoch_of(app, run));
    match epoch {
        Some(epoch) => {
            app.screen.focus = Focus::Run;
            app.screen.comparing = false;
            app.curves.show_epoch(epoch);
        }
        None => app.notice = Some(Notice::Wrong("no epoch was trained before this".into())),
    }
}

/// The epoch of the chosen line; where it is about none, the last one that was over before it.
fn epoch_of(app: &App, run: &RunState) -> Option<u32> {
    let line = app.events.line(run)?;
    let before = || {
        let mut before = run.training.feed.iter().rev().filter(|other| other.time <= line.time());
        before.find_map(|other| match &other.event {
            Event::Epoch(epoch) => Some(epoch.epoch),
            _ => None,
        })
    };
    line.epoch(run).filter(|&epoch| epoch > 0).or_else(before)
}

fn to_log(app: &mut App) -> Vec<Effect> {
    let time = app.run().and_then(|run| app.events.line(run)).map(|line| line.time());
    time.map_or_else(Vec::new, |time| super::log::show_time(app, time))
}

/// Shows the events at the place of an epoch on the curves: the newest that is about this one, or one before.
pub fn show_epoch(app: &mut App, epoch: u32) -> Vec<Effect> {
    let mut newest_first = (0..app.events.feed.len()).rev();
    let is_there = |at: &usize| {
        let line = app.run().and_then(|run| app.events.feed.get(run, *at)?.epoch(run));
        line.is_some_and(|found| found <= epoch)
    };
    let at = newest_first.find(is_there);
    app.screen.tab = Tab::Events;
    app.screen.focus = Focus::Bottom;
    if let Some(at) = at {
        app.events.choose(at);
    }
    Vec::new()
}

#[cfg(test)]
mod tests;
