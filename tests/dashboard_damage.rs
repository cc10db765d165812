//! The files of a run are damaged under an open dashboard: it goes on, shows what comes afterwards, and other runs.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

#[path = "hostile/change.rs"]
mod change;
mod terminal;
mod workplace;

use std::cell::RefCell;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use change::{Change, changed, changes};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use terminal::Terminal;
use workplace::{PROGRAM, Workplace, tiny_text};

/// A store with the run `other`, which is over, and one of each name, which is not, so that the dashboard goes on reading it.
fn store(names: &[&str]) -> Workplace {
    let here = Workplace::with_texts();
    here.write(".config/finetop/config.toml", "frames_per_second = 120\n");
    here.write("other.yaml", tiny_text("other", 6));
    here.finetop(&["run", "other.yaml"]).succeeded();
    let run = here.run_folder(1);
    for (id, name) in (2..).zip(names) {
        let folder = here.store().join(format!("{id:04}-{name}"));
        fs::create_dir(&folder).unwrap();
        for file in ["run.jsonl", "events.jsonl", "log.txt", "resolved.yaml", "experiment.yaml"] {
            let text = fs::read_to_string(run.join(file)).unwrap();
            let text = text.replace("\"name\":\"other\"", &format!("\"name\":\"{name}\""));
            let is_end = |line: &str| line.contains("\"type\":\"exited\"");
            let lines = text.split_inclusive('\n').filter(|line| !is_end(line));
            fs::write(folder.join(file), lines.collect::<String>()).unwrap();
        }
    }
    here.finetop(&["ls"]).succeeded();
    here
}

fn open(here: &Workplace) -> Terminal {
    let store = here.store();
    let environment = [("FINETOP_STORE", store.to_str().unwrap())];
    let dashboard = Terminal::start::<&str>(PROGRAM, &[], (120, 40), here.folder(), &environment);
    dashboard.answer();
    dashboard.wait_for_text("0001 other");
    dashboard
}

/// Leaves one run in the queue, which is shown.
fn choose(dashboard: &mut Terminal, name: &str) {
    filter(dashboard, &format!("{name}\r"));
    let is_chosen = |screen: &str| screen.contains(&format!("for “{name}”")) && screen.contains(&shown(name));
    dashboard.wait_for(name, |screen| is_chosen(screen) && !is_typing(screen));
}

/// From wherever the keys go to, types another filter.
fn filter(dashboard: &mut Terminal, keys: &str) {
    dashboard.type_keys(":filter\r");
    dashboard.wait_for("the filter", is_typing);
    dashboard.type_keys(&format!("{}{keys}", "\x7f".repeat(20)));
}

/// Whether a line is typed: a key right after Esc would be one key together with it.
fn is_typing(screen: &str) -> bool {
    screen.lines().last().is_some_and(|line| line.contains('█'))
}

/// How the title of a run that is read whole ends.
fn shown(name: &str) -> String {
    format!("{name}  head  epoch")
}

fn append(path: &Path, bytes: &[u8]) {
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(bytes).unwrap();
}

/// What a worker says, at a time.
fn message(seq: usize, time: &str, text: &str) -> String {
    format!("{{\"seq\":{seq},\"time\":\"{time}\",\"type\":\"log\",\"level\":\"info\",\"message\":\"{text}\"}}\n")
}

/// Later than anything in these records.
const LATER: &str = "2099-01-01T00:00:00.000Z";

/// The dashboard answers keys, and shows the other run.
fn assert_answers(dashboard: &mut Terminal) {
    dashboard.type_keys("?");
    dashboard.wait_for_text("In the panes");
    dashboard.type_keys("q");
    dashboard.wait_for("the panes", |screen| !screen.contains("In the panes"));
    choose(dashboard, "other");
    filter(dashboard, "\x1b");
    dashboard.wait_for("all runs", |screen| !screen.contains("for “") && !is_typing(screen));
}

fn leave(mut dashboard: Terminal) {
    dashboard.type_keys("q");
    assert!(dashboard.wait().success());
    dashboard.assert_restored();
}

/// What is done to a file or a folder.
type Harm = fn(&Path);

/// What is done to the events of a run.
const DAMAGE: [(&str, Harm); 9] = [
    ("emptied", |events| cut(events, 0)),
    ("halved", |events| cut(events, fs::metadata(events).unwrap().len() / 2)),
    ("garbage", |events| append(events, b"\0\xff{\n[1,\n\x1b[2J\x1b]0;title\x07\n{\"seq\":0}\n")),
    ("long-line", |events| append(events, &[b"x".repeat(2 << 20), b"\n".to_vec()].concat())),
    ("torn", |events| append(events, b"{\"seq\":9998,\"time\":\"2099-01-01T00:00:00.0")),
    ("replaced", |events| replace(events, b"{\"what\":\"is this\"}\n")),
    ("removed", |events| fs::remove_file(events).unwrap()),
    ("yesterday", |events| {
        let text = fs::read_to_string(events).unwrap();
        let day = text.split('T').next().unwrap().rsplit('"').next().unwrap().to_owned();
        append(events, text.replace(&day, "2001-01-01").as_bytes());
    }),
    ("folder", |events| {
        fs::remove_file(events).unwrap();
        fs::create_dir(events).unwrap();
    }),
];

fn cut(path: &Path, length: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
}

/// Another file gets the name.
fn replace(path: &Path, bytes: &[u8]) {
    let new = path.with_extension("new");
    fs::write(&new, bytes).unwrap();
    fs::rename(new, path).unwrap();
}

#[test]
fn events_are_damaged_and_go_on() {
    let here = store(&DAMAGE.map(|(name, _)| name));
    let mut dashboard = open(&here);
    for (id, (name, damage)) in (2..).zip(DAMAGE) {
        choose(&mut dashboard, name);
        let events = here.run_folder(id).join("events.jsonl");
        damage(&events);
        if events.is_dir() {
            assert_answers(&mut dashboard);
            filter(&mut dashboard, &format!("{name}\r"));
            fs::remove_dir(&events).unwrap();
        }
        let said = format!("after {name}");
        append(&events, format!("\n{}", message(9999, LATER, &said)).as_bytes());
        dashboard.wait_for_text(&said);
        assert_answers(&mut dashboard);
    }
    leave(dashboard);
}

/// What is done to the folder of a run.
const OTHER_DAMAGE: [(&str, Harm); 6] = [
    ("no-life", |folder| cut(&folder.join("run.jsonl"), 0)),
    ("strange-life", |folder| replace(&folder.join("run.jsonl"), b"\xff\xfe\0\0\n{\"seq\":0}\n")),
    ("bad-summary", |folder| replace(&folder.join("summary.json"), b"{\"id\":7,\"name\":\xff\0")),
    ("no-yaml", |folder| {
        fs::remove_file(folder.join("resolved.yaml")).unwrap();
        fs::write(folder.join("experiment.yaml"), b"\0\xff: [").unwrap();
    }),
    ("file", |folder| {
        fs::remove_dir_all(folder).unwrap();
        fs::write(folder, "no folder").unwrap();
    }),
    ("gone", |folder| fs::remove_dir_all(folder).unwrap()),
];

#[test]
fn folders_are_damaged_and_the_other_run_is_shown_in_every_tab() {
    let here = store(&OTHER_DAMAGE.map(|(name, _)| name));
    let mut dashboard = open(&here);
    for (id, (name, damage)) in (2..).zip(OTHER_DAMAGE) {
        choose(&mut dashboard, name);
        let folder = here.run_folder(id);
        damage(&folder);
        if folder.is_dir() {
            append(&folder.join("events.jsonl"), message(9999, LATER, &format!("after {name}")).as_bytes());
            dashboard.wait_for_text(&format!("after {name}"));
        } else {
            dashboard.wait_for_text("no run matches");
        }
        show_tabs(&mut dashboard);
        assert_answers(&mut dashboard);
    }
    leave(dashboard);
}

fn show_tabs(dashboard: &mut Terminal) {
    for (key, title) in [("2", "Log"), ("3", "Config"), ("4", "Results"), ("5", "System"), ("1", "Events")] {
        dashboard.type_keys(key);
        dashboard.wait_for_text(&format!("┏ {title}"));
    }
}

#[test]
fn a_log_is_cut_and_removed_while_it_is_followed() {
    let here = store(&["victim"]);
    let mut dashboard = open(&here);
    choose(&mut dashboard, "victim");
    let log = here.run_folder(2).join("log.txt");
    dashboard.type_keys("2");
    dashboard.wait_for("the end of the log", |screen| screen.contains("┏ Log follows") && screen.contains("done "));
    cut(&log, 0);
    dashboard.wait_for_text("the worker has not said anything yet");
    append(&log, b"it begins anew\n\xff\xfe\x1b[2J\x1b]0;title\x07 still here\n");
    dashboard.wait_for("what came then", |screen| screen.contains("it begins anew") && screen.contains("still here"));
    fs::remove_file(&log).unwrap();
    dashboard.wait_for_text("the worker has not said anything yet");
    append(&log, b"another file\n");
    dashboard.wait_for_text("another file");
    replace(&log, &b"many lines\n".repeat(10_000));
    dashboard.wait_for("the end of the new file", |screen| screen.matches("many lines").count() > 5);
    assert_answers(&mut dashboard);
    leave(dashboard);
}

#[test]
fn the_store_is_removed_and_comes_back() {
    let here = store(&["victim"]);
    let mut dashboard = open(&here);
    let away = here.path("away");
    fs::rename(here.store(), &away).unwrap();
    let screen = dashboard.wait_for_text("could not list the store");
    assert!(screen.contains("0001 other"), "what is known stays\n{screen}");
    fs::rename(&away, here.store()).unwrap();
    dashboard.wait_for("it to be well again", |screen| !screen.contains("could not list the store"));
    assert_answers(&mut dashboard);
    leave(dashboard);
}

/// A file of a run, and what is done to it.
fn any_damage() -> impl Strategy<Value = (&'static str, bool, Vec<Change>)> {
    let files = ["events.jsonl", "run.jsonl", "summary.json", "log.txt", "resolved.yaml"];
    (prop::sample::select(files.to_vec()), any::<bool>(), changes())
}

#[test]
fn random_damage_never_ends_it() {
    let here = store(&["victim"]);
    let folder = here.run_folder(2);
    fs::write(folder.join("summary.json"), fs::read(here.run_folder(1).join("summary.json")).unwrap()).unwrap();
    let dashboard = RefCell::new(open(&here));
    choose(&mut dashboard.borrow_mut(), "victim");
    let config = Config { cases: 16, max_shrink_iters: 0, failure_persistence: None, ..Config::default() };
    let case = RefCell::new(0);
    let held = TestRunner::new(config).run(&any_damage(), |(file, in_place, changes)| {
        let (path, mut dashboard) = (folder.join(file), dashboard.borrow_mut());
        let whole = fs::read(&path).unwrap();
        let damaged = changed(&whole, &changes);
        if in_place {
            fs::write(&path, damaged).unwrap()
        } else {
            replace(&path, &damaged)
        }
        show_tabs(&mut dashboard);
        // The record comes back, and a line more that is to be read: each as another file, once, since what has the place
        // of a file that has just gone may look like that file.
        *case.borrow_mut() += 1;
        let said = format!("said in case {}.", case.borrow());
        if file != "events.jsonl" {
            replace(&path, &whole);
        }
        let events = folder.join("events.jsonl");
        let all = if file == "events.jsonl" { whole } else { fs::read(&events).unwrap() };
        replace(&events, &[all, message(9999 + *case.borrow(), LATER, &said).into_bytes()].concat());
        dashboard.wait_for_text(&said);
        Ok(())
    });
    held.unwrap();
    let mut dashboard = dashboard.into_inner();
    assert_answers(&mut dashboard);
    leave(dashboard);
}

#[test]
fn a_pipe_in_place_of_a_file_holds_up_nobody() {
    let here = store(&["victim"]);
    let mut dashboard = open(&here);
    choose(&mut dashboard, "victim");
    for file in ["events.jsonl", "run.jsonl", "log.txt", "resolved.yaml", "summary.json"] {
        let path = here.run_folder(2).join(file);
        let _ = fs::remove_file(&path);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    }
    show_tabs(&mut dashboard);
    assert_answers(&mut dashboard);
    leave(dashboard);
}
