//! What is written reads back; damage and other formats are told; the one before is there when the last one is not.

use std::collections::HashMap;

use super::*;
use crate::train::tensor_file::read;

fn weights(values: &[f32]) -> Weights {
    let tensor = Tensor::from_slice(values, values.len(), &Device::Cpu).unwrap();
    let double = (&tensor * 2.0).unwrap();
    [("head.output.bias".to_owned(), tensor), ("head.output.weight".to_owned(), double)].into_iter().collect()
}

fn flat(weights: &Weights) -> Vec<(String, Vec<f32>)> {
    weights.iter().map(|(name, tensor)| (name.clone(), tensor.to_vec1().unwrap())).collect()
}

fn checkpoint() -> Checkpoint {
    let early_stopping = EarlyStoppingState { waited: 2, best: Some(0.1 + 0.2), best_epoch: Some(5) };
    let reduce_lr = ReduceLrState { waited: 1, cooldown: 3, best: None };
    let mut sums = Sums::default();
    sums.add(&crate::train::metrics::score(&[0.3, 0.1], 1), 1);
    let state = PhaseState {
        lr: 0.001 * 0.3,
        optimizer_steps: 77,
        early_stopping: Some(early_stopping),
        reduce_lr: Some(reduce_lr),
    };
    Checkpoint {
        progress: Progress {
            phase: 1,
            phase_epoch: 2,
            epoch: 7,
            step: 130,
            unfinished: Unfinished { steps: 3, sums, seconds: 1.0 / 3.0 },
            seconds: 12.3,
            lr: Some(3e-4),
            early_stopped: true,
            advice: Advisers::default(),
        },
        best: Some(RunBest { epoch: BestEpoch { epoch: 6, value: 1.0 / 3.0 }, weights: weights(&[4.0, 5.0]) }),
        phase: Some(PhaseInProgress {
            state,
            optimizer: weights(&[0.5, 1e-30]),
            restorable: Some(weights(&[9.0, 8.0])),
        }),
        weights: weights(&[1.0 / 3.0, -0.0]),
    }
}

/// As [`checkpoint`], of another epoch.
fn of_epoch(epoch: u32) -> Checkpoint {
    let progress = Progress { epoch, ..checkpoint().progress };
    Checkpoint { progress, ..checkpoint() }
}

fn read_last(run: &Path) -> Result<Option<Checkpoint>, Error> {
    Checkpoint::read(run, LAST, &Device::Cpu)
}

fn assert_same(read: &Checkpoint, written: &Checkpoint) {
    assert_eq!(read.progress, written.progress);
    assert_eq!(flat(&read.weights), flat(&written.weights));
    let best = |of: &Checkpoint| of.best.as_ref().map(|best| (best.epoch, flat(&best.weights)));
    assert_eq!(best(read), best(written));
    let phase = |of: &Checkpoint| {
        let phase = of.phase.as_ref().unwrap();
        (phase.state.clone(), flat(&phase.optimizer), phase.restorable.as_ref().map(flat))
    };
    assert_eq!(phase(read), phase(written));
}

#[test]
fn a_checkpoint_reads_back_to_the_bit() {
    let run = tempfile::tempdir().unwrap();
    assert!(read_last(run.path()).unwrap().is_none());
    let written = checkpoint();
    let bytes = written.write(run.path()).unwrap();
    assert_eq!(std::fs::metadata(run.path().join(LAST)).unwrap().len(), bytes);
    assert_same(&read_last(run.path()).unwrap().unwrap(), &written);
}

#[test]
fn the_same_checkpoint_is_the_same_bytes() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    checkpoint().write(one.path()).unwrap();
    checkpoint().write(two.path()).unwrap();
    let bytes = |run: &Path| std::fs::read(run.join(LAST)).unwrap();
    assert_eq!(bytes(one.path()), bytes(two.path()));
}

#[test]
fn between_phases_there_is_no_phase() {
    let run = tempfile::tempdir().unwrap();
    Checkpoint { phase: None, best: None, ..checkpoint() }.write(run.path()).unwrap();
    let read = read_last(run.path()).unwrap().unwrap();
    assert!(read.phase.is_none() && read.best.is_none());
}

#[test]
fn the_same_copy_is_written_once_and_read_as_the_same_copy() {
    let (shared, apart) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let whole = checkpoint();
    let best = whole.weights.clone();
    let phase = PhaseInProgress { restorable: Some(best.clone()), ..whole.phase.clone().unwrap() };
    let same = Checkpoint {
        best: whole.best.clone().map(|best_epoch| RunBest { weights: best, ..best_epoch }),
        phase: Some(phase),
        ..whole.clone()
    };
    assert!(same.write(shared.path()).unwrap() < whole.write(apart.path()).unwrap());
    let read = read_last(shared.path()).unwrap().unwrap();
    assert_same(&read, &same);
    assert!(read.weights.is(&read.best.unwrap().weights));
    assert!(read.weights.is(read.phase.unwrap().restorable.as_ref().unwrap()));
}

fn break_middle(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn the_latest_that_is_whole_is_found_and_the_others_are_told_of() {
    let run = tempfile::tempdir().unwrap();
    let at = |file: &str| run.path().join(file);
    let found = || {
        let found = latest(run.path(), &Device::Cpu).unwrap();
        (found.checkpoint.map(|checkpoint| checkpoint.progress.epoch), found.warnings.join("\n"))
    };
    assert_eq!(found(), (None, String::new()));
    of_epoch(3).write(run.path()).unwrap();
    of_epoch(4).write(run.path()).unwrap();
    assert_eq!(found(), (Some(4), String::new()));

    break_middle(&at(LAST));
    let (epoch, said) = found();
    assert_eq!(epoch, Some(3));
    assert!(said.contains("last.safetensors is damaged") && said.contains("of epoch 3, step 130"), "{said}");
    assert!(at("checkpoints/last.safetensors.damaged").exists() && !at(LAST).exists());

    // As after a kill between the two renames.
    let (epoch, said) = found();
    assert!(epoch == Some(3) && said.contains("last.safetensors is missing"), "{said}");

    // The damaged one was set aside: it does not become the one before.
    of_epoch(5).write(run.path()).unwrap();
    break_middle(&at(LAST));
    assert_eq!(found().0, Some(3));

    break_middle(&at(PREVIOUS));
    let (epoch, said) = found();
    assert_eq!(epoch, None);
    assert!(said.contains("previous.safetensors is damaged") && said.ends_with("training begins anew"), "{said}");
}

#[test]
fn a_newer_format_is_no_damage() {
    let run = tempfile::tempdir().unwrap();
    std::fs::create_dir(run.path().join(FOLDER)).unwrap();
    let note = r#"{"format":3,"of":"tomorrow"}"#;
    tensor_file::write(&run.path().join(LAST), &weights(&[1.0]), KEY, note).unwrap();
    let error = latest(run.path(), &Device::Cpu).unwrap_err();
    assert!(error.to_string().contains("newer finetop (its format is 3"), "{error}");
    assert!(run.path().join(LAST).exists());
}

/// Writes what an earlier version would have written.
fn write_format_1(run: &Path, checkpoint: &Checkpoint, best: BestEpoch) {
    let phase = checkpoint.phase.as_ref().unwrap();
    let prefixed = |prefix: &str, weights: &Weights| {
        weights.iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor.clone())).collect::<Vec<_>>()
    };
    let tensors = [
        prefixed("weights/", &checkpoint.weights),
        prefixed("optimizer/", &phase.optimizer),
        prefixed("restorable/", phase.restorable.as_ref().unwrap()),
    ];
    let mut note = serde_json::json!({
        "format": 1, "progress": checkpoint.progress, "best": checkpoint.best.as_ref().map(|best| best.epoch),
        "phase": phase.state, "restorable": true,
    });
    note["progress"]["lr"] = serde_json::json!(0.0003);
    note["phase"]["lr"] = serde_json::json!(phase.state.lr);
    let write = |file: &str, tensors: &[(String, Tensor)], note: String| {
        let views = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor));
        let bytes = safetensors::serialize(views, Some(HashMap::from([(KEY.to_owned(), note)]))).unwrap();
        durable::create_dir_all(&run.join(FOLDER)).unwrap();
        durable::write(&run.join(file), &bytes).unwrap();
    };
    write(LAST, &tensors.concat(), note.to_string());
    let mut network = checkpoint.best.as_ref().unwrap().weights.to_vec();
    network.push(("conv1.weight".into(), Tensor::zeros(3, candle_core::DType::F32, &Device::Cpu).unwrap()));
    write(BEST, &network, serde_json::to_string(&best).unwrap());
}

#[test]
fn a_checkpoint_of_format_1_is_read_if_its_best_epoch_is_there() {
    let run = tempfile::tempdir().unwrap();
    let written = checkpoint();
    let best = written.best.as_ref().unwrap().epoch;
    write_format_1(run.path(), &written, best);
    assert_same(&read_last(run.path()).unwrap().unwrap(), &written);

    write_format_1(run.path(), &written, BestEpoch { epoch: best.epoch + 1, ..best });
    let Latest { checkpoint, warnings } = latest(run.path(), &Device::Cpu).unwrap();
    assert!(checkpoint.is_none());
    assert!(warnings[0].contains("best epoch, 6, are not in"), "{warnings:?}");
}

#[test]
fn the_network_of_the_best_epoch_is_for_any_reader() {
    let run = tempfile::tempdir().unwrap();
    let best = checkpoint().best.unwrap();
    let bytes = write_best(run.path(), best.epoch, &best.weights).unwrap();
    let path = run.path().join(BEST);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), bytes);
    let content = read(&path, KEY, &Device::Cpu).unwrap().unwrap();
    assert_eq!(serde_json::from_str::<BestEpoch>(&content.note).unwrap(), best.epoch);
    assert_eq!(content.tensors.len(), 2);
}
