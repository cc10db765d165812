//! The experiments of the repository, on their real weights and pictures.

mod workplace;

use std::path::{Path, PathBuf};

use serde_json::Value;
use workplace::Workplace;

fn experiments() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments")
}

/// Trains `emoji.yaml` in the foreground and gives what `show --json` says.
fn train(here: &Workplace, id: u32, changes: &[&str]) -> Value {
    let file = experiments().join("emoji.yaml");
    let mut arguments = vec!["run".to_owned(), file.display().to_string()];
    arguments.extend(changes.iter().flat_map(|change| ["--set".to_owned(), (*change).to_owned()]));
    here.finetop(&arguments).succeeded();
    let shown = here.json(&["show", &id.to_string(), "--json"]);
    assert_eq!(shown["advice"], Value::Array(vec![]), "nothing is wrong with it");
    shown
}

fn best_val_accuracy(shown: &Value) -> f64 {
    let epochs = shown["epochs"].as_array().expect("epochs");
    epochs.iter().map(|epoch| epoch["val_accuracy"].as_f64().unwrap()).fold(0.0, f64::max)
}

#[test]
fn every_experiment_of_the_repository_passes_check() {
    let here = Workplace::empty();
    let ended = here.finetop(&["check".as_ref(), experiments().as_os_str()]).succeeded();
    for name in ["emoji", "emoji-overfit", "emoji-lr-1e-2", "emoji-lr-1e-4"] {
        assert!(ended.stdout.lines().any(|line| line.starts_with(&format!("{name}  on "))), "{name}");
    }
    assert!(
        ended.stdout.contains("fire6") && ended.stdout.contains("(384, 10, 10)") && ended.stdout.contains("104,880")
    );
}

/// The main job: a head on frozen layers, then the last layers, as the file says.
#[test]
fn emoji_reaches_what_it_promises() {
    let here = Workplace::empty();
    let shown = train(&here, 1, &[]);
    assert_eq!(shown["state"], "finished");
    assert!(["completed", "early_stopped"].contains(&shown["reason"].as_str().unwrap()));
    let accuracy = best_val_accuracy(&shown);
    assert!(accuracy >= 0.88, "best val_accuracy {accuracy}");
    let drops =
        shown["lr_changes"].as_array().unwrap().iter().filter(|change| change["reason"] == "reduce_lr_on_plateau");
    assert!(drops.count() >= 1, "{}", shown["lr_changes"]);
    assert_eq!(shown["early_stopped"], true);
    let phases: Vec<&str> = shown["phases"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!(phases, ["head", "fine_tune"]);
}

/// No lucky seed is needed. Three runs take a few minutes: `cargo test --release -- --ignored`.
#[test]
#[ignore = "takes minutes"]
fn emoji_reaches_it_on_average_over_seeds() {
    let here = Workplace::empty();
    let accuracies: Vec<f64> =
        (1..=3).map(|seed| best_val_accuracy(&train(&here, seed, &[&format!("seed={seed}")]))).collect();
    let mean = accuracies.iter().sum::<f64>() / accuracies.len() as f64;
    assert!(mean >= 0.87, "{accuracies:?}");
}
