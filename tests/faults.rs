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
use serde_json::Value;
use workplace::{Ended, Workplace, wait_for};

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
        text.contains("could not ") && text.contains('/') && text.contains(self.reason) && text.contains(self.hint)
    }
}

/// A BERT of a few hundred weights on a handful of texts: a whole run takes a twentieth of a second.
const TINY: &str = "name: tiny
data: { train: train.csv, val_split: 0.5, max_length: 8 }
model: { backbone: bert, weights: random, tokenizer: vocab.txt, pool: cls }
train:
  batch_size: 4
  phases: [ { name: head, epochs: 2, optimizer: { adam: { lr: 1e-2 } } } ]
";

fn texts() -> Workplace {
    let here = Workplace::empty();
    let rows = (0..8).map(|_| "apple bread the,food\ntrain ship the,transport\n");
    here.write("train.csv", std::iter::once("text,label\n").chain(rows).collect::<String>());
    here.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\napple\nbread\ntrain\nship");
    here.write(
        "config.json",
        r#"{ "model_type": "bert", "vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1,
             "num_attention_heads": 2, "intermediate_size": 8, "max_position_embeddings": 8 }"#,
    );
    here.write("tiny.yaml", TINY);
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
        let status = self.here.json(&["runner", "status", "--json"]);
        let live = status["runs"]["live"].as_array().is_some_and(|ids| !ids.is_empty());
        !live && !view::load_life(dir).status().is_over()
    }

    /// The logs are whole lines with numbers that have no gaps; `ls` and `show` work.
    fn assert_whole(&self) {
        let Some(dir) = self.run() else { return };
        for path in [dir.run_log(), dir.events()].iter().filter(|path| path.exists()) {
            let lines = self.here.lines(path);
            let numbers: Vec<u64> = lines.iter().map(|line| line["seq"].as_u64().expect("a number")).collect();
            assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>(), "{}: {}", self.fault, path.display());
        }
        let listed = self.here.json(&["ls", "--json"]);
        assert_eq!(listed[0]["id"], self.here.json(&["show", &dir.id().to_string(), "--json"])["id"], "{}", self.fault);
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
        let waited = self.here.finetop(&["wait", &id]);
        assert_eq!(waited.code, 0, "{}: {}", self.fault, waited.stderr);
        self.assert_whole();
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
    trial.assert_whole();
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
