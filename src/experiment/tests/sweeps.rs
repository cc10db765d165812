//! `matrix`: which runs there are, what they are called, and what is wrong with them.

use proptest::prelude::*;

use super::{LEAST, origin};
use crate::base::clock::Stopwatch;
use crate::experiment::{Experiment, Mistakes, Optimizer, Override, load_all, parse, parse_all};

fn sweep_with(text: &str, overrides: &[&str]) -> Result<Vec<Experiment>, Mistakes> {
    let overrides: Vec<Override> = overrides.iter().map(|text| text.parse().unwrap()).collect();
    parse_all(text, &origin(), &overrides)
}

fn sweep(matrix: &str) -> Result<Vec<Experiment>, Mistakes> {
    sweep_with(&format!("{LEAST}train: {{ phases: [{{ name: head }}, {{ name: rest }}] }}\n{matrix}"), &[])
}

fn names(runs: &[Experiment]) -> Vec<&str> {
    runs.iter().map(|run| &*run.name).collect()
}

fn messages(mistakes: &Mistakes) -> Vec<String> {
    mistakes.iter().map(|mistake| format!("{}:{} {}", mistake.line, mistake.column, mistake.message)).collect()
}

#[test]
fn a_matrix_is_a_cross_product_with_the_last_key_fastest() {
    let runs = sweep("matrix:\n  train.phases.0.optimizer.adam.lr: [1e-2, 1e-3]\n  seed: [1, 2, 3]\n").unwrap();
    assert_eq!(
        names(&runs),
        [
            "a-lr-1e-2-seed-1",
            "a-lr-1e-2-seed-2",
            "a-lr-1e-2-seed-3",
            "a-lr-1e-3-seed-1",
            "a-lr-1e-3-seed-2",
            "a-lr-1e-3-seed-3"
        ]
    );
    let seen: Vec<_> = runs.iter().map(|run| (run.train.phases[0].optimizer.lr(), run.seed)).collect();
    assert_eq!(seen, [(1e-2, 1), (1e-2, 2), (1e-2, 3), (1e-3, 1), (1e-3, 2), (1e-3, 3)]);
    assert!(runs.iter().all(|run| run.train.phases[1].optimizer.lr() == 1e-3), "the other phase is as it was");
}

#[test]
fn what_is_written_of_a_run_is_one_experiment() {
    for run in sweep("matrix: { seed: [1, 2], train.early_stopping: [null, { patience: 3 }] }\n").unwrap() {
        let written = run.to_yaml();
        assert!(!written.contains("matrix") && !written.contains("extends"), "{written}");
        assert_eq!(parse(&written, &origin(), &[]).unwrap(), run);
    }
}

#[test]
fn combinations_are_left_out_and_added() {
    let runs = sweep(
        "matrix:\n  seed: [1, 2]\n  train.batch_size: [16, 32]\n  exclude:\n    - { seed: 2, train.batch_size: 0x10 }\n  \
         include:\n    - { seed: 3, threads: 1 }\n    - { name: large, train.batch_size: 512 }\n",
    );
    let runs = runs.unwrap();
    assert_eq!(
        names(&runs),
        ["a-seed-1-batch_size-16", "a-seed-1-batch_size-32", "a-seed-2-batch_size-32", "a-seed-3-threads-1", "large"]
    );
    let seen: Vec<_> = runs.iter().map(|run| (run.seed, run.train.batch_size, run.threads)).collect();
    assert_eq!(seen, [(1, 16, 0), (1, 32, 0), (2, 32, 0), (3, 32, 1), (42, 512, 0)]);
    let alone = sweep("matrix: { include: [{ seed: 1 }, { seed: 2 }] }\n").unwrap();
    assert_eq!(names(&alone), ["a-seed-1", "a-seed-2"]);
}

#[test]
fn names_say_what_differs() {
    for (matrix, wanted) in [
        ("{ seed: [1] }", vec!["a"]),
        ("{ seed: [1], threads: [1, 2] }", vec!["a-threads-1", "a-threads-2"]),
        (
            "{ name: [x, y], seed: [1, 2], exclude: [{ name: x, seed: 2 }, { name: y, seed: 1 }] }",
            vec!["x-seed-1", "y-seed-2"],
        ),
        (
            "{ train.phases.0.optimizer.adam.lr: [1e-2, .5], train.phases.1.optimizer.adam.lr: [1e-4] }",
            vec!["a-lr-1e-2", "a-lr-.5"],
        ),
        (
            "{ train.phases.0.epochs: [1], train.phases.1.epochs: [2, 3], include: [{ train.phases.0.epochs: 4 }] }",
            vec!["a-0-epochs-1-1-epochs-2", "a-0-epochs-1-1-epochs-3", "a-0-epochs-4"],
        ),
        (
            "{ model.weights: [random, weights/a.pth, ./b/b.pth] }",
            vec!["a-weights-random", "a-weights-a.pth", "a-weights-b.pth"],
        ),
        ("{ data.train: [a/x, b/x/] }", vec!["a-train-a-x", "a-train-b-x"]),
        (
            "{ train.phases.0.optimizer: [adam, { sgd: { momentum: 0.9 } }] }",
            vec!["a-optimizer-adam", "a-optimizer-sgd-momentum-0.9"],
        ),
        (
            "{ model.head: [[dropout: 0.5], [{ dense: { units: 128, activation: relu } }]] }",
            vec!["a-head-1", "a-head-2"],
        ),
        ("{ train.early_stopping: [null, {}], train.early_stopping.patience: [] }", vec![]),
        (
            "{ data.text_column: [\"a b/../c\", \"\\u263A\"], model.backbone: [bert], model.tokenizer: [t] }",
            vec!["a-text_column-1", "a-text_column-2"],
        ),
        ("{ data.augment.rotation: [1, 2], data.augment.zoom: [0.5] }", vec!["a-rotation-1", "a-rotation-2"]),
    ] {
        match sweep(&format!("matrix: {matrix}\n")) {
            Ok(runs) => assert_eq!(names(&runs), wanted, "{matrix}"),
            Err(mistakes) => assert!(wanted.is_empty(), "{mistakes}"),
        }
    }
    let long = format!("name: {}\n{LEAST}matrix: {{ seed: [1, 2, 333333333333333] }}\n", "x".repeat(60));
    let x = format!("{}-s", "x".repeat(60));
    assert_eq!(names(&sweep_with(&long, &[]).unwrap()), [&format!("{x}-1"), &format!("{x}-2"), &format!("{x}-3")]);
}

#[test]
fn what_is_set_holds_for_all_runs() {
    let text = format!("{LEAST}matrix: {{ seed: [1, 2] }}\n");
    let runs = sweep_with(&text, &["train.batch_size=8", "threads=1"]).unwrap();
    assert!(runs.iter().all(|run| run.train.batch_size == 8 && run.threads == 1));
    assert_eq!(sweep_with(&text, &["matrix="]).unwrap().len(), 1, "the matrix is turned off");
    let runs = sweep_with(&text, &["matrix.seed=[7]", "matrix.train.batch_size=[8, 16]"]).unwrap();
    assert_eq!(names(&runs), ["a-batch_size-8", "a-batch_size-16"]);
    let runs = sweep_with(LEAST, &["matrix.train.phases=[[{epochs: 1}], [{epochs: 2}]]"]).unwrap();
    assert_eq!(runs.iter().map(|run| run.train.phases[0].epochs).collect::<Vec<_>>(), [1, 2]);
    let mistakes = sweep_with(&text, &["seed=3"]).unwrap_err();
    insta::assert_snapshot!("set_of_what_is_varied", mistakes.to_string());
}

#[test]
fn one_experiment_is_no_sweep() {
    assert_eq!(parse(&format!("{LEAST}matrix: {{ seed: [3] }}\n"), &origin(), &[]).unwrap().seed, 3);
    let said = parse(&format!("{LEAST}matrix: {{ seed: [3, 4] }}\n"), &origin(), &[]).unwrap_err().to_string();
    assert!(said.contains("the file is a sweep of 2 runs, expected one experiment"), "{said}");
}

#[test]
fn every_mistake_of_a_matrix_is_shown_with_its_place() {
    let cases = [
        ("matrix_of_nothing", "matrix: {}\n"),
        ("matrix_of_a_list", "matrix: [seed]\n"),
        (
            "matrix_keys",
            "matrix:\n  seeds: [1, 2]\n  lr: [1e-3]\n  train:\n    batch_size: [16, 32]\n  threads: 3\n  device: []\n  train..epochs: [3]\n  \
             matrix.seed: [1]\n  extends: [b.yaml]\n  train.phases.7.epochs: [3]\n  'train.bach_size': [3]\n  task:\n",
        ),
        (
            "matrix_values",
            "matrix:\n  seed: [1, -1, two]\n  train.batch_size: [16, 0]\n  train.phases.1.optimizer: [adam, adm, { sgd: { lr: 0 } }]\n",
        ),
        (
            "matrix_doubles",
            "matrix:\n  train.phases.0.optimizer.adam.lr: [1e-3, 0.001]\n  train.phases.0: [{ epochs: 3 }]\n  seed: [1, '1', 0x1]\n",
        ),
        (
            "matrix_include",
            "matrix:\n  seed: [1, 2]\n  include:\n    - { seed: 2 }\n    - 3\n    - {}\n    - { train: { batch_size: 3 }, train.batch_size: 4 }\n    - { sed: 4 }\n",
        ),
        (
            "matrix_exclude",
            "matrix:\n  seed: [1, 2]\n  exclude:\n    - { seed: 3 }\n    - { sed: 1 }\n    - { threads: 1, seed: 1 }\n    - { seed: }\n",
        ),
        ("matrix_excluded_all", "matrix: { seed: [1, 2], exclude: [{ seed: 1 }, { seed: 2 }] }\n"),
        ("matrix_include_no_list", "matrix: { seed: [1, 2], include: { seed: 3 }, exclude: all }\n"),
        ("matrix_same_in_the_end", "matrix:\n  seed: [1, 42]\n  include:\n    - { threads: 0 }\n"),
        ("matrix_and_file", "matrix: { seed: [1, 2, 3] }\nsed: 3\n"),
    ];
    for (name, matrix) in cases {
        let mistakes = sweep(matrix).expect_err(name);
        insta::assert_snapshot!(name, mistakes.to_string());
    }
}

#[test]
fn a_sweep_has_an_end() {
    let list = |count: usize| (1..=count).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let many = format!("matrix:\n  seed: [{0}]\n  threads: [{0}]\n  train.batch_size: [0, {0}]\n", list(100));
    let time = Stopwatch::start();
    let mistakes = sweep(&many).unwrap_err();
    let said = messages(&mistakes);
    assert_eq!(said[0], "4:1 the matrix has 1,010,000 runs, a sweep has at most 10,000");
    assert_eq!(said.len(), 2, "the value 0 is wrong beside that: {said:?}");
    let comment = format!("{LEAST}#{}\nmatrix: {{ seed: [{}] }}\n", "x".repeat(1_000_000), list(100));
    let said = sweep_with(&comment, &[]).unwrap_err().to_string();
    assert!(said.contains("the sweep is too large: it has 100 runs of a file with 977"), "{said:.300}");
    assert!(time.seconds() < 5.0, "{} s", time.seconds());
}

#[test]
fn values_of_every_kind_are_varied() {
    let runs = sweep(
        "matrix:\n  train.phases: [[{ name: one }], [{ name: one, optimizer: { sgd: { lr: 1e-2 } } }]]\n  train.clip_norm: [null, 1.0]\n",
    );
    let runs = runs.unwrap();
    let seen: Vec<_> = runs
        .iter()
        .map(|run| (matches!(run.train.phases[0].optimizer, Optimizer::Sgd { .. }), run.train.clip_norm))
        .collect();
    assert_eq!(seen, [(false, None), (false, Some(1.0)), (true, None), (true, Some(1.0))]);
}

/// Paths are looked at once each, not once for each run.
#[test]
fn two_hundred_runs_are_read_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    std::fs::create_dir(folder.path().join("train")).unwrap();
    let seeds: Vec<String> = (0..50).map(|seed| seed.to_string()).collect();
    let matrix = format!("matrix: {{ seed: [{}], train.batch_size: [8, 16, 32, 64] }}\n", seeds.join(", "));
    std::fs::write(&path, format!("{LEAST}{matrix}")).unwrap();
    let time = Stopwatch::start();
    let runs = load_all(&path, &[]).unwrap();
    let seconds = time.seconds();
    assert_eq!(runs.len(), 200);
    assert!(runs.iter().all(|run| run.text.ends_with(&matrix)));
    assert!(seconds < 10.0, "{seconds} s; it takes some milliseconds where the code is optimised");
    println!("200 runs in {:.1} ms", 1e3 * seconds);

    std::fs::remove_dir(folder.path().join("train")).unwrap();
    let mistakes = load_all(&path, &[]).unwrap_err();
    assert_eq!(messages(&mistakes), ["1:16 there is no `train`, expected a folder"]);
}

#[test]
fn the_runs_of_a_sweep_know_what_they_are_called_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stem.yaml");
    std::fs::create_dir(folder.path().join("train")).unwrap();
    let both = "{ seed: [1, 2], include: [{ name: large, train.batch_size: 512 }] }";
    for (text, set, together) in [
        ("name: mine\n".to_owned(), None, None),
        ("name: mine\nmatrix: { seed: [1] }\n".to_owned(), None, None),
        (format!("name: mine\nmatrix: {both}\n"), None, Some("mine")),
        ("name: mine\nmatrix: { seed: [1, 2] }\n".to_owned(), Some("name=other"), Some("other")),
        (format!("matrix: {both}\n"), None, Some("stem")),
        (String::new(), Some("matrix.seed=[1, 2]"), Some("stem")),
    ] {
        std::fs::write(&path, format!("{LEAST}{text}")).unwrap();
        let set: Vec<Override> = set.iter().map(|set: &&str| set.parse().unwrap()).collect();
        let runs = load_all(&path, &set).unwrap();
        assert!(runs.iter().all(|run| run.sweep.as_deref() == together), "{text}: {:?}", runs[0].sweep);
    }
}

/// Keys with some values each, of which some combinations are left out and some runs added.
fn matrices() -> impl Strategy<Value = (Vec<usize>, Vec<Vec<Option<usize>>>, usize)> {
    prop::collection::vec(1usize..5, 1..4).prop_flat_map(|counts| {
        let entry = counts.iter().map(|&count| prop::option::of(0..count)).collect::<Vec<_>>();
        let entry = entry.prop_filter("it has a key", |entry| entry.iter().any(Option::is_some));
        (Just(counts), prop::collection::vec(entry, 0..3), 0usize..4)
    })
}

const AXES: [&str; 3] = ["seed", "train.batch_size", "train.phases.0.epochs"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_runs_are_the_product_less_the_excluded_and_then_the_included((counts, exclude, include) in matrices()) {
        let mut matrix = "matrix:\n".to_owned();
        for (key, count) in AXES.iter().zip(&counts) {
            let values: Vec<String> = (0..*count).map(|value| (value + 1).to_string()).collect();
            matrix += &format!("  {key}: [{}]\n", values.join(", "));
        }
        let settings = |entry: &[Option<usize>]| {
            let settings = AXES.iter().zip(entry).filter_map(|(key, value)| Some(format!("{key}: {}", (*value)? + 1)));
            settings.collect::<Vec<_>>().join(", ")
        };
        if !exclude.is_empty() {
            matrix += "  exclude:\n";
            exclude.iter().for_each(|entry| matrix += &format!("    - {{ {} }}\n", settings(entry)));
        }
        if include > 0 {
            matrix += "  include:\n";
            (0..include).for_each(|n| matrix += &format!("    - {{ train.clip_norm: {} }}\n", n + 1));
        }
        let mut wanted: Vec<Vec<usize>> = vec![Vec::new()];
        for &count in &counts {
            wanted = wanted.iter().flat_map(|head| (0..count).map(|v| [&head[..], &[v]].concat())).collect();
        }
        let is_out = |run: &Vec<usize>| {
            exclude.iter().any(|entry| run.iter().zip(entry).all(|(value, out)| out.is_none_or(|out| out == *value)))
        };
        wanted.retain(|run| !is_out(run));

        let runs = match sweep(&matrix) {
            Ok(runs) => runs,
            Err(mistakes) => {
                prop_assert!(wanted.is_empty() && include == 0, "{mistakes}");
                return Ok(());
            }
        };
        prop_assert_eq!(runs.len(), wanted.len() + include);
        for (run, wanted) in runs.iter().zip(&wanted) {
            let is = [run.seed as usize, run.train.batch_size, run.train.phases[0].epochs as usize];
            for (is, wanted) in is.iter().zip(wanted) {
                prop_assert_eq!(*is, wanted + 1, "{}", run.name);
            }
        }
        let names: std::collections::BTreeSet<&str> = names(&runs).into_iter().collect();
        prop_assert_eq!(names.len(), runs.len());
        for (index, run) in runs.iter().enumerate() {
            let others = runs[..index].iter().map(|other| Experiment { name: run.name.clone(), ..other.clone() });
            prop_assert!(others.into_iter().all(|other| other != *run));
            prop_assert!(run.name.chars().count() <= 64 && !run.name.contains(['/', ' ']));
        }
    }
}
