use proptest::prelude::*;

use super::*;
use crate::base::clock::Stopwatch;
use crate::record::event::{Checkpoint, Level, Log};
use crate::record::life::{Cause, Exited, LifeEvent, Outcome};
use crate::tui::action::News;
use crate::tui::fixtures::{self, ASCII, Recording, UNICODE, app, delta, frame, press, text};
use crate::tui::log::{Order, Place};
use crate::tui::update::hear;

/// A run of two attempts, the first of which crashed.
fn two_attempts() -> Recording {
    let mut run = Recording::training(7, "emoji");
    run.epochs(1..=3).best(3, 0.84);
    let exit = Exited {
        attempt: 1,
        outcome: Outcome::Failed,
        cause: Cause::Crashed,
        exit_code: None,
        signal: Some(11),
        message: Some("the worker was killed".into()),
    };
    run.life(LifeEvent::Exited(exit));
    run.life(LifeEvent::RetryScheduled { attempt: 2, after_s: 30 });
    run.life(LifeEvent::PauseRequested).life(LifeEvent::Paused).life(LifeEvent::Resumed);
    run.life(LifeEvent::Tagged { tags: vec!["keep".into(), "🍎".into()] });
    run.epochs(4..=9).best(9, 0.24).lr_drop(9);
    let file = "checkpoints/last.safetensors".into();
    run.event(Event::Checkpoint(Checkpoint { epoch: 9, step: 36, file, bytes: 1 << 20, seconds: 0.1 }));
    run.event(Event::Log(Log { level: Level::Warning, message: "a picture was wider than it is high ".repeat(6) }));
    run.early_stop(9, "head");
    run
}

fn focused(size: (u16, u16)) -> App {
    let mut app = app(size, delta([two_attempts().run()]));
    press(&mut app, "e");
    app
}

fn chosen_words(app: &App) -> String {
    app.events.line(app.run().unwrap()).unwrap().words()
}

#[test]
fn every_line_of_both_logs_is_there_in_order() {
    let app = focused((200, 60));
    let run = app.run().unwrap();
    let lines: Vec<String> =
        (0..app.events.feed.len()).map(|at| app.events.feed.get(run, at).unwrap().words()).collect();
    let find = |words: &str| lines.iter().position(|line| line.contains(words)).unwrap_or_else(|| panic!("{words}"));
    let order = [
        "queued",
        "attempt 1 started on lab",
        "3 classes",
        "epoch 3  val_loss .8400",
        "attempt 1 failed: the worker crashed, signal 11; the worker was killed",
        "attempt 2 in 30 seconds",
        "asked to pause",
        "paused",
        "put back in the queue",
        "tagged keep 🍎",
        "epoch 4",
        "wider than it is high",
        "stopped early",
    ];
    let places = order.map(find);
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn the_chosen_line_stays_while_others_come_unless_it_is_the_newest() {
    let mut recording = two_attempts();
    let mut app = focused((120, 40));
    let newest = chosen_words(&app);
    assert!(newest.contains("stopped early"));
    recording.best(10, 0.2);
    hear(&mut app, News::Runs(delta([recording.run()])));
    assert_eq!(chosen_words(&app), "epoch 10  val_loss .2000");
    press(&mut app, "j");
    assert_eq!(chosen_words(&app), newest);
    recording.best(11, 0.1).best(12, 0.05);
    hear(&mut app, News::Runs(delta([recording.run()])));
    assert_eq!(chosen_words(&app), newest);
    press(&mut app, "G");
    assert!(chosen_words(&app).starts_with("queued"));
    press(&mut app, "g");
    assert_eq!(chosen_words(&app), "epoch 12  val_loss .0500");
}

#[test]
fn kinds_are_turned_by_keys_and_by_clicks() {
    let mut app = focused((120, 40));
    let all = app.events.feed.len();
    press(&mut app, "<Right><Right> ");
    assert_eq!(app.events.feed.len(), all - 9, "no epochs");
    press(&mut app, " ");
    assert_eq!(app.events.feed.len(), all);
    press(&mut app, "<Left><Left><Left> ");
    assert_eq!(app.events.feed.len(), all + 1, "and the checkpoint");
    press(&mut app, "<Right><Right><Right>F");
    assert_eq!(app.events.feed.len(), 9, "epochs alone");
    press(&mut app, "F");
    assert_eq!(app.events.feed.len(), all + 1);
    let bottom = app.layout().bottom.unwrap();
    let shown = text(&frame(&app, &UNICODE));
    let title = shown.lines().nth(usize::from(bottom.y)).unwrap();
    let column = title.chars().position(|sign| sign == '●').unwrap() as u16;
    click(&mut app, bottom, Position { x: column + 1, y: bottom.y });
    assert!(!app.events.kinds.has(Kind::Run));
    click(&mut app, bottom, Position { x: column + 7, y: bottom.y });
    assert!(!app.events.kinds.has(Kind::Phase));
    click(&mut app, bottom, Position { x: bottom.x, y: bottom.y });
}

#[test]
fn a_click_chooses_the_line_that_is_there() {
    let mut app = focused((120, 40));
    let bottom = app.layout().bottom.unwrap();
    let shown = text(&frame(&app, &UNICODE));
    let rows: Vec<&str> = shown.lines().collect();
    let row = rows.iter().rposition(|row| row.contains("epoch 8 ")).unwrap() as u16;
    click(&mut app, bottom, Position { x: 20, y: row });
    assert!(chosen_words(&app).starts_with("epoch 8 "), "{}", chosen_words(&app));
    click(&mut app, bottom, Position { x: 20, y: bottom.y + bottom.height - 1 });
}

#[test]
fn it_leads_to_the_curve_and_to_the_log_and_back() {
    for (kind, epoch) in
        [("stopped early", 9), ("epoch 4 ", 4), ("1.0e-3 →", 9), ("wider", 9), ("tagged", 3), ("head:", 1)]
    {
        let mut app = focused((120, 40));
        press(&mut app, &format!("/{kind}<Enter>"));
        assert!(chosen_words(&app).contains(kind), "{kind}: {}", chosen_words(&app));
        press(&mut app, "i");
        assert_eq!((app.curves.cursor_epoch(), app.screen.focus), (Some(epoch), Focus::Run), "{kind}");
        press(&mut app, "i");
        let back = app.events.line(app.run().unwrap()).unwrap().epoch(app.run().unwrap());
        assert_eq!((back, app.screen.focus), (Some(epoch), Focus::Bottom), "{kind}");
    }
    let mut app = focused((120, 40));
    press(&mut app, "G<Enter>");
    assert_eq!(app.notice, Some(Notice::Wrong("no epoch was trained before this".into())));
    show_epoch(&mut app, 5);
    assert!(chosen_words(&app).starts_with("epoch 5 ") && app.screen.focus == Focus::Bottom);
    let time = app.events.line(app.run().unwrap()).unwrap().time();
    let id = app.runs.chosen();
    let orders = [Order::Follow(id), Order::Show(Place::Time(time))].map(Effect::Log);
    assert_eq!(press(&mut app, "o"), orders);
    assert_eq!(app.screen.tab, Tab::Log);
}

#[test]
fn words_are_found_marked_and_gone_through() {
    let mut app = focused((120, 40));
    press(&mut app, "/attempt<Enter>");
    assert!(chosen_words(&app).starts_with("attempt 2 in 30 seconds"));
    press(&mut app, "n");
    assert!(chosen_words(&app).starts_with("attempt 1 failed"));
    press(&mut app, "nn");
    assert!(chosen_words(&app).starts_with("attempt 2 in 30 seconds"), "round: {}", chosen_words(&app));
    press(&mut app, "N");
    assert!(chosen_words(&app).starts_with("attempt 1 started"));
    let buf = frame(&app, &UNICODE);
    assert!(buf.content().iter().any(|cell| cell.modifier.contains(ratatui::style::Modifier::REVERSED)));
    press(&mut app, "/nowhere<Enter>");
    assert_eq!(app.notice, Some(Notice::Wrong("`nowhere` is not in the events".into())));
    press(&mut app, "<Esc>");
    assert!(app.events.pattern.is_none() && app.screen.focus == Focus::Bottom);
    press(&mut app, "<Esc>");
    assert_eq!(app.screen.focus, Focus::Queue);
}

#[test]
fn frames() {
    for (width, height) in [(120, 24), (80, 24), (60, 15), (40, 12)] {
        let mut app = focused((width, height));
        press(&mut app, "zj");
        insta::assert_snapshot!(format!("events_{width}"), fixtures::pane(&app, &UNICODE));
    }
    let mut app = focused((100, 24));
    press(&mut app, "zw/epoch<Enter>");
    insta::assert_snapshot!("events_ascii", fixtures::pane(&app, &ASCII));
}

/// Printed, not judged: what it is is in docs/BENCHMARKS.md.
#[test]
fn a_hundred_thousand_lines_are_quick() {
    let mut run = Recording::training(7, "long");
    for epoch in 1..=50_000 {
        run.best(epoch, 0.5).lr_drop(epoch);
    }
    let mut app = app((200, 60), delta([run.run()]));
    press(&mut app, "e");
    let seconds = |app: &mut App, keys: &str| {
        let watch = Stopwatch::start();
        press(app, keys);
        frame(app, &UNICODE);
        watch.seconds()
    };
    let times = ["j", "<PgDn>", "F", "F", "G", "/nowhere<Enter>"].map(|keys| (keys, 1e3 * seconds(&mut app, keys)));
    println!("milliseconds at 100,000 lines: {times:?}");
    assert!(app.events.feed.len() > 100_000);
}

proptest! {
    #[test]
    fn the_chosen_line_is_always_seen(
        size in (1u16..130, 1u16..40),
        keys in proptest::collection::vec(prop_oneof![
            Just("j"), Just("k"), Just("<PgDn>"), Just("<PgUp>"), Just("G"), Just("g"), Just("w"), Just(" "), Just("F"),
            Just("<Right>"), Just("/epoch<Enter>"), Just("n"), Just("z"),
        ], 0..12),
    ) {
        let mut app = focused(size);
        for key in keys {
            press(&mut app, key);
            frame(&app, &UNICODE);
        }
        let area = app.layout().bottom;
        if let Some(area) = area.filter(|area| area.height > 2 && area.width > 30 && app.events.feed.len() > 0) {
            let mut rows = area.y + 1..area.y + area.height - 1;
            prop_assert!(rows.any(|y| draw::line_at(&app, area, y) == Some(app.events.at())));
        }
    }
}

#[test]
fn what_is_far_is_looked_for_by_a_job() {
    let mut run = Recording::training(7, "emoji");
    run.epochs(1..=1200);
    let mut app = app((120, 40), delta([run.run()]));
    press(&mut app, "e");
    let far = |effects: Vec<Effect>| match <[Effect; 1]>::try_from(effects) {
        Ok([Effect::Do(Job::Seek(seeking))]) => seeking.seek(),
        other => panic!("one search: {other:?}"),
    };
    let found = far(press(&mut app, "/epoch 3 <Enter>"));
    let newest = chosen_words(&app);
    hear(&mut app, News::Sought(found));
    assert!(chosen_words(&app).starts_with("epoch 3 "), "{} after {newest}", chosen_words(&app));
    press(&mut app, "<Esc>");
    let nothing = far(press(&mut app, "/zebra<Enter>"));
    hear(&mut app, News::Sought(nothing));
    assert_eq!(app.notice, Some(Notice::Wrong("`zebra` is not in the events".into())));
    press(&mut app, "<Esc>");
    let late = far(press(&mut app, "/epoch 1200 <Enter>n"));
    let before = chosen_words(&app);
    press(&mut app, "<Esc>");
    hear(&mut app, News::Sought(late));
    assert_eq!(chosen_words(&app), before, "nobody looks for it any more");
}
