//! The experiments of the repository, trained whole: each of `experiments/pitfalls` is told its pitfall and nothing else, and
//! the others nothing that is false.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use finetop::experiment::{self, Override};
use finetop::record::event::Event;
use finetop::train::{self, End, Job};

fn experiments() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments")
}

/// Trains an experiment and gives the kinds of its advice, each with the epochs that were over.
fn told(file: &Path, changes: &[&str]) -> Vec<(String, u32)> {
    let run = tempfile::tempdir().unwrap();
    told_in(run.path(), file, changes)
}

fn told_in(run: &Path, file: &Path, changes: &[&str]) -> Vec<(String, u32)> {
    let changes: Vec<Override> = changes.iter().map(|change| change.parse().unwrap()).collect();
    let experiment = experiment::load(file, &changes).unwrap_or_else(|mistakes| panic!("{mistakes}")).experiment;
    let (mut told, mut epochs) = (Vec::new(), 0);
    let mut emit = |event: Event| {
        match event {
            Event::Epoch(epoch) => epochs = epoch.epoch,
            Event::Advice(advice) => told.push((advice.kind, epochs)),
            _ => {}
        }
        Ok(())
    };
    let job = Job { experiment: &experiment, folder: run, attempt: 1 };
    let ended = train::run(&job, &mut emit, &AtomicBool::new(false));
    assert!(matches!(ended, Ok(End::Finished(_))), "{}: {ended:?}", file.display());
    eprintln!("{} {changes:?}: {told:?}", file.display());
    told
}

/// Each file, the one thing that it is told, and the epoch by which it is.
const PITFALLS: [(&str, &str, u32); 10] = [
    ("augmentation-too-strong", "augmentation_too_strong", 7),
    ("class-imbalance", "class_imbalance", 5),
    ("duplicate-samples", "duplicate_samples", 0),
    ("frozen-layers", "frozen_layers", 0),
    ("learning-rate-too-high", "learning_rate_too_high", 1),
    ("learning-rate-too-low", "learning_rate_too_low", 3),
    ("overfitting", "overfitting", 10),
    ("partial-weights", "partial_weights", 0),
    ("random-weights", "random_weights", 0),
    ("wrong-preprocessing", "wrong_preprocessing", 0),
];

fn pitfall(name: &str) -> PathBuf {
    experiments().join("pitfalls").join(name).with_extension("yaml")
}

#[test]
fn every_pitfall_has_a_file_that_check_accepts() {
    let folder = experiments().join("pitfalls");
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|of| of == "yaml")).collect();
    files.sort();
    assert_eq!(files, PITFALLS.map(|(name, ..)| pitfall(name)));
    let checked = std::process::Command::new(env!("CARGO_BIN_EXE_finetop")).arg("check").arg(folder).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

/// ResNet 34's tensors, by the names that they have in its file on the hub too.
fn weights_of_resnet34(folder: &Path) -> String {
    let larger = ["model.backbone=resnet34", "model.weights=random", "data.image_size=32", "train.phases.0.epochs=1"];
    told_in(folder, &pitfall("partial-weights"), &larger);
    format!("model.weights={}", folder.join("model/model.safetensors").display())
}

/// `FINETOP_SEED` trains them with another seed. The file whose weights are on the hub gets some of the same names.
#[test]
#[ignore = "takes minutes without optimisation"]
fn every_pitfalls_file_is_told_it_and_nothing_else() {
    let seed = std::env::var("FINETOP_SEED").map(|seed| format!("seed={seed}")).ok();
    let folder = tempfile::tempdir().unwrap();
    let resnet34 = weights_of_resnet34(folder.path());
    for (name, kind, latest) in PITFALLS {
        let weights = (name == "partial-weights").then_some(&*resnet34);
        let changes: Vec<&str> = seed.as_deref().into_iter().chain(weights).collect();
        let told = told(&pitfall(name), &changes);
        assert!(matches!(&*told, [(of, by)] if of == kind && *by <= latest), "{name}: {told:?}");
    }
}

/// The others are `tests/emoji.rs`, the texts of `tests/recipes.rs`, and sweeps, whose records `src/train/advice/replay.rs`
/// has. What overfits may be told so: those two files say in a comment that they do.
#[test]
#[ignore = "takes minutes without optimisation"]
fn other_experiments_are_told_nothing_that_is_false() {
    for (name, may_be_told) in
        [("emoji-lr-1e-4", None), ("emoji-lr-1e-2", Some("overfitting")), ("emoji-overfit", Some("overfitting"))]
    {
        let told = told(&experiments().join(name).with_extension("yaml"), &[]);
        assert!(told.iter().all(|(kind, _)| Some(&**kind) == may_be_told), "{name}: {told:?}");
    }
}
