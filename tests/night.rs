//! Nights in which the runner, or the runner and its workers, are killed again and again while a queue goes on: in the
//! end every run has finished, was started once an attempt, and has the bytes that it has in a quiet night.
//!
//! `FINETOP_SEED` chooses the moments, which are printed with it; the ignored tests do a thousand kills.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod workplace;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use workplace::{Ended, Workplace, tiny, wait_for};

/// Runs that go on at once.
const SLOTS: &str = "2";

/// The kinds of experiments in the queue, by what their names begin with.
const KINDS: [&str; 2] = ["head", "tuned"];

/// Numbers by a seed (Steele, Lea and Flood's SplitMix64).
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        let seed = std::env::var("FINETOP_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| {
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
            since.as_nanos() as u64 % 1_000_000
        });
        println!("FINETOP_SEED={seed}");
        Chance(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// Pictures, experiments and a store, and a runner that is never there for long.
struct Night {
    here: Workplace,
    chance: Chance,
    queued: u32,
}

impl Night {
    fn new() -> Self {
        let here = Workplace::with_pictures();
        let head = tiny("head", 6, "1e-3");
        let head = head.lines().filter(|line| !line.contains("fine_tune")).collect::<Vec<_>>().join("\n");
        for (name, text) in [("head", head), ("tuned", tiny("tuned", 2, "1e-3"))] {
            here.write(&format!("{name}.yaml"), format!("retries: 1000\n{text}\n"));
        }
        Night { here, chance: Chance::new(), queued: 0 }
    }

    /// A command that starts a runner where none lives. One that the runner died on is no failure.
    fn command(&self, arguments: &[&str], fault: &str) -> Ended {
        let mut command = self.here.command(arguments);
        command.env("FINETOP_SLOTS", SLOTS).env("FINETOP_BACKOFF", "0").env("FINETOP_FAULT", fault);
        Ended::from(command.stdin(Stdio::null()).output().unwrap())
    }

    /// Starts a runner by some command: one that queues another run when fewer than three are left.
    fn start_runner(&mut self, fault: &str) {
        if self.unfinished() < 3 {
            let kind = KINDS[self.chance.below(2) as usize];
            self.command(&["add", &format!("{kind}.yaml")], fault);
            self.queued = self.runs().len() as u32;
        } else {
            self.command(&["priority", "1", &self.queued.to_string()], fault);
        }
    }

    fn runs(&self) -> Vec<Value> {
        self.here.json(&["ls", "--json"]).as_array().cloned().unwrap_or_default()
    }

    fn unfinished(&self) -> usize {
        if !self.here.store().is_dir() {
            return 0;
        }
        self.runs().iter().filter(|run| run["state"] != "finished").count()
    }

    /// The pid of the runner that lives, as its lock says.
    fn runner(&self) -> Option<i32> {
        let status = self.here.finetop(&["runner", "status", "--json"]);
        let status: Value = serde_json::from_str(&status.stdout).ok()?;
        status["pid"].as_i64().map(|pid| pid as i32)
    }

    /// The pids of the workers that were started last, of runs that are live.
    fn workers(&self) -> Vec<i32> {
        let live = |folder: PathBuf| {
            let life = self.here.lines(&folder.join("run.jsonl"));
            life.last().filter(|line| line["type"] == "started").and_then(|line| line["process"]["pid"].as_i64())
        };
        let folders = std::fs::read_dir(self.here.store()).unwrap().map(|entry| entry.unwrap().path());
        folders.filter(|path| path.join("run.jsonl").is_file()).filter_map(live).map(|pid| pid as i32).collect()
    }

    fn sleep_up_to(&mut self, millis: u64) {
        std::thread::sleep(Duration::from_micros(self.chance.below(1000 * millis)));
    }

    /// Kills the runner at a random moment of its first third of a second.
    fn kill_runner(&mut self) {
        let Some(pid) = self.runner() else { return };
        self.sleep_up_to(300);
        kill(pid);
        wait_until_gone(pid);
    }

    /// Lets the queue come to its end.
    fn morning(&mut self) {
        let added = self.command(&["add", "head.yaml"], "");
        let log = std::fs::read_to_string(self.here.store().join("runner.log")).unwrap();
        assert_eq!(added.code, 0, "{added:?}; the runner's log:\n{log}");
        self.queued = self.runs().len() as u32;
        let deadline = Instant::now() + workplace::PATIENCE;
        while self.unfinished() > 0 {
            assert!(Instant::now() < deadline, "{:#?}", self.runs());
            self.here.finetop(&["wait", "--all", "--timeout", "5"]);
        }
    }
}

fn kill(pid: i32) {
    let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).stderr(Stdio::null()).status();
}

/// Waits until nothing of a process is left. Its first thread may be a zombie while others still hold its lock and socket.
fn wait_until_gone(pid: i32) {
    let process = PathBuf::from(format!("/proc/{pid}"));
    wait_for("its end", || {
        let is_zombie = std::fs::read_to_string(process.join("stat")).is_ok_and(|stat| stat.contains(") Z "));
        let threads = std::fs::read_dir(process.join("task")).map_or(0, |threads| threads.count());
        threads == 0 || (is_zombie && threads == 1)
    });
}

/// What does not depend on the clock of the epochs of a run.
fn figures(run: &Value) -> Vec<Value> {
    let mut epochs = run["epochs"].as_array().unwrap().clone();
    for epoch in &mut epochs {
        let fields = epoch.as_object_mut().unwrap();
        fields.remove("seconds");
        fields.remove("samples_per_s");
    }
    epochs
}

/// The model's bytes and the figures of each kind, of a queue that nobody disturbed.
fn undisturbed() -> BTreeMap<String, (Vec<u8>, Vec<Value>)> {
    let night = Night::new();
    night.command(&["add", "head.yaml", "tuned.yaml"], "").succeeded();
    night.here.finetop(&["wait", "--all"]).succeeded();
    (1..=2).map(|id| outcome(&night.here, id)).collect()
}

fn outcome(here: &Workplace, id: u32) -> (String, (Vec<u8>, Vec<Value>)) {
    let shown = here.json(&["show", &id.to_string(), "--json"]);
    let model = std::fs::read(here.run_folder(id).join("model/model.safetensors")).unwrap();
    (shown["name"].as_str().unwrap().to_owned(), (model, figures(&shown)))
}

/// What is true of every run in the morning; `attempts` says how many it may have had.
fn check(night: &Night, attempts: impl Fn(u64) -> bool) {
    let quiet = undisturbed();
    let mut all = 0;
    for run in night.runs() {
        let id = run["id"].as_u64().unwrap() as u32;
        let (name, result) = outcome(&night.here, id);
        assert!(quiet[&name] == result, "run {id} ({name}) has other bytes or figures than in a quiet night");
        assert!(attempts(run["attempts"].as_u64().unwrap()), "run {id} had {} attempts", run["attempts"]);
        all += run["attempts"].as_u64().unwrap();

        let life = night.here.lines(&night.here.run_folder(id).join("run.jsonl"));
        let seq: Vec<u64> = life.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
        assert_eq!(seq, (0..life.len() as u64).collect::<Vec<_>>(), "run {id}");
        let of = |kind: &str| {
            life.iter()
                .filter(|line| line["type"] == kind)
                .map(|line| line["attempt"].as_u64().unwrap())
                .collect::<Vec<_>>()
        };
        let once: Vec<u64> = (1..=run["attempts"].as_u64().unwrap()).collect();
        assert_eq!((of("started"), of("exited")), (once.clone(), once), "run {id}: each attempt begins and ends once");

        let events = night.here.lines(&night.here.run_folder(id).join("events.jsonl"));
        let seq: Vec<u64> = events.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
        assert_eq!(seq, (0..events.len() as u64).collect::<Vec<_>>(), "run {id}: one writer at a time");
    }
    println!("{} runs, {all} attempts", night.queued);
}

fn kill_the_runner(times: usize) {
    let mut night = Night::new();
    for _ in 0..times {
        night.start_runner("");
        night.kill_runner();
    }
    night.morning();
    check(&night, |attempts| attempts == 1);
}

fn kill_both(times: usize) {
    let mut night = Night::new();
    for _ in 0..times {
        night.start_runner("");
        night.sleep_up_to(500);
        let runner = night.runner();
        let mut doomed = night.workers();
        doomed.extend(runner);
        if night.chance.below(2) == 0 {
            doomed.reverse();
        }
        doomed.iter().for_each(|&pid| kill(pid));
        runner.into_iter().for_each(wait_until_gone);
    }
    night.morning();
    check(&night, |attempts| attempts >= 1);
}

#[test]
fn the_runner_is_killed_twenty_five_times() {
    kill_the_runner(25);
}

#[test]
fn the_runner_and_its_workers_are_killed_twenty_five_times() {
    kill_both(25);
}

#[test]
fn the_runner_is_killed_at_its_steps_one_after_the_other() {
    let mut night = Night::new();
    for step in (1..=24).chain((25..60).step_by(5)) {
        night.start_runner(&format!("runner:*#{step}=kill"));
    }
    if let Some(pid) = night.runner() {
        kill(pid);
        wait_until_gone(pid);
    }
    night.morning();
    check(&night, |attempts| attempts == 1);
}

#[test]
#[ignore = "a thousand kills; a script runs it"]
fn the_runner_is_killed_a_thousand_times() {
    kill_the_runner(1000);
}

#[test]
#[ignore = "a thousand kills; a script runs it"]
fn the_runner_and_its_workers_are_killed_a_thousand_times() {
    kill_both(1000);
}
