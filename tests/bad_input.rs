//! Bad input, each with one clear message that says what to do, the right exit code, nothing queued and nothing lost.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod workplace;

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use workplace::{Workplace, skip, tiny, tiny_text, wait_for};

/// A key of the first phase, in whose place others are put.
const HEAD: &str = "trainable: head";

/// Files that must be refused before anything is queued: name, content, what the message says.
fn refused() -> Vec<(&'static str, Vec<u8>, &'static [&'static str])> {
    let yaml = tiny("x", 1, "1e-3");
    let with = |from: &str, to: &str| {
        assert!(yaml.contains(from), "{from}");
        yaml.replace(from, to).into_bytes()
    };
    let mut large = yaml.clone().into_bytes();
    large.extend(std::iter::repeat_n(b"# padding\n".as_slice(), 210_000).flatten());
    let bomb = format!(
        "a: &a [x, x, x, x, x, x, x, x, x]\n{}{yaml}",
        ('b'..='l')
            .zip('a'..)
            .map(|(next, last)| format!("{next}: &{next} [{}]\n", vec![format!("*{last}"); 9].join(", ")))
            .collect::<String>()
    );
    vec![
        ("unknown-key", with("batch_size", "batchsize"), &["batchsize", "batch_size", "unknown-key.yaml:10"]),
        ("wrong-type", with("batch_size: 8", "batch_size: many"), &["many", "wrong-type.yaml:10"]),
        ("out-of-range", with("lr: 1e-3", "lr: -1"), &["-1", "out-of-range.yaml:12"]),
        ("not-finite", with("lr: 1e-3", "lr: .nan"), &["not-finite.yaml:12"]),
        (
            "two-mistakes",
            with("batch_size: 8", "batch_size: 0\n  epoch: 3"),
            &["batch_size", "epoch", "two-mistakes.yaml:11"],
        ),
        ("empty", Vec::new(), &["empty"]),
        ("binary", (0..=255).cycle().take(4096).collect(), &["binary.yaml"]),
        ("large", large, &["1.0 MiB", "large.yaml"]),
        ("alias-bomb", bomb.into_bytes(), &["alias"]),
        ("no-folder", with("train: data/train", "train: data/trian"), &["data/trian", "train"]),
        ("slash", with("name: x", "name: a/b"), &["name", "a/b"]),
        ("dots", with("name: x", "name: .."), &["name"]),
        ("control", with("name: x", "name: \"a\\eb\""), &["name"]),
        (
            "two-rates",
            with(HEAD, "schedule: { constant: {}, cosine: {} }"),
            &["more than one key", "two-rates.yaml:12"],
        ),
        ("long-warm-up", with(HEAD, "schedule: { linear: { warmup_epochs: 5 } }"), &["longer than the phase", "5"]),
        ("rate-above", with(HEAD, "schedule: { cosine: { min_lr: 0.1 } }"), &["min_lr", "above the phase's rate"]),
        ("two-callbacks", with("  batch_size: 8", "  early_stopping: [ {}, {} ]"), &["early_stopping", "only be one"]),
        ("two-keys", with("units: 16, activation: relu }", "units: 16 }\n      dropout: 0.5"), &["more than one key"]),
        ("class-weights", with("batch_size: 8", "class_weight: { red: heavy }"), &["red", "heavy", "a number"]),
        ("bad-pattern", with(HEAD, "lr_factors: { 'fire[9': 2 }"), &["fire[9", "no pattern"]),
        (
            "no-class",
            with("batch_size: 8", "class_weight: { rde: 2 }"),
            &["rde", "did you mean `red`", "no-class.yaml:10"],
        ),
        ("many-layers", with("last_layers: 2", "last_layers: 400"), &["last 400 layers", "many-layers.yaml:13"]),
        (
            "many-blocks",
            with("{ last_layers: 2 }", "{ gradual: { blocks: 400 } }"),
            &["400 blocks", "blocks: 9", "many-blocks.yaml:13"],
        ),
        ("no-match", with(HEAD, "lr_factors: { 'layer4.*': 2 }"), &["layer4.*", "fire9", "no-match.yaml:12"]),
        ("no-names", with("{ last_layers: 2 }", "{ names: ['layer4*'] }"), &["layer4*", "fire9", "no-names.yaml:13"]),
        (
            "unknown-layer",
            with("{ last_layers: 2 }", "{ from: fire66 }"),
            &["fire66", "`fire6`", "unknown-layer.yaml:13"],
        ),
        (
            "too-many-classes",
            with("batch_size: 8", "metrics: [top_3]"),
            &["top_3", "below 3", "too-many-classes.yaml:10"],
        ),
        (
            "metric-of-no-class",
            with("batch_size: 8", "monitor: val_f1/rde"),
            &["f1/rde", "blue, green, red", "metric-of-no-class.yaml:10"],
        ),
        ("texts-alone", with("weights: random", "weights: random\n  lora: {}"), &["model.lora", "is for texts"]),
        ("no-weights", with("weights: random", "weights: data/none.safetensors"), &["none.safetensors"]),
        ("not-weights", with("weights: random", "weights: garbage.safetensors"), &["garbage.safetensors"]),
        ("other-network", with("weights: random", "weights: other.safetensors"), &["conv1.weight"]),
        ("one-class", with("data/train, val: data/val", "one/train, val: one/val"), &["one class"]),
        ("empty-class", with("data/train, val: data/val", "hollow/train, val: hollow/val"), &["green"]),
    ]
}

/// Folders for the cases above.
fn prepare(here: &Workplace) {
    here.write("garbage.safetensors", b"this is not a safetensors file at all");
    // A well-formed file, but of another network.
    here.write("other.safetensors", [&2u64.to_le_bytes()[..], b"{}"].concat());
    for split in ["train", "val"] {
        copy(&here.path(&format!("data/{split}/red")), &here.path(&format!("one/{split}/red")));
        for class in ["red", "blue"] {
            copy(&here.path(&format!("data/{split}/{class}")), &here.path(&format!("hollow/{split}/{class}")));
        }
        std::fs::create_dir_all(here.path(&format!("hollow/{split}/green"))).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn what_is_wrong_is_said_before_anything_is_queued() {
    let here = Workplace::with_pictures();
    prepare(&here);
    for (name, content, says) in refused() {
        let file = here.write(&format!("{name}.yaml"), content);
        let ended = here.finetop(&["check".as_ref(), file.as_os_str()]);
        assert_eq!(ended.code, 2, "{name}: {}{}", ended.stdout, ended.stderr);
        ended.says(says);
    }
}

/// What only a look into weights and pictures would find is in the record of the run; the rest is refused right away.
const FOUND_BY_THE_RUN: [&str; 4] = ["not-weights", "other-network", "one-class", "empty-class"];

#[test]
fn what_is_wrong_in_a_file_is_never_queued() {
    let here = Workplace::with_pictures();
    prepare(&here);
    for (name, content, says) in refused().into_iter().filter(|(name, ..)| !FOUND_BY_THE_RUN.contains(name)) {
        let file = here.write(&format!("{name}.yaml"), content);
        here.finetop(&["add".as_ref(), file.as_os_str()]).exited(2).says(says);
        here.finetop(&["run".as_ref(), file.as_os_str()]).exited(2).says(says);
    }
    assert!(here.json(&["ls", "--json"]).as_array().unwrap().is_empty());
}

/// What experiments on texts can say wrong, and sweeps.
#[test]
fn what_is_wrong_with_texts_and_sweeps_is_never_queued_either() {
    let here = Workplace::with_texts();
    let yaml = tiny_text("x", 1);
    let learning = yaml.replace("epochs: 1", "epochs: 1, trainable: all");
    let lora = |keys: &str| learning.replace("pool: cls", &format!("pool: cls, lora: {{ {keys} }}"));
    let numbers = (1..=101).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let weights = "batch_size: 4\n  class_weight: { foot: 2 }";
    let cases: [(&str, String, &[&str]); 11] = [
        ("lora-layer", lora("layers: [qery]"), &["matches `qery`", "did you mean `query`?", "lora-layer.yaml:3"]),
        ("lora-rank", lora("rank: 0"), &["`rank` is `0`", "from 1 to 1024", "lora-rank.yaml:3"]),
        ("lora-pattern", lora("layers: ['[']"), &["no pattern", "lora-pattern.yaml:3"]),
        (
            "lora-rests",
            yaml.replace("pool: cls", "pool: cls, lora: {}"),
            &["no phase lets", "trainable: all", "lora-rests.yaml:3"],
        ),
        (
            "mixed-texts",
            yaml.replace("max_length: 8", "augment: { mixup: 0.2 }"),
            &["augment", "is for pictures", "mixed-texts.yaml:2"],
        ),
        ("no-class", yaml.replace("batch_size: 4", weights), &["foot", "did you mean `food`?", "no-class.yaml:6"]),
        (
            "many-layers",
            yaml.replace("epochs: 1", "epochs: 1, trainable: { last_layers: 400 }"),
            &["last 400 layers", "many-layers.yaml:6"],
        ),
        (
            "no-glob",
            yaml.replace("epochs: 1", "epochs: 1, trainable: { names: ['layer4*'] }"),
            &["layer4*", "encoder.layer.0", "no-glob.yaml:6"],
        ),
        ("circle", format!("extends: circle.yaml\n{yaml}"), &["extends itself", "circle.yaml:1"]),
        (
            "many-runs",
            format!("{yaml}matrix: {{ seed: [{numbers}], threads: [{numbers}] }}\n"),
            &["10,201 runs", "at most 10,000", "many-runs.yaml:7"],
        ),
        (
            "sweep-of-layers",
            format!("{yaml}matrix: {{ train.phases.0.trainable: [all, {{ from: pooller }}] }}\n"),
            &["pooller", "did you mean `pooler`?", "sweep-of-layers.yaml:7"],
        ),
    ];
    for (name, content, says) in cases {
        let file = here.write(&format!("{name}.yaml"), content);
        for verb in ["add", "run", "check"] {
            here.finetop(&[verb.as_ref(), file.as_os_str()]).exited(2).says(says);
        }
    }
    let right = here.write("right.yaml", &learning);
    for (set, says) in [("train.batch=5", "batch_size"), ("model.lora.layers=[valu]", "did you mean `value`?")] {
        let arguments: [&OsStr; 4] = ["add".as_ref(), right.as_os_str(), "--set".as_ref(), set.as_ref()];
        here.finetop(&arguments).exited(2).says(&[says, &format!("--set {set}")]);
    }
    assert!(here.json(&["ls", "--json"]).as_array().unwrap().is_empty());
}

#[test]
fn every_file_is_checked_though_one_is_wrong() {
    let here = Workplace::with_pictures();
    prepare(&here);
    let file = |name: &str, data: &str| {
        here.write(&format!("{name}.yaml"), tiny(name, 1, "1e-3").replace("data/train, val: data/val", data))
    };
    let files = [
        file("single", "one/train, val: one/val"),
        file("good", "data/train, val: data/val"),
        file("hollow", "hollow/train, val: hollow/val"),
    ];
    let mut arguments = vec!["check".into()];
    arguments.extend(files.map(std::path::PathBuf::into_os_string));
    let ended = here.finetop(&arguments).exited(2).says(&["single: ", "hollow: ", "green", "2 of 3"]);
    assert!(ended.stdout.starts_with("good  on cpu"), "{}", ended.stdout);
}

#[test]
fn a_mistaken_file_is_not_queued_and_neither_are_its_neighbours() {
    let here = Workplace::with_pictures();
    let good = here.experiment("good", 1);
    let bad = here.write("bad.yaml", tiny("bad", 1, "1e-3").replace("batch_size", "batchsize"));
    here.finetop(&["add".as_ref(), good.as_os_str(), bad.as_os_str()]).exited(2).says(&["batchsize", "batch_size"]);
    here.finetop(&["run".as_ref(), bad.as_os_str()]).exited(2);
    let listed = here.finetop(&["ls", "--json"]);
    assert!(listed.stdout.trim().is_empty() || listed.stdout.trim() == "[]", "{}", listed.stdout);
}

#[test]
fn a_failure_while_setting_up_is_in_the_record_like_any_other() {
    let here = Workplace::with_pictures();
    let file =
        here.write("weights.yaml", tiny("weights", 1, "1e-3").replace("weights: random", "weights: w.safetensors"));
    // A well-formed file, but of another network.
    here.write("w.safetensors", [&2u64.to_le_bytes()[..], b"{}"].concat());
    here.finetop(&["run".as_ref(), file.as_os_str()]).exited(1).says(&["conv1.weight"]);
    let shown = here.json(&["show", "1", "--json"]);
    assert_eq!((shown["state"].as_str(), shown["reason"].as_str()), (Some("failed"), Some("experiment")));
}

#[test]
fn corrupt_pictures_are_skipped_by_name() {
    let here = Workplace::with_pictures();
    here.write("data/train/red/broken.png", b"\x89PNG\r\n\x1a\nno more");
    here.write("data/train/red/empty.jpg", b"");
    let file = here.experiment("skips", 1);
    here.finetop(&["run".as_ref(), file.as_os_str()]).succeeded();
    let events = here.lines(&here.run_folder(1).join("events.jsonl"));
    let skipped: Vec<_> =
        events.iter().filter(|e| e["type"] == "skipped").map(|e| e["source"].as_str().unwrap()).collect();
    assert_eq!(skipped.len(), 2, "{skipped:?}");
    assert!(skipped.iter().any(|s| s.contains("broken.png")) && skipped.iter().any(|s| s.contains("empty.jpg")));
}

#[test]
fn a_run_that_diverges_fails_with_its_cause() {
    let here = Workplace::with_pictures();
    let file = here.write("nan.yaml", tiny("nan", 30, "1e30"));
    here.finetop(&["run".as_ref(), file.as_os_str()]).exited(1);
    let shown = here.json(&["show", "1", "--json"]);
    assert_eq!((shown["state"].as_str(), shown["reason"].as_str()), (Some("failed"), Some("diverged")));
}

#[test]
fn a_second_runner_is_told_who_holds_the_store() {
    let here = Workplace::with_pictures();
    let file = here.experiment("long", 400);
    here.finetop(&["add".as_ref(), file.as_os_str()]).succeeded();
    let pid = here.json(&["runner", "status", "--json"])["pid"].to_string();
    here.finetop(&["runner", "serve"]).exited(1).says(&["runner", &pid]);
    here.finetop(&["rm", "1"]).exited(1).says(&["cancel"]);
    here.finetop(&["cancel", "1"]).succeeded();
}

#[test]
fn ids_that_do_not_exist_are_said() {
    let here = Workplace::with_pictures();
    for command in ["show", "logs", "events", "cancel", "wait", "rm"] {
        here.finetop(&[command, "7"]).exited(2).says(&["7"]);
    }
}

#[test]
fn a_full_disk_is_said_and_leaves_nothing_half_made() {
    let here = Workplace::with_pictures();
    let small = here.path("small");
    std::fs::create_dir(&small).unwrap();
    let mount =
        std::process::Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&small).output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        skip("mounting a small tmpfs is not allowed here");
        return;
    }
    let unmount = Unmount(&small);
    // Fill it to the last page.
    let _ = std::fs::write(small.join("filler"), vec![0u8; 1 << 20]);
    let file = here.experiment("full", 1);
    let store = small.join("runs");
    let ended = here.finetop(&["add".as_ref(), file.as_os_str(), "--store".as_ref(), store.as_os_str()]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("free some space"), "{}", ended.stderr);
    let left = std::fs::read_dir(&store).map_or(0, |entries| {
        entries.filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().contains("full")).count()
    });
    assert_eq!(left, 0, "no half-made run");
    let _ =
        here.finetop(&["runner".as_ref(), "stop".as_ref(), "--now".as_ref(), "--store".as_ref(), store.as_os_str()]);
    drop(unmount);
}

struct Unmount<'a>(&'a Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0).output();
    }
}

#[test]
fn a_store_that_cannot_be_written_is_said() {
    let here = Workplace::with_pictures();
    let file = here.experiment("x", 1);
    let locked = here.path("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o500)).unwrap();
    let probe = std::fs::write(locked.join("probe"), b"");
    let store = if probe.is_ok() {
        // Root may write anywhere that is not read-only; a file where a folder is wanted stops everyone.
        here.write("occupied", b"a file");
        here.path("occupied/runs")
    } else {
        locked.join("runs")
    };
    let ended = here.finetop(&["add".as_ref(), file.as_os_str(), "--store".as_ref(), store.as_os_str()]);
    assert!([1, 2].contains(&ended.code), "{}", ended.code);
    assert!(ended.stderr.contains("locked") || ended.stderr.contains("occupied"), "{}", ended.stderr);
    assert!(ended.stderr.contains("--store"), "{}", ended.stderr);
}

#[test]
fn a_read_only_store_can_still_be_reviewed() {
    let here = Workplace::with_pictures();
    let file = here.experiment("x", 1);
    here.finetop(&["run".as_ref(), file.as_os_str()]).succeeded();
    let mount =
        std::process::Command::new("mount").args(["--bind", "-o", "ro"]).arg(here.store()).arg(here.store()).output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        skip("a read-only bind mount is not allowed here");
        return;
    }
    let store = here.store();
    let unmount = Unmount(&store);
    assert_eq!(here.json(&["show", "1", "--json"])["state"], "finished");
    let ended = here.finetop(&["add".as_ref(), file.as_os_str()]).exited(1);
    assert!(ended.stderr.contains("read-only"), "{}", ended.stderr);
    drop(unmount);
    wait_for("the store to be writable again", || std::fs::write(store.join("probe"), b"").is_ok());
}
