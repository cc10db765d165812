//! The commands that act on the queue, from outside: how runs are named, what is said, and how it ends.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod workplace;

use std::time::{Duration, Instant};

use serde_json::Value;
use workplace::{Ended, PROGRAM, Workplace, tiny};

/// A workplace whose runner holds one run that takes long, and behind it the runs of these names.
fn with_queue(names: &[&str], options: &[&str]) -> Workplace {
    let here = Workplace::with_pictures();
    here.experiment("long", 10_000);
    names.iter().for_each(|name| drop(here.experiment(name, 1)));
    here.finetop(&["add", "long.yaml"]).succeeded();
    let files: Vec<String> = names.iter().map(|name| format!("{name}.yaml")).collect();
    let mut arguments = vec!["add"];
    arguments.extend(options);
    arguments.extend(files.iter().map(String::as_str));
    here.finetop(&arguments).succeeded();
    here.wait_for_run(1, "the long run trains", |run| run["state"] == "running");
    here
}

fn states(here: &Workplace) -> Vec<(u64, String)> {
    let rows = here.json(&["ls", "--json"]);
    let state = |row: &Value| (row["id"].as_u64().unwrap(), row["state"].as_str().unwrap().to_owned());
    rows.as_array().unwrap().iter().map(state).collect()
}

fn waiting(here: &Workplace) -> Vec<u64> {
    let status = here.json(&["runner", "status", "--json"]);
    status["runs"]["waiting"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap()).collect()
}

fn says(ended: &Ended, lines: &[&str]) {
    assert_eq!(ended.stdout.lines().collect::<Vec<_>>(), lines, "{}", ended.stderr);
}

#[test]
fn runs_are_named_by_number_range_group_filter_and_name() {
    let here = with_queue(&["a", "b-1", "b-2", "c"], &["--group", "night"]);
    let done = |arguments: &[&str]| here.finetop(arguments).succeeded();
    says(&done(&["pause", "2-3"]), &["paused 0002-a", "paused 0003-b-1"]);
    says(&done(&["resume", "state:paused"]), &["queued 0002-a", "queued 0003-b-1"]);
    says(&done(&["tag", "name:b-*", "c", "--add", "x"]), &["tagged 0003-b-1", "tagged 0004-b-2", "tagged 0005-c"]);
    says(&done(&["pause", "tag:x,name:b-*"]), &["paused 0003-b-1", "paused 0004-b-2"]);
    says(&done(&["tag", "--group", "night", "-r", "x", "state:paused"]), &["tagged 0003-b-1", "tagged 0004-b-2"]);
    let listed = |words: &[&str]| {
        let rows = here.json(&[&["ls", "--json"], words].concat());
        rows.as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((listed(&["tag:x", "2"]), listed(&["b", "--group", "night"])), (vec![2, 5], vec![3, 4]));
    says(&done(&["cancel", "tag:x"]), &["cancelled 0005-c"]);
    says(&done(&["cancel", "tag:x"]), &["cancelled 0005-c"]);
    let night = done(&["resume", "--group", "night"]);
    says(&night, &["queued 0002-a", "queued 0003-b-1", "queued 0004-b-2"]);
    night.says(&["note: 0005-c left out: run 0005 has ended: cancelled"]);
    done(&["cancel", "group:night"]);
    let cancelled = || "cancelled".to_owned();
    assert_eq!(states(&here)[1..], [(2, cancelled()), (3, cancelled()), (4, cancelled()), (5, cancelled())]);
    says(
        &done(&["rm", "--group", "night"]),
        &["removed 0002-a", "removed 0003-b-1", "removed 0004-b-2", "removed 0005-c"],
    );
    for (words, error) in [
        (&["7-9"][..], "`7-9` selects none of the runs in"),
        (&["state:failed"], "`state:failed` selects none of the runs in"),
        (&["--group", "night"], "`--group night` selects none"),
        (&["state:done"], "there is no state `done`, only queued"),
        (&["9-7"], "did you mean 0007-0009?"),
        (&["c"], "there is no run `c`"),
        (&["1", "99"], "there is no run `99`"),
    ] {
        let mut arguments = vec!["cancel"];
        arguments.extend(words);
        here.finetop(&arguments).exited(2).says(&[error]);
    }
    here.finetop(&["cancel"]).exited(2);
    assert_eq!(states(&here).len(), 1, "nothing was done");
}

#[test]
fn the_order_of_the_queue_is_changed_from_the_command_line() {
    let here = with_queue(&["a", "b", "c"], &[]);
    let done = |arguments: &[&str]| here.finetop(arguments).succeeded();
    says(&done(&["move", "c", "--first"]), &["moved 0004-c"]);
    assert_eq!(waiting(&here), [4, 2, 3]);
    done(&["move", "c", "--before", "b"]);
    assert_eq!(waiting(&here), [2, 4, 3]);
    done(&["move", "2", "4", "--last"]);
    assert_eq!(waiting(&here), [3, 2, 4]);
    says(&done(&["priority", "-3", "b"]), &["prioritized 0003-b"]);
    assert_eq!(waiting(&here), [2, 4, 3]);
    here.finetop(&["move", "a", "--before", "b"]).exited(1).says(&["has priority 0 and run 0003 has -3", "hint:"]);
    says(&done(&["queue", "move", "b", "--first"]), &["moved 0003-b"]);
    says(&done(&["queue", "priority", "0", "b"]), &["prioritized 0003-b"]);
    says(&done(&["queue", "pause", "c"]), &["paused 0004-c"]);
    says(&done(&["queue", "slots"]), &["1"]);
    assert_eq!(waiting(&here), [3, 2]);
    assert_eq!(done(&["queue", "2-4"]).stdout, done(&["queue", "ls", "2-4"]).stdout);
    let listed = done(&["queue", "--state", "paused"]).stdout;
    assert!(listed.contains("0004") && !listed.contains("0003"), "{listed}");
    says(&done(&["queue", "resume", "c"]), &["queued 0004-c"]);
    here.finetop(&["priority", "-3", "b"]).succeeded();
    here.finetop(&["move", "a"]).exited(2).says(&["--first"]);
    here.finetop(&["move", "long", "--first"]).exited(1).says(&["run 0001 is running"]);
}

#[test]
fn a_queued_run_is_edited_in_an_editor_or_by_set() {
    let here = with_queue(&["a"], &[]);
    let resolved = || std::fs::read_to_string(here.run_folder(2).join("resolved.yaml")).unwrap();
    here.finetop(&["edit", "a", "--set", "train.batch_size=5", "--set", "memory_gib=1"]).succeeded();
    assert!(resolved().contains("batch_size: 5"), "{}", resolved());
    let life = here.lines(&here.run_folder(2).join("run.jsonl"));
    assert_eq!((&life[1]["type"], &life[1]["needs"]["memory"]), (&"edited".into(), &(1u64 << 30).into()));
    let edit = |editor: &str| {
        let mut command = here.command(&["edit", "a"]);
        command.env("TMPDIR", here.folder()).env("VISUAL", editor).env_remove("EDITOR");
        Ended::from(command.output().unwrap())
    };
    edit("sed -i 's/batch_size: 5/batch_size: 6/'").succeeded();
    assert!(resolved().contains("batch_size: 6"), "{}", resolved());
    let before = resolved();
    edit("true").succeeded().says(&["nothing was changed"]);
    edit("false").exited(1).says(&["`false` ended with", "nothing was changed"]);
    edit("sed -i 's/batch_size: 6/batch_size: many/'").exited(2).says(&["batch_size: many", "nothing was done"]);
    edit("sed -i 's/^name: a/name: other/'").exited(2).says(&["name of a run cannot be changed"]);
    here.finetop(&["edit", "a", "--set", "train.batch=5"]).exited(2).says(&["batch_size"]);
    here.finetop(&["edit", "1", "--set", "seed=5"]).exited(1).says(&["only a queued or paused one can be edited"]);
    assert_eq!(resolved(), before);
    let typed = std::fs::read_to_string(here.run_folder(2).join("experiment.yaml")).unwrap();
    assert_eq!(typed, tiny("a", 1, "1e-3"), "what was typed stays");

    // It is cancelled while somebody edits it.
    let cancel =
        format!("'{PROGRAM}' --store '{}' cancel a; sed -i 's/batch_size: 6/batch_size: 7/'", here.store().display());
    let refused = edit(&cancel).exited(1).stderr.clone();
    let kept = refused.split("kept in ").nth(1).unwrap().trim();
    assert!(std::fs::read_to_string(kept).unwrap().contains("batch_size: 7"));
}

#[test]
fn a_chain_of_runs_waits_and_is_waited_for() {
    let here = Workplace::with_pictures();
    here.experiment("first", 1);
    here.write("bad.yaml", tiny("bad", 1, "1e-3"));
    here.experiment("next", 1);
    here.finetop(&["add", "--paused", "first.yaml"]).succeeded();
    here.finetop(&["add", "next.yaml", "--after", "first", "--group", "chain"]).succeeded();
    let started = Instant::now();
    let late = here.finetop(&["wait", "next", "--timeout", "0.3"]).exited(124);
    assert!(started.elapsed() >= Duration::from_millis(300));
    late.says(&["waited too long: 1 of 1 runs have not ended"]);
    here.finetop(&["wait", "--any", "--timeout", "0"]).exited(124);
    here.finetop(&["resume", "1"]).succeeded();
    says(&here.finetop(&["wait", "1", "2", "--any"]).succeeded(), &["0001-first"]);
    here.finetop(&["wait", "--group", "chain"]).succeeded();
    let lines = |id| here.lines(&here.run_folder(id).join("run.jsonl"));
    let time = |line: &Value| line["time"].as_str().unwrap().to_owned();
    let ended = lines(1).iter().find(|line| line["type"] == "exited").map(time).unwrap();
    let began = lines(2).iter().find(|line| line["type"] == "started").map(time).unwrap();
    assert!(ended <= began, "{ended} {began}");
    here.finetop(&["add", "--paused", "bad.yaml"]).succeeded();
    here.finetop(&["add", "next.yaml", "--after", "bad"]).succeeded();
    here.finetop(&["cancel", "bad"]).succeeded();
    here.finetop(&["wait", "4"]).exited(1).says(&["0004-next cancelled: a run that it waits for did not finish"]);
    here.finetop(&["add", "next.yaml", "--after", "bad"])
        .exited(1)
        .says(&["run 0003 has ended: cancelled", "retry 0003"]);
    here.finetop(&["add", "next.yaml", "--after", "77"]).exited(2).says(&["there is no run `77`"]);
    here.finetop(&["wait", "--timeout", "soon", "1"]).exited(2).says(&["expected a number of seconds"]);
}

#[test]
fn slots_are_changed_while_it_runs_and_the_status_says_what_there_is() {
    let here = Workplace::with_pictures();
    here.finetop(&["slots", "2"]).exited(1).says(&["no runner lives", "hint:"]);
    for name in ["a", "b"] {
        here.experiment(name, 10_000);
    }
    here.finetop(&["add", "a.yaml", "b.yaml"]).succeeded();
    here.wait_for_run(1, "the first run trains", |run| run["state"] == "running");
    says(&here.finetop(&["slots"]).succeeded(), &["1"]);
    here.finetop(&["slots", "2"]).succeeded();
    here.wait_for_run(2, "the second run trains beside it", |run| run["state"] == "running");
    let status = here.json(&["runner", "status", "--json"]);
    assert_eq!((&status["slots"], status["runs"]["live"].as_array().unwrap().len()), (&2.into(), 2));
    let machine = &status["machine"];
    let cores = std::thread::available_parallelism().unwrap().get() as u64;
    assert_eq!((machine["cores"].as_u64(), machine["threads"].as_u64()), (Some(cores), Some((cores / 2).max(1))));
    assert!(machine["gpus"].is_array() && machine.get("memory_budget").is_some());
    let shown = here.finetop(&["runner", "status"]).succeeded().stdout;
    assert!(shown.contains("2 slots: 2 live") && shown.contains("cores, "), "{shown}");
    here.finetop(&["slots", "0"]).exited(2);
    here.finetop(&["cancel", "--group", "none"]).exited(2);
    here.finetop(&["rm", "1", "2"]).exited(1).says(&["--force"]);
    here.finetop(&["rm", "--force", "1-2"]).succeeded();
}

#[test]
fn logs_and_events_since_a_time() {
    let here = Workplace::with_pictures();
    here.experiment("tiny", 2);
    here.finetop(&["add", "tiny.yaml"]).succeeded();
    here.finetop(&["wait", "1"]).succeeded();
    let log = here.run_folder(1).join("log.txt");
    let lines: String =
        (10..60).map(|minute| format!("2026-01-31T09:{minute}:00.000Z line {minute}\nmore\n")).collect();
    std::fs::write(&log, lines).unwrap();
    let since = |time: &str| here.finetop(&["logs", "1", "--since", time]).succeeded().stdout;
    assert_eq!(since("2026-01-31T09:58:30Z"), "2026-01-31T09:59:00.000Z line 59\nmore\n");
    assert_eq!(since("2026-01-31T09:59:30Z"), "");
    assert_eq!(since("2020-01-01T00:00:00Z").lines().count(), 100);
    std::fs::write(&log, "no time\n").unwrap();
    assert_eq!(since("10m"), "no time\n");
    let events = |time: &str| {
        let ended = here.finetop(&["events", "1", "--json", "--since", time]).succeeded();
        ended.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>()
    };
    let all = events("1h");
    let later = all[all.len() / 2]["time"].as_str().unwrap();
    let expected = all.iter().filter(|line| line["time"].as_str().unwrap() >= later).count();
    assert!(all.len() > 8 && expected < all.len());
    assert_eq!(events(later).len(), expected);
    here.finetop(&["logs", "1", "--since", "soon"]).exited(2).says(&["expected a time as 09:41"]);
}
