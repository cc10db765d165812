//! The dashboard stopped, continued and ended by signals, and what the mouse does, in a pseudo-terminal.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod terminal;
mod workplace;

use rustix::process::{Pid, Signal, kill_process};
use terminal::{Terminal, highlighted};
use workplace::{PROGRAM, Workplace, tiny_text};

/// A store with three runs that are over.
fn store() -> Workplace {
    let here = Workplace::with_texts();
    here.write("tiny.yaml", tiny_text("tiny", 3));
    for _ in 0..3 {
        here.finetop(&["run", "tiny.yaml"]).succeeded();
    }
    here
}

fn start(here: &Workplace, program: &str, arguments: &[&str]) -> Terminal {
    let store = here.store();
    let environment = [("FINETOP_STORE", store.to_str().unwrap())];
    let dashboard = Terminal::start(program, arguments, (120, 40), here.folder(), &environment);
    dashboard.answer();
    dashboard.wait_for("the chosen run", |screen| screen.contains("0003 tiny  head  epoch 3/3"));
    dashboard
}

fn send(dashboard: &Terminal, signal: Signal) {
    kill_process(Pid::from_raw(dashboard.process_id() as i32).unwrap(), signal).unwrap();
}

/// A shell with jobs starts the dashboard, and goes on when it is stopped.
const SHELL: &str = r#"set -m; "$0"; echo "stopped with $?"; read -r answer; fg > /dev/null; echo "ended with $?""#;

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_brings_the_whole_screen_back() {
    let here = store();
    let mut shell = start(&here, "sh", &["-c", SHELL, PROGRAM]);
    let before = shell.text();
    shell.type_keys("\x1a");
    // 128 and the number of the signal say that it is stopped, not over.
    let stopped = format!("stopped with {}", 128 + Signal::TSTP.as_raw());
    shell.wait_for_screen("the shell", |screen| screen.contents().contains(&stopped) && !screen.alternate_screen());
    shell.assert_restored();
    let bytes = shell.bytes();
    here.finetop(&["tag", "1", "--add", "meanwhile"]).succeeded();
    assert_eq!(shell.bytes(), bytes, "nothing is written while it is stopped");
    shell.type_keys("\r");
    shell.wait_for_screen("the dashboard", |screen| screen.alternate_screen() && screen.contents() == before);
    shell.type_keys("j");
    shell.wait_for("keys to be taken", |screen| screen.contains("0002 tiny  head  epoch 3/3"));
    shell.type_keys("q");
    shell.wait_for_text("ended with 0");
    assert!(shell.wait().success());
    shell.assert_restored();
}

#[test]
fn continued_after_any_stop_it_draws_the_whole_screen_anew() {
    let here = store();
    let mut dashboard = start(&here, PROGRAM, &[]);
    let before = dashboard.text();
    send(&dashboard, Signal::STOP);
    dashboard.write_over("\x1b[?1049l\x1b[?25h\x1b[2;2Hsomebody else was here");
    send(&dashboard, Signal::CONT);
    dashboard.wait_for_screen("the dashboard", |screen| {
        screen.alternate_screen() && screen.hide_cursor() && screen.contents() == before
    });
    dashboard.type_keys("q");
    assert!(dashboard.wait().success());
    dashboard.assert_restored();
}

#[test]
fn ended_while_it_is_stopped_it_restores_the_terminal_when_it_goes_on() {
    let here = store();
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut dashboard = start(&here, PROGRAM, &[]);
        for signal in [Signal::STOP, signal, Signal::CONT] {
            send(&dashboard, signal);
        }
        assert!(!dashboard.wait().success(), "{signal:?}");
        dashboard.assert_restored();
    }
}

/// Where a text stands, as column and row from 1.
fn place(screen: &str, text: &str) -> (usize, usize) {
    let (row, line) = screen.lines().enumerate().find(|(_, line)| line.contains(text)).expect(text);
    (line.split(text).next().unwrap().chars().count() + 1, row + 1)
}

/// What the terminal says of the mouse (SGR, mode 1006): the button pressed, moved while it is held, let go.
fn mouse(dashboard: &mut Terminal, what: &str, (column, row): (usize, usize)) {
    let (code, end) = match what {
        "press" => (0, 'M'),
        "move" => (32, 'M'),
        "let go" => (0, 'm'),
        "wheel up" => (64, 'M'),
        _ => unreachable!("{what}"),
    };
    dashboard.type_keys(&format!("\x1b[<{code};{column};{row}{end}"));
}

#[test]
fn borders_go_with_the_mouse_and_stay_when_it_lets_go() {
    let here = store();
    let mut dashboard = start(&here, PROGRAM, &[]);
    let corners = place(&dashboard.text(), "┓┌");
    let (column, row) = (corners.0, 10);
    mouse(&mut dashboard, "press", (column, row));
    mouse(&mut dashboard, "move", (column + 5, row));
    dashboard.wait_for("the border to follow", |screen| place(screen, "┓┌").0 == column + 5);
    mouse(&mut dashboard, "move", (column + 20, row + 3));
    dashboard.wait_for("the border to follow", |screen| place(screen, "┓┌").0 == column + 20);
    mouse(&mut dashboard, "let go", (column + 20, row + 3));
    mouse(&mut dashboard, "move", (column + 2, row));
    // The border above the place at the bottom.
    let (_, below) = place(&dashboard.text(), "┌ Events");
    mouse(&mut dashboard, "press", (column, below - 1));
    mouse(&mut dashboard, "move", (column, below - 6));
    let screen = dashboard.wait_for("the other border", |screen| place(screen, "┌ Events").1 == below - 5);
    assert_eq!(place(&screen, "┓┌").0, column + 20, "what was let go stays\n{screen}");
    mouse(&mut dashboard, "let go", (column, below - 6));
    dashboard.type_keys("q");
    assert!(dashboard.wait().success());
    // It is so again in the next one.
    let again = start(&here, PROGRAM, &[]);
    again.wait_for("the borders as they were left", |screen| {
        place(screen, "┓┌").0 == column + 20 && place(screen, "┌ Events").1 == below - 5
    });
}

#[test]
fn what_is_clicked_is_chosen() {
    let here = store();
    let mut dashboard = start(&here, PROGRAM, &[]);
    let row = place(&dashboard.text(), "✓ 0001");
    mouse(&mut dashboard, "press", row);
    mouse(&mut dashboard, "let go", row);
    dashboard.wait_for_screen("the row to be chosen, and its run to be shown", |screen| {
        highlighted(screen).contains("0001 tiny") && screen.contents().contains("┌ 0001 tiny  head  epoch 3/3")
    });
    let tab = place(&dashboard.text(), "2 Log");
    mouse(&mut dashboard, "press", tab);
    dashboard.wait_for_text("┏ Log follows");
    let charts = (60, 10);
    mouse(&mut dashboard, "press", charts);
    dashboard.wait_for_text("┏ 0001 tiny");
    let row = place(&dashboard.text(), "✓ 0003");
    mouse(&mut dashboard, "wheel up", row);
    dashboard.wait_for_screen("the row above", |screen| !highlighted(screen).contains("0001 tiny"));
    dashboard.type_keys("q");
    assert!(dashboard.wait().success());
    dashboard.assert_restored();
}
