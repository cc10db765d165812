//! What an action or a piece of news does to the state. Pure: what is to be done outside is returned as effects.

use ratatui::layout::Position;

use super::action::{Action, Effect, Motion, News};
use super::app::{App, Notice, Overlay};
use super::layout::Focus;
use super::pane::{self, Tab};
use super::prompt;
use crate::base::id::RunId;

/// What the panes are about, which they begin anew with where it changes.
type Subject = (Option<RunId>, Tab);

/// Does what is asked for.
pub fn update(app: &mut App, action: Action) -> Vec<Effect> {
    let before = subject(app);
    app.notice = None;
    app.notices.is_fresh = false;
    let mut effects = match action {
        Action::Quit => return leave(app),
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Resize(size) => {
            app.screen.size = size;
            Vec::new()
        }
        action => match app.overlay.take() {
            None => on_panes(app, action),
            Some(Overlay::Prompt(prompt)) => prompt::update(app, prompt, action),
            Some(Overlay::Add(add)) => pane::add::update(app, add, action),
            Some(Overlay::Question(question)) => pane::question::update(app, question, action),
            Some(Overlay::Sort(sorting)) => pane::queue::sorting::update(app, sorting, action),
            Some(Overlay::Palette(palette)) => pane::palette::update(app, palette, action),
            Some(Overlay::Help(scroll)) => on_page(app, scroll, action, Overlay::Help),
            Some(Overlay::Notices(scroll)) => on_page(app, scroll, action, Overlay::Notices),
        },
    };
    effects.extend(after(app, before));
    count_orders(app, &effects);
    effects
}

/// Takes what another thread says.
pub fn hear(app: &mut App, news: News) -> Vec<Effect> {
    let before = subject(app);
    let mut effects = match news {
        News::Runs(delta) => {
            let told = app.notices.hear(&app.runs, &delta);
            pane::system::take(app, &delta);
            app.queue.hear(&delta);
            app.runs.take(delta);
            app.awaited = app.awaited.take().filter(|entry| !app.runs.choose_again(entry));
            let mut effects = pane::queue::ask_slots(app, false);
            if !told.is_empty() {
                effects.push(Effect::Announce(told));
            }
            effects
        }
        News::Log(news) => pane::log::hear(app, news),
        News::Config(news) => pane::config::hear(app, news),
        News::Experiments(files) => pane::add::list(app, files),
        News::Checked(draft, check) => pane::add::checked(app, draft, check),
        News::Pictures(page) => pane::results::hear(app, page),
        News::Compared(compared) => pane::compare::hear(app, *compared),
        News::Sought(sought) => pane::events::sought(app, sought),
        News::Exported(done) => {
            app.notice = Some(match done {
                Ok(text) => Notice::Done(text),
                Err(text) => Notice::Wrong(text),
            });
            Vec::new()
        }
        News::Edited(text) => pane::add::edited(app, text),
        News::Answered(answer) => answered(app, answer),
        News::Slots(slots) => {
            app.queue.slots = slots;
            Vec::new()
        }
        News::Trouble(text) => {
            app.notice = Some(Notice::Wrong(text));
            Vec::new()
        }
        News::Meters(reading) => {
            pane::system::hear(app, reading);
            Vec::new()
        }
    };
    effects.extend(after(app, before));
    count_orders(app, &effects);
    effects
}

fn count_orders(app: &mut App, effects: &[Effect]) {
    app.orders.under_way += effects.iter().filter(|effect| matches!(effect, Effect::Ask(_))).count();
}

fn subject(app: &App) -> Subject {
    (app.runs.chosen(), app.screen.tab)
}

/// What follows from any change: panes begin anew with another run, and what is shown is read whole.
fn after(app: &mut App, before: Subject) -> Vec<Effect> {
    pane::events::refresh(app);
    let mut effects = if subject(app) == before { Vec::new() } else { pane::chosen(app) };
    effects.extend(pane::results::follow(app));
    effects.extend(pane::system::follow(app));
    effects.extend(pane::compare::follow(app));
    let mut wanted: std::collections::BTreeSet<RunId> = app.runs.chosen().into_iter().collect();
    wanted.extend(pane::compare::runs(app));
    if wanted != app.wanted {
        app.wanted = wanted.clone();
        effects.push(Effect::Want(wanted));
    }
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
        Err(text) => {
            app.queue.refused();
            Notice::Wrong(text)
        }
    });
    if quit { vec![Effect::Quit] } else { pane::queue::ask_slots(app, true) }
}

fn on_panes(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::Go(motion) => return pane::go(app, motion),
        Action::NextPane => app.screen.focus = app.screen.focus.turned(true),
        Action::PreviousPane => app.screen.focus = app.screen.focus.turned(false),
        Action::Open => open(app),
        Action::Back => back(app),
        Action::Zoom => app.screen.zoomed = !app.screen.zoomed,
        Action::Show(tab) => {
            app.screen.tab = tab;
            app.screen.focus = Focus::Bottom;
        }
        Action::Help => app.overlay = Some(Overlay::Help(0)),
        Action::Notices => app.overlay = Some(Overlay::Notices(0)),
        Action::Move(edge, by) => app.screen.shares = app.layout().nudged(edge, by, app.screen.shares),
        Action::Drag(to) => drag(app, to),
        Action::Drop => app.screen.held = None,
        Action::Click(position) => return click(app, position),
        Action::Wheel(position, motion) => return wheel(app, position, motion),
        Action::Yes | Action::No | Action::Accept | Action::Erase | Action::Type(_) | Action::Paste(_) => {}
        Action::Quit | Action::Suspend | Action::Redraw | Action::Resize(_) => {}
        action => return pane::update(app, action),
    }
    Vec::new()
}

fn open(app: &mut App) {
    match app.screen.focus {
        Focus::Queue => app.screen.focus = Focus::Run,
        Focus::Run | Focus::Bottom => app.screen.zoomed = true,
    }
}

/// One step back: from the marks, the full screen, to the queue, to all runs.
fn back(app: &mut App) {
    if app.screen.focus == Focus::Queue && app.runs.clear_marks() {
        return;
    }
    if app.screen.zoomed {
        app.screen.zoomed = false;
    } else if app.screen.focus != Focus::Queue {
        app.screen.focus = Focus::Queue;
    } else {
        app.runs.set_filter(String::new());
    }
}

/// A border that was clicked goes with the mouse.
fn drag(app: &mut App, to: Position) {
    if let Some(edge) = app.screen.held {
        app.screen.shares = app.layout().moved(edge, to, app.screen.shares);
    }
}

fn click(app: &mut App, position: Position) -> Vec<Effect> {
    app.screen.held = app.layout().edge(position);
    if app.screen.held.is_some() {
        return Vec::new();
    }
    let Some((focus, area)) = app.layout().at(position) else { return Vec::new() };
    let had_focus = std::mem::replace(&mut app.screen.focus, focus) == focus;
    if let Some(tab) = pane::tabs::at(app, area, position).filter(|_| focus == Focus::Bottom) {
        app.screen.tab = tab;
        return Vec::new();
    }
    app.pane(focus).click(app, area, position, had_focus)
}

fn wheel(app: &mut App, position: Position, motion: Motion) -> Vec<Effect> {
    let Some((focus, area)) = app.layout().at(position) else { return Vec::new() };
    app.pane(focus).wheel(app, area, position, motion)
}

/// What a page that lies over the panes does: it scrolls until it is left.
fn on_page(app: &mut App, scroll: usize, action: Action, page: fn(usize) -> Overlay) -> Vec<Effect> {
    let lines = match page(0) {
        Overlay::Notices(_) => app.notices.kept.len(),
        _ => pane::help::length(app),
    };
    match action {
        Action::Back => {}
        Action::Go(motion) | Action::Wheel(_, motion) => {
            let height = usize::from(app.screen.size.height).saturating_sub(4).max(1);
            app.overlay = Some(page(motion.from(scroll, lines.saturating_sub(height) + 1, height)));
        }
        _ => app.overlay = Some(page(scroll)),
    }
    Vec::new()
}

#[cfg(test)]
mod tests;
