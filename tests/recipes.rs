//! The experiments of the repository, and the networks at their full size.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod hub;
mod workplace;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use hub::Hub;
use serde_json::Value;
use workplace::{Ended, Workplace, skip};

fn experiments() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments")
}

/// Those whose weights are on a hub show their layers too, and nobody is asked for them.
#[test]
fn every_experiment_passes_its_check() {
    let here = Workplace::empty();
    let files = std::fs::read_dir(experiments()).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")).collect();
    assert!(files.len() >= 8, "{files:?}");
    let mut command = here.command(&["check"]);
    command.args(&files).env("HF_HOME", here.path("hf")).env("HF_ENDPOINT", "http://127.0.0.1:9");
    let checked = Ended::from(command.stdin(Stdio::null()).output().unwrap()).succeeded();
    assert!(checked.stdout.contains("emoji-sweep.yaml  a sweep of 8 runs\n"), "{}", checked.stdout);
    for (name, weights, learns) in [
        ("vgg16-article", "hf:timm/vgg16.tv_in1k", "learns 7,211,523"),
        ("resnet18-emoji", "hf:timm/resnet18.tv_in1k", "learns 8,395,267"),
        ("resnet50-emoji", "hf:timm/resnet50.tv_in1k", "learns 15,"),
        ("bert-emoji-names", "hf:sentence-transformers/all-MiniLM-L6-v2", "learns 3,598,595"),
        ("bert-lora", "hf:sentence-transformers/all-MiniLM-L6-v2", "learns 123,395"),
    ] {
        let rest = checked.stdout.split(&format!("{name}  on ")).nth(1).unwrap_or_else(|| panic!("{}", checked.stdout));
        let of_it = rest.split("  on ").next().unwrap();
        assert!(of_it.contains(&format!("would be downloaded from {weights}")) && of_it.contains(learns), "{of_it}");
    }
}

/// MiniLM, as the hub has it.
fn mini_lm() -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/real");
    let folder = std::env::var_os("FINETOP_REAL").map_or(default, PathBuf::from);
    let folder = folder.join("sentence-transformers/all-MiniLM-L6-v2");
    folder.join("model.safetensors").is_file().then_some(folder)
}

#[test]
fn bert_learns_the_emoji_names() {
    let Some(folder) = mini_lm() else { return skip("MiniLM is not here; tests/real/fetch.sh brings it") };
    let (here, hub) = (Workplace::empty(), Hub::start());
    hub.add_folder("sentence-transformers/all-MiniLM-L6-v2", &folder);
    let mut command = here.command(&["run"]);
    command.arg(experiments().join("bert-emoji-names.yaml"));
    command.env("HF_ENDPOINT", hub.endpoint()).env("HF_HOME", here.path("hf"));
    Ended::from(command.stdin(Stdio::null()).output().unwrap()).succeeded();
    let run = here.json(&["show", "1", "--json"]);
    let best = |phase: &str| {
        let epochs = run["epochs"].as_array().unwrap().iter().filter(|epoch| epoch["phase"] == phase);
        epochs.filter_map(|epoch| epoch["val_accuracy"].as_f64()).fold(0.0, f64::max)
    };
    let (head, fine_tune) = (best("head"), best("fine_tune"));
    assert!(head >= 0.93, "{head} in {run}");
    assert!(fine_tune >= head, "{fine_tune} after {head}");

    let mut command = here.command(&["run"]);
    command.arg(experiments().join("bert-lora.yaml")).args(["--set", "train.phases.1.epochs=3"]);
    command.env("HF_ENDPOINT", hub.endpoint()).env("HF_HOME", here.path("hf"));
    Ended::from(command.stdin(Stdio::null()).output().unwrap()).succeeded();
    let adapted = here.json(&["show", "2", "--json"]);
    let val_losses: Vec<f64> =
        adapted["epochs"].as_array().unwrap().iter().filter_map(|e| e["val_loss"].as_f64()).collect();
    assert!(val_losses[12] < 0.8 * val_losses[9], "adapters learn on from the head: {val_losses:?}");
    for run in [&run, &adapted] {
        assert_eq!(run["advice"], Value::Array(vec![]), "nothing is wrong with it");
    }

    let names = here.write("names.txt", "red apple\nsteam locomotive\n\nlittle bear\n");
    let answers = here.json(&["predict", "1", names.to_str().unwrap(), "--json", "--top", "2"]);
    let labels: Vec<&Value> = answers.as_array().unwrap().iter().map(|answer| &answer["label"]).collect();
    assert_eq!(labels, ["food", "transport", "animals"]);
    assert_eq!(answers[2]["source"], format!("{}:4", names.display()));
    assert_eq!(answers[0]["top"].as_array().unwrap().len(), 2);
}

#[test]
fn a_trained_model_is_used_from_the_command_line() {
    let here = Workplace::with_pictures();
    let file = here.experiment("colours", 3);
    here.finetop(&["run", file.to_str().unwrap()]).succeeded();
    let picture = here.path("data/val/red/1.png").display().to_string();
    let said = here.finetop(&["predict", "colours", &picture, "--top", "3"]).succeeded().stdout;
    let shares: Vec<&str> = said.split_whitespace().collect();
    assert_eq!((shares[0], shares.len()), (&*picture, 7), "{said}");
    for class in ["blue", "green", "red"] {
        assert!(shares.contains(&class), "{said}");
    }

    // The model's folder is all that is needed, wherever it lies.
    let folder = here.run_folder(1).join("model");
    let elsewhere = here.path("elsewhere/model");
    std::fs::create_dir_all(&elsewhere).unwrap();
    for file in ["model.safetensors", "labels.json", "resolved.yaml"] {
        std::fs::copy(folder.join(file), elsewhere.join(file)).unwrap();
    }
    std::fs::remove_dir_all(here.store()).unwrap();
    std::fs::remove_dir_all(here.path("data/train")).unwrap();
    let there = here.path("elsewhere").display().to_string();
    let again = here.finetop(&["predict", &there, &picture, "--top", "3"]).succeeded().stdout;
    assert_eq!(again, said);

    let mixed = here.finetop(&["predict", &there, "nowhere.png", &picture, "--json"]).exited(1);
    assert!(mixed.stderr.contains("nowhere.png: there is no such file"), "{}", mixed.stderr);
    let answers: Value = serde_json::from_str(&mixed.stdout).unwrap();
    assert_eq!((answers.as_array().unwrap().len(), &answers[0]["source"]), (1, &Value::from(picture)));
    here.finetop(&["predict", "7", "a.png"]).exited(2).says(&["there is no run `7`"]);
    std::fs::write(elsewhere.join("labels.json"), "{").unwrap();
    here.finetop(&["predict", &there, "a.png"]).exited(1).says(&["does not hold a saved model that can be used"]);
}

/// One epoch on a handful of pictures, at full size.
fn one_epoch(backbone: &str, trainable: &str) {
    let here = Workplace::with_pictures();
    let file = here.write(
        "full.yaml",
        format!(
            "data: {{ train: data/train, val: data/val, image_size: 224 }}
model: {{ backbone: {backbone}, weights: random, head: [dense: {{ units: 256, activation: relu }}, dropout: 0.5] }}
train:
  batch_size: 8
  phases:
    - {{ name: fine_tune, epochs: 1, trainable: {trainable}, optimizer: {{ sgd: {{ lr: 1e-3, momentum: 0.9 }} }} }}
"
        ),
    );
    here.finetop(&["run", file.to_str().unwrap()]).succeeded();
    let run = here.json(&["show", "1", "--json"]);
    assert_eq!(run["state"], "finished", "{run}");
    let loss = run["epochs"][0]["val_loss"].as_f64().unwrap();
    assert!(loss.is_finite() && loss > 0.0, "{run}");
    let pictures = ["blue/0.png", "red/0.png"].map(|name| here.path("data/val").join(name).display().to_string());
    let answers = here.json(&["predict", "1", &pictures[0], &pictures[1], "--json"]);
    assert_eq!(answers.as_array().unwrap().len(), 2);
}

#[test]
#[ignore = "slow: every layer at 224 × 224"]
fn vgg16_trains_an_epoch_at_full_size() {
    one_epoch("vgg16", "{ last_layers: 4 }");
}

#[test]
#[ignore = "slow: every layer at 224 × 224"]
fn resnet50_trains_an_epoch_at_full_size() {
    one_epoch("resnet50", "all");
}
