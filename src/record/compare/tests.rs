use super::*;
use crate::record::event::{Best, Callbacks, Epoch};

/// A run of one phase whose best epoch is its second.
fn member(id: u32, state: Status, keys: &str, best: Option<(&str, f64)>) -> Member {
    let mut run = RunState::new(RunId(id), format!("x-{id}"));
    run.life.status = state;
    let epoch = |epoch: u32| Epoch {
        phase: "head".into(),
        epoch,
        phase_epoch: epoch,
        phase_epochs: 3,
        lr: 1e-3,
        loss: 0.5,
        accuracy: 0.5,
        val_loss: f64::from(10 * id + epoch),
        val_accuracy: if epoch == 2 { f64::NAN } else { 0.5 },
        seconds: 1.0,
        samples_per_s: 1.0,
        callbacks: Callbacks::default(),
        metrics: BTreeMap::from([
            ("val_f1".into(), f64::from(id)),
            ("val_f1/cat".into(), 0.5),
            ("val_ece".into(), if epoch == 2 { f64::NAN } else { 0.5 }),
        ]),
    };
    run.training.epochs = std::sync::Arc::new((1..=3).map(epoch).map(std::sync::Arc::new).collect());
    run.training.best = best.map(|(monitor, value)| Best { epoch: 2, monitor: monitor.into(), value });
    let resolved = format!("name: x-{id}\n{keys}\ndata: {{ train: /a, head: [] }}\n");
    let now = crate::base::clock::now();
    let member = Member::new(&run, &resolved, now);
    let row = crate::record::summary::Row::new(&run, std::path::Path::new(""));
    assert_eq!(Member::of_row(&row, member.settings.clone()), member, "a line of the listing says the same");
    member
}

fn finished(id: u32, keys: &str, best: f64) -> Member {
    member(id, Status::Finished, keys, Some(("val_accuracy", best)))
}

fn ids(comparison: &Comparison) -> Vec<Vec<u32>> {
    comparison.rows.iter().map(|row| row.runs.iter().map(|run| run.id.0).collect()).collect()
}

fn best(comparison: &Comparison) -> Vec<u32> {
    comparison.rows.iter().filter(|row| row.is_best).map(|row| row.runs[0].id.0).collect()
}

const MAX: &str = "train: { monitor: val_accuracy, mode: max";

#[test]
fn seeds_are_folded_into_mean_and_deviation() {
    let keys =
        |seed: u64, lr: &str| format!("seed: {seed}\n{MAX}, phases: [{{ optimizer: {{ adam: {{ lr: {lr} }} }} }}] }}");
    let runs = vec![
        finished(1, &keys(1, "0.1"), 0.5),
        finished(2, &keys(1, "0.01"), 0.9),
        finished(3, &keys(2, "0.1"), 0.7),
        finished(4, &keys(2, "0.01"), 0.8),
        member(5, Status::Running, &keys(3, "0.01"), Some(("val_accuracy", 0.99))),
    ];
    let comparison = compare(runs);
    assert_eq!(ids(&comparison), [vec![1, 3], vec![2, 4, 5]]);
    assert_eq!(comparison.keys, ["train.phases.0.optimizer.adam.lr", "seed"], "one row has a third seed");
    let [first, second] = &*comparison.rows else { panic!("two rows") };
    assert_eq!((first.n, second.n), (2, 2), "the one that still runs does not count");
    let close = |spread: Option<Spread>, mean: f64, deviation: f64| {
        let spread = spread.unwrap();
        assert!(
            (spread.mean - mean).abs() < 1e-12 && (spread.deviation.unwrap() - deviation).abs() < 1e-12,
            "{spread:?}"
        );
    };
    close(first.figures.best, 0.6, 0.02f64.sqrt());
    close(second.figures.best, 0.85, 0.005f64.sqrt());
    close(first.figures.val_loss, 22.0, 200f64.sqrt());
    assert_eq!(first.figures.val_accuracy, None, "no number is no figure");
    let further: Vec<(&str, f64)> = first.figures.further.iter().map(|(name, of)| (name.as_str(), of.mean)).collect();
    assert_eq!(further, [("val_f1", 2.0)], "neither a NaN nor that of one class");
    assert_eq!(first.settings["seed"], serde_yaml::from_str::<Value>("[1, 2]").unwrap());
    assert_eq!(best(&comparison), [2]);
}

#[test]
fn one_run_has_no_deviation_and_counts_as_it_stands() {
    let running = member(1, Status::Running, &format!("seed: 1\n{MAX} }}"), Some(("val_accuracy", 0.25)));
    let comparison = compare(vec![running]);
    let row = &comparison.rows[0];
    assert_eq!(row.figures.best, Some(Spread { mean: 0.25, deviation: None }));
    assert_eq!((row.n, row.is_best, comparison.keys.len()), (1, true, 0));
    assert_eq!(row.figures.epoch.unwrap().mean, 2.0);
    let waiting = compare(vec![member(1, Status::Queued, "seed: 1", None)]);
    assert_eq!((waiting.rows[0].n, waiting.rows[0].is_best, waiting.rows[0].figures.best), (0, false, None));
}

#[test]
fn the_same_seed_twice_is_not_folded() {
    let keys = |seed: u64| format!("seed: {seed}\n{MAX} }}");
    let runs = (1..=4).map(|id| finished(id, &keys(u64::from(id % 2)), 0.5)).collect();
    let comparison = compare(runs);
    assert_eq!(ids(&comparison), [vec![1, 2], vec![3, 4]]);
    assert_eq!(comparison.keys, Vec::<String>::new());
    assert_eq!(best(&comparison), [1, 3], "equals are all best");
}

#[test]
fn the_best_is_by_the_monitors_direction_and_never_a_nan() {
    let min = |id: u32, value: f64| {
        let keys = format!("seed: 1\nthreads: {id}\ntrain: {{ monitor: val_loss, mode: min }}");
        member(id, Status::Finished, &keys, Some(("val_loss", value)))
    };
    let max = |id: u32, value: f64| finished(id, &format!("seed: 1\nthreads: {id}\n{MAX} }}"), value);
    let runs = vec![min(1, f64::NAN), min(2, 0.3), min(3, 0.2), max(4, 0.3), max(5, f64::INFINITY), max(6, 0.1)];
    let comparison = compare(runs);
    assert_eq!(best(&comparison), [3, 4], "one of each monitor");
    assert_eq!(comparison.keys, ["threads", "train.monitor", "train.mode"]);
    assert_eq!(comparison.rows[0].figures.best, None);
}

#[test]
fn runs_whose_files_cannot_be_read_are_compared_by_their_results() {
    let mut unknown = finished(2, "x: 1", 0.7);
    unknown.settings = Settings::of("{").into();
    let runs =
        vec![finished(1, &format!("seed: 1\n{MAX} }}"), 0.5), unknown.clone(), Member { id: RunId(3), ..unknown }];
    let comparison = compare(runs);
    assert_eq!(ids(&comparison), [vec![1], vec![2], vec![3]]);
    assert_eq!(comparison.rows[1].figures.best.unwrap().mean, 0.7);
}

#[test]
fn keys_are_dotted_and_labelled_by_what_tells_them_apart() {
    let of = |text: &str| Settings::of(text);
    let a = of("a: 1\nlist: [1, 2]\nphases: [{ lr: 1 }, { lr: 2, wait: 3 }]\nempty: {}\n");
    let b = of("a: 1\nlist: [1, 3]\nphases: [{ lr: 2 }, { lr: 3 }]\nempty: {}\nmore: x\n");
    let keys = settings::differing(&[&a, &b]);
    assert_eq!(keys, ["list", "phases.0.lr", "phases.1.lr", "phases.1.wait", "more"]);
    assert_eq!(settings::labels(&keys), ["list", "0.lr", "1.lr", "wait", "more"]);
    assert_eq!(settings::labels(&["a.0".into(), "b.a.lr".into(), "a.lr".into()]), ["a.0", "b.a.lr", "a.lr"]);
    let shown = |key: &str| settings::shown(a.get(key).unwrap());
    assert_eq!((shown("list"), shown("phases.1.wait")), ("1 2".into(), "3".into()));
    assert!(Settings::of("[1]").is_empty() && Settings::of("a: [").is_empty());
}
