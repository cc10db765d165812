use proptest::prelude::*;

use super::*;
use crate::tui::action::News as Heard;
use crate::tui::fixtures::{self, ASCII, UNICODE, app, frame, press, text};
use crate::tui::update::hear;

const TYPED: &str = "# A run\nname: emoji\ndata: { train: emoji/train, val_split: 0.2, image_size: 160 }   # pixels\n\
    model:\n  backbone: squeezenet1_1\n  weights: imagenet\n  head: [{ dropout: 0.3 }]\ntrain:\n  batch_size: 32\n";

const RESOLVED: &str = "name: emoji\nseed: 42\nretries: 2\ndata:\n  train: /data/emoji/train\n  val_split: 0.2\n  \
    image_size: 160\n  resize: bilinear\nmodel:\n  backbone: squeezenet1_1\n  weights: imagenet\n  pool: avg\n  head:\n  \
    - dropout: 0.3\ntrain:\n  batch_size: 32\n  phases:\n  - name: head\n    epochs: 10\n    optimizer:\n      adam:\n        \
    lr: 0.001\n        variant: keras\n  save: best\n";

/// The configuration is read of a run whose file says `resolved`.
fn read(app: &mut App, id: RunId, resolved: &str) {
    hear(app, Heard::Config(News { id, texts: Ok(Texts::of(resolved, TYPED)) }));
}

fn shown(size: (u16, u16)) -> App {
    let mut app = app(size, fixtures::store());
    let id = app.runs.chosen().unwrap();
    assert_eq!(press(&mut app, "3"), [Effect::Do(Job::Config(id))]);
    read(&mut app, id, RESOLVED);
    app
}

fn says(app: &App, words: &str) -> bool {
    text(&frame(app, &UNICODE)).contains(words)
}

#[test]
fn it_is_read_while_it_is_shown() {
    let mut app = app((120, 40), fixtures::store());
    let id = app.runs.chosen().unwrap();
    assert_eq!(press(&mut app, "3"), [Effect::Do(Job::Config(id))]);
    assert!(says(&app, "reading it"));
    press(&mut app, "<Esc>");
    let effects = press(&mut app, "j");
    let next = app.runs.chosen().unwrap();
    assert_eq!(effects, [Effect::Do(Job::Config(next))]);
    read(&mut app, id, RESOLVED);
    assert!(says(&app, "reading it"), "that was of another run");
    hear(&mut app, Heard::Config(News { id: next, texts: Err("could not read x".into()) }));
    assert!(says(&app, "could not read x"));
    assert_eq!(press(&mut app, "5"), []);
}

#[test]
fn what_differs_is_marked_and_can_be_shown_alone() {
    let mut app = shown((120, 60));
    assert!(
        says(&app, "●   image_size: 160   default 224") && says(&app, "·   batch_size: 32") && says(&app, "seed: 42")
    );
    press(&mut app, "m");
    assert!(says(&app, "image_size: 160") && says(&app, "data:") && !says(&app, "seed: 42"));
    press(&mut app, "y");
    assert!(says(&app, "# A run") && says(&app, "# pixels"));
    press(&mut app, "ym");
    assert!(says(&app, "seed: 42"));
}

#[test]
fn it_is_held_against_another_run() {
    let mut app = shown((120, 60));
    let own = app.runs.chosen().unwrap();
    let effects = press(&mut app, "=");
    let other = RunId(own.0 - 1);
    assert_eq!(effects, [Effect::Do(Job::Config(other))]);
    read(&mut app, other, &RESOLVED.replace("epochs: 10", "epochs: 3").replace("seed: 42\n", ""));
    assert!(says(&app, "train.phases.0.epochs") && says(&app, "seed") && !says(&app, "image_size"));
    press(&mut app, "=");
    assert!(says(&app, "image_size"));
    assert_eq!(press(&mut app, "o0012<Enter>"), [Effect::Do(Job::Config(RunId(12)))]);
    read(&mut app, RunId(12), RESOLVED);
    assert!(says(&app, "the two runs differ in nothing"));
    press(&mut app, "<Esc>");
    assert_eq!(press(&mut app, "oresnet18-old<Enter>"), [Effect::Do(Job::Config(RunId(11)))]);
    hear(&mut app, Heard::Config(News { id: RunId(11), texts: Err("it is gone".into()) }));
    assert!(says(&app, "it is gone"));
    for (typed, notice) in [("nobody", "there is no run `nobody`"), ("15", "that is this run; name another one")] {
        press(&mut app, &format!("o{typed}<Enter>"));
        assert_eq!(app.notice, Some(Notice::Wrong(notice.into())));
    }
}

#[test]
fn words_are_found() {
    let mut app = shown((80, 24));
    press(&mut app, "/save<Enter>");
    assert!(says(&app, "▸    save: best"));
    press(&mut app, "n");
    assert!(says(&app, "▸    save: best"), "round: there is one");
    press(&mut app, "/train<Enter>");
    let first = app.config.view.hit;
    press(&mut app, "n");
    assert_ne!(app.config.view.hit, first);
    press(&mut app, "N");
    assert_eq!(app.config.view.hit, first);
    press(&mut app, "/nowhere<Enter>");
    assert_eq!(app.notice, Some(Notice::Wrong("`nowhere` is not in the configuration".into())));
    press(&mut app, "<Esc><Esc>");
    assert_eq!(app.screen.focus, Focus::Queue);
}

#[test]
fn frames() {
    for (width, height) in [(120, 28), (80, 24), (60, 15), (40, 12)] {
        let mut app = shown((width, height));
        press(&mut app, "z");
        insta::assert_snapshot!(format!("config_{width}"), fixtures::pane(&app, &UNICODE));
        press(&mut app, "=");
        read(
            &mut app,
            RunId(14),
            &RESOLVED.replace("epochs: 10", "epochs: 3").replace("/data", &"/mnt/data".repeat(4)),
        );
        insta::assert_snapshot!(format!("against_{width}"), fixtures::pane(&app, &UNICODE));
    }
    let mut app = shown((60, 20));
    press(&mut app, "zm/data<Enter>");
    insta::assert_snapshot!("config_ascii", fixtures::pane(&app, &ASCII));
}

proptest! {
    #[test]
    fn whatever_the_files_say_nothing_is_obeyed(
        resolved in "[-a:#'\"{}\\[\\], 1é🍎\x1b\r\n\u{9b}]{0,60}",
        size in (1u16..130, 1u16..30),
        keys in proptest::collection::vec(prop_oneof![
            Just("j"), Just("G"), Just("m"), Just("y"), Just("="), Just("<Right>"), Just("/a<Enter>"), Just("n"), Just("z"),
        ], 0..8),
    ) {
        let mut app = shown(size);
        let id = app.runs.chosen().unwrap();
        read(&mut app, id, &resolved);
        for key in keys {
            press(&mut app, key);
            read(&mut app, RunId(14), RESOLVED);
            let buf = frame(&app, &UNICODE);
            prop_assert!(buf.content().iter().all(|cell| !cell.symbol().contains(char::is_control)));
        }
    }
}
