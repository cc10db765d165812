//! What an action or a piece of news does to the state. Pure: what is to be done outside is returned as effects.

use ratatui::layout::Position;

use super::action::{Action, Effect, Motion, News, Order};
use super::app::{App, Measure, Notice, Overlay, Picker, Tab};
use super::layout::{Focus, first_row};
use super::pane;
use crate::base::id::RunId;
use crate::record::state::Status;

/// Lines that a turn of the wheel scrolls.
const WHEEL: usize = 3;

/// Does what is asked for.
pub fn update(app: &mut App, action: Action) -> Vec<Effect> {
    let before = app.runs.chosen().map(|run| run.id);
    app.notice = None;
    let mut effects = match action {
        Action::Quit => return leave(app),
        Action::Resize(size) => {
            app.screen.size = size;
            Vec::new()
        }
        action => match app.overlay.take() {
            None => on_panes(app, action),
            Some(Overlay::Filter) => on_filter(app, action),
            Some(Overlay::Picker(picker)) => on_picker(app, picker, action),
            Some(Overlay::Cancel(id)) => on_question(app, id, action),
            Some(Overlay::Help(scroll)) => on_help(app, scroll, action),
        },
    };
    app.orders.under_way += effects.iter().filter(|effect| matches!(effect, Effect::Ask(_))).count();
    effects.extend(follow_choice(app, before));
    effects
}

/// An order that is under way would be lost with the program: its answer is waited for, unless asked a second time.
fn leave(app: &mut App) -> Vec<Effect> {
    if app.orders.under_way == 0 || app.orders.leaving {
        return vec![Effect::Quit];
    }
    app.orders.leaving = true;
    Vec::new()
}

/// The runner answered: what was waited for can go on, but not past a refusal that nobody has read.
fn answered(app: &mut App, answer: Result<String, String>) -> Vec<Effect> {
    let orders = &mut app.orders;
    orders.under_way = orders.under_way.saturating_sub(1);
    orders.leaving &= answer.is_ok();
    let quit = orders.leaving && orders.under_way == 0;
    app.notice = Some(match answer {
        Ok(text) => Notice::Done(text),
        Err(text) => Notice::Wrong(text),
    });
    if quit { vec![Effect::Quit] } else { Vec::new() }
}

/// Takes what another thread says.
pub fn hear(app: &mut App, news: News) -> Vec<Effect> {
    let before = app.runs.chosen().map(|run| run.id);
    match news {
        News::Runs(runs) => {
            app.runs.take(runs);
            if let Some(id) = app.awaited.filter(|&id| app.runs.get(id).is_some()) {
                app.runs.choose(id);
                app.awaited = None;
            }
        }
        News::Log(id, lines) => app.bottom.log = Some((id, lines)),
        News::Experiments(files) => return list(app, files),
        News::Checked(path, check) => {
            if let Some(Overlay::Picker(picker)) = &mut app.overlay {
                picker.checks.insert(path, check);
            }
        }
        News::Answered(answer) => return answered(app, answer),
        News::Trouble(text) => app.notice = Some(Notice::Wrong(text)),
        News::Meters(reading) => app.meters = Some(reading),
    }
    follow_choice(app, before)
}

/// Another run was chosen: what is scrolled begins anew, and its log is followed where it is shown.
fn follow_choice(app: &mut App, before: Option<RunId>) -> Vec<Effect> {
    let now = app.runs.chosen().map(|run| run.id);
    if now == before {
        return Vec::new();
    }
    app.bottom.scroll = 0;
    if app.bottom.tab == Tab::Log { vec![Effect::Follow(now)] } else { Vec::new() }
}

fn on_panes(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::Go(motion) => go(app, motion),
        Action::NextPane => app.screen.focus = app.screen.focus.turned(true),
        Action::PreviousPane => app.screen.focus = app.screen.focus.turned(false),
        Action::Open => open(app),
        Action::Back => back(app),
        Action::Zoom => app.screen.zoomed = !app.screen.zoomed,
        Action::OtherChart => app.screen.chart = other(app.screen.chart),
        Action::ShowEvents => {
            show(app, Tab::Events);
            return vec![Effect::Follow(None)];
        }
        Action::ShowLog => {
            show(app, Tab::Log);
            return vec![Effect::Follow(app.runs.chosen().map(|run| run.id))];
        }
        Action::Add => {
            app.overlay = Some(Overlay::Picker(Picker::default()));
            return vec![Effect::List];
        }
        Action::Cancel => ask_to_cancel(app),
        Action::Retry => return app.runs.chosen().map(|run| Effect::Ask(Order::Retry(run.id))).into_iter().collect(),
        Action::Filter => {
            app.screen.focus = Focus::Queue;
            app.overlay = Some(Overlay::Filter);
        }
        Action::Help => app.overlay = Some(Overlay::Help(0)),
        Action::Click(position) => click(app, position),
        Action::Wheel(position, motion) => wheel(app, position, motion),
        Action::Yes | Action::No | Action::Accept | Action::Erase | Action::Type(_) | Action::Paste(_) => {}
        Action::Quit | Action::Resize(_) => {}
    }
    Vec::new()
}

fn go(app: &mut App, motion: Motion) {
    let page = app.layout().rows(app.screen.focus);
    match app.screen.focus {
        Focus::Queue | Focus::Run => app.runs.go(motion, page),
        Focus::Bottom => scroll(app, motion, page),
    }
}

/// Events have the newest line at the top, a log at the bottom; `scroll` counts from the newest.
fn scroll(app: &mut App, motion: Motion, page: usize) {
    let (rows, is_log) = match app.bottom.tab {
        Tab::Events => (app.runs.chosen().map_or(0, |run| pane::events::length(run)), false),
        Tab::Log => (app.bottom.log.as_ref().map_or(0, |(_, lines)| lines.len()), true),
    };
    let last = rows.saturating_sub(page);
    let place = if is_log { last.saturating_sub(app.bottom.scroll) } else { app.bottom.scroll };
    let place = motion.from(place, last + 1, page);
    app.bottom.scroll = if is_log { last - place.min(last) } else { place };
}

fn open(app: &mut App) {
    match app.screen.focus {
        Focus::Queue => app.screen.focus = Focus::Run,
        Focus::Run | Focus::Bottom => app.screen.zoomed = true,
    }
}

/// One step back: from the full screen, to the queue, to all runs.
fn back(app: &mut App) {
    if app.screen.zoomed {
        app.screen.zoomed = false;
    } else if app.screen.focus != Focus::Queue {
        app.screen.focus = Focus::Queue;
    } else {
        app.runs.set_filter(String::new());
    }
}

fn other(chart: Measure) -> Measure {
    match chart {
        Measure::Loss => Measure::Accuracy,
        Measure::Accuracy => Measure::Loss,
    }
}

fn show(app: &mut App, tab: Tab) {
    app.bottom.tab = tab;
    app.bottom.scroll = 0;
    app.screen.focus = Focus::Bottom;
}

fn ask_to_cancel(app: &mut App) {
    let Some(run) = app.runs.chosen() else { return };
    match run.status() {
        Status::Queued | Status::Starting | Status::Running | Status::Paused | Status::Lost => {
            app.overlay = Some(Overlay::Cancel(run.id));
        }
        status @ (Status::Finished | Status::Failed | Status::Cancelled) => {
            app.notice = Some(Notice::Wrong(format!("{} {} is {} already", run.id, run.name, status.name())));
        }
    }
}

fn click(app: &mut App, position: Position) {
    let Some((focus, area)) = app.layout().at(position) else { return };
    app.screen.focus = focus;
    if focus == Focus::Queue {
        let row = usize::from(position.y.saturating_sub(area.y + 1));
        let height = app.layout().rows(Focus::Queue);
        if row < height {
            let first = first_row(app.runs.shown().len(), app.runs.place(), height);
            app.runs.go_to(first + row);
        }
    }
}

fn wheel(app: &mut App, position: Position, motion: Motion) {
    let Some((focus, _)) = app.layout().at(position) else { return };
    let page = app.layout().rows(focus);
    match focus {
        Focus::Queue => app.runs.go(motion, page),
        Focus::Run => {}
        Focus::Bottom => (0..WHEEL).for_each(|_| scroll(app, motion, page)),
    }
}

fn on_filter(app: &mut App, action: Action) -> Vec<Effect> {
    let mut filter = app.runs.filter().to_owned();
    match action {
        Action::Accept => return Vec::new(),
        Action::Back => {
            app.runs.set_filter(String::new());
            return Vec::new();
        }
        Action::Type(letter) => filter.push(letter),
        Action::Paste(text) => filter.push_str(text.lines().next().unwrap_or_default()),
        Action::Erase => drop(filter.pop()),
        Action::Go(motion) => go(app, motion),
        _ => {}
    }
    app.overlay = Some(Overlay::Filter);
    if filter != app.runs.filter() {
        app.runs.set_filter(filter);
    }
    Vec::new()
}

fn on_picker(app: &mut App, mut picker: Picker, action: Action) -> Vec<Effect> {
    let files = picker.files.as_ref().map_or(0, Vec::len);
    let effects = match action {
        Action::Back => return Vec::new(),
        Action::Accept => {
            let Some(path) = picker.chosen().cloned() else {
                app.overlay = Some(Overlay::Picker(picker));
                return Vec::new();
            };
            return vec![Effect::Ask(Order::Add(path))];
        }
        Action::Go(motion) | Action::Wheel(_, motion) => {
            picker.place = motion.from(picker.place, files, usize::from(app.screen.size.height / 2));
            unchecked(&picker)
        }
        _ => Vec::new(),
    };
    app.overlay = Some(Overlay::Picker(picker));
    effects
}

/// The chosen file is looked at the first time it is chosen.
fn unchecked(picker: &Picker) -> Vec<Effect> {
    let chosen = picker.chosen().filter(|_| picker.check().is_none());
    chosen.map(|path| Effect::Check(path.clone())).into_iter().collect()
}

fn list(app: &mut App, files: Vec<std::path::PathBuf>) -> Vec<Effect> {
    let Some(Overlay::Picker(picker)) = &mut app.overlay else { return Vec::new() };
    picker.files = Some(files);
    picker.place = 0;
    unchecked(picker)
}

fn on_question(app: &mut App, id: RunId, action: Action) -> Vec<Effect> {
    match action {
        Action::Yes => vec![Effect::Ask(Order::Cancel(id))],
        Action::No => Vec::new(),
        _ => {
            app.overlay = Some(Overlay::Cancel(id));
            Vec::new()
        }
    }
}

fn on_help(app: &mut App, scroll: usize, action: Action) -> Vec<Effect> {
    match action {
        Action::Back => {}
        Action::Go(motion) | Action::Wheel(_, motion) => {
            let page = usize::from(app.screen.size.height).saturating_sub(4).max(1);
            let places = pane::help::length().saturating_sub(page) + 1;
            app.overlay = Some(Overlay::Help(motion.from(scroll, places, page)));
        }
        _ => app.overlay = Some(Overlay::Help(scroll)),
    }
    Vec::new()
}

#[cfg(test)]
mod tests;
