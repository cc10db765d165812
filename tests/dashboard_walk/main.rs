//! Every key of the help page is pressed in a pseudo-terminal, where it has a meaning, and the screen answers with what the
//! key says. The list of keys is the program's own: one that is new and not in a story fails the test.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod press;
mod seen;
mod stories;
#[path = "../terminal/mod.rs"]
mod terminal;
#[path = "../workplace/mod.rs"]
mod workplace;

use std::collections::BTreeSet;

use finetop::tui::keymap::Keymap;
use press::bytes;
use seen::{Seen, screen_rows};
use stories::{STORIES, Story};
use terminal::{Terminal, highlighted};
use workplace::{PROGRAM, Workplace};

/// One thing that is done, and what is to be seen then.
pub struct Step {
    act: Act,
    seen: Seen,
}

enum Act {
    /// A key, as the help page writes it, that does what has this name.
    Key(&'static str, &'static str),
    Type(&'static str),
}

pub const fn key(name: &'static str, key: &'static str, seen: Seen) -> Step {
    Step { act: Act::Key(name, key), seen }
}

pub const fn typed(text: &'static str, seen: Seen) -> Step {
    Step { act: Act::Type(text), seen }
}

/// Names of actions and keys.
type Keys = BTreeSet<(String, String)>;

fn all_keys() -> Keys {
    let keymap = Keymap::default();
    let keys = keymap.rows().iter().flat_map(|row| row.keys.iter().map(|key| (row.name.clone(), key.name())));
    keys.collect()
}

/// Two phases on a handful of sentences.
fn experiment(name: &str, epochs: u32, lr: &str) -> String {
    format!(
        "name: {name}
data: {{ train: train.csv, val_split: 0.5, max_length: 8 }}
model: {{ backbone: bert, weights: random, tokenizer: vocab.txt, pool: cls }}
train:
  batch_size: 4
  phases:
    - {{ name: head, epochs: {epochs}, optimizer: {{ adam: {{ lr: {lr} }} }} }}
    - {{ name: fine_tune, epochs: {epochs}, optimizer: {{ adam: {{ lr: 1e-3 }} }} }}
"
    )
}

/// A store with a sweep of four that is over, a run that failed, one that is paused, and three that wait for it, so that
/// nothing goes on by itself.
fn store() -> Workplace {
    let here = Workplace::with_texts();
    here.write(".config/finetop/config.toml", "frames_per_second = 120\n");
    let sweep = experiment("sweep", 8, "1e-2") + "matrix:\n  train.batch_size: [2, 4]\n  seed: [1, 2]\n";
    here.write("sweep.yaml", sweep);
    here.write("broken.yaml", experiment("broken", 8, "1e39"));
    here.write("waits.yaml", experiment("waits", 2, "1e-2"));
    here.write("a-long.yaml", experiment("long", 2, "1e-2") + &"# so that there is something to scroll\n".repeat(60));
    here.finetop(&["add", "sweep.yaml", "--group", "night"]).succeeded();
    here.finetop(&["add", "broken.yaml"]).succeeded();
    here.finetop(&["wait", "--group", "night"]).succeeded();
    here.finetop(&["wait", "5"]);
    here.finetop(&["add", "waits.yaml", "--paused"]).succeeded();
    for _ in 0..3 {
        here.finetop(&["add", "waits.yaml", "--after", "6"]).succeeded();
    }
    here
}

fn open(here: &Workplace, size: (u16, u16), state: &str) -> Terminal {
    let (store, state) = (here.store(), here.path(state));
    let environment = [
        ("FINETOP_STORE", store.to_str().unwrap()),
        ("XDG_STATE_HOME", state.to_str().unwrap()),
        ("VISUAL", "true"),
        ("EDITOR", "true"),
    ];
    let dashboard = Terminal::start::<&str>(PROGRAM, &[], size, here.folder(), &environment);
    dashboard.answer();
    dashboard.wait_for("the store", |screen| screen.contains("▸ night") && screen.contains("of 1 slots"));
    dashboard
}

/// Presses the keys of a story in a dashboard as it is at first.
fn tell(here: &Workplace, story: &Story, size: (u16, u16), walked: &mut Keys) {
    let mut dashboard = open(here, size, &format!("state-{}", story.about));
    let mut before_last = String::new();
    for (number, step) in story.before.iter().chain(story.steps).enumerate() {
        let (before, marked) = dashboard.with_screen(|screen| (screen_rows(screen), highlighted(screen)));
        let what = match step.act {
            Act::Key(name, key) => {
                dashboard.type_keys(&bytes(key));
                walked.insert((name.to_owned(), key.to_owned()));
                format!("{}, step {number}: {key} ({name}) is to show {:?}", story.about, step.seen)
            }
            Act::Type(text) => {
                dashboard.type_keys(text);
                format!("{}, step {number}: {text:?} typed is to show {:?}", story.about, step.seen)
            }
        };
        step.seen.is_not_there(&what, &before, &marked);
        let is_small = size.0 < 100;
        dashboard.wait_for_screen(&what, |screen| {
            step.seen.is_there(is_small, &before, &before_last, &screen_rows(screen), &highlighted(screen))
        });
        before_last = before;
    }
    leave(dashboard, "\x03");
}

fn leave(mut dashboard: Terminal, keys: &str) {
    dashboard.type_keys(keys);
    assert!(dashboard.wait().success());
    dashboard.assert_restored();
}

/// The keys after which there is no screen to look at.
fn end(here: &Workplace, size: (u16, u16), walked: &mut Keys) {
    leave(open(here, size, "state-quit"), "q");
    let mut helping = open(here, size, "state-quit");
    helping.type_keys("?");
    helping.wait_for_text("In the panes");
    leave(helping, "\x03");
    for (name, key) in [("quit", "q"), ("quit-anywhere", "Ctrl-c")] {
        walked.insert((name.to_owned(), key.to_owned()));
    }
}

/// What somebody else writes onto the screen is gone after Ctrl-l.
fn redraw(here: &Workplace, size: (u16, u16), walked: &mut Keys) {
    let mut dashboard = open(here, size, "state-redraw");
    dashboard.write_over("\x1b[3;3Hsomebody wrote this\x1b[?25h");
    assert!(dashboard.text().contains("somebody wrote this"));
    dashboard.type_keys(&bytes("Ctrl-l"));
    dashboard.wait_for("a clean screen", |screen| !screen.contains("somebody") && screen.contains("0006 waits"));
    walked.insert(("redraw".to_owned(), "Ctrl-l".to_owned()));
    leave(dashboard, "q");
}

fn walk(size: (u16, u16)) {
    let here = store();
    let mut walked = Keys::new();
    redraw(&here, size, &mut walked);
    for story in STORIES {
        tell(&here, story, size, &mut walked);
    }
    end(&here, size, &mut walked);
    // tests/dashboard_signals.rs is about it.
    walked.insert(("suspend".to_owned(), "Ctrl-z".to_owned()));
    let all = all_keys();
    let left: Vec<_> = all.difference(&walked).collect();
    assert!(left.is_empty(), "no story in tests/dashboard_walk/stories.rs presses {left:?}");
    let strange: Vec<_> = walked.difference(&all).collect();
    assert!(strange.is_empty(), "these do something else: {strange:?}");
}

#[test]
fn every_key_does_what_the_help_page_says_in_80_columns() {
    walk((80, 24));
}

#[test]
fn every_key_does_what_the_help_page_says_in_120_columns() {
    walk((120, 40));
}
