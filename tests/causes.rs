//! Every end has its cause: each is provoked with the program itself and real processes.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod workplace;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use workplace::{Ended, PROGRAM, Workplace, copy_program, skip, tiny, wait_for};

/// An experiment whose first layer alone needs gigabytes.
fn greedy() -> String {
    tiny("greedy", 1, "1e-3").replace("image_size: 32", "image_size: 640").replace("batch_size: 8", "batch_size: 24")
}

/// An experiment that goes on for hours, and reads its pictures anew in every epoch.
fn long(name: &str, keys: &str) -> String {
    let augmented = "image_size: 32, augment: { rotation: 20, zoom: 0.2 }";
    format!("{keys}\n{}", tiny(name, 4000, "1e-3").replace("image_size: 32", augmented))
}

/// Queues an experiment and gives the run's number.
fn add(here: &Workplace, text: &str) -> u32 {
    let file = here.write("experiment.yaml", text);
    number(&here.finetop(&["add".as_ref(), file.as_os_str()]).succeeded())
}

fn number(ended: &Ended) -> u32 {
    let word = ended.stdout.split_whitespace().nth(1).expect("queued NUMBER");
    word.parse().expect("a number")
}

fn is_over(run: &Value) -> bool {
    ["finished", "failed", "cancelled"].iter().any(|state| run["state"] == **state)
}

/// Waits for the end of a run, which must have failed for `cause`, with an error that says `error`, and advice.
#[track_caller]
fn fails(here: &Workplace, id: u32, cause: &str, error: &str) -> Value {
    let run = here.wait_for_run(id, "its end", is_over);
    assert_eq!((&run["state"], &run["reason"]), (&"failed".into(), &cause.into()), "{run:#}");
    assert!(run["error"].as_str().unwrap().contains(error), "«{error}» in {run:#}");
    let shown = here.finetop(&["show", &id.to_string()]).succeeded().stdout;
    for line in ["reason", "error", "hint"] {
        assert!(shown.lines().any(|shown| shown.trim_start().starts_with(line)), "{line} in {shown}");
    }
    run
}

/// Waits until a run has trained for an epoch, and gives its worker's pid.
fn trains(here: &Workplace, id: u32) -> i32 {
    here.wait_for_run(id, "an epoch", |run| run["epoch"].as_u64().is_some_and(|epoch| epoch > 0));
    worker(here, id)
}

/// The pid of the worker that was started last.
fn worker(here: &Workplace, id: u32) -> i32 {
    let life = here.lines(&here.run_folder(id).join("run.jsonl"));
    let started = life.iter().rfind(|line| line["type"] == "started").expect("it was started");
    started["process"]["pid"].as_i64().unwrap() as i32
}

fn kill(pid: i32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

/// A memory group for a runner and its workers, of version 1 or 2, that is removed in the end.
struct MemoryGroup(PathBuf);

impl MemoryGroup {
    fn new(bytes: u64) -> Option<MemoryGroup> {
        let root = Path::new("/sys/fs/cgroup");
        let name = format!("finetop-test-{}", std::process::id());
        for (folder, limit) in [(root.join("memory"), "memory.limit_in_bytes"), (root.to_owned(), "memory.max")] {
            let group = folder.join(&name);
            if std::fs::create_dir(&group).is_ok() {
                let made = MemoryGroup(group);
                if std::fs::write(made.0.join(limit), bytes.to_string()).is_ok() {
                    return Some(made);
                }
            }
        }
        None
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        wait_for("the memory group is empty", || std::fs::remove_dir(&self.0).is_ok());
    }
}

/// Queues an experiment by a shell in which `before` was done first, so that the runner that it starts inherits it.
fn add_after(here: &Workplace, before: &str, text: &str) -> u32 {
    let file = here.write("experiment.yaml", text);
    let script = format!("{before} || exit 1; exec {PROGRAM} add {}", file.display());
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(here.folder())
        .env("FINETOP_STORE", here.store())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    number(&Ended::from(output).succeeded())
}

#[test]
fn out_of_memory_by_the_kernel() {
    let Some(group) = MemoryGroup::new(400 << 20) else {
        // Many containers give nobody their groups; the test below needs none.
        return eprintln!("skipped: memory groups cannot be made here");
    };
    let here = Workplace::with_pictures();
    let id = add_after(&here, &format!("echo $$ > {}/cgroup.procs", group.0.display()), &greedy());
    let run = fails(&here, id, "out_of_memory", "memory");
    assert_eq!((&run["attempts"], &run["exit"]["signal"]), (&1.into(), &9.into()), "it would fail again: {run:#}");
    assert!(run["hint"].as_str().unwrap().contains("train.batch_size"));
    drop(here);
}

#[test]
fn out_of_memory_by_a_limit() {
    let here = Workplace::with_pictures();
    let id = add_after(&here, "ulimit -v 700000", &greedy());
    let run = fails(&here, id, "out_of_memory", "memory");
    assert_eq!(run["attempts"], 1, "it would fail again");
    assert!(run["hint"].as_str().unwrap().contains("train.batch_size"));
}

#[test]
fn a_signal_a_panic_and_a_loss_that_is_no_number() {
    let here = Workplace::with_pictures();
    let killed = add(&here, &long("killed", "retries: 0"));
    kill(trains(&here, killed), "-ABRT");
    fails(&here, killed, "crashed", "SIGABRT (6)");

    let diverges = add(&here, &tiny("diverges", 2, "1e30"));
    let run = fails(&here, diverges, "diverged", "loss");
    assert_eq!(run["attempts"], 1, "it would fail again");
    here.finetop(&["runner", "stop", "--now"]).succeeded();

    let file = here.write("panics.yaml", format!("retries: 0\n{}", tiny("panics", 2, "1e-3")));
    let mut command = here.command(&["add".as_ref(), file.as_os_str()]);
    command.env("FINETOP_FAULT", "worker:append#3=panic");
    let panics = number(&Ended::from(command.output().unwrap()).succeeded());
    fails(&here, panics, "crashed", "a fault that was asked for");
}

/// Small pictures stay in memory once they are decoded, so it is noticed when they are needed again.
#[test]
fn a_data_folder_that_vanishes() {
    let here = Workplace::with_pictures();
    let id = add_after(&here, "export FINETOP_BACKOFF=0", &long("vanishing", ""));
    let worker = trains(&here, id);
    std::fs::rename(here.path("data"), here.path("elsewhere")).unwrap();
    kill(worker, "-KILL");
    let run = fails(&here, id, "experiment", "data/train");
    assert_eq!(run["attempts"], 2, "the kill is tried again, what is missing is not");
    std::fs::rename(here.path("elsewhere"), here.path("data")).unwrap();
    here.finetop(&["retry", &id.to_string()]).succeeded();
    here.wait_for_run(id, "another epoch", |again| again["attempts"] == 3 && again["epoch"] != run["epoch"]);
}

#[test]
fn a_time_limit() {
    let here = Workplace::with_pictures();
    let id = add(&here, &long("slow", "time_limit_minutes: 0.1"));
    let run = fails(&here, id, "time_limit", "as long as it may");
    assert_eq!((&run["attempts"], &run["exit"]["exit_code"]), (&1.into(), &75.into()), "at a checkpoint: {run:#}");
    here.finetop(&["retry", &id.to_string()]).succeeded();
    let events = here.run_folder(id).join("events.jsonl");
    let starts = || here.lines(&events).into_iter().filter(|line| line["type"] == "run_started").collect::<Vec<_>>();
    wait_for("the second attempt", || starts().len() == 2);
    assert!(starts()[1]["resumed_from"].is_object(), "it goes on from there");
}

#[test]
fn a_full_disk() {
    let here = Workplace::with_pictures();
    std::fs::create_dir(here.store()).unwrap();
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=20m", "none"]).arg(here.store()).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        return skip("this user may not mount a tmpfs");
    }
    let id = add(&here, &long("full", ""));
    trains(&here, id);
    let worker = worker(&here, id);
    let filler = here.store().join("filler");
    assert!(std::fs::write(&filler, vec![0; 30 << 20]).is_err(), "the disk is full");
    wait_for("the worker's end", || !Path::new(&format!("/proc/{worker}")).exists());
    std::fs::remove_file(&filler).unwrap();
    let run = fails(&here, id, "disk_full", "space");
    assert_eq!(run["attempts"], 1, "it would fail again");
    here.finetop(&["runner", "stop", "--now"]).succeeded();
    assert!(Command::new("umount").arg("-l").arg(here.store()).status().unwrap().success());
}

#[test]
fn a_program_that_is_replaced_while_its_runs_live() {
    let here = Workplace::with_pictures();
    let program = here.path("bin/finetop");
    std::fs::create_dir_all(program.parent().unwrap()).unwrap();
    copy_program(PROGRAM.as_ref(), &program);
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.args(arguments).current_dir(here.folder()).env("FINETOP_STORE", here.store()).env("FINETOP_SLOTS", "1");
        Ended::from(command.stdin(Stdio::null()).output().unwrap()).succeeded()
    };
    for name in ["one", "two"] {
        here.write(&format!("{name}.yaml"), long(name, ""));
    }
    run(&["add", "one.yaml", "two.yaml"]);
    let exe = |pid: i32| std::fs::read_link(format!("/proc/{pid}/exe")).unwrap();
    let first = trains(&here, 1);
    assert_eq!(exe(first), program);
    copy_program(PROGRAM.as_ref(), &here.path("bin/new"));
    std::fs::rename(here.path("bin/new"), &program).unwrap();
    assert!(exe(first).to_string_lossy().ends_with(" (deleted)"));
    let runner = here.json(&["runner", "status", "--json"])["pid"].as_i64().unwrap() as i32;
    assert!(exe(runner).to_string_lossy().ends_with(" (deleted)"), "the runner goes on");
    run(&["cancel", "1"]);
    assert_eq!(exe(trains(&here, 2)), program, "the next worker is the new program");
    // The new program's runner takes over what the old one's started.
    let second = worker(&here, 2);
    kill(runner, "-KILL");
    wait_for("the runner's end", || !Path::new(&format!("/proc/{runner}")).exists());
    run(&["priority", "1", "2"]);
    let status = here.json(&["runner", "status", "--json"]);
    assert_eq!(status["runs"]["live"], serde_json::json!([2]));
    assert_eq!(exe(status["pid"].as_i64().unwrap() as i32), program);
    assert_eq!(worker(&here, 2), second, "it was not started again");
    run(&["cancel", "2"]);
    here.wait_for_run(2, "the end of the second run", |run| run["state"] == "cancelled");
}
