//! Faults at every write: in a whole run, each step of each durable operation fails once, in the command, in the runner
//! and in the worker. After each the message is clear, the store opens, nothing acknowledged is lost, and what can go on
//! does, to the same bytes.
//!
//! Every step is tried, the ways to fail in turn; `FINETOP_FAULTS=all` tries each way at each step (minutes).

#![cfg(debug_assertions)] // without them there are no faults
#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod workplace;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use finetop::record::life::LifeEvent;
use finetop::record::state::Status;
use finetop::record::{RunDir, RunState, Store, Tail, view};
use finetop::runner::{Client, Request, Response};
use serde_json::Value;
use workplace::{Ended, Workplace, tiny_text, wait_for};

/// A way to fail, and what a message says of it: the reason, and a part of the hint.
#[derive(Debug, Clone, Copy)]
struct Way {
    action: &'static str,
    reason: &'static str,
    hint: &'static str,
}

const WAYS: [Way; 5] = [
    Way { action: "enospc", reason: "No space left on device", hint: "free some space" },
    Way { action: "eio", reason: "Input/output error", hint: "dmesg" },
    Way { action: "erofs", reason: "Read-only file system", hint: "read-only" },
    Way { action: "edquot", reason: "Disk quota exceeded", hint: "quota" },
    Way { action: "short", reason: "No space left on device", hint: "free some space" },
];

impl Way {
    fn is_said_in(&self, text: &str) -> bool {
        let has_hint = text.contains(self.hint) || text.contains("`finetop retry`");
        text.contains("could not ") && text.contains('/') && text.contains(self.reason) && has_hint
    }
}

/// A whole run of it takes a twentieth of a second.
fn texts() -> Workplace {
    let here = Workplace::with_texts();
    here.write("tiny.yaml", tiny_text("tiny", 2));
    here
}

/// What a run comes to that nothing disturbs: the bytes of its model, and its epochs.
fn undisturbed() -> &'static (Vec<u8>, Vec<Value>) {
    static COME_TO: OnceLock<(Vec<u8>, Vec<Value>)> = OnceLock::new();
    COME_TO.get_or_init(|| {
        let here = texts();
        here.finetop(&["run", "tiny.yaml"]).succeeded();
        come_to(&here.run_folder(1), &here.json(&["show", "1", "--json"]))
    })
}

fn come_to(folder: &Path, shown: &Value) -> (Vec<u8>, Vec<Value>) {
    let model = std::fs::read(folder.join("model/model.safetensors")).expect("a finished run has its model");
    let figures = |epoch: &Value| {
        let names = ["epoch", "phase", "phase_epoch", "lr", "loss", "accuracy", "val_loss", "val_accuracy"];
        names.iter().map(|&name| epoch[name].clone()).collect()
    };
    (model, shown["epochs"].as_array().unwrap().iter().map(figures).collect())
}

/// One run with one fault in it.
struct Trial {
    here: Workplace,
    fault: String,
    way: Way,
}

impl Trial {
    fn new(role: &str, n: usize, way: Way) -> Trial {
        let here = texts();
        std::fs::create_dir(here.path("marks")).unwrap();
        Trial { here, fault: format!("{role}:*#{n}={}", way.action), way }
    }

    /// Runs the program, with the fault ahead of it and of what it starts.
    fn faulty(&self, arguments: &[&str]) -> Ended {
        let mut command = self.here.command(arguments);
        command.env("FINETOP_FAULT", &self.fault).env("FINETOP_FAULT_ONCE", self.here.path("marks"));
        Ended::from(command.stdin(std::process::Stdio::null()).output().unwrap())
    }

    fn has_acted(&self) -> bool {
        std::fs::read_dir(self.here.path("marks")).unwrap().next().is_some()
    }

    /// The run of the store, if it has one.
    fn run(&self) -> Option<RunDir> {
        let store = Store::open(&self.here.store()).ok()?;
        let mut runs = store.runs().expect("the store opens");
        assert!(runs.len() <= 1, "{}: {runs:?}", self.fault);
        runs.pop()
    }

    /// Waits until the run has ended or nothing more happens by itself soon.
    fn settled(&self, dir: &RunDir) -> RunState {
        wait_for(&format!("the end of a run with {}", self.fault), || {
            let run = view::load(dir);
            run.status().is_over() || run.life.retry_at.is_some() || self.is_nobodys(dir)
        });
        view::load(dir)
    }

    /// Whether no runner has it, or one that has put it off.
    fn is_nobodys(&self, dir: &RunDir) -> bool {
        let store = Store::open(&self.here.store()).expect("the store opens");
        let mut client = match Client::connect(&store) {
            Ok(Some(client)) => client,
            Ok(None) => return true,
            Err(_) => return false,
        };
        let Ok(Response::Status(status)) = client.request(&Request::Status) else { return false };
        status.runs.live.is_empty() && !view::load_life(dir).status().is_over()
    }

    /// The logs are whole lines with numbers that have no gaps, and no attempt ends twice.
    fn assert_whole(&self, dir: &RunDir) {
        for path in [dir.run_log(), dir.events()].iter().filter(|path| path.exists()) {
            let lines = self.here.lines(path);
            let numbers: Vec<u64> = lines.iter().map(|line| line["seq"].as_u64().expect("a number")).collect();
            assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>(), "{}: {}", self.fault, path.display());
        }
        let ended = Tail::<LifeEvent>::new(dir.run_log()).read().unwrap().lines;
        let attempts: Vec<u32> = ended
            .iter()
            .filter_map(|line| match &line.event {
                LifeEvent::Exited(exited) => Some(exited.attempt),
                _ => None,
            })
            .collect();
        let once: BTreeSet<u32> = attempts.iter().copied().collect();
        assert_eq!(attempts.len(), once.len(), "{}: an attempt ends once: {attempts:?}", self.fault);
    }

    /// `ls` and `show` work, whatever was acknowledged.
    fn assert_opens(&self) {
        let Some(dir) = self.run() else { return };
        self.assert_whole(&dir);
        let listed = self.here.json(&["ls", "--json"]);
        assert_eq!(listed[0]["id"], self.here.json(&["show", &dir.id().to_string(), "--json"])["id"], "{}", self.fault);
    }

    fn assert_said(&self, text: &str) {
        assert!(self.way.is_said_in(text), "{}: {text}", self.fault);
    }

    /// The run, which is here by now, comes to what it would have come to.
    fn goes_on(&self) {
        let dir = self.run().unwrap_or_else(|| panic!("{}: there is a run", self.fault));
        let id = dir.id().to_string();
        let run = self.settled(&dir);
        if run.status() != Status::Finished {
            self.here.finetop(&["retry", &id]).succeeded();
        }
        assert_eq!(self.settled(&dir).status(), Status::Finished, "{}: after a retry", self.fault);
        self.assert_whole(&dir);
        let (model, epochs) = come_to(dir.path(), &self.here.json(&["show", &id, "--json"]));
        assert_eq!(epochs, undisturbed().1, "{}", self.fault);
        assert!(model == undisturbed().0, "{}: the bytes of the model differ", self.fault);
    }
}

/// Tries `trial` with the first step, the second … until one no longer comes to its fault; how many did.
fn every_step(trial: impl Fn(usize, Way) -> bool + Sync) -> usize {
    let all = std::env::var("FINETOP_FAULTS").is_ok_and(|faults| faults == "all");
    undisturbed();
    let (next, end) = (AtomicUsize::new(1), AtomicUsize::new(usize::MAX));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= end.load(Ordering::Relaxed) {
                        return;
                    }
                    let ways = if all { &WAYS[..] } else { &WAYS[n % WAYS.len()..][..1] };
                    if !ways.iter().all(|&way| trial(n, way)) {
                        end.fetch_min(n, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    end.into_inner() - 1
}

/// `add`, and a runner that works it off.
fn queued(role: &str, n: usize, way: Way) -> bool {
    let trial = Trial::new(role, n, way);
    let added = trial.faulty(&["add", "tiny.yaml"]);
    trial.assert_opens();
    match (added.code, trial.run()) {
        (0, run) => {
            let run = run.unwrap_or_else(|| panic!("{}: what was said to be queued is there", trial.fault));
            let state = trial.settled(&run);
            if matches!(state.status(), Status::Failed) {
                let shown = trial.here.finetop(&["show", &run.id().to_string()]).succeeded();
                trial.assert_said(&shown.stdout);
            }
        }
        (_, run) => {
            trial.assert_said(&added.stderr);
            assert_eq!(run, None, "{}: what was refused is not there", trial.fault);
            trial.here.finetop(&["add", "tiny.yaml"]).succeeded();
        }
    }
    trial.goes_on();
    trial.has_acted()
}

#[test]
fn every_write_of_a_worker_may_fail() {
    let steps = every_step(|n, way| queued("worker", n, way));
    println!("{steps} steps of a worker");
    assert!(steps > 30, "{steps}");
}

#[test]
fn every_write_of_a_runner_may_fail() {
    let steps = every_step(|n, way| queued("runner", n, way));
    println!("{steps} steps of a runner");
    assert!(steps > 30, "{steps}");
}

#[test]
fn every_write_of_the_command_that_queues_may_fail() {
    let steps = every_step(|n, way| queued("command", n, way));
    println!("{steps} steps of `add`");
    assert!(steps >= 2, "{steps}");
}

/// `run`: the command is its own supervisor.
fn in_foreground(role: &str, n: usize, way: Way) -> bool {
    let trial = Trial::new(role, n, way);
    let ended = trial.faulty(&["run", "tiny.yaml"]);
    trial.assert_opens();
    let run = trial.run();
    let is_told = ended.stderr.contains("0001-tiny in ");
    assert!(run.is_some() || !is_told, "{}: what was said to run is there", trial.fault);
    match &run {
        _ if ended.code != 0 => trial.assert_said(&ended.stderr),
        Some(run) => assert_eq!(view::load(run).status(), Status::Finished, "{}: {}", trial.fault, ended.stderr),
        None => panic!("{}: a run that ended well is there", trial.fault),
    }
    if run.is_none() {
        trial.here.finetop(&["add", "tiny.yaml"]).succeeded();
    }
    trial.goes_on();
    trial.has_acted()
}

#[test]
fn every_write_in_the_foreground_may_fail() {
    let of_command = every_step(|n, way| in_foreground("command", n, way));
    // Every step of a worker is tried with a runner; here every third.
    let of_worker = every_step(|n, way| in_foreground("worker", 3 * n - 2, way));
    println!("{of_command} steps of `run`, {of_worker} of its worker");
    assert!(of_command > 20 && of_worker > 10);
}
