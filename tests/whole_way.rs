//! From a YAML file to a finished run, from outside: the command line and the files it leaves.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod workplace;

use std::collections::BTreeMap;
use std::io::Read;
use std::process::Stdio;

use serde_json::Value;
use workplace::{Ended, Workplace, tiny, wait_for};

#[test]
fn run_trains_in_the_foreground_and_leaves_a_record() {
    let here = Workplace::with_pictures();
    let file = here.experiment("tiny", 2);
    let ended = here.finetop(&["run".as_ref(), file.as_os_str()]).succeeded();
    assert_eq!(
        ended.stdout.lines().filter(|line| line.contains("val_loss")).count(),
        4,
        "a line per epoch:\n{}",
        ended.stdout
    );

    let shown = here.json(&["show", "1", "--json"]);
    assert_eq!(shown["id"], 1);
    assert_eq!(shown["name"], "tiny");
    assert_eq!(shown["state"], "finished");
    assert_eq!(shown["reason"], "completed");
    assert_eq!(shown["attempts"], 1);
    assert_eq!(shown["epochs"].as_array().unwrap().len(), 4);
    assert!(shown["best"]["value"].as_f64().unwrap().is_finite());
    assert!(shown["seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(shown["lr_changes"][0]["reason"], "phase");

    let folder = here.run_folder(1);
    assert_eq!(std::fs::read_to_string(folder.join("experiment.yaml")).unwrap(), tiny("tiny", 2, "1e-3"));
    for file in ["resolved.yaml", "log.txt", "checkpoints/last.safetensors", "checkpoints/best.safetensors"] {
        assert!(folder.join(file).is_file(), "{file}");
    }
    for file in ["model.safetensors", "labels.json", "resolved.yaml"] {
        assert!(folder.join("model").join(file).is_file(), "model/{file}");
    }
    let labels: Vec<String> =
        serde_json::from_slice(&std::fs::read(folder.join("model/labels.json")).unwrap()).unwrap();
    assert_eq!(labels, ["blue", "green", "red"]);
    for log in ["run.jsonl", "events.jsonl"] {
        let numbers: Vec<u64> =
            here.lines(&folder.join(log)).iter().map(|line| line["seq"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>(), "{log} is numbered without gaps");
    }
}

#[test]
fn three_are_queued_and_run_one_after_the_other() {
    let here = Workplace::with_pictures();
    let files: Vec<_> = ["a", "b", "c"].iter().map(|name| here.experiment(name, 1)).collect();
    let mut arguments = vec!["add".into()];
    arguments.extend(files.iter().map(|file| file.clone().into_os_string()));
    here.finetop(&arguments).succeeded();
    here.finetop(&["wait", "1", "2", "3"]).succeeded();
    let listed = here.json(&["ls", "--json"]);
    let states: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|run| (run["name"].as_str().unwrap(), run["state"].as_str().unwrap()))
        .collect();
    assert_eq!(states, [("a", "finished"), ("b", "finished"), ("c", "finished")]);
    let mut previous_end = String::new();
    for id in 1..=3 {
        let life = here.lines(&here.run_folder(id).join("run.jsonl"));
        let types: Vec<_> = life.iter().map(|line| line["type"].as_str().unwrap()).collect();
        assert_eq!(types, ["queued", "started", "exited"]);
        assert!(life[1]["time"].as_str().unwrap() >= previous_end.as_str(), "one slot: one after the other");
        previous_end = life[2]["time"].as_str().unwrap().to_owned();
    }
    here.finetop(&["logs", "2"]).succeeded();
    let events = here.finetop(&["events", "2", "--json"]).succeeded();
    assert!(events.stdout.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
}

#[test]
fn twenty_on_three_slots_all_finish_each_started_once() {
    let here = Workplace::with_pictures();
    let mut arguments = vec!["add".into(), "--slots".into(), "3".into()];
    arguments.extend((0..20).map(|n| here.experiment(&format!("run{n}"), 1).into_os_string()));
    here.finetop(&arguments).succeeded();
    here.finetop(&["wait", "--all"]).succeeded();
    let listed = here.json(&["ls", "--json"]);
    assert_eq!(listed.as_array().unwrap().len(), 20);
    let mut running = BTreeMap::new();
    for id in 1..=20u32 {
        let life = here.lines(&here.run_folder(id).join("run.jsonl"));
        assert_eq!(life.iter().filter(|line| line["type"] == "started").count(), 1, "run {id} is started once");
        assert_eq!(life.last().unwrap()["outcome"], "finished", "run {id}");
        for line in life {
            match line["type"].as_str().unwrap() {
                "started" => running.insert((line["time"].as_str().unwrap().to_owned(), 1, id), 1),
                "exited" => running.insert((line["time"].as_str().unwrap().to_owned(), 0, id), -1),
                _ => None,
            };
        }
    }
    let mut now = 0;
    for change in running.values() {
        now += change;
        assert!(now <= 3, "never more than the slots");
    }
}

#[test]
fn figures_do_not_depend_on_chance_or_loader_threads() {
    let here = Workplace::with_pictures();
    let augmented = |name: &str, threads: u32| {
        tiny(name, 2, "1e-3").replace(
            "image_size: 32",
            &format!("image_size: 32, loader_threads: {threads}, augment: {{ rotation: 20, zoom: 0.2, width_shift: 0.1, horizontal_flip: true }}"),
        )
    };
    for (index, threads) in [1, 2, 5].into_iter().enumerate() {
        let file = here.write(&format!("threads{threads}.yaml"), augmented("same", threads));
        here.finetop(&["run".as_ref(), file.as_os_str()]).succeeded();
        let figures = |id: usize| -> Vec<_> {
            let shown = here.json(&["show", &id.to_string(), "--json"]);
            let epochs = shown["epochs"].as_array().unwrap().clone();
            epochs
                .iter()
                .map(|e| ["loss", "accuracy", "val_loss", "val_accuracy"].map(|key| e[key].to_string()))
                .collect()
        };
        assert_eq!(figures(1), figures(index + 1), "with {threads} loader threads");
    }
}

#[test]
fn add_returns_at_once_and_holds_no_stream_open() {
    let here = Workplace::with_pictures();
    let file = here.experiment("long", 400);
    let mut child = here
        .command(&["add".as_ref(), file.as_os_str()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // As sshd does: until the end of both streams, which any process that kept them would put off.
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert!(child.wait().unwrap().success(), "{err}");
    let shown = here.json(&["show", "1", "--json"]);
    assert!(["queued", "starting", "running"].contains(&shown["state"].as_str().unwrap()), "{shown}");
    here.wait_for_run(1, "the run to train", |run| run["epochs"].as_array().is_some_and(|epochs| epochs.len() > 2));
    here.finetop(&["cancel", "1"]).succeeded();
    let ended = here.finetop(&["wait", "1"]).exited(1);
    drop(ended);
    let shown = here.json(&["show", "1", "--json"]);
    assert_eq!((shown["state"].as_str(), shown["reason"].as_str()), (Some("cancelled"), Some("user")));
}

#[test]
fn without_a_terminal_paths_are_run_with_a_line_per_epoch() {
    let here = Workplace::with_pictures();
    let file = here.experiment("piped", 1);
    let ended = here.finetop(&[file.as_os_str()]).succeeded();
    assert_eq!(ended.stdout.lines().filter(|line| line.contains("val_loss")).count(), 2);
    assert!(!ended.stdout.contains('\x1b'), "no escape sequences in a pipe");
}

#[test]
fn an_interrupted_run_keeps_a_checkpoint_and_exits_with_130() {
    let here = Workplace::with_pictures();
    let file = here.experiment("long", 400);
    let child = here
        .command(&["run".as_ref(), file.as_os_str()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    here.wait_for_run(1, "an epoch", |run| run["epochs"].as_array().is_some_and(|epochs| !epochs.is_empty()));
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    Ended::from(child.wait_with_output().unwrap()).exited(130);
    assert!(here.run_folder(1).join("checkpoints/last.safetensors").is_file());
    assert_eq!(here.json(&["show", "1", "--json"])["state"], "cancelled");
}

#[test]
fn a_foreground_run_ends_with_its_command() {
    let here = Workplace::with_pictures();
    let file = here.experiment("orphan", 400);
    let mut child =
        here.command(&["run".as_ref(), file.as_os_str()]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let epochs = || here.json(&["show", "1", "--json"])["epochs"].as_array().map_or(0, Vec::len);
    here.wait_for_run(1, "an epoch", |run| run["epochs"].as_array().is_some_and(|epochs| !epochs.is_empty()));
    child.kill().unwrap();
    child.wait().unwrap();
    let workers = || workers_in(&here.run_folder(1));
    wait_for("the worker's end", || workers() == 0);
    let trained = epochs();
    assert!(here.run_folder(1).join("checkpoints/last.safetensors").is_file());
    // The next runner writes down what nobody else can any more.
    let other = here.experiment("other", 1);
    here.finetop(&["add".as_ref(), other.as_os_str()]).succeeded();
    let shown = here.wait_for_run(1, "its end in the record", |run| run["state"] == "failed");
    assert_eq!((shown["reason"].as_str(), epochs()), (Some("worker_gone"), trained));
    here.finetop(&["wait", "2"]).succeeded();
    assert_eq!(here.json(&["show", "1", "--json"])["attempts"], 1, "nobody else started it");
}

#[test]
fn a_foreground_run_whose_command_died_is_not_in_the_way_of_a_runner_that_lives() {
    let here = Workplace::with_pictures();
    here.finetop(&["add".as_ref(), here.experiment("first", 1).as_os_str()]).succeeded();
    let file = here.experiment("orphan", 400);
    let mut child =
        here.command(&["run".as_ref(), file.as_os_str()]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    here.wait_for_run(2, "an epoch", |run| run["epochs"].as_array().is_some_and(|epochs| !epochs.is_empty()));
    here.finetop(&["cancel", "2"]).exited(1).says(&["Ctrl-C"]);
    child.kill().unwrap();
    child.wait().unwrap();
    // Its worker is writing a checkpoint, or has: either way it is the runner's now.
    here.finetop(&["cancel", "2"]).succeeded();
    here.finetop(&["wait", "2"]).exited(1);
    assert_eq!(workers_in(&here.run_folder(2)), 0);
    assert!(here.run_folder(2).join("checkpoints/last.safetensors").is_file());
    assert_eq!(here.json(&["show", "2", "--json"])["state"], "cancelled");
    here.finetop(&["rm", "2"]).succeeded();
    here.finetop(&["wait", "1"]).succeeded();
}

#[test]
fn a_foreground_run_that_came_to_its_end_is_finished_though_nobody_wrote_it_down() {
    let here = Workplace::with_pictures();
    let file = here.experiment("done", 1);
    here.finetop(&["run".as_ref(), file.as_os_str()]).succeeded();
    // As if its command had been killed after the worker's last word, before its own.
    let log = here.run_folder(1).join("run.jsonl");
    let life = std::fs::read_to_string(&log).unwrap();
    let said: Vec<&str> = life.lines().filter(|line| !line.contains("\"exited\"")).collect();
    assert_eq!(said.len(), 2);
    std::fs::write(&log, said.join("\n") + "\n").unwrap();
    std::fs::remove_file(here.run_folder(1).join("summary.json")).unwrap();
    here.finetop(&["add".as_ref(), here.experiment("other", 1).as_os_str()]).succeeded();
    let shown = here.wait_for_run(1, "its end", |run| run["state"] != "running");
    assert_eq!((shown["state"].as_str(), shown["reason"].as_str()), (Some("finished"), Some("completed")));
    here.finetop(&["wait", "2"]).succeeded();
}

/// Live worker processes of a run.
fn workers_in(folder: &std::path::Path) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok());
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(&*folder.to_string_lossy())).count()
}

#[test]
fn runs_are_found_by_number_name_and_prefix_and_removed() {
    let here = Workplace::with_pictures();
    for name in ["apple", "apricot"] {
        let file = here.experiment(name, 1);
        here.finetop(&["run".as_ref(), file.as_os_str()]).succeeded();
    }
    for (text, id) in [("1", 1), ("0002", 2), ("apple", 1), ("0001-app", 1), ("apr", 2)] {
        assert_eq!(here.json(&["show", text, "--json"])["id"], id, "{text}");
    }
    here.finetop(&["show", "ap"]).exited(2).says(&["apple", "apricot"]);
    here.finetop(&["show", "99"]).exited(2).says(&["99"]);
    here.finetop(&["rm", "1"]).succeeded();
    assert_eq!(here.json(&["ls", "--json"]).as_array().unwrap().len(), 1);
    let file = here.experiment("plum", 1);
    here.finetop(&["run".as_ref(), file.as_os_str()]).succeeded();
    assert_eq!(here.json(&["show", "plum", "--json"])["id"], 3, "ids are never reused");
}

#[test]
fn the_runner_says_how_it_is_and_stops() {
    let here = Workplace::with_pictures();
    assert_eq!(here.json(&["runner", "status", "--json"])["running"], false);
    let file = here.experiment("one", 1);
    here.finetop(&["add".as_ref(), file.as_os_str()]).succeeded();
    let status = here.json(&["runner", "status", "--json"]);
    assert_eq!(status["running"], true);
    let pid = status["pid"].as_u64().unwrap();
    here.finetop(&["wait", "1"]).succeeded();
    here.finetop(&["runner", "stop"]).succeeded();
    wait_for("the runner's end", || !std::path::Path::new(&format!("/proc/{pid}")).exists());
    assert_eq!(here.json(&["runner", "status", "--json"])["running"], false);
}

#[test]
fn what_is_paused_waits_and_goes_on_where_it_was() {
    let here = Workplace::with_pictures();
    let kept_back = here.experiment("kept-back", 1);
    here.finetop(&["add".as_ref(), kept_back.as_os_str(), "--paused".as_ref()]).succeeded();
    let long = here.experiment("long", 60);
    here.finetop(&["add".as_ref(), long.as_os_str()]).succeeded();
    here.wait_for_run(2, "an epoch", |run| run["epochs"].as_array().is_some_and(|epochs| !epochs.is_empty()));
    assert_eq!(here.json(&["show", "1", "--json"])["state"], "paused");
    here.finetop(&["pause", "2"]).succeeded();
    let paused = here.wait_for_run(2, "it is paused", |run| run["state"] == "paused");
    let trained = paused["epochs"].as_array().unwrap().len();
    here.finetop(&["resume", "1", "2"]).succeeded();
    here.finetop(&["wait", "1", "2"]).succeeded();
    let shown = here.json(&["show", "2", "--json"]);
    assert_eq!(shown["attempts"], 2);
    let epochs: Vec<u64> = shown["epochs"].as_array().unwrap().iter().map(|e| e["epoch"].as_u64().unwrap()).collect();
    assert_eq!(epochs, (1..=120).collect::<Vec<_>>(), "none twice, none missing");
    let events = here.lines(&here.run_folder(2).join("events.jsonl"));
    let resumed: Vec<_> =
        events.iter().filter(|e| e["type"] == "run_started").map(|e| e["resumed_from"].clone()).collect();
    assert!(resumed[0].is_null() && resumed[1]["epoch"].as_u64().unwrap() >= trained as u64 - 1, "{resumed:?}");
}
