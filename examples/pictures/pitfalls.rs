//! What docs/pitfalls.md shows: three pitfalls of fine-tuning, each with what it is told, and beside its cures.

use super::Studio;

const RIGHT: &str = "\x1b[C";

const AUGMENT: &str = "data.augment={ rotation: 20, zoom: 0.2, horizontal_flip: true }";
const DROPOUT: &str = "model.head=[ { dense: { units: 512, activation: relu } }, { dropout: 0.5 } ]";

pub fn pitfalls(studio: &Studio) {
    let overfitting =
        pitfall(studio, "overfitting", &[("augmented", &[AUGMENT]), ("augmented-dropout", &[AUGMENT, DROPOUT])]);
    let lr = |lr| format!("train.phases.0.optimizer.adam.lr={lr}");
    let rate = pitfall(studio, "learning-rate-too-high", &[("lr-1e-1", &[&lr("1e-1")]), ("lr-1e-2", &[&lr("1e-2")])]);
    let random = pitfall(studio, "random-weights", &[("pretrained", &["model.weights=imagenet"])]);
    for runs in [&overfitting, &rate, &random] {
        studio.wait(&runs.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let mut dashboard = studio.dashboard();
    // The groups are folded, the last one first.
    dashboard.rows(22);
    dashboard.press("GCz");
    dashboard
        .picture("overfitting-cured", "The validation loss of a run that overfits, and of the same with two remedies");
    dashboard.press("zC\x1bkCzm");
    dashboard.picture("rate-cured", "The validation accuracy at three learning rates");
    dashboard.press("zC\x1bkCz");
    dashboard.picture("weights-used", "The validation accuracy with random and with pretrained weights");
    dashboard.press("zC\x1b");
    dashboard.rows(30);
    for key in ["G", RIGHT, "k", RIGHT, "k", RIGHT] {
        dashboard.key(key);
    }
    // Its epochs would fill the events.
    dashboard.press("1");
    for key in [RIGHT, RIGHT, " ", RIGHT, " ", "w", "\x1b"] {
        dashboard.key(key);
    }
    dashboard.choose(&overfitting[0]);
    dashboard.picture("overfitting", "A run that overfits, and what it is told");
    dashboard.choose(&rate[0]);
    dashboard.picture("rate-too-high", "A run whose learning rate is too high, and what it is told");
    dashboard.choose(&random[0]);
    dashboard.picture("random-weights", "A run without its pretrained weights, and what it is told");
    dashboard.leave();
}

/// Queues a file of `experiments/pitfalls` and the same with cures, which have a name and changes as `--set` takes them, in
/// a group.
fn pitfall(studio: &Studio, name: &str, cures: &[(&str, &[&str])]) -> Vec<String> {
    let file = format!("experiments/pitfalls/{name}.yaml");
    let added = |changes: &[String]| {
        let changes = changes.iter().flat_map(|change| ["--set", change.as_str()]);
        studio.add(&[&file, "--group", name].into_iter().chain(changes).collect::<Vec<_>>()).remove(0)
    };
    let cured = cures.iter().map(|(name, changes)| {
        let name = format!("name={name}");
        added(&changes.iter().map(|change| (*change).to_owned()).chain([name]).collect::<Vec<_>>())
    });
    std::iter::once(added(&[])).chain(cured).collect()
}
