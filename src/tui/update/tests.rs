use ratatui::layout::{Position, Size};

use super::*;
use crate::tui::fixtures::{self, press};
use crate::tui::layout::Focus;

fn app() -> App {
    fixtures::app((120, 40), fixtures::store())
}

fn chosen(app: &App) -> u32 {
    app.runs.chosen().map_or(0, |id| id.0)
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
