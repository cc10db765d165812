//! The configuration of the chosen run: what was really run with what differs from the defaults, what was typed, and what
//! differs from another run.

mod draw;
mod page;
mod texts;
mod yaml;

use crossterm::event::KeyCode;

pub use self::draw::draw;
use self::page::{Difference, Page};
pub use self::texts::Texts;
use super::Tab;
use crate::base::id::RunId;
use crate::tui::action::{Action as Any, Effect, Motion};
use crate::tui::app::{App, Notice, Overlay};
use crate::tui::job::Job;
use crate::tui::keymap::key::{Key, key, letter};
use crate::tui::keymap::{Binding, ESC, Scope, binding};
use crate::tui::layout::Focus;
use crate::tui::prompt::{Prompt, Purpose};
use crate::tui::search::{self, Pattern, Way};

/// Columns that one press scrolls to the side.
const SHIFT: usize = 16;

/// What it shows.
#[derive(Debug, Default)]
pub struct Config {
    /// Whose configuration it is; None while it is not shown.
    run: Option<RunId>,
    /// None while it is read.
    texts: Option<Result<Texts, String>>,
    show: Show,
    /// Only lines that were typed or differ from the defaults.
    only_marked: bool,
    against: Option<Against>,
    view: View,
}

/// Which of the two files is shown.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Show {
    #[default]
    Resolved,
    Typed,
}

/// The run that it is held against.
#[derive(Debug)]
struct Against {
    id: RunId,
    /// None while it is read.
    differences: Option<Result<Vec<Difference>, String>>,
}

/// Which part of it is seen.
#[derive(Debug, Default)]
struct View {
    /// Lines hidden above the first one seen.
    top: usize,
    /// Columns scrolled out to the left.
    shift: usize,
    pattern: Option<Pattern>,
    /// The line that it was found in last.
    hit: Option<usize>,
}

/// What was read.
#[derive(Debug)]
pub struct News {
    pub id: RunId,
    pub texts: Result<Texts, String>,
}

/// What it alone understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    OnlyMarked,
    Typed,
    Against,
    Other,
    Left,
    Right,
    Find,
    Next(Way),
    Leave,
}

/// Its keys.
pub const KEYS: &[Binding] = &[
    row(&[letter('m')], Action::OnlyMarked, "only what was typed or differs from the defaults", Some("only marked")),
    row(&[letter('y')], Action::Typed, "what was typed, or what was really run", Some("as typed")),
    row(
        &[letter('=')],
        Action::Against,
        "what differs from another run: a marked one, else the one before",
        Some("diff"),
    ),
    row(&[letter('o')], Action::Other, "what differs from a run that is named", Some("other run")),
    row(&[letter('/')], Action::Find, "find", Some("find")),
    row(&[letter('n')], Action::Next(Way::Forward), "next place that was found", None),
    row(&[letter('N')], Action::Next(Way::Backward), "the place before", None),
    row(&[key(KeyCode::Right)], Action::Right, "scroll long lines to the side", None),
    row(&[key(KeyCode::Left)], Action::Left, "scroll them back", None),
    row(ESC, Action::Leave, "end the search, or the comparison; back", None),
];

const fn row(keys: &'static [Key], action: Action, help: &'static str, footer: Option<&'static str>) -> Binding {
    binding(Scope::Config, keys, Any::Config(action), help, footer)
}

/// Does what it alone understands.
pub fn update(app: &mut App, action: Action) -> Vec<Effect> {
    let config = &mut app.config;
    match action {
        Action::OnlyMarked => config.turn(|config| config.only_marked = !config.only_marked),
        Action::Typed => config.turn(|config| {
            config.show = match config.show {
                Show::Resolved => Show::Typed,
                Show::Typed => Show::Resolved,
            }
        }),
        Action::Against if config.against.is_some() => config.turn(|config| config.against = None),
        Action::Against => return against_one(app),
        Action::Other => ask(app, Purpose::Against),
        Action::Left => config.view.shift = config.view.shift.saturating_sub(SHIFT),
        Action::Right => config.view.shift += SHIFT,
        Action::Find => ask(app, Purpose::Find),
        Action::Next(way) => next(app, way),
        Action::Leave if config.view.pattern.take().is_some() => config.view.hit = None,
        Action::Leave if config.against.is_some() => config.turn(|config| config.against = None),
        Action::Leave => return crate::tui::update::update(app, Any::Back),
    }
    Vec::new()
}

impl Config {
    /// Shows something else, from its beginning.
    fn turn(&mut self, change: impl FnOnce(&mut Config)) {
        change(self);
        self.view = View { pattern: self.view.pattern.take(), ..View::default() };
    }

    /// What is shown, where it was read.
    fn page(&self) -> Option<Page<'_>> {
        if let Some(against) = &self.against {
            let differences = against.differences.as_ref()?.as_ref().ok()?;
            return Some(Page::Differences(differences));
        }
        let texts = self.texts.as_ref()?.as_ref().ok()?;
        Some(match self.show {
            Show::Typed => Page::Typed(&texts.typed),
            Show::Resolved => Page::Resolved(texts, self.only_marked.then(|| texts.marked())),
        })
    }
}

fn ask(app: &mut App, purpose: Purpose) {
    if app.config.texts.is_some() {
        app.overlay = Some(Overlay::Prompt(Prompt { purpose, text: String::new() }));
    }
}

/// Takes what was read.
pub fn hear(app: &mut App, news: News) -> Vec<Effect> {
    let config = &mut app.config;
    if config.run == Some(news.id) {
        config.texts = Some(news.texts);
        return config.against.as_ref().map(|against| Effect::Do(Job::Config(against.id))).into_iter().collect();
    }
    if let (Some(against), Some(Ok(own))) = (&mut config.against, &config.texts)
        && against.id == news.id
    {
        against.differences = Some(news.texts.map(|other| page::differences(&own.settings, &other.settings)));
    }
    Vec::new()
}

/// Holds it against a marked run, else against the one before.
fn against_one(app: &mut App) -> Vec<Effect> {
    let Some(run) = app.config.run else { return Vec::new() };
    match other(app, run) {
        Some(id) => against(app, id),
        None => {
            ask(app, Purpose::Against);
            Vec::new()
        }
    }
}

/// The run that `run` is held against unless another is named: a marked one, else the one before.
fn other(app: &App, run: RunId) -> Option<RunId> {
    let marked = app.targets().into_iter().find(|&id| id != run);
    marked.or_else(|| (1..run.0).rev().map(RunId).find(|&id| app.runs.row(id).is_some()))
}

/// The command line that does the same.
pub fn command(app: &App, action: Action) -> Option<String> {
    let run = app.runs.chosen()?;
    match action {
        Action::Against => Some(format!("finetop compare {} {}", other(app, run)?.0, run.0)),
        Action::Other => Some(format!("finetop compare {} RUN", run.0)),
        _ => None,
    }
}

/// A run was named to hold it against.
pub fn hold_against(app: &mut App, typed: &str) -> Vec<Effect> {
    let typed = typed.trim();
    let number = typed.parse::<RunId>().ok();
    match number.filter(|&id| app.runs.row(id).is_some()).or_else(|| app.runs.named(typed)) {
        Some(id) if Some(id) == app.config.run => {
            app.notice = Some(Notice::Wrong("that is this run; name another one".into()));
            Vec::new()
        }
        Some(id) => against(app, id),
        None => {
            app.notice = Some(Notice::Wrong(format!("there is no run `{typed}`")));
            Vec::new()
        }
    }
}

fn against(app: &mut App, id: RunId) -> Vec<Effect> {
    app.config.turn(|config| config.against = Some(Against { id, differences: None }));
    vec![Effect::Do(Job::Config(id))]
}

/// Goes to other lines.
pub fn go(app: &mut App, motion: Motion, page: usize) -> Vec<Effect> {
    let places = app.config.page().map_or(0, |shown| shown.rows()).saturating_sub(page) + 1;
    app.config.view.top = motion.from(app.config.view.top.min(places - 1), places, page);
    Vec::new()
}

/// A line is being typed that is to be found.
pub fn look_for(app: &mut App, typed: &str) {
    app.config.view.pattern = Pattern::new(typed);
    app.config.view.hit = None;
}

/// It was typed: goes to the first line from the first that is seen on.
pub fn find(app: &mut App) -> Vec<Effect> {
    next(app, Way::Forward);
    Vec::new()
}

fn next(app: &mut App, way: Way) {
    let height = app.layout().rows(Focus::Bottom);
    let view = &app.config.view;
    let (Some(page), Some(pattern)) = (app.config.page(), &view.pattern) else { return };
    let from = view.hit.or_else(|| view.top.checked_sub(1));
    match search::next(pattern, page.rows(), from, way, |row| page.text(row)) {
        Some(row) => {
            let is_seen = (view.top..view.top + height).contains(&row);
            let top = if is_seen { view.top } else { row.saturating_sub(height / 3) };
            let top = top.min(page.rows().saturating_sub(height));
            let view = &mut app.config.view;
            (view.hit, view.top) = (Some(row), top);
        }
        None => {
            app.notice = Some(Notice::Wrong(format!("`{}` is not in the configuration", pattern.typed())));
        }
    }
}

/// Another run is chosen, or another tab: the configuration is read where it is shown.
pub fn chosen(app: &mut App) -> Vec<Effect> {
    let is_shown = app.screen.tab == Tab::Config;
    let wanted = app.runs.chosen().filter(|_| is_shown);
    let config = &mut app.config;
    if wanted == config.run {
        return Vec::new();
    }
    let pattern = config.view.pattern.take();
    let (show, only_marked) = (config.show, config.only_marked);
    *config = Config { run: wanted, show, only_marked, view: View { pattern, ..View::default() }, ..Config::default() };
    wanted.map(|id| Effect::Do(Job::Config(id))).into_iter().collect()
}

#[cfg(test)]
mod tests;
