//! The worker's output: followed, scrolled, searched, and looked up by time. What it shows is read by `tui::log`.

mod draw;
mod sheet;

use std::time::Duration;

use crossterm::event::KeyCode;

pub use self::draw::draw;
use self::sheet::Sheet;
use crate::base::clock::Timestamp;
use crate::base::id::RunId;
use crate::tui::action::{Action as Any, Effect, Motion};
use crate::tui::app::{App, Notice, Overlay};
use crate::tui::keymap::key::{key, letter};
use crate::tui::keymap::{Binding, ESC, Scope, binding};
use crate::tui::layout::Focus;
use crate::tui::log::find::Find;
use crate::tui::log::window::Window;
use crate::tui::log::{Heard, Order, Place};
use crate::tui::prompt::{Prompt, Purpose};
use crate::tui::search::{Pattern, Way};

/// Columns that one press scrolls to the side.
const SHIFT: usize = 16;

/// What is shown of which log.
#[derive(Debug, Default)]
pub struct Log {
    /// The run whose log is read.
    followed: Option<RunId>,
    /// The lines around what is seen; None while there is no log.
    window: Option<Window>,
    /// What the first row shows; None follows the end.
    top: Option<Spot>,
    /// Whether long lines are cut, not wrapped.
    pub cut: bool,
    /// Columns scrolled out to the left, where lines are cut.
    shift: usize,
    search: Search,
}

/// A row: the line that has the byte at `offset`, without so many rows that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spot {
    offset: u64,
    row: usize,
}

#[derive(Debug, Default)]
struct Search {
    pattern: Option<Pattern>,
    /// The line that it was found in last.
    hit: Option<u64>,
    /// Percent of the log that were searched, while that goes on.
    under_way: Option<u8>,
}

/// What is heard of a log.
#[derive(Debug)]
pub struct News {
    pub id: RunId,
    pub heard: Heard,
}

/// What it alone understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Find,
    Next(Way),
    Wrap,
    Left,
    Right,
    Follow,
    Time,
    Leave,
}

/// The command line that does the same.
pub fn command(app: &App, action: Action) -> Option<String> {
    let id = app.runs.chosen()?.0;
    match action {
        Action::Follow => Some(format!("finetop logs {id} --follow")),
        Action::Time => Some(format!("finetop logs {id} --since TIME")),
        _ => None,
    }
}

/// Its keys.
pub const KEYS: &[Binding] = &[
    row(&[letter('/')], Action::Find, "find", Some("find")),
    row(&[letter('n')], Action::Next(Way::Forward), "next place that was found", None),
    row(&[letter('N')], Action::Next(Way::Backward), "the place before", None),
    row(&[letter('F')], Action::Follow, "follow the end", Some("follow")),
    row(&[letter('T')], Action::Time, "go to a time", Some("time")),
    row(&[letter('w')], Action::Wrap, "wrap long lines, or cut them", Some("wrap")),
    row(&[key(KeyCode::Right)], Action::Right, "scroll cut lines to the side", None),
    row(&[key(KeyCode::Left)], Action::Left, "scroll them back", None),
    row(ESC, Action::Leave, "end the search; back", None),
];

const fn row(
    keys: &'static [crate::tui::keymap::key::Key],
    action: Action,
    help: &'static str,
    footer: Option<&'static str>,
) -> Binding {
    binding(Scope::Log, keys, Any::Log(action), help, footer)
}

/// Does what it alone understands.
pub fn update(app: &mut App, action: Action) -> Vec<Effect> {
    let log = &mut app.log;
    match action {
        Action::Find => {
            let was_searching = log.search.under_way.take().is_some();
            ask(app, Purpose::Find);
            return was_searching.then_some(Effect::Log(Order::Stop)).into_iter().collect();
        }
        Action::Time => ask(app, Purpose::Time),
        Action::Next(way) => return next(app, way),
        Action::Follow => return follow(app),
        Action::Wrap => {
            log.cut = !log.cut;
            log.shift = 0;
            log.top = log.top.map(|top| Spot { row: 0, ..top });
        }
        Action::Left => log.shift = log.shift.saturating_sub(SHIFT),
        Action::Right => log.shift += if log.cut { SHIFT } else { 0 },
        Action::Leave if log.search.under_way.take().is_some() => return vec![Effect::Log(Order::Stop)],
        Action::Leave if log.search.pattern.is_some() => log.search = Search::default(),
        Action::Leave => return crate::tui::update::update(app, Any::Back),
    }
    Vec::new()
}

fn ask(app: &mut App, purpose: Purpose) {
    if app.log.window.is_some() {
        app.overlay = Some(Overlay::Prompt(Prompt { purpose, text: String::new() }));
    }
}

/// Takes what is new in the log.
pub fn hear(app: &mut App, news: News) -> Vec<Effect> {
    if app.log.followed != Some(news.id) {
        return Vec::new();
    }
    let height = height(app);
    let log = &mut app.log;
    match news.heard {
        Heard::Window { window, go } => {
            log.top = match go {
                None => log.top,
                Some(Place::Line(offset) | Place::Around(offset)) => Some(Spot { offset, row: 0 }),
                Some(Place::End | Place::Time(_)) => {
                    log.search.under_way = None;
                    None
                }
            };
            log.window = Some(window);
        }
        Heard::Length(length) => log.window.iter_mut().for_each(|window| window.length = length),
        Heard::Gone => {
            log.window = None;
            log.top = None;
            log.search.under_way = None;
        }
        Heard::Searching(percent) => log.search.under_way = log.search.under_way.map(|_| percent),
        Heard::Found { window, offset } => found(app, window, offset, height),
        Heard::Nothing => {
            let typed = log.search.pattern.as_ref().map_or("", Pattern::typed).to_owned();
            log.search.under_way = None;
            app.notice = Some(Notice::Wrong(format!("`{typed}` is not in the log")));
        }
        Heard::Timeless => app.notice = Some(Notice::Wrong("no line of this log says when it was written".into())),
    }
    Vec::new()
}

/// Leads to the line at `offset`, a third down the pane unless it is seen already.
fn found(app: &mut App, window: Window, offset: u64, height: usize) {
    let is_seen = seen(app).is_some_and(|(first, last)| (first..=last).contains(&offset));
    let log = &mut app.log;
    log.search.under_way = None;
    log.search.hit = Some(offset);
    log.window = Some(window);
    let top = with_sheet(app, |sheet| {
        let line = sheet.window.line_at(offset)?;
        // What is looked at stays, also when the log grows.
        let top = if is_seen { sheet.top(app.log.top, height) } else { sheet.up((line, 0), height / 3) };
        Some(spot(sheet, top))
    });
    app.log.top = top.flatten();
}

/// Where the first and the last line begin that are seen.
fn seen(app: &App) -> Option<(u64, u64)> {
    let height = height(app);
    with_sheet(app, |sheet| {
        let top = sheet.top(app.log.top, height);
        let last = sheet.down(top, height.saturating_sub(1));
        (sheet.window.offset(top.0), sheet.window.offset(last.0))
    })
}

fn spot(sheet: &Sheet, (line, row): (usize, usize)) -> Spot {
    Spot { offset: sheet.window.offset(line), row }
}

/// The rows that the pane has for lines.
fn height(app: &App) -> usize {
    app.layout().rows(Focus::Bottom)
}

fn with_sheet<T>(app: &App, ask: impl FnOnce(&Sheet) -> T) -> Option<T> {
    let area = app.layout().bottom.unwrap_or_default();
    let sheet = Sheet::new(app.log.window.as_ref()?, draw::columns(area.width.saturating_sub(2)), app.log.cut);
    (sheet.window.lines() > 0).then(|| ask(&sheet))
}

/// Scrolls; at the end it is followed.
pub fn go(app: &mut App, motion: Motion, page: usize) -> Vec<Effect> {
    let step = page.saturating_sub(1).max(1);
    let moved = with_sheet(app, |sheet| {
        let (top, last) = (sheet.top(app.log.top, page), sheet.last(page));
        let to = match motion {
            Motion::Up => sheet.up(top, 1),
            Motion::Down => sheet.down(top, 1),
            Motion::PageUp => sheet.up(top, step),
            Motion::PageDown => sheet.down(top, step),
            Motion::First | Motion::Last => top,
        };
        let to = to.min(last);
        let is_end = to >= last && sheet.window.has_last();
        let lines = sheet.window.lines();
        let is_near =
            (to.0 < 2 * page && !sheet.window.has_first()) || (lines - to.0 < 3 * page && !sheet.window.has_last());
        (spot(sheet, to), is_end, is_near)
    });
    let Some((to, is_end, is_near)) = moved else { return Vec::new() };
    match motion {
        Motion::First => return vec![Effect::Log(Order::Show(Place::Line(0)))],
        Motion::Last => return follow(app),
        _ if is_end => return follow(app),
        _ => {}
    }
    let was_following = app.log.top.replace(to).is_none();
    let must_read = was_following || is_near;
    must_read.then_some(Effect::Log(Order::Show(Place::Around(to.offset)))).into_iter().collect()
}

fn follow(app: &mut App) -> Vec<Effect> {
    let was_elsewhere = app.log.top.is_some();
    if app.log.window.as_ref().is_some_and(Window::has_last) {
        app.log.top = None;
    }
    was_elsewhere.then_some(Effect::Log(Order::Show(Place::End))).into_iter().collect()
}

/// A line is being typed that is to be found.
pub fn look_for(app: &mut App, typed: &str) {
    app.log.search = Search { pattern: Pattern::new(typed), ..Search::default() };
}

/// It was typed: it is looked for from the first line that is seen.
pub fn find(app: &mut App) -> Vec<Effect> {
    app.log.search.hit = None;
    next(app, Way::Forward)
}

fn next(app: &mut App, way: Way) -> Vec<Effect> {
    let (Some(pattern), Some((first, _))) = (app.log.search.pattern.clone(), seen(app)) else { return Vec::new() };
    let hit = app.log.search.hit;
    let find = Find { pattern, way, from: hit.unwrap_or(first), inclusive: hit.is_none() };
    app.log.search.under_way = Some(0);
    vec![Effect::Log(Order::Find(find))]
}

/// A time was typed: goes to the first line that is not older.
pub fn go_to_time(app: &mut App, typed: &str) -> Vec<Effect> {
    let run = app.run();
    let last = run.and_then(|run| run.training.heard.max(run.life.last_end)).max(app.clock);
    match last.and_then(|last| meant(typed.trim(), last)) {
        Some(time) => vec![Effect::Log(Order::Show(Place::Time(time)))],
        None => {
            let text = format!("`{typed}` is no time; `14:30`, `2026-01-31 14:30`, or `-10m` before the end");
            app.notice = Some(Notice::Wrong(text));
            Vec::new()
        }
    }
}

/// What a person means by `typed` where the last thing was written at `last`.
fn meant(typed: &str, last: Timestamp) -> Option<Timestamp> {
    let Some(before) = typed.strip_prefix('-') else { return last.meant(typed) };
    let digits = before.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &before[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    let seconds = digits.parse::<u64>().ok()?.checked_mul(unit)?;
    let millis = i64::try_from(Duration::from_secs(seconds).as_millis()).ok()?;
    Some(Timestamp::from_millis(last.as_millis().saturating_sub(millis)))
}

/// Shows the log at a time.
pub fn show_time(app: &mut App, time: Timestamp) -> Vec<Effect> {
    app.screen.tab = super::Tab::Log;
    app.screen.focus = Focus::Bottom;
    let mut effects = chosen(app);
    effects.push(Effect::Log(Order::Show(Place::Time(time))));
    effects
}

/// Another run is chosen, or another tab: its log is followed where it is shown.
pub fn chosen(app: &mut App) -> Vec<Effect> {
    let is_shown = app.screen.tab == super::Tab::Log;
    let wanted = app.runs.chosen().filter(|_| is_shown);
    if wanted == app.log.followed {
        return Vec::new();
    }
    let before = std::mem::take(&mut app.log);
    let search = Search { hit: None, under_way: None, ..before.search };
    app.log = Log { followed: wanted, search, cut: before.cut, ..Log::default() };
    vec![Effect::Log(Order::Follow(wanted))]
}

#[cfg(test)]
pub(crate) mod tests;
