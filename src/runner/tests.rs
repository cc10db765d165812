//! Real runners in temporary stores. A runner is this test program run again for one ignored test that serves the store
//! which is its working folder; a worker is a shell script that writes events.

#[cfg(test)]
mod causes;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod life;
#[cfg(test)]
mod queue;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod scale;
#[cfg(test)]
mod store;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::client::wait_until_gone;
use super::lock::{self, Holder};
use super::options::Rules;
use super::protocol::{Add, Answer, Done, NewExperiment, Refusal, Status as RunnerStatus};
use super::queue::capacity::Capacity;
use super::*;
use crate::base::clock::Stopwatch;
use crate::base::fault;
use crate::base::id::RunId;
use crate::record::state::Status;
use crate::record::{RunDir, RunState, Store, view};

/// Shell functions for scripts: `say FIELDS` writes an event, `finish` says that all went well, `until_told` waits.
const PRELUDE: &str = r#"
say() { printf '{"seq":0,"time":"%s",%s}\n' "$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)" "$1" >> "$run/events.jsonl"; }
finish() { say '"type":"finished","reason":"completed","epochs":1,"seconds":1.5,"best":null'; exit 0; }
until_told() { while [ ! -e "$run/go" ] && [ -d "$run" ]; do sleep 0.02; done; }
run=$1
echo "$$" >> "$run/starts"
"#;

/// How a test's runner behaves.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Settings {
    slots: usize,
    cores: usize,
    memory: Option<u64>,
    gpus: Vec<String>,
    idle_ms: u64,
    grace_ms: u64,
    retry_ms: u64,
    program: PathBuf,
    arguments: Vec<String>,
}

impl Settings {
    fn script(script: &str) -> Self {
        Settings {
            slots: 1,
            cores: 8,
            memory: None,
            gpus: Vec::new(),
            idle_ms: 600_000,
            grace_ms: 60_000,
            retry_ms: 1,
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), format!("{PRELUDE}{script}"), "worker".into()],
        }
    }

    fn options(self) -> ServeOptions {
        let millis = Duration::from_millis;
        let worker =
            WorkerCommand { program: self.program, arguments: self.arguments.into_iter().map(Into::into).collect() };
        let (grace, backoff) = (millis(self.grace_ms), millis(self.retry_ms));
        let rules = Rules { worker, grace, backoff, nice: 1, with_parent: false };
        let capacity = Capacity { memory: self.memory, gpus: self.gpus, ..Capacity::new(self.slots, self.cores) };
        ServeOptions { capacity, idle: millis(self.idle_ms), detach: true, rules }
    }
}

/// Not a test: what a test's runner is.
#[test]
#[ignore = "it is the runner that the other tests start"]
fn serves_the_working_folder() {
    let Ok(settings) = fs::read("../settings.json") else { return };
    fault::act_as(fault::Role::Runner);
    let settings: Settings = serde_json::from_slice(&settings).unwrap();
    let store = Store::open(&std::env::current_dir().unwrap()).unwrap();
    if let Err(error) = serve(&store, settings.options()) {
        panic!("{error}");
    }
}

/// A store in a temporary folder, and whatever runner it has.
struct Bench {
    folder: tempfile::TempDir,
    store: Store,
}

impl Bench {
    fn new(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("runs")).unwrap();
        let bench = Bench { folder, store };
        bench.set(&settings);
        bench
    }

    /// How the next runner behaves.
    fn set(&self, settings: &Settings) {
        fs::write(self.folder.path().join("settings.json"), serde_json::to_vec(settings).unwrap()).unwrap();
    }

    fn start_options(&self) -> StartOptions {
        let arguments = ["runner::tests::serves_the_working_folder", "--exact", "--ignored", "--nocapture"];
        StartOptions {
            program: std::env::current_exe().unwrap(),
            arguments: arguments.map(Into::into).to_vec(),
            patience: Duration::from_secs(60),
        }
    }

    /// A runner that a fault of its durable writes ends: `ACTION` at the `n`-th.
    fn start_with_fault(&self, n: u32, action: &str) -> StartOptions {
        let StartOptions { program, arguments, patience } = self.start_options();
        let fault = format!("FINETOP_FAULT=runner:*#{n}={action}");
        let arguments = [fault.into(), program.into_os_string()].into_iter().chain(arguments).collect();
        StartOptions { program: "/usr/bin/env".into(), arguments, patience }
    }

    fn client(&self) -> Client {
        Client::connect_or_start(&self.store, &self.start_options()).unwrap()
    }

    fn ask(&self, request: Request) -> Response {
        self.client().request(&request).unwrap()
    }

    fn add(&self, names: &[&str]) -> Vec<RunDir> {
        self.add_all(Add { experiments: experiments(names), priority: 0, group: None, after: vec![], paused: false })
    }

    fn add_all(&self, add: Add) -> Vec<RunDir> {
        match self.ask(Request::Add(add)) {
            Response::Added { runs } => runs.iter().map(|run| RunDir::at(&run.path).unwrap()).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// The answer for the only run of a request.
    fn answer(&self, request: Request) -> Result<Done, Refusal> {
        match self.ask(request) {
            Response::Answers { answers } if answers.len() == 1 => answers.into_iter().next().unwrap().result,
            other => panic!("{other:?}"),
        }
    }

    fn status(&self) -> RunnerStatus {
        match self.ask(Request::Status) {
            Response::Status(status) => status,
            other => panic!("{other:?}"),
        }
    }

    fn holder(&self) -> Holder {
        lock::holder(&self.store).unwrap()
    }

    /// Kills the runner as the kernel would, and waits until it is gone.
    fn kill_runner(&self) {
        signal(self.holder().pid, Signal::KILL);
        assert!(wait_until_gone(&self.store, PATIENCE));
    }
}

impl Bench {
    /// Makes sure that no runner lives, even one that has not yet said who it is.
    fn end_runner(&self) {
        while let Some(holder) = lock::holder(&self.store) {
            let _ = Pid::from_raw(holder.pid).map(|pid| kill_process(pid, Signal::KILL));
            wait_until_gone(&self.store, Duration::from_millis(100));
            let _ = fs::remove_file(&holder.socket);
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Another one may have waited for the lock; one that comes later yet finds its store gone, and leaves.
        self.end_runner();
        let runs = self.store.runs().unwrap_or_default();
        let workers = runs.iter().filter_map(|dir| view::load_life(dir).life.process);
        workers.for_each(|worker| {
            process::signal_group(&worker, Signal::KILL);
        });
    }
}

const PATIENCE: Duration = Duration::from_secs(60);

fn signal(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

fn experiments(names: &[&str]) -> Vec<NewExperiment> {
    let experiment = |name: &&str| NewExperiment {
        name: (*name).to_owned(),
        text: format!("name: {name} # mine\n"),
        resolved: format!("name: {name}\n"),
        needs: Default::default(),
        sweep: None,
    };
    names.iter().map(experiment).collect()
}

/// Waits until `get` has something.
fn wait_for<T>(what: &str, mut get: impl FnMut() -> Option<T>) -> T {
    let watch = Stopwatch::start();
    loop {
        if let Some(value) = get() {
            return value;
        }
        assert!(watch.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until a run is as `is_so` wants it.
fn wait_run(dir: &RunDir, what: &str, is_so: impl Fn(&RunState) -> bool) -> RunState {
    wait_for(&format!("{} {what}", dir.folder_name()), || Some(view::load(dir)).filter(&is_so))
}

fn wait_over(dir: &RunDir) -> RunState {
    wait_run(dir, "is over", |run| run.status().is_over())
}

/// Waits until a run's worker has run its first lines, and gives its pid.
fn wait_started(dir: &RunDir) -> i32 {
    wait_for(&format!("{} starts", dir.folder_name()), || starts(dir).last().copied())
}

/// The pids of all workers that a run ever had.
fn starts(dir: &RunDir) -> Vec<i32> {
    let text = fs::read_to_string(dir.path().join("starts")).unwrap_or_default();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

fn go(dir: &RunDir) {
    fs::write(dir.path().join("go"), "").unwrap();
}
