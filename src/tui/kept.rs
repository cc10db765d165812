//! What is kept of a dashboard between starts: how the screen is divided, what is shown in it, sort, filter, the chosen run.
//!
//! It belongs to a person and a store, not to the store: several people may look at one. So it lies in
//! `$XDG_STATE_HOME/finetop/dashboard.json`, by the path of the store; of two dashboards that are open at once the last one
//! that changed has its way.
//!
//! Invariants: a file that is damaged, old or of another version is as none; writing it holds up nobody.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};

use super::app::App;
use super::layout::{Focus, Shares};
use super::pane::Tab;
use super::pane::compare;
use super::pane::curves::Look;
use super::pane::events::Kinds;
use super::runs::Choice;
use super::runs::sort::{Column, Sort};
use crate::base::durable;

/// Stores that are remembered.
const MOST: usize = 200;

/// Its part of one store; what is missing is as at a first start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    pub shares: Shares,
    pub tab: Option<String>,
    pub focus: Option<Place>,
    pub comparing: Option<bool>,
    pub filter: Option<String>,
    /// A column, and whether it is the other way round.
    pub sort: Option<(String, bool)>,
    pub chosen: Option<Choice>,
    pub last_done: Option<String>,
    /// How curves are looked at.
    pub curves: Look,
    /// How runs are compared.
    pub compare: compare::Look,
    /// Groups that were folded or unfolded by hand, and whether they are open.
    pub folds: BTreeMap<String, bool>,
    /// Whether long lines of the log are cut.
    pub log_cut: bool,
    pub events_wrapped: bool,
    /// The kinds of events that are shown; None is the usual ones.
    pub events: Option<Vec<String>>,
}

/// A place of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Queue,
    Run,
    Bottom,
}

impl Kept {
    /// What is to be kept of `app`.
    pub fn of(app: &App) -> Kept {
        let sort = app.runs.sort();
        Kept {
            shares: app.screen.shares,
            tab: Some(app.screen.tab.name().to_owned()),
            focus: Some(match app.screen.focus {
                Focus::Queue => Place::Queue,
                Focus::Run => Place::Run,
                Focus::Bottom => Place::Bottom,
            }),
            comparing: Some(app.screen.comparing),
            filter: Some(app.runs.filter().to_owned()),
            sort: Some((sort.column.name().to_owned(), sort.reversed)),
            chosen: app.runs.choice().cloned(),
            last_done: app.last_done.clone(),
            curves: app.curves.look.clone(),
            compare: app.compare.look.clone(),
            folds: app.runs.folds().clone(),
            log_cut: app.log.cut,
            events_wrapped: app.events.wrapped,
            events: Some(app.events.kinds.names()),
        }
    }

    /// Makes `app`, which was just opened, as it was. What it waits for is chosen rather than what was.
    pub fn give(self, app: &mut App) {
        app.screen.shares = self.shares;
        if let Some(tab) = Tab::ALL.into_iter().find(|tab| Some(tab.name()) == self.tab.as_deref()) {
            app.screen.tab = tab;
        }
        app.screen.focus = match self.focus {
            None | Some(Place::Queue) => Focus::Queue,
            Some(Place::Run) => Focus::Run,
            Some(Place::Bottom) => Focus::Bottom,
        };
        app.screen.comparing = self.comparing.unwrap_or(false);
        app.runs.set_filter(self.filter.unwrap_or_default());
        if let Some((column, reversed)) = self.sort {
            app.runs.set_sort(Sort { column: Column::named(&column), reversed });
        }
        app.awaited = app.awaited.take().or(self.chosen);
        app.last_done = self.last_done;
        app.curves.look = self.curves;
        app.compare.look = self.compare;
        app.runs.set_folds(self.folds);
        app.log.cut = self.log_cut;
        app.events.wrapped = self.events_wrapped;
        app.events.kinds = self.events.map_or_else(Default::default, |names| Kinds::named(&names));
    }
}

/// The file: what is kept of each store, by its path.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct File {
    stores: BTreeMap<String, serde_json::Value>,
}

/// Where the file is.
pub fn path(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let value = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = value("XDG_STATE_HOME").or_else(|| Some(value("HOME")?.join(".local/state")))?;
    Some(folder.join("finetop/dashboard.json"))
}

fn name(store: &Path) -> String {
    store.canonicalize().unwrap_or_else(|_| store.to_owned()).display().to_string()
}

fn file(path: &Path) -> File {
    durable::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// What was kept of `store`.
pub fn read(path: &Path, store: &Path) -> Kept {
    let kept = file(path).stores.remove(&name(store));
    kept.and_then(|kept| serde_json::from_value(kept).ok()).unwrap_or_default()
}

fn write(path: &Path, store: &Path, kept: &Kept) -> Result<(), durable::Error> {
    let mut file = file(path);
    let Ok(kept) = serde_json::to_value(kept) else { return Ok(()) };
    let name = name(store);
    while file.stores.len() >= MOST && !file.stores.contains_key(&name) {
        file.stores.pop_first();
    }
    file.stores.insert(name, kept);
    if let Some(folder) = path.parent() {
        durable::create_dir_all(folder)?;
    }
    durable::write(path, &serde_json::to_vec_pretty(&file).unwrap_or_default())
}

/// The thread that writes the file.
pub struct Keeper {
    keep: Option<Sender<Kept>>,
    thread: Option<JoinHandle<()>>,
    last: Kept,
}

impl Keeper {
    /// Starts it; what is as `now` needs no writing. Without a path nothing is kept.
    pub fn start(path: Option<PathBuf>, store: PathBuf, now: Kept) -> Keeper {
        let (keep, waiting) = mpsc::channel::<Kept>();
        let thread = path.map(|path| {
            std::thread::spawn(move || {
                while let Ok(first) = waiting.recv() {
                    let newest = waiting.try_iter().last().unwrap_or(first);
                    // The dashboard is as good without.
                    let _ = write(&path, &store, &newest);
                }
            })
        });
        Keeper { keep: Some(keep), thread, last: now }
    }

    /// Keeps this, where it is something else than before.
    pub fn keep(&mut self, now: Kept) {
        if now != self.last {
            self.last = now.clone();
            if let Some(keep) = &self.keep {
                let _ = keep.send(now);
            }
        }
    }

    /// Waits until all is written.
    pub fn finish(&mut self) {
        self.keep = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::RunId;
    use crate::tui::fixtures::{self, press};

    #[test]
    fn what_was_is_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/finetop/dashboard.json");
        let mut app = fixtures::app((120, 40), fixtures::store());
        let mut keeper = Keeper::start(Some(path.clone()), folder.path().to_owned(), Kept::of(&app));
        app.runs.choose(RunId(14));
        press(&mut app, "jj2we<Right> w<Tab><Tab>yXm3");
        app.compare.look = compare::Look { view: compare::View::Values, by_time: true, ..compare::Look::default() };
        app.runs.set_folds([("night".to_owned(), false)].into());
        app.screen.shares.queue = Some(400);
        keeper.keep(Kept::of(&app));
        app.runs.set_sort(Sort { column: Column::Name, reversed: true });
        keeper.keep(Kept::of(&app));
        keeper.finish();
        let read = read(&path, folder.path());
        assert_eq!(read, Kept::of(&app));
        let mut again = App::new(app.screen.size, None);
        read.give(&mut again);
        crate::tui::update::hear(&mut again, crate::tui::action::News::Runs(fixtures::store()));
        assert_eq!(Kept::of(&again), Kept::of(&app));
        for keys in ["gg", "gj"] {
            press(&mut app, keys);
            let mut again = App::new(app.screen.size, None);
            Kept::of(&app).give(&mut again);
            crate::tui::update::hear(&mut again, crate::tui::action::News::Runs(fixtures::store()));
            assert_eq!(again.runs.choice(), app.runs.choice(), "{keys}: a group or one of its runs");
        }
        let (kept, first) = (Kept::of(&app), Kept::of(&fixtures::app((120, 40), fixtures::store())));
        assert!(kept.curves != first.curves && kept.log_cut && kept.events_wrapped && kept.events != first.events);
        assert!(kept.folds != first.folds, "{kept:?}");
        assert_eq!(self::read(&path, Path::new("/another")), Kept::default());
    }

    #[test]
    fn a_damaged_or_strange_file_is_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dashboard.json");
        for text in ["", "{", "[]", "{\"stores\": 7}", "\u{0}"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read(&path, folder.path()), Kept::default(), "{text}");
        }
        let store = name(folder.path());
        let text = serde_json::json!({"stores": {store: {"filter": "x", "shares": {"queue": 300}, "new": [1]}}});
        std::fs::write(&path, text.to_string()).unwrap();
        let kept = read(&path, folder.path());
        assert_eq!((kept.filter.as_deref(), kept.shares.queue), (Some("x"), Some(300)), "what is known is taken");
    }
}
