//! Experiments that are added in the dashboard, in a pseudo-terminal: with an override, through an editor, and again.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod terminal;
mod workplace;

use std::path::Path;

use terminal::Terminal;
use workplace::{PROGRAM, Workplace};

fn open(here: &Workplace, editor: &str) -> Terminal {
    let store = here.store();
    let environment = [("FINETOP_STORE", store.to_str().unwrap()), ("VISUAL", editor), ("EDITOR", "false")];
    let dashboard = Terminal::start::<&str>(PROGRAM, &[], (120, 40), here.folder(), &environment);
    dashboard.wait_for_text("Queue");
    dashboard
}

/// A program that is an editor as far as we see: it does `what` to the file `$1`.
fn editor(here: &Workplace, what: &str) -> String {
    let path = here.write("editor.sh", format!("#!/bin/sh\n{what}\n"));
    format!("sh {}", path.display())
}

fn leave(mut dashboard: Terminal) {
    dashboard.type_keys("q");
    assert!(dashboard.wait().success());
    dashboard.assert_restored();
}

fn resolved(here: &Workplace, id: u32) -> String {
    std::fs::read_to_string(here.run_folder(id).join("resolved.yaml")).unwrap()
}

#[test]
fn an_experiment_is_queued_with_an_override_and_again_with_another() {
    let here = Workplace::with_pictures();
    here.experiment("tiny", 1);
    let mut dashboard = open(&here, "false");
    dashboard.type_keys("a");
    dashboard.wait_for_text("tiny.yaml");
    dashboard.type_keys("otrain.batch_sise=5");
    dashboard.wait_for("the nearest key", |screen| screen.contains("did you mean `batch_size`?"));
    dashboard.type_keys("\x7f\x7f\x7f\x7f");
    dashboard.type_keys("\tz");
    dashboard.wait_for_text("train.batch_siz");
    dashboard.type_keys("\x1b");
    dashboard.wait_for_text("override –");
    dashboard.type_keys("otrain.batch_size=5 train.phases.0.epochs=2");
    dashboard.wait_for_text("$ finetop add tiny.yaml --set train.batch_size=5 --set train.phases.0.epochs=2");
    dashboard.type_keys("\r\r");
    dashboard.wait_for_text("0001");
    here.finetop(&["wait", "1"]).succeeded();
    assert!(resolved(&here, 1).contains("batch_size: 5"));
    dashboard.wait_for("its end", |screen| screen.contains("finished"));
    dashboard.type_keys("D");
    dashboard.wait_for_text("Queue 0001 tiny again");
    dashboard.type_keys("seed=11\r");
    dashboard.wait_for_text("resolved.yaml --set seed=11");
    dashboard.type_keys("\r");
    dashboard.wait_for_text("0002");
    here.finetop(&["wait", "2"]).succeeded();
    let again = resolved(&here, 2);
    assert!(again.contains("batch_size: 5") && again.contains("seed: 11"), "{again}");
    leave(dashboard);
}

#[test]
fn an_experiment_is_edited_shown_its_mistake_edited_again_and_queued() {
    let here = Workplace::with_pictures();
    let file = here.experiment("tiny", 1);
    let before = std::fs::read_to_string(&file).unwrap();
    // The first time it makes a mistake, the second time it mends it; it has the terminal to itself, and its keys.
    let script = r#"
printf 'the editor asks '
read -r answer
test "$answer" = yes || exit 3
grep -q 'batch_size' "$1" && sed -i 's/batch_size/batchsize/' "$1" || sed -i 's/batchsize: .*/batch_size: 3/' "$1"
"#;
    let mut dashboard = open(&here, &editor(&here, script));
    dashboard.type_keys("a");
    dashboard.wait_for_text("tiny.yaml");
    dashboard.wait_for("the preview", |screen| screen.contains("batches of"));
    for (screen_after, is_last) in [("batchsize", false), ("0001", true)] {
        dashboard.type_keys("e");
        dashboard.wait_for_screen("the editor on a terminal of its own", |screen| {
            screen.contents().contains("the editor asks") && !screen.alternate_screen() && !screen.hide_cursor()
        });
        dashboard.type_keys("yes\r");
        dashboard.wait_for_screen("the dashboard to be back", |screen| {
            screen.alternate_screen() && screen.contents().contains(screen_after)
        });
        if !is_last {
            dashboard.wait_for_text("tiny.yaml edited");
        }
    }
    here.finetop(&["wait", "1"]).succeeded();
    assert!(resolved(&here, 1).contains("batch_size: 3"), "{}", resolved(&here, 1));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before, "the file stays as it is");
    leave(dashboard);
}

#[test]
fn an_editor_that_fails_or_changes_nothing_queues_nothing() {
    let here = Workplace::with_pictures();
    here.experiment("tiny", 1);
    for (editor, said) in
        [("true", "nothing was changed"), ("false", "`false` ended with"), ("no-such-editor", "ended with")]
    {
        let mut dashboard = open(&here, editor);
        dashboard.type_keys("a");
        dashboard.wait_for("the preview", |screen| screen.contains("batches of"));
        dashboard.type_keys("e");
        dashboard.wait_for_text(said);
        dashboard.type_keys("\x1b");
        dashboard.wait_for("the dialog to be closed", |screen| !screen.contains("Add an experiment"));
        leave(dashboard);
    }
    assert!(!Path::new(&here.store()).join("0001-tiny").exists());
}

#[test]
fn ctrl_c_in_the_editor_is_the_editors() {
    let here = Workplace::with_pictures();
    here.experiment("tiny", 1);
    let script = "trap 'echo got it; exit 4' INT\necho ready\nwhile read -r line; do :; done";
    let mut dashboard = open(&here, &editor(&here, script));
    dashboard.type_keys("a");
    dashboard.wait_for("the preview", |screen| screen.contains("batches of"));
    dashboard.type_keys("e");
    dashboard.wait_for_screen("the editor", |screen| screen.contents().contains("ready") && !screen.alternate_screen());
    dashboard.type_keys("\x03");
    dashboard.wait_for_screen("the dashboard to be back", |screen| {
        screen.alternate_screen() && screen.contents().contains("ended with")
    });
    dashboard.type_keys("\x1b");
    dashboard.wait_for("the dialog to be closed", |screen| !screen.contains("Add an experiment"));
    leave(dashboard);
}
