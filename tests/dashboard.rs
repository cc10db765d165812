//! The dashboard in a real pseudo-terminal.

mod terminal;
mod workplace;

use rustix::process::{Pid, Signal, kill_process};
use terminal::Terminal;
use workplace::{PROGRAM, Workplace, tiny};

fn open(here: &Workplace, arguments: &[&str], size: (u16, u16)) -> Terminal {
    let store = here.store();
    let environment = [("FINETOP_STORE", store.to_str().unwrap())];
    Terminal::start(PROGRAM, arguments, size, here.folder(), &environment)
}

/// An experiment whose head phase stops early: a learning rate of zero improves nothing.
fn stops_early(here: &Workplace) {
    let yaml = tiny("stopper", 40, "1e-12");
    here.write("stopper.yaml", format!("{yaml}  early_stopping: {{ monitor: val_loss, min_delta: 0.01, patience: 3, restore_best_weights: true }}\n"));
}

fn count_braille(screen: &str) -> usize {
    screen.chars().filter(|c| ('\u{2801}'..='\u{28FF}').contains(c)).count()
}

#[test]
fn a_run_is_watched_from_its_start_to_its_early_stop() {
    let here = Workplace::with_pictures();
    stops_early(&here);
    let mut dashboard = open(&here, &["stopper.yaml"], (120, 40));
    dashboard.wait_for_text("0001");
    dashboard.wait_for_text("stopper");
    dashboard.wait_for("a curve", |screen| count_braille(screen) > 4);
    let screen = dashboard.wait_for_text("stopped early");
    assert!(screen.contains("val_loss"), "{screen}");
    dashboard.type_keys("q");
    assert!(dashboard.wait().success());
    dashboard.assert_restored();
}

#[test]
fn it_is_resized_while_running() {
    let here = Workplace::with_pictures();
    here.experiment("long", 400);
    let mut dashboard = open(&here, &["long.yaml"], (200, 60));
    dashboard.wait_for("a curve", |screen| count_braille(screen) > 4);
    for (columns, rows) in [(80, 24), (60, 15), (20, 5), (120, 40)] {
        dashboard.resize(columns, rows);
        dashboard.wait_for("the run in the new size", |screen| screen.contains("long") || screen.contains("0001"));
    }
    dashboard.wait_for("a curve", |screen| count_braille(screen) > 4);
    dashboard.type_keys("q");
    assert!(dashboard.wait().success());
    dashboard.assert_restored();
}

#[test]
fn signals_restore_the_terminal() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let here = Workplace::with_pictures();
        here.experiment("long", 400);
        let mut dashboard = open(&here, &["long.yaml"], (80, 24));
        dashboard.wait_for_text("0001");
        kill_process(Pid::from_raw(dashboard.process_id() as i32).unwrap(), signal).unwrap();
        assert!(!dashboard.wait().success(), "{signal:?} is not a success");
        dashboard.assert_restored();
        let run = here
            .wait_for_run(1, "the run to go on", |run| run["epochs"].as_array().is_some_and(|epochs| epochs.len() > 1));
        assert_eq!(run["state"], "running", "the run goes on after {signal:?}");
    }
}

#[test]
fn a_panic_in_any_thread_restores_the_terminal() {
    for thread in ["loop", "reader"] {
        let here = Workplace::with_pictures();
        here.experiment("long", 400);
        let store = here.store();
        let environment =
            [("FINETOP_STORE", store.to_str().unwrap()), ("FINETOP_TEST_PANIC", thread), ("RUST_BACKTRACE", "0")];
        let mut dashboard = Terminal::start(PROGRAM, &["long.yaml"], (80, 24), here.folder(), &environment);
        let status = dashboard.wait();
        assert_eq!(status.exit_code(), 101, "{thread}");
        dashboard.assert_restored();
        dashboard.wait_for_text("asked to panic");
        let run = here
            .wait_for_run(1, "the run to go on", |run| run["epochs"].as_array().is_some_and(|epochs| epochs.len() > 1));
        assert_eq!(run["state"], "running");
    }
}

#[test]
fn the_run_goes_on_when_the_line_drops() {
    let here = Workplace::with_pictures();
    here.experiment("lives", 6);
    let mut dashboard = open(&here, &["lives.yaml"], (80, 24));
    dashboard.wait_for_text("0001");
    dashboard.hang_up();
    dashboard.wait();
    here.finetop(&["wait", "1"]).succeeded();
    let shown = here.json(&["show", "1", "--json"]);
    assert_eq!(shown["epochs"].as_array().unwrap().len(), 12);
    assert_eq!(shown["attempts"], 1);
}

#[test]
fn an_idle_dashboard_writes_nothing() {
    let here = Workplace::with_pictures();
    let file = here.experiment("done", 1);
    here.finetop(&["run".as_ref(), file.as_os_str()]).succeeded();
    let mut dashboard = open(&here, &[], (120, 40));
    dashboard.wait_for("the finished run", |screen| screen.contains("done") && count_braille(screen) > 0);
    // The clock in the header may turn once a minute; otherwise nothing is written.
    let quiet = |dashboard: &Terminal| {
        let before = dashboard.bytes();
        std::thread::sleep(std::time::Duration::from_secs(2));
        dashboard.bytes() - before
    };
    quiet(&dashboard);
    let bytes = quiet(&dashboard).min(quiet(&dashboard));
    assert_eq!(bytes, 0);
    dashboard.type_keys("q");
    assert!(dashboard.wait().success());
}

#[test]
fn an_experiment_is_added_by_the_picker_and_cancelled_with_a_question() {
    let here = Workplace::with_pictures();
    here.experiment("long", 400);
    here.write("mistaken.yaml", tiny("mistaken", 1, "1e-3").replace("batch_size", "batchsize"));
    let mut dashboard = open(&here, &[], (120, 40));
    dashboard.wait_for_text("Queue");
    dashboard.type_keys("a");
    dashboard.wait_for("the picker", |screen| screen.contains("long.yaml") && screen.contains("mistaken.yaml"));
    dashboard.type_keys("j");
    dashboard.wait_for("the mistake", |screen| screen.contains("batchsize"));
    dashboard.type_keys("k\r");
    dashboard.wait_for("the run", |screen| screen.contains("0001") && count_braille(screen) > 0);
    dashboard.type_keys("c");
    dashboard.wait_for("the question", |screen| screen.to_lowercase().contains("cancel") && screen.contains("y"));
    dashboard.type_keys("y");
    here.wait_for_run(1, "the run to be cancelled", |run| run["state"] == "cancelled");
    dashboard.wait_for("the end on the screen", |screen| screen.contains("cancelled"));
    dashboard.type_keys("q");
    assert!(dashboard.wait().success());
    dashboard.assert_restored();
}

#[test]
fn an_experiment_added_right_before_leaving_is_queued() {
    let here = Workplace::with_pictures();
    here.experiment("late", 1);
    let mut dashboard = open(&here, &[], (120, 40));
    dashboard.wait_for_text("Queue");
    dashboard.type_keys("a");
    dashboard.wait_for_text("late.yaml");
    dashboard.type_keys("\rq");
    assert!(dashboard.wait().success());
    dashboard.assert_restored();
    here.finetop(&["wait", "1"]).succeeded();
}

#[test]
fn a_terminal_that_takes_no_bytes_can_be_left() {
    let here = Workplace::with_pictures();
    let mut dashboard = open(&here, &[], (200, 60));
    dashboard.wait_for_text("Queue");
    dashboard.stall();
    // Every new size is a whole frame; a terminal holds some ten of them. Nothing tells from outside that it is full.
    for round in 0..40 {
        dashboard.resize(200 - round % 2, 60);
        std::thread::sleep(std::time::Duration::from_millis(40));
    }
    dashboard.type_keys("q");
    assert!(dashboard.wait().success());
}
