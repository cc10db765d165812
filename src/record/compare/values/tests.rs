use proptest::prelude::*;

use super::super::{Figures, compare};
use super::*;
use crate::record::settings::Settings;
use crate::record::state::Status;

fn run(id: u32, state: Status, keys: &str, monitor: &str, best: Option<f64>) -> Member {
    let figures =
        Figures { best, epoch: None, val_loss: None, val_accuracy: None, seconds: None, further: Default::default() };
    let settings = Settings::of(&format!("name: x-{id}\n{keys}\n")).into();
    let name = format!("x-{id}");
    Member { id: RunId(id), name, state, monitor: Some(monitor.into()), figures, settings }
}

/// A finished run of a sweep.
fn swept(id: u32, lr: &str, units: u32, seed: u32, best: f64) -> Member {
    let keys = format!("seed: {seed}\ntrain: {{ lr: {lr} }}\nmodel: {{ units: {units} }}");
    run(id, Status::Finished, &keys, "val_accuracy", Some(best))
}

fn said(key: &Key) -> Vec<(String, usize, Option<f64>, bool)> {
    let value = |outcome: &Outcome| crate::record::settings::shown(&outcome.value);
    key.values.iter().map(|outcome| (value(outcome), outcome.n, outcome.mean, outcome.is_best)).collect()
}

#[test]
fn each_value_has_the_mean_of_its_runs_and_the_key_that_matters_most_comes_first() {
    let runs = vec![
        swept(1, "0.1", 64, 1, 0.5),
        swept(2, "0.01", 64, 1, 0.75),
        swept(3, "0.1", 256, 1, 0.25),
        swept(4, "0.01", 256, 1, 1.0),
        swept(5, "0.01", 256, 2, 0.5),
    ];
    let values = Values::of(&compare(runs));
    assert_eq!((values.monitor.as_deref(), values.more_is_better), (Some("val_accuracy"), true));
    let keys: Vec<&str> = values.keys.iter().map(|key| &*key.key).collect();
    assert_eq!(keys, ["train.lr", "model.units"], "seeds are chance");
    let lr = &values.keys[0];
    assert_eq!(said(lr), [("0.01".into(), 3, Some(0.75), true), ("0.1".into(), 2, Some(0.375), false)]);
    assert_eq!((lr.values[0].best, lr.values[0].best_run), (Some(1.0), Some(RunId(4))));
    assert_eq!(lr.effect, Some(0.375));
    assert_eq!(said(&values.keys[1])[0], ("64".into(), 2, Some(0.625), true));
    assert_eq!((values.share(0.375), values.share(0.75)), (0.0, 1.0));
}

#[test]
fn less_is_better_where_a_loss_is_watched() {
    let loss = |id: u32, lr: &str, best: f64| {
        run(id, Status::Finished, &format!("seed: 1\ntrain: {{ lr: {lr} }}"), "val_loss", Some(best))
    };
    let values = Values::of(&compare(vec![loss(1, "1", 0.5), loss(2, "2", 0.25)]));
    assert_eq!(said(&values.keys[0]), [("1".into(), 1, Some(0.5), false), ("2".into(), 1, Some(0.25), true)]);
    assert_eq!((values.share(0.5), values.share(0.25)), (0.0, 1.0));
}

#[test]
fn what_watches_something_else_or_has_nothing_yet_does_not_count() {
    let keys = |n: u32| format!("seed: 1\nn: {n}");
    let runs = vec![
        run(1, Status::Finished, &keys(1), "val_loss", Some(0.5)),
        run(2, Status::Finished, &keys(2), "val_loss", Some(0.25)),
        run(3, Status::Finished, &keys(3), "val_accuracy", Some(0.01)),
        run(4, Status::Queued, &keys(4), "val_loss", None),
    ];
    let values = Values::of(&compare(runs));
    let outcomes = said(&values.keys[0]);
    assert_eq!(outcomes[1], ("2".into(), 1, Some(0.25), true));
    assert_eq!(
        (outcomes[2].clone(), outcomes[3].clone()),
        (("3".into(), 0, None, false), ("4".into(), 0, None, false))
    );
    let alone = Values::of(&compare(vec![
        run(1, Status::Finished, &keys(1), "val_loss", Some(0.5)),
        run(2, Status::Queued, &keys(2), "val_loss", None),
    ]));
    assert!(!said(&alone.keys[0]).iter().any(|outcome| outcome.3), "one alone is not the best of any");
    assert_eq!((alone.keys[0].effect, alone.share(0.5)), (None, 1.0));
    assert_eq!(Values::of(&compare(vec![])).keys, vec![]);
}

proptest! {
    #[test]
    fn every_run_that_counts_is_in_every_key_once(runs in prop::collection::vec((0u32..3, 0u32..3, 0u32..2, prop::num::f64::ANY), 0..20)) {
        let members: Vec<Member> = (1..).zip(&runs).map(|(id, &(a, b, seed, best))| {
            let keys = format!("seed: {seed}\na: {a}\nb: {b}");
            run(id, Status::Finished, &keys, "val_loss", Some(best).filter(|best| best.is_finite()))
        }).collect();
        let count = members.iter().filter(|run| run.figures.best.is_some()).count();
        let values = Values::of(&compare(members));
        for key in &values.keys {
            prop_assert_eq!(key.values.iter().map(|outcome| outcome.n).sum::<usize>(), count);
            let means = || key.values.iter().filter_map(|outcome| outcome.mean).filter(|mean| mean.is_finite());
            let marked = key.values.iter().filter(|outcome| outcome.is_best);
            for best in marked.filter_map(|outcome| outcome.mean).filter(|mean| mean.is_finite()) {
                prop_assert!(means().all(|mean| mean >= best));
            }
            prop_assert!(means().map(|mean| values.share(mean)).all(|share| (0.0..=1.0).contains(&share)));
        }
    }
}
