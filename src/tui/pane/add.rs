//! The choice of an experiment file, with what it would do or what is wrong with it, and with what is changed in it before
//! it is queued: keys that are typed, or all of its text in an editor.

mod draw;
mod form;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::KeyCode;

pub use self::draw::draw;
pub use self::form::Field;
use self::form::Form;
use crate::record::summary::Row;
use crate::tui::action::{Action as Any, Effect, Motion};
use crate::tui::app::{App, Notice, Overlay};
use crate::tui::editor::Edit;
use crate::tui::job::Job;
use crate::tui::keymap::key::{key, letter};
use crate::tui::keymap::{self, Binding, Scope, binding};
use crate::tui::library::{self, Check, Draft, Verdict};
use crate::tui::orders::Order;

/// A choice among experiment files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Add {
    pub files: Files,
    pub form: Form,
    pub page: Page,
    pub edited: Option<Edited>,
    pub known: Known,
}

/// The files to choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// None while they are being looked for.
    all: Option<Vec<PathBuf>>,
    /// Those that the filter leaves.
    shown: Vec<PathBuf>,
    place: usize,
    /// The run that is duplicated, where that is all there is.
    run: Option<String>,
}

/// What is shown of the chosen file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Page {
    pub view: View,
    /// Lines that are scrolled away.
    pub scroll: usize,
}

/// What the page is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum View {
    #[default]
    Preview,
    Yaml,
}

/// A text that the editor made of a file's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    path: PathBuf,
    text: Arc<str>,
    /// Queue it as soon as it is known to be right.
    is_done: bool,
}

/// What is known of the files that were looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    checks: BTreeMap<PathBuf, (Draft, Check)>,
    /// What is being looked at; one at a time, however fast somebody types.
    under_way: Option<Draft>,
}

/// What opens it, and what it alone understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Open,
    /// With the chosen run's configuration.
    Duplicate,
    Edit,
    OtherView,
    Fill(Field),
    /// The key that is being typed, as far as it is clear.
    Complete,
}

const fn fill(keys: &'static [keymap::key::Key], field: Field, help: &'static str, word: &'static str) -> Binding {
    binding(Scope::Add, keys, Any::Add(Action::Fill(field)), help, Some(word))
}

/// Its keys.
pub const KEYS: &[Binding] = &[
    binding(Scope::Panes, &[letter('a')], Any::Add(Action::Open), "add an experiment to the queue", Some("add")),
    binding(Scope::Panes, &[letter('D')], Any::Add(Action::Duplicate), "queue the run again with changes", None),
    binding(Scope::Add, keymap::ENTER, Any::Accept, "queue the experiment", Some("queue it")),
    binding(Scope::Add, &[key(KeyCode::Esc), letter('q')], Any::Back, "close", Some("close")),
    fill(&[letter('o')], Field::Changes, "override keys: KEY=VALUE …", "override"),
    binding(Scope::Add, &[letter('e')], Any::Add(Action::Edit), "change it in $EDITOR, then queue it", Some("edit")),
    binding(Scope::Add, &[key(KeyCode::Tab)], Any::Add(Action::OtherView), "what it does, or its YAML", Some("YAML")),
    fill(&[letter('/')], Field::Filter, "find a file by some letters", "find"),
    fill(&[letter('g')], Field::Group, "name of the group", "group"),
    fill(&[letter('p')], Field::Priority, "priority; higher ones start sooner", "priority"),
    fill(&[letter('w')], Field::After, "start after these runs have finished", "wait for"),
    binding(Scope::Add, keymap::DOWN, Any::Go(Motion::Down), "next file", None),
    binding(Scope::Add, keymap::UP, Any::Go(Motion::Up), "file before", None),
    binding(Scope::Add, &[key(KeyCode::Home)], Any::Go(Motion::First), "to the first", None),
    binding(Scope::Add, &[key(KeyCode::End), letter('G')], Any::Go(Motion::Last), "to the last", None),
    binding(Scope::Add, keymap::PAGE_DOWN, Any::Go(Motion::PageDown), "scroll what it does", None),
    binding(Scope::Add, keymap::PAGE_UP, Any::Go(Motion::PageUp), "scroll back", None),
    binding(
        Scope::AddLine,
        &[key(KeyCode::Tab)],
        Any::Add(Action::Complete),
        "complete the key, as far as it is clear",
        Some("complete"),
    ),
];

impl Files {
    /// Those that `filter` leaves are shown; what is chosen stays so.
    fn filter(&mut self, filter: &str) {
        let chosen = self.shown.get(self.place).cloned();
        self.shown = library::matching(self.all.as_deref().unwrap_or_default(), filter);
        let place = chosen.filter(|_| filter.is_empty());
        self.place = place.and_then(|path| self.shown.iter().position(|other| *other == path)).unwrap_or(0);
    }
}

impl Add {
    /// The chosen file.
    pub fn chosen(&self) -> Option<&PathBuf> {
        self.files.shown.get(self.files.place)
    }

    /// Whether a line is typed.
    pub fn is_typing(&self) -> bool {
        self.form.typed().is_some()
    }

    /// What would be queued.
    pub fn draft(&self) -> Option<Draft> {
        let path = self.chosen()?.clone();
        let edited = self.edited.as_ref().filter(|edited| edited.path == path);
        let text = edited.map(|edited| Arc::clone(&edited.text));
        Some(Draft { path, text, changes: self.form.text(Field::Changes).to_owned() })
    }

    /// What is known of the chosen file, and whether that is of all that was typed.
    fn check(&self) -> Option<(&Check, bool)> {
        let (draft, check) = self.known.checks.get(self.chosen()?)?;
        Some((check, self.draft().as_ref() == Some(draft)))
    }

    /// Looks at what would be queued, unless it is known or something else is looked at.
    fn look(&mut self) -> Vec<Effect> {
        let Some(draft) = self.draft() else { return Vec::new() };
        if self.known.under_way.is_some() || self.check().is_some_and(|(_, is_current)| is_current) {
            return Vec::new();
        }
        self.known.under_way = Some(draft.clone());
        vec![Effect::Do(Job::Check(draft))]
    }

    /// What would be queued and how; what is wrong with that.
    fn order(&self) -> Result<library::Order, String> {
        let draft = self.draft().ok_or("there is no file to be queued")?;
        match self.check() {
            Some((Check { verdict: Verdict::Mistaken(problems), .. }, true)) => {
                let first = problems.first().map_or("it has mistakes", |problem| problem.words.as_str());
                Err(format!("{first}; e opens it in an editor"))
            }
            _ => self.form.order(draft),
        }
    }
}

/// Opens it.
pub fn start(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::Open => {
            app.overlay = Some(Overlay::Add(Add::default()));
            vec![Effect::Do(Job::List)]
        }
        Action::Duplicate => duplicate(app),
        Action::Edit | Action::OtherView | Action::Fill(_) | Action::Complete => Vec::new(),
    }
}

/// The command line that does the same.
pub fn command(app: &App, action: Action) -> Option<String> {
    match action {
        Action::Open => Some("finetop add FILE".to_owned()),
        Action::Duplicate => {
            let again = again(app.runs.row(app.runs.chosen()?)?);
            let order = again.form.order(Draft { changes: "KEY=VALUE".to_owned(), ..again.draft()? });
            order.ok().map(|order| order.command())
        }
        Action::Edit | Action::OtherView | Action::Fill(_) | Action::Complete => None,
    }
}

/// What a run really ran has every path in full, and is one run of its sweep.
fn duplicate(app: &mut App) -> Vec<Effect> {
    let Some(row) = app.runs.chosen().and_then(|id| app.runs.row(id)) else {
        app.notice = Some(Notice::Wrong("no run is chosen".to_owned()));
        return Vec::new();
    };
    let mut add = again(row);
    add.form.begin(Field::Changes);
    let effects = add.look();
    app.overlay = Some(Overlay::Add(add));
    effects
}

fn again(row: &Row) -> Add {
    let mut add = Add::default();
    add.files.all = Some(vec![row.place.path.join("resolved.yaml")]);
    add.files.run = Some(format!("{} {}", row.id, row.name));
    add.files.filter("");
    add.form.set(Field::Group, row.place.group.clone().unwrap_or_default());
    add
}

/// The experiment files were found.
pub fn list(app: &mut App, files: Vec<PathBuf>) -> Vec<Effect> {
    let Some(Overlay::Add(add)) = &mut app.overlay else { return Vec::new() };
    if add.files.run.is_some() {
        return Vec::new();
    }
    add.files.all = Some(files);
    add.files.filter(add.form.text(Field::Filter));
    add.look()
}

/// A draft was looked at.
pub fn checked(app: &mut App, draft: Draft, check: Check) -> Vec<Effect> {
    let Some(Overlay::Add(add)) = &mut app.overlay else { return Vec::new() };
    if add.known.under_way.as_ref() == Some(&draft) {
        add.known.under_way = None;
    }
    add.known.checks.insert(draft.path.clone(), (draft, check));
    let is_good = matches!(add.check(), Some((Check { verdict: Verdict::Good(_), .. }, true)));
    let is_done = add.edited.as_ref().is_some_and(|edited| edited.is_done && Some(&edited.path) == add.chosen());
    match add.check() {
        Some((_, true)) if is_done => {
            add.edited.iter_mut().for_each(|edited| edited.is_done = false);
            if is_good { queue(app) } else { Vec::new() }
        }
        _ => add.look(),
    }
}

/// The editor was left.
pub fn edited(app: &mut App, text: Result<Option<Arc<str>>, String>) -> Vec<Effect> {
    let Some(Overlay::Add(add)) = &mut app.overlay else { return Vec::new() };
    match (text, add.chosen().cloned()) {
        (Ok(Some(text)), Some(path)) => {
            add.edited = Some(Edited { path, text, is_done: true });
            add.page = Page::default();
            add.look()
        }
        (Ok(_), _) => {
            app.notice = Some(Notice::Done("nothing was changed".to_owned()));
            Vec::new()
        }
        (Err(problem), _) => {
            app.notice = Some(Notice::Wrong(problem));
            Vec::new()
        }
    }
}

/// Takes an action while it is open; it stays open unless it is left.
pub fn update(app: &mut App, mut add: Add, action: Any) -> Vec<Effect> {
    let before = add.chosen().cloned();
    let mut effects = Vec::new();
    match action {
        Any::Back | Any::Accept if add.is_typing() => {
            add.form.end(action == Any::Accept);
            add.files.filter(add.form.text(Field::Filter));
        }
        Any::Back => return Vec::new(),
        Any::Accept => {
            app.overlay = Some(Overlay::Add(add));
            return queue(app);
        }
        Any::Type(_) | Any::Paste(_) | Any::Erase | Any::Add(Action::Complete) => {
            add.form.edit(&action);
            if add.form.typed() == Some(Field::Filter) {
                add.files.filter(add.form.text(Field::Filter));
            }
        }
        Any::Add(Action::Fill(field)) => add.form.begin(field),
        Any::Add(Action::OtherView) => {
            let view = if add.page.view == View::Yaml { View::Preview } else { View::Yaml };
            add.page = Page { view, scroll: 0 };
        }
        Any::Add(Action::Edit) => effects.extend(edit(&add)),
        Any::Go(motion @ (Motion::PageUp | Motion::PageDown)) | Any::Wheel(_, motion) => {
            let (lines, rows) = draw::length(app.screen.size, &add);
            let motion = if let Any::Wheel(..) = action { wheeled(motion) } else { motion };
            let page = if let Any::Wheel(..) = action { WHEEL } else { rows };
            add.page.scroll = motion.from(add.page.scroll, lines.saturating_sub(rows) + 1, page);
        }
        Any::Go(motion) => add.files.place = motion.from(add.files.place, add.files.shown.len(), 1),
        _ => {}
    }
    if add.chosen() != before.as_ref() {
        add.page.scroll = 0;
    }
    effects.extend(add.look());
    app.overlay = Some(Overlay::Add(add));
    effects
}

/// Lines that a turn of the wheel scrolls, and one that stays.
const WHEEL: usize = 4;

fn wheeled(motion: Motion) -> Motion {
    if motion == Motion::Up { Motion::PageUp } else { Motion::PageDown }
}

/// Queues what was chosen and closes, or says what is wrong.
fn queue(app: &mut App) -> Vec<Effect> {
    let Some(Overlay::Add(add)) = &app.overlay else { return Vec::new() };
    match add.order() {
        Ok(order) => {
            app.overlay = None;
            vec![Effect::Ask(Order::Add(order))]
        }
        Err(problem) => {
            app.notice = Some(Notice::Wrong(problem));
            Vec::new()
        }
    }
}

/// The chosen file's text as it was read, or as it was edited before.
fn edit(add: &Add) -> Option<Effect> {
    let path = add.chosen()?;
    let name = path.file_name()?.to_string_lossy().into_owned();
    let text = add.draft()?.text.or_else(|| Some(Arc::clone(&add.check()?.0.text)))?;
    Some(Effect::Edit(Edit { name, text }))
}

#[cfg(test)]
mod tests;
