//! Runs that are compared and exported in the dashboard, in a pseudo-terminal.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod terminal;
mod workplace;

use terminal::Terminal;
use workplace::{PROGRAM, Workplace, tiny};

#[test]
fn a_sweep_is_compared_its_best_run_found_and_exported() {
    let here = Workplace::with_pictures();
    let sweep = "matrix:\n  train.batch_size: [4, 8]\n  train.phases.0.epochs: [1, 2]\n";
    here.write("sweep.yaml", tiny("sweep", 1, "1e-3") + sweep);
    here.finetop(&["add", "sweep.yaml", "--group", "night"]).succeeded();
    here.finetop(&["wait", "--group", "night"]).succeeded();
    let best = here.json(&["compare", "--group", "night", "--json"]);
    let best = best["rows"].as_array().unwrap().iter().find(|row| row["is_best"] == true).unwrap().clone();
    let best = best["runs"][0]["name"].as_str().unwrap().to_owned();
    let store = here.store();
    let environment = [("FINETOP_STORE", store.to_str().unwrap())];
    let mut dashboard = Terminal::start::<&str>(PROGRAM, &[], (160, 50), here.folder(), &environment);
    dashboard.wait_for_text("night");
    dashboard.type_keys("C");
    let screen = dashboard.wait_for("the table with what differs", |screen| {
        screen.contains("4 runs of night") && screen.contains("batch_size") && screen.contains("epochs")
    });
    assert!(screen.contains('*'), "the best value is marked\n{screen}");
    dashboard.wait_for("curves", |screen| screen.chars().any(|c| ('\u{2801}'..='\u{28FF}').contains(&c)));
    // The best row is marked, and a sort by the figure brings it to the top.
    dashboard.type_keys("v");
    dashboard.wait_for_text("which value does best");
    dashboard.type_keys("v");
    dashboard.wait_for_text("by epoch");
    dashboard.type_keys("ssssss");
    dashboard.wait_for("the arrow of the sorted column", |screen| screen.contains('▲') || screen.contains('▼'));
    dashboard.type_keys("X");
    dashboard.wait_for_text("finetop-export.csv");
    dashboard.type_keys("\r");
    dashboard.wait_for_text("epochs of 4 runs are in finetop-export.csv");
    let by_command = here.finetop(&["export", "--group", "night"]).succeeded().stdout;
    assert_eq!(std::fs::read_to_string(here.path("finetop-export.csv")).unwrap(), by_command);
    assert!(by_command.contains(&best));
    dashboard.type_keys("q");
    assert!(dashboard.wait().success());
    dashboard.assert_restored();
}
