use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Size;

use super::*;
use crate::base::clock::Timestamp;
use crate::record::event::{Event, Line};
use crate::tui::fixtures;
use crate::tui::keymap;
use crate::tui::library::Check;

fn app() -> App {
    let mut app = App::new(Size::new(120, 40), None);
    hear(&mut app, News::Runs(fixtures::store()));
    app
}

/// Presses keys, written as letters or as `<Enter>`, `<Esc>`, `<Tab>`, `<Back>`, `<Down>`; gives all effects.
fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        let (code, length) = match rest.strip_prefix('<').and_then(|named| named.split_once('>')) {
            Some((name, _)) => (named(name), name.len() + 2),
            None => (KeyCode::Char(first), first.len_utf8()),
        };
        rest = &rest[length..];
        if let Some(action) = keymap::action(app.scope(), &KeyEvent::new(code, KeyModifiers::NONE)) {
            effects.extend(update(app, action));
        }
    }
    effects
}

fn named(name: &str) -> KeyCode {
    match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "Back" => KeyCode::Backspace,
        "Down" => KeyCode::Down,
        other => panic!("{other} is no key of these tests"),
    }
}

fn chosen(app: &App) -> u32 {
    app.runs.chosen().map_or(0, |run| run.id.0)
}

#[test]
fn keys_move_and_open() {
    let first = chosen(&app());
    for (keys, chosen_row, focus, zoomed) in [
        ("", 0, Focus::Queue, false),
        ("jj", 2, Focus::Queue, false),
        ("jjk", 1, Focus::Queue, false),
        ("G", 6, Focus::Queue, false),
        ("Gg", 0, Focus::Queue, false),
        ("<Tab>", 0, Focus::Run, false),
        ("<Tab><Tab>", 0, Focus::Bottom, false),
        ("<Tab><Tab><Tab>", 0, Focus::Queue, false),
        ("<Enter>", 0, Focus::Run, false),
        ("<Enter><Enter>", 0, Focus::Run, true),
        ("<Enter><Enter><Esc>", 0, Focus::Run, false),
        ("<Enter><Enter><Esc><Esc>", 0, Focus::Queue, false),
        ("z", 0, Focus::Queue, true),
        ("e", 0, Focus::Bottom, false),
    ] {
        let mut app = app();
        press(&mut app, keys);
        assert_eq!((app.runs.place(), app.screen.focus, app.screen.zoomed), (chosen_row, focus, zoomed), "{keys}");
        assert!(keys.contains('j') || keys.contains('G') || chosen(&app) == first);
    }
}

#[test]
fn the_filter_is_typed_kept_and_cleared() {
    let mut app = app();
    press(&mut app, "/stat<Back>te:failed");
    assert_eq!((app.runs.filter(), app.runs.shown().len()), ("state:failed", 1));
    assert_eq!(app.overlay, Some(Overlay::Filter));
    press(&mut app, "<Enter>");
    assert_eq!((app.overlay.clone(), app.runs.filter()), (None, "state:failed"));
    press(&mut app, "<Esc>");
    assert_eq!(app.runs.filter(), "");
    press(&mut app, "/q");
    assert_eq!(app.runs.filter(), "q", "q is a letter there");
    press(&mut app, "<Esc>");
    assert_eq!((app.overlay.clone(), app.runs.filter()), (None, ""));
}

#[test]
fn cancelling_asks_first_and_only_where_there_is_something_to_cancel() {
    let mut app = app();
    let id = app.runs.chosen().unwrap().id;
    assert_eq!(press(&mut app, "c"), vec![]);
    assert_eq!(app.overlay, Some(Overlay::Cancel(id)));
    assert_eq!(press(&mut app, "x<Tab>"), vec![]);
    assert_eq!(app.overlay, Some(Overlay::Cancel(id)), "other keys are no answer");
    assert_eq!(press(&mut app, "n"), vec![]);
    assert_eq!(app.overlay, None);
    assert_eq!(press(&mut app, "cy"), vec![Effect::Ask(Order::Cancel(id))]);
    assert_eq!(press(&mut app, "Gc"), vec![]);
    assert!(matches!(&app.notice, Some(Notice::Wrong(text)) if text.contains("already")), "{:?}", app.notice);
}

#[test]
fn the_question_is_about_its_run_whatever_is_chosen_meanwhile() {
    let mut app = app();
    let id = app.runs.chosen().unwrap().id;
    press(&mut app, "c");
    let mut fewer = fixtures::store();
    fewer.retain(|&other, _| other != id);
    hear(&mut app, News::Runs(fewer));
    assert_ne!(app.runs.chosen().unwrap().id, id);
    assert_eq!(press(&mut app, "y"), vec![Effect::Ask(Order::Cancel(id))]);
}

#[test]
fn the_picker_lists_checks_as_one_moves_and_adds() {
    let mut app = app();
    assert_eq!(press(&mut app, "a"), vec![Effect::List]);
    assert_eq!(press(&mut app, "<Enter>"), vec![], "nothing is there to be added yet");
    let files: Vec<PathBuf> = ["a.yaml", "b.yaml"].map(PathBuf::from).to_vec();
    assert_eq!(hear(&mut app, News::Experiments(files.clone())), vec![Effect::Check(files[0].clone())]);
    hear(&mut app, News::Checked(files[0].clone(), Check::Good(vec!["fine".into()])));
    assert_eq!(press(&mut app, "j"), vec![Effect::Check(files[1].clone())]);
    assert_eq!(press(&mut app, "k"), vec![], "what was checked is not checked again");
    assert_eq!(press(&mut app, "<Enter>"), vec![Effect::Ask(Order::Add(files[0].clone()))]);
    assert_eq!(app.overlay, None);
    press(&mut app, "a<Esc>");
    assert_eq!(app.overlay, None);
    assert_eq!(hear(&mut app, News::Experiments(files)), vec![], "the picker was closed meanwhile");
}

#[test]
fn the_log_follows_the_chosen_run() {
    let mut app = app();
    let first = app.runs.chosen().unwrap().id;
    assert_eq!(press(&mut app, "l"), vec![Effect::Follow(Some(first))]);
    press(&mut app, "<Esc>");
    let effects = press(&mut app, "j");
    let second = app.runs.chosen().unwrap().id;
    assert_eq!(effects, vec![Effect::Follow(Some(second))]);
    press(&mut app, "e<Esc>");
    assert_eq!(press(&mut app, "j"), vec![], "no log is shown");
}

#[test]
fn a_log_scrolls_from_its_end_and_not_beyond_its_beginning() {
    let mut app = app();
    let id = app.runs.chosen().unwrap().id;
    press(&mut app, "l");
    hear(&mut app, News::Log(id, Arc::new((0..500).map(|n| n.to_string()).collect())));
    press(&mut app, "kkk");
    assert_eq!(app.bottom.scroll, 3);
    press(&mut app, "j");
    assert_eq!(app.bottom.scroll, 2);
    press(&mut app, "g");
    let rows = app.layout().rows(Focus::Bottom);
    assert_eq!(app.bottom.scroll, 500 - rows);
    press(&mut app, "G");
    assert_eq!(app.bottom.scroll, 0);
}

#[test]
fn an_awaited_run_is_chosen_when_it_comes() {
    let mut app = App::new(Size::new(80, 24), Some(RunId(13)));
    hear(&mut app, News::Runs(fixtures::store()));
    assert_eq!(chosen(&app), 13);
    press(&mut app, "g");
    hear(&mut app, News::Runs(fixtures::store()));
    assert_ne!(chosen(&app), 13, "only once");
}

#[test]
fn a_click_chooses_its_row() {
    let mut app = app();
    let queue = app.layout().queue.unwrap();
    update(&mut app, Action::Click(Position { x: queue.x + 3, y: queue.y + 3 }));
    assert_eq!(app.runs.place(), 2);
    update(&mut app, Action::Click(Position { x: queue.x + 3, y: queue.y + 30 }));
    assert_eq!(app.runs.place(), 2, "an empty row chooses nothing");
    let bottom = app.layout().bottom.unwrap();
    update(&mut app, Action::Click(Position { x: bottom.x + 1, y: bottom.y + 1 }));
    assert_eq!(app.screen.focus, Focus::Bottom);
}

#[test]
fn what_the_runner_was_asked_for_is_not_left_behind() {
    for (keys, answer, quits) in [
        ("cyq", Ok("0015 is cancelled".to_owned()), true),
        ("cyq", Err("the runner is gone".to_owned()), false),
        ("cy", Ok("0015 is cancelled".to_owned()), false),
    ] {
        let mut app = app();
        assert!(!press(&mut app, keys).contains(&Effect::Quit), "{keys}: the answer is waited for");
        let effects = hear(&mut app, News::Answered(answer.clone()));
        assert_eq!(effects.contains(&Effect::Quit), quits, "{keys} {answer:?}");
        assert_eq!(press(&mut app, "q"), vec![Effect::Quit], "nothing is under way any more");
    }
    let mut app = app();
    press(&mut app, "cyq");
    assert_eq!(press(&mut app, "q"), vec![Effect::Quit], "asked twice, it leaves at once");
}

#[test]
fn events_are_not_scrolled_beyond_the_oldest() {
    let mut app = app();
    let mut run = (**app.runs.chosen().unwrap()).clone();
    let silent = Line { seq: 0, time: Timestamp::from_millis(0), event: Event::Unknown };
    Arc::make_mut(&mut run.training.feed).extend(std::iter::repeat_n(Arc::new(silent), 100));
    hear(&mut app, News::Runs([(run.id, Arc::new(run))].into()));
    press(&mut app, "e");
    let lines = crate::tui::pane::events::length(app.runs.chosen().unwrap());
    let rows = app.layout().rows(Focus::Bottom);
    assert!(lines > rows, "there is something to scroll");
    press(&mut app, "G");
    assert_eq!(app.bottom.scroll, lines - rows);
}

#[test]
fn a_log_that_is_not_shown_is_not_followed() {
    let mut app = app();
    press(&mut app, "l");
    assert_eq!(press(&mut app, "e"), vec![Effect::Follow(None)]);
}
