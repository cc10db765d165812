//! Over a real ssh connection to a server on the loopback address. On a machine without `sshd` it says that it was
//! skipped; with `FINETOP_REQUIRE_REAL=1` a missing one is a failure.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod server;
mod terminal;
mod workplace;

use std::path::Path;
use std::process::{Command, Stdio};

use finetop::base::clock::Stopwatch;
use server::{Server, remote};
use terminal::Terminal;
use workplace::{PROGRAM, Workplace, tiny_text, wait_for};

#[test]
fn add_over_ssh_returns_and_the_run_goes_on() {
    let here = Workplace::with_pictures();
    let Some(server) = Server::start(here.folder()) else { return };
    here.experiment("remote", 2000);
    let added = Command::new("ssh")
        .args(server.arguments())
        .args(["127.0.0.1", &remote(&here, "add remote.yaml")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    drop(server);
    let epoch = || here.json(&["show", "1", "--json"])["epoch"].as_u64().unwrap_or(0);
    let on_return = epoch();
    wait_for("a later epoch", || epoch() > on_return);
    here.finetop(&["cancel", "1"]).succeeded();
}

#[test]
fn a_cut_connection_ends_the_dashboard_and_not_the_run() {
    let here = Workplace::with_pictures();
    let Some(server) = Server::start(here.folder()) else { return };
    here.experiment("remote", 8);
    let mut arguments = server.arguments();
    arguments.extend(["-tt".into(), "127.0.0.1".into(), remote(&here, "remote.yaml")]);
    let mut connection = Terminal::start("ssh", &arguments, (100, 30), here.folder(), &[]);
    connection.wait_for_text("remote");
    let dashboards = || dashboards_in(here.folder());
    wait_for("one dashboard", || dashboards().len() == 1);
    // The client dies as a closed laptop does: without a word.
    let client = rustix::process::Pid::from_raw(connection.process_id() as i32).unwrap();
    rustix::process::kill_process(client, rustix::process::Signal::KILL).unwrap();
    connection.wait();
    wait_for("the dashboard's end", || dashboards().is_empty());
    here.finetop(&["wait", "1"]).succeeded();
    assert_eq!(here.json(&["show", "1", "--json"])["attempts"], 1);
}

/// Each time a dashboard starts a run over a line of its own, and the server's side of the line is killed under it.
#[test]
fn twenty_cut_lines_leave_no_dashboard_and_every_run_finished() {
    const LINES: u32 = 20;
    let here = Workplace::with_texts();
    let Some(server) = Server::start(here.folder()) else { return };
    let (before, mut lived, mut ends) = (Stopwatch::start(), 0, Vec::new());
    for line in 1..=LINES {
        let name = format!("line{line}");
        here.write(&format!("{name}.yaml"), tiny_text(&name, 1000));
        let mut arguments = server.arguments();
        arguments.extend(["-tt".into(), "127.0.0.1".into(), remote(&here, &format!("{name}.yaml"))]);
        let mut connection = Terminal::start("ssh", &arguments, (100, 30), here.folder(), &[]);
        connection.answer();
        connection.wait_for_text(&name);
        wait_for("the dashboard", || dashboards_in(here.folder()).len() == 1);
        let is_live = here.json(&["show", &line.to_string(), "--json"])["ended"].is_null();
        lived += u32::from(is_live);
        let cut = Stopwatch::start();
        server.kill_sessions();
        wait_for("the dashboard's end", || dashboards_in(here.folder()).is_empty());
        ends.push(cut.seconds());
        connection.wait();
    }
    ends.sort_by(f64::total_cmp);
    assert!(ends[ends.len() / 2] < 1.0, "dashboards were there for {ends:?} s after their line was cut");
    assert!(lived >= LINES / 2, "only {lived} runs lived when their line was cut");
    here.finetop(&["wait", "--all"]).succeeded();
    let runs = here.json(&["ls", "--json"]);
    let runs = runs.as_array().unwrap();
    assert_eq!(runs.len(), LINES as usize);
    assert!(runs.iter().all(|run| run["state"] == "finished" && run["attempts"] == 1), "{runs:?}");
    let (runner, used) = the_runner(&here);
    // It served twenty dashboards and ran twenty workers meanwhile; one whose line is cut must not keep it spinning.
    assert!(used < 0.5 * before.seconds(), "the runner used {used} s of {} s", before.seconds());
    assert_at_rest(&here, runner);
}

/// The runner's process, which is the only one that is left, and the CPU seconds that it has used.
fn the_runner(here: &Workplace) -> (u32, f64) {
    wait_for("nobody but the runner", || processes_in(here.folder()).len() == 1);
    let (process, line) = processes_in(here.folder()).pop().unwrap();
    assert!(line.contains("runner"), "{line}");
    (process, cpu_seconds(process))
}

/// There are two seconds by the kernel's clock in which it uses less than a hundredth of a core.
fn assert_at_rest(here: &Workplace, runner: u32) {
    const WINDOW: f64 = 2.0;
    wait_for("a window of rest", || {
        let (watch, before) = (Stopwatch::start(), cpu_seconds(runner));
        wait_for("its end", || watch.seconds() >= WINDOW);
        cpu_seconds(runner) - before <= 0.01 * watch.seconds()
    });
    assert_eq!(processes_in(here.folder()).len(), 1, "and nobody else is there");
}

/// Seconds that a process has computed (fields 14 and 15 of `/proc/PID/stat`, in hundredths).
fn cpu_seconds(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11..=12].iter().map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// Processes of this program in `folder` that are neither runner nor worker.
fn dashboards_in(folder: &Path) -> Vec<String> {
    let lines = processes_in(folder).into_iter().map(|(_, line)| line);
    lines.filter(|line| !line.contains("runner") && !line.contains("worker")).collect()
}

/// All processes of this program in `folder` and below, with their command lines.
fn processes_in(folder: &Path) -> Vec<(u32, String)> {
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok());
    let of_us = entries.filter_map(|entry| {
        let process = entry.file_name().to_str()?.parse().ok()?;
        let cwd = std::fs::read_link(entry.path().join("cwd")).ok()?;
        let line = String::from_utf8_lossy(&std::fs::read(entry.path().join("cmdline")).ok()?).replace('\0', " ");
        (cwd.starts_with(folder) && line.starts_with(PROGRAM)).then_some((process, line))
    });
    of_us.collect()
}
