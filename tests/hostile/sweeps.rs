//! Files of sweeps, changed: runs or mistakes, quickly and in little memory.

use finetop::experiment::{self, Origin};
use proptest::prelude::*;

use super::change::{changed, changes};
use super::memory::peak_of;

const SWEEP: &str = "name: sweep
seed: 1
data: { train: data/train, val: data/val, image_size: 32 }
model: { backbone: squeezenet1_1, weights: random }
train: { batch_size: 8, phases: [ { name: head, epochs: 2, optimizer: { adam: { lr: 1e-3 } } } ] }
matrix:
  seed: [1, 2, 3]
  train.batch_size: [8, 16]
  include:
    - { seed: 9, train.batch_size: 4 }
  exclude:
    - { seed: 2, train.batch_size: 16 }
";

fn parse(text: &str) -> Result<usize, String> {
    let origin = Origin { shown: "sweep.yaml".into(), folder: "/nowhere".into(), stem: "sweep".into() };
    experiment::parse_all(text, &origin, &[]).map(|runs| runs.len()).map_err(|mistakes| mistakes.to_string())
}

#[test]
fn the_sweep_is_fine_unchanged() {
    assert_eq!(parse(SWEEP), Ok(6));
}

#[test]
fn a_sweep_without_end_is_refused_at_once() {
    let values = (0..200).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let keys = ["seed", "train.batch_size", "data.image_size", "train.early_stopping.patience", "data.val_split"];
    let matrix: String = keys.iter().map(|key| format!("  {key}: [{values}]\n")).collect();
    let text = format!("{}matrix:\n{matrix}", SWEEP.split("matrix:").next().unwrap());
    let (parsed, peak) = peak_of(|| parse(&text));
    assert!(parsed.is_err());
    assert!(peak < 64 << 20, "{peak} bytes");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_sweeps_are_runs_or_mistakes(changes in changes()) {
        let Ok(text) = String::from_utf8(changed(SWEEP.as_bytes(), &changes)) else { return Ok(()) };
        let (parsed, peak) = peak_of(|| parse(&text));
        prop_assert!(peak < 64 << 20, "{} bytes", peak);
        match parsed {
            Ok(runs) => prop_assert!(runs > 0),
            Err(mistakes) => prop_assert!(!mistakes.is_empty()),
        }
    }
}
