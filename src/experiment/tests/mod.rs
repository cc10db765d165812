//! Tests of the room as a whole.

mod extends;
mod files;
mod generated;
mod large;
mod mistakes;
mod properties;
mod reference;
mod schema;
mod validator;
mod sweeps;

use std::path::Path;

use super::{Experiment, Mistakes, Origin, Override, parse};

/// The design's own example, with what this version supports.
const EXAMPLE: &str = "\
name: emoji-squeezenet
task: image_classification
seed: 42
data:
  train: data/train
  val: data/val
  image_size: 224
  augment: { rotation: 20, zoom: 0.2, width_shift: 0.1, height_shift: 0.1, horizontal_flip: true }
model:
  backbone: squeezenet1_1
  weights: weights/squeezenet1_1.safetensors
  pool: avg
  head:
    - dense: { units: 256, activation: relu }
    - dropout: 0.5
train:
  batch_size: 32
  phases:
    - { name: head, epochs: 20, trainable: head, optimizer: { adam: { lr: 1e-3 } } }
    - { name: fine_tune, epochs: 10, trainable: { last_layers: 4 }, optimizer: { adam: { lr: 1.e-5 } } }
  early_stopping: { monitor: val_loss, patience: 5, restore_best_weights: true }
  reduce_lr_on_plateau: { monitor: val_loss, factor: 0.3, patience: 3 }
";

/// The same for texts.
const EXAMPLE_OF_TEXTS: &str = "\
data: { train: train.csv, val_split: 0.2, text_column: text, label_column: label, max_length: 64 }
model: { backbone: bert, weights: minilm.safetensors, tokenizer: vocab.txt, head: [{ dense: 128 }, { dropout: 0.5 }] }
train: { phases: [{ name: head }, { name: rest, trainable: all }], early_stopping: {}, reduce_lr_on_plateau: {} }
";

/// The least that an experiment needs.
const LEAST: &str = "\
data: { train: train, val_split: 0.2 }
model: { backbone: squeezenet1_1, weights: random }
";

fn origin() -> Origin {
    Origin { shown: "experiments/a.yaml".into(), folder: "/home/me/experiments".into(), stem: "a".into() }
}

fn read(text: &str) -> Result<Experiment, Mistakes> {
    read_with(text, &[])
}

fn read_with(text: &str, overrides: &[&str]) -> Result<Experiment, Mistakes> {
    let overrides: Vec<Override> = overrides.iter().map(|text| text.parse().unwrap()).collect();
    parse(text, &origin(), &overrides)
}

fn absolute(path: &str) -> std::path::PathBuf {
    Path::new("/home/me/experiments").join(path)
}
