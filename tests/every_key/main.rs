//! No key of `docs/experiment.md` is ignored: each is tried in two small runs that differ in it alone and must come to
//! something else; what does not show in the training of one run has a test of its own, which is named.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

#[path = "../little/mod.rs"]
mod little;
mod pairs;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use finetop::experiment::{self, Origin, Override};
use finetop::record::event::{Epoch, Event, Finished};

use little::train_until;
use pairs::{Base, ELSEWHERE, PAIRS, Pair};

const OF_PICTURES: &str = "
name: tiny
threads: 1
data: { train: train, val: val, image_size: 40 }
model: { backbone: squeezenet1_1, weights: imagenet, head: [ { dense: { units: 8, activation: relu } }, { dropout: 0.1 } ] }
train:
  batch_size: 8
  phases: [ { name: one, epochs: 2, trainable: { last_layers: 1 }, optimizer: { adam: { lr: 1e-3 } } } ]
";

const OF_TEXTS: &str = "
name: tiny
threads: 1
data: { train: train.csv, val_split: 0.3, max_length: 10 }
model: { backbone: bert, weights: random, tokenizer: vocab.txt }
train:
  batch_size: 8
  phases: [ { name: one, epochs: 3, trainable: all, optimizer: { adam: { lr: 1e-2 } } } ]
";

/// All that a run says and saves, the clock apart.
fn outcome(base: Base, sets: &[&str], folder: &Path) -> String {
    let text = match base {
        Base::Pictures => OF_PICTURES,
        Base::Texts => OF_TEXTS,
    };
    let origin = Origin { shown: "tiny.yaml".into(), folder: folder.to_owned(), stem: "tiny".into() };
    let sets: Vec<Override> = sets.iter().map(|set| set.parse().unwrap()).collect();
    let experiment = experiment::parse(text, &origin, &sets).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let run = tempfile::tempdir().unwrap();
    let (result, events) = train_until(&experiment, run.path(), |_| false);
    let end = result.map_err(|error| error.to_string());
    let said: Vec<String> = events.iter().filter_map(without_the_clock).collect();
    let model = std::fs::read(run.path().join("model/model.safetensors")).unwrap_or_default();
    format!("{end:?}\n{}\n{model:?}", said.join("\n"))
}

fn without_the_clock(event: &Event) -> Option<String> {
    Some(match event {
        Event::Epoch(epoch) => format!("{:?}", Epoch { seconds: 0.0, samples_per_s: 0.0, ..epoch.clone() }),
        Event::Finished(finished) => format!("{:?}", Finished { seconds: 0.0, ..finished.clone() }),
        Event::PhaseStarted(_) | Event::LrChanged(_) | Event::Unfroze(_) | Event::Best(_) | Event::EarlyStopped(_) => {
            format!("{event:?}")
        }
        _ => return None,
    })
}

/// The keys of the reference that hold a value, not further keys.
fn keys() -> BTreeSet<String> {
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/experiment.md");
    let text = std::fs::read_to_string(reference).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `") && line.matches(" | ").count() >= 3);
    let all: BTreeSet<String> = rows.map(|row| row.split('`').nth(1).unwrap().to_owned()).collect();
    let holds_keys = |key: &String| {
        all.iter().any(|other| other.starts_with(&format!("{key}.")) || other.starts_with(&format!("{key}[]")))
    };
    all.iter().filter(|key| !holds_keys(key)).cloned().collect()
}

#[test]
fn every_key_has_its_pair_of_runs_or_its_test() {
    let keys = keys();
    assert!(keys.len() > 90, "{keys:?}");
    let tried: BTreeSet<String> =
        PAIRS.iter().map(|pair| pair.key).chain(ELSEWHERE.iter().map(|(key, ..)| *key)).map(str::to_owned).collect();
    assert_eq!(keys.difference(&tried).collect::<Vec<_>>(), Vec::<&String>::new(), "not tried");
    assert_eq!(tried.difference(&keys).collect::<Vec<_>>(), Vec::<&String>::new(), "no keys");
    for (key, file, test) in ELSEWHERE {
        let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        assert!(source.contains(&format!("fn {test}(")), "{key}: {file} has no test {test}");
    }
}

/// Of the pairs with this base, each with what its runs must not have in common.
fn try_all(base: Base, folder: &Path) {
    let mut known: BTreeMap<Vec<&str>, String> = BTreeMap::new();
    let mut ignored = Vec::new();
    for Pair { key, without, with, .. } in PAIRS.iter().filter(|pair| pair.base == base) {
        let expected = known.entry(without.to_vec()).or_insert_with(|| outcome(base, without, folder));
        if *expected == outcome(base, &[*without, *with].concat(), folder) {
            ignored.push(*key);
        }
    }
    assert!(ignored.is_empty(), "these keys change nothing: {ignored:?}");
    // The same again is the same, so that a difference is one of the key.
    let again = outcome(base, &[], folder);
    assert!(known.get(&Vec::new()).is_none_or(|first| *first == again), "the clock shows");
}

#[test]
fn checkpoints_within_an_epoch_come_as_often_as_is_said() {
    let folder = little::texts();
    let within = |minutes: &str| {
        let text = OF_TEXTS.replace("batch_size: 8", &format!("batch_size: 8\n  checkpoint_minutes: {minutes}"));
        let experiment = little::parse(&text.replace("epochs: 3", "epochs: 30"), folder.path());
        let events = little::train_whole(&experiment, tempfile::tempdir().unwrap().path());
        // 56 texts are seven steps an epoch
        events.iter().filter(|event| matches!(event, Event::Checkpoint(written) if written.step % 7 != 0)).count()
    };
    assert_eq!(within("99"), 0);
    assert!(within("1e-9") > 0);
}

#[test]
fn no_key_of_pictures_is_ignored() {
    let folder = little::pictures(1);
    try_all(Base::Pictures, folder.path());
}

#[test]
fn no_key_of_texts_is_ignored() {
    let folder = little::texts();
    let words = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\nbus\nship\ntrain";
    std::fs::write(folder.path().join("other.txt"), words).unwrap();
    try_all(Base::Texts, folder.path());
}
