//! The panes: each keeps a part of the state, takes the actions that are its own, and draws into an area. None knows of
//! the others.

pub mod add;
pub mod compare;
pub mod config;
pub mod curves;
pub mod events;
pub mod footer;
pub mod help;
pub mod log;
pub mod notices;
pub mod palette;
pub mod question;
pub mod queue;
pub mod results;
pub mod system;
pub mod tabs;
pub mod totals;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::action::{Action, Effect, Motion};
use super::app::App;
use super::keymap::Scope;
use super::theme::Theme;

/// What can be in a place of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pane {
    Queue,
    Curves,
    Compare,
    Events,
    Log,
    Config,
    Results,
    System,
}

/// What the place at the bottom can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    Events,
    Log,
    Config,
    Results,
    System,
}

impl Tab {
    pub const ALL: [Tab; 5] = [Tab::Events, Tab::Log, Tab::Config, Tab::Results, Tab::System];

    /// As the pane's title says it.
    pub fn name(self) -> &'static str {
        match self {
            Tab::Events => "Events",
            Tab::Log => "Log",
            Tab::Config => "Config",
            Tab::Results => "Results",
            Tab::System => "System",
        }
    }
}

impl From<Tab> for Pane {
    fn from(tab: Tab) -> Pane {
        match tab {
            Tab::Events => Pane::Events,
            Tab::Log => Pane::Log,
            Tab::Config => Pane::Config,
            Tab::Results => Pane::Results,
            Tab::System => Pane::System,
        }
    }
}

impl Pane {
    /// Where its keys are.
    pub fn scope(self) -> Scope {
        match self {
            Pane::Queue => Scope::Queue,
            Pane::Curves => Scope::Curves,
            Pane::Compare => Scope::Compare,
            Pane::Events => Scope::Events,
            Pane::Log => Scope::Log,
            Pane::Config => Scope::Config,
            Pane::Results => Scope::Results,
            Pane::System => Scope::System,
        }
    }

    /// Draws it.
    pub fn draw(self, theme: &Theme, area: Rect, buf: &mut Buffer, app: &App, focused: bool) {
        let draw = match self {
            Pane::Queue => queue::draw,
            Pane::Curves => curves::draw,
            Pane::Compare => compare::draw,
            Pane::Events => events::draw,
            Pane::Log => log::draw,
            Pane::Config => config::draw,
            Pane::Results => results::draw,
            Pane::System => system::draw,
        };
        draw(theme, area, buf, app, focused);
    }

    /// Moves in it; `page` rows make a page.
    pub fn go(self, app: &mut App, motion: Motion, page: usize) -> Vec<Effect> {
        let go = match self {
            Pane::Queue => queue::go,
            Pane::Curves => curves::go,
            Pane::Compare => compare::go,
            Pane::Events => events::go,
            Pane::Log => log::go,
            Pane::Config => config::go,
            Pane::Results => results::go,
            Pane::System => system::go,
        };
        go(app, motion, page)
    }

    /// A click at a position inside of its area; whether it `had_focus` before.
    pub fn click(self, app: &mut App, area: Rect, position: Position, had_focus: bool) -> Vec<Effect> {
        match self {
            Pane::Queue => queue::click(app, area, position, had_focus),
            Pane::Curves => curves::click(app, area, position),
            Pane::Events => events::click(app, area, position),
            Pane::Results => results::click(app, area, position),
            Pane::Compare => compare::click(app, area, position),
            Pane::Log | Pane::Config | Pane::System => Vec::new(),
        }
    }

    /// A turn of the wheel over it.
    pub fn wheel(self, app: &mut App, area: Rect, position: Position, motion: Motion) -> Vec<Effect> {
        let page = usize::from(area.height.saturating_sub(2)).max(1);
        match self {
            Pane::Queue => queue::go(app, motion, page),
            Pane::Curves => curves::wheel(app, area, position, motion),
            _ => (0..WHEEL).flat_map(|_| self.go(app, motion, page)).collect(),
        }
    }
}

/// Lines that a turn of the wheel scrolls.
const WHEEL: usize = 3;

/// Moves in the pane that has the focus.
pub fn go(app: &mut App, motion: Motion) -> Vec<Effect> {
    let page = app.layout().rows(app.screen.focus);
    app.pane(app.screen.focus).go(app, motion, page)
}

/// Does what one pane alone understands.
pub fn update(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::Queue(action) => queue::update(app, action),
        Action::Curves(action) => curves::update(app, action),
        Action::Compare(action) => compare::update(app, action),
        Action::Events(action) => events::update(app, action),
        Action::Log(action) => log::update(app, action),
        Action::Config(action) => config::update(app, action),
        Action::Results(action) => results::update(app, action),
        Action::System(action) => system::update(app, action),
        Action::Add(action) => add::start(app, action),
        Action::Palette(action) => palette::start(app, action),
        _ => Vec::new(),
    }
}

/// A line is being typed that is to be found in the place at the bottom.
pub fn look_for(app: &mut App, typed: &str) {
    match app.screen.tab {
        Tab::Events => events::look_for(app, typed),
        Tab::Log => log::look_for(app, typed),
        Tab::Config => config::look_for(app, typed),
        Tab::Results | Tab::System => {}
    }
}

/// The line was typed: goes to where it is found.
pub fn find(app: &mut App) -> Vec<Effect> {
    match app.screen.tab {
        Tab::Events => events::find(app),
        Tab::Log => log::find(app),
        Tab::Config => config::find(app),
        Tab::Results | Tab::System => Vec::new(),
    }
}

/// Another run is chosen, or the place at the bottom shows something else: each pane begins anew with it.
pub fn chosen(app: &mut App) -> Vec<Effect> {
    let mut effects = curves::chosen(app);
    effects.extend(events::chosen(app));
    effects.extend(log::chosen(app));
    effects.extend(config::chosen(app));
    effects.extend(results::chosen(app));
    effects
}
