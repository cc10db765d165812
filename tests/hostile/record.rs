//! The logs of a real run, changed: what is read of them is a state that can be, and can be shown.

use std::path::Path;
use std::sync::OnceLock;

use finetop::record::event::Event;
use finetop::record::life::Outcome;
use finetop::record::state::Status;
use finetop::record::summary::Summary;
use finetop::record::{RunDir, RunState, Tail, view, words};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use super::change::{changed, changes};
use super::memory::peak_of;
use crate::terminal::Terminal;
use crate::workplace::{PROGRAM, Workplace, tiny_text};

/// `run.jsonl` and `events.jsonl` of a run with two attempts.
fn logs() -> &'static (Vec<u8>, Vec<u8>) {
    static LOGS: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
    LOGS.get_or_init(|| {
        let here = Workplace::with_texts();
        here.write("tiny.yaml", tiny_text("tiny", 6));
        here.finetop(&["add", "tiny.yaml"]).succeeded();
        here.finetop(&["wait", "1"]).succeeded();
        let folder = here.run_folder(1);
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        (read("run.jsonl"), read("events.jsonl"))
    })
}

fn assert_can_be(run: &RunState) {
    let life = &run.life;
    let says = |outcome| life.exit.as_ref().is_some_and(|exit| exit.outcome == outcome);
    let fits = match run.status() {
        Status::Queued => life.exit.is_none(),
        Status::Starting | Status::Running => life.exit.is_none() && life.started.is_some(),
        Status::Paused => life.exit.is_none() || says(Outcome::Paused),
        Status::Finished => says(Outcome::Finished),
        Status::Failed => says(Outcome::Failed),
        Status::Cancelled => says(Outcome::Cancelled),
        Status::Lost => says(Outcome::Lost),
    };
    assert!(fits, "{life:?}");
    let training = &run.training;
    assert!(training.epochs.windows(2).all(|pair| pair[0].epoch < pair[1].epoch), "no epoch twice");
    assert!(training.phases.is_sorted_by_key(|(first, _)| *first));
    assert!(training.best.as_ref().is_none_or(|best| best.value.is_finite()));
}

/// Everything that a command or the dashboard makes of it.
fn show(run: &RunState) {
    serde_json::to_string(&Summary::new(run, Path::new("/runs/0001-tiny"))).unwrap();
    for line in run.training.feed.iter() {
        assert!(!words::kind(&line.event).is_empty());
        words::words(&line.event);
    }
    let _ = (run.running_time(finetop::base::clock::now()), run.training.planned_epochs(), run.training.phase());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_logs_give_a_state_that_can_be(life in changes(), training in changes()) {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path(), "1".parse().unwrap(), "tiny");
        std::fs::create_dir(dir.path()).unwrap();
        std::fs::write(dir.run_log(), changed(&logs().0, &life)).unwrap();
        std::fs::write(dir.events(), changed(&logs().1, &training)).unwrap();
        let (run, peak) = peak_of(|| view::load(&dir));
        assert_can_be(&run);
        show(&run);
        prop_assert!(peak < 16 << 20, "{} bytes", peak);
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        std::fs::write(&path, &bytes).unwrap();
        let mut tail = Tail::<Event>::new(path);
        tail.read().unwrap();
        prop_assert!(tail.read().unwrap().is_empty());
    }

    /// A reader that comes again and again sees what one sees that comes late.
    #[test]
    fn a_log_that_grows_is_read_as_one_that_is_there(training in changes(), cuts in prop::collection::vec(any::<Index>(), 0..6)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let bytes = changed(&logs().1, &training);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([bytes.len()]).collect();
        cuts.sort_unstable();
        let (mut growing, mut lines) = (Tail::<Event>::new(path.clone()), Vec::new());
        for cut in cuts {
            use std::io::Write;
            let there = std::fs::metadata(&path).map_or(0, |metadata| metadata.len()) as usize;
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
            file.write_all(&bytes[there..cut]).unwrap();
            let news = growing.read().unwrap();
            prop_assert!(!news.restarted);
            lines.extend(news.lines);
        }
        let late = Tail::<Event>::new(path).read().unwrap().lines;
        prop_assert_eq!(format!("{lines:?}"), format!("{late:?}"));
    }
}

/// A run that is over is listed from its cached summary, which may be as damaged as the rest.
#[test]
fn changed_summaries_are_listed_or_made_anew() {
    let here = Workplace::with_texts();
    here.write("tiny.yaml", tiny_text("tiny", 2));
    here.finetop(&["run", "tiny.yaml"]).succeeded();
    here.finetop(&["ls"]).succeeded();
    let path = here.run_folder(1).join("summary.json");
    let summary = std::fs::read(&path).unwrap();
    let mut random = TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
    random
        .run(&changes(), |changes| {
            std::fs::write(&path, changed(&summary, &changes)).unwrap();
            let listed = here.finetop(&["ls"]);
            prop_assert_eq!(listed.code, 0, "{}", listed.stderr);
            prop_assert!(listed.stdout.lines().count() == 2 && !listed.stdout.contains('\u{1b}'), "{}", listed.stdout);
            Ok(())
        })
        .unwrap();
}

/// Whatever run is selected, it is drawn.
#[test]
fn the_dashboard_shows_changed_logs() {
    const RUNS: usize = 40;
    let here = Workplace::empty();
    let mut random = TestRunner::deterministic();
    for number in 1..=RUNS {
        let folder = here.store().join(format!("{number:04}-odd"));
        std::fs::create_dir_all(&folder).unwrap();
        for (name, log) in [("run.jsonl", &logs().0), ("events.jsonl", &logs().1)] {
            let changes = changes().new_tree(&mut random).unwrap().current();
            std::fs::write(folder.join(name), changed(log, &changes)).unwrap();
        }
    }
    let store = here.store();
    let environment = [("FINETOP_STORE", store.to_str().unwrap())];
    let mut dashboard = Terminal::start::<&str>(PROGRAM, &[], (140, 60), here.folder(), &environment);
    dashboard.wait_for_text("0001");
    for _ in 1..RUNS {
        let before = dashboard.text();
        dashboard.type_keys("j");
        dashboard.wait_for("another run", |screen| screen != before);
    }
    dashboard.type_keys("q");
    let screen = dashboard.text();
    assert!(dashboard.wait().success(), "{screen}");
    dashboard.assert_restored();
}

#[test]
fn commands_survive_what_is_no_log() {
    let here = Workplace::empty();
    let folder = here.store().join("0001-odd");
    std::fs::create_dir_all(&folder).unwrap();
    let deep = format!("{}{}\n", "[".repeat(100_000), "]".repeat(100_000));
    for log in [b"\0\xff{\n[]\n{\"seq\":0}\n".as_slice(), deep.as_bytes(), &logs().1, &[b'x'; 1 << 20]] {
        for name in ["run.jsonl", "events.jsonl", "summary.json", "log.txt", "resolved.yaml"] {
            std::fs::write(folder.join(name), log).unwrap();
        }
        for command in
            [&["ls"][..], &["ls", "--json"], &["show", "1"], &["show", "1", "--json"], &["events", "1"], &["logs", "1"]]
        {
            let ended = here.finetop(command);
            assert!([0, 1, 2].contains(&ended.code), "{command:?}: {} {}", ended.code, ended.stderr);
            assert!(!ended.stderr.contains("panicked"), "{command:?}: {}", ended.stderr);
            assert!(!ended.stdout.contains('\u{1b}') || command[0] == "logs", "{command:?}");
        }
    }
}
