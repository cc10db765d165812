//! A sweep as a user drives it: from the file to the best run.

mod workplace;

use serde_json::Value;
use workplace::{Workplace, tiny};

fn sweep(here: &Workplace, matrix: &str) -> String {
    here.write("base/tiny.yaml", tiny("tiny", 1, "1e-3").replace("data/", "../data/"));
    let file = here.write("sweep.yaml", format!("extends: base/tiny.yaml\nmatrix:\n{matrix}"));
    file.strip_prefix(here.folder()).unwrap().display().to_string()
}

const LR: &str = "train.phases.0.optimizer.adam.lr";

#[test]
fn check_says_which_runs_it_is_and_looks_at_shared_layers_once() {
    let here = Workplace::with_pictures();
    let file = sweep(&here, &format!("  {LR}: [1e-2, 1e-3]\n  seed: [1, 2]\n"));
    let said = here.finetop(&["check", &file]).succeeded().stdout;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "sweep.yaml  a sweep of 4 runs");
    let rows: Vec<Vec<&str>> = lines[1..6].iter().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["run", "lr", "seed"]);
    assert_eq!(rows[1], ["sweep-lr-1e-2-seed-1", "0.01", "1"]);
    assert_eq!(rows[4], ["sweep-lr-1e-3-seed-2", "0.001", "2"]);
    assert_eq!(said.matches("  on ").count(), 1, "the layers are shared: {said}");
    assert!(said.contains("sweep-lr-1e-2-seed-1  on "), "{said}");

    let file = sweep(&here, "  model.head: [[], [dense: 8]]\n  seed: [1, 2, 3]\n");
    let said = here.finetop(&["check", &file]).succeeded().stdout;
    assert_eq!(said.matches("  on ").count(), 2, "{said}");
    assert!(said.contains("sweep-head-2-seed-1 and 2 runs like it  on "), "{said}");

    let file = sweep(&here, "  train.phases.1.trainable: [all, { from: fire99 }]\n");
    here.finetop(&["check", &file]).exited(2).says(&["no layer `fire99`", "did you mean `fire9`?", "sweep.yaml:3:"]);
}

#[test]
fn a_wrong_value_is_said_once_and_nothing_is_queued() {
    let here = Workplace::with_pictures();
    let file = sweep(&here, &format!("  {LR}: [1e-2, -1]\n  seed: [1, 2, 3]\n"));
    for command in ["check", "add", "run"] {
        let said = here.finetop(&[command, &file]).exited(2).stderr;
        assert_eq!(said.matches("`lr` is `-1`, expected a number above 0").count(), 1, "{said}");
        assert!(said.contains("sweep.yaml:3:44"), "{said}");
    }
    here.finetop(&["add", &file, "--set", &format!("matrix.{LR}=[1]"), "--set", "seed=3"])
        .exited(2)
        .says(&["`seed` is varied by the matrix", "--set seed=3"]);
    assert!(!here.store().exists());
}

#[test]
fn run_takes_one_run_and_says_how_to_take_all() {
    let here = Workplace::with_pictures();
    let file = sweep(&here, "  seed: [1, 2]\n");
    here.finetop(&["run", &file])
        .exited(2)
        .says(&["sweep.yaml is a sweep of 2 runs, and `run` trains one", "`finetop add sweep.yaml` queues them all"]);
    assert!(!here.store().exists());
}

#[test]
fn a_sweep_is_queued_as_a_group_and_each_run_knows_only_itself() {
    let here = Workplace::with_pictures();
    let file = sweep(
        &here,
        "  train.batch_size: [4, 8]\n  seed: [1, 2]\n  include:\n    - { name: large, train.batch_size: 24 }\n",
    );
    let said = here.finetop(&["add", &file, "--paused", "--group", "sizes"]).succeeded().stdout;
    assert_eq!(said.lines().count(), 5, "{said}");
    let rows = here.json(&["ls", "--json"]);
    let names: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    let sizes = [
        "sweep-batch_size-4-seed-1",
        "sweep-batch_size-4-seed-2",
        "sweep-batch_size-8-seed-1",
        "sweep-batch_size-8-seed-2",
    ];
    assert_eq!(names, [&sizes[..], &["large"]].concat());
    for (id, row) in (1..).zip(rows.as_array().unwrap()) {
        assert_eq!((&row["group"], &row["state"]), (&Value::from("sizes"), &Value::from("paused")));
        let folder = here.run_folder(id);
        let resolved = std::fs::read_to_string(folder.join("resolved.yaml")).unwrap();
        assert!(!resolved.contains("matrix") && !resolved.contains("extends"), "{resolved}");
        let train = format!("train: {}", here.folder().canonicalize().unwrap().join("data/train").display());
        assert!(resolved.contains(&train), "{train} is not in {resolved}");
        let typed = std::fs::read_to_string(folder.join("experiment.yaml")).unwrap();
        assert_eq!(typed, std::fs::read_to_string(here.path(&file)).unwrap());
    }
    let compared = here.json(&["compare", "--group", "sizes", "--json"]);
    assert_eq!(compared["keys"], serde_json::json!(["train.batch_size", "seed"]));
    let rows = compared["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3, "seeds are folded: {compared}");
    assert!(rows.iter().all(|row| row["best"].is_null() && row["n"] == 0 && row["is_best"] == false), "{compared}");
}

#[test]
fn finished_runs_are_compared() {
    let here = Workplace::with_pictures();
    let file = sweep(&here, &format!("  {LR}: [1e-2, 1e-3]\n  seed: [1, 2]\n  exclude: [{{ {LR}: 1e-3, seed: 2 }}]\n"));
    here.finetop(&["add", &file, "--slots", "1"]).succeeded();
    here.finetop(&["wait", "--group", "sweep"]).succeeded();

    let compared = here.json(&["compare", "--group", "sweep", "--json"]);
    assert_eq!(compared["keys"], serde_json::json!([LR, "seed"]));
    let [both, one] = &**compared["rows"].as_array().unwrap() else { panic!("{compared}") };
    assert_eq!((&both["n"], &one["n"]), (&Value::from(2), &Value::from(1)));
    let best = |id: u32| here.json(&["show", &id.to_string(), "--json"])["best"]["value"].as_f64().unwrap();
    let (a, b, c) = (best(1), best(2), best(3));
    let close = |value: &Value, wanted: f64| {
        assert!((value.as_f64().unwrap() - wanted).abs() < 1e-9, "{value} is not {wanted}")
    };
    close(&both["best"]["mean"], (a + b) / 2.0);
    close(&both["best"]["deviation"], (a - b).abs() / 2f64.sqrt());
    close(&one["best"]["mean"], c);
    assert!(one["best"]["deviation"].is_null());
    let (first, other) = ((a + b) / 2.0, c);
    assert_eq!((&both["is_best"], &one["is_best"]), (&Value::from(first <= other), &Value::from(other <= first)));
    assert_eq!(both["settings"], serde_json::json!({ LR: 0.01, "seed": [1, 2] }));

    let said = here.finetop(&["compare", "1-3"]).succeeded();
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{}", said.stdout);
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{}", said.stdout);
    assert!(lines[0].starts_with("id") && lines[0].contains("lr") && lines[0].contains("val_loss"), "{}", said.stdout);
    assert!(lines[1].starts_with("0001-0002") && lines[1].contains(" ± "), "{}", said.stdout);
    assert_eq!(said.stdout.matches('*').count(), 1 + usize::from(first == other), "{}", said.stdout);
    assert!(said.stderr.contains("± is the standard deviation"), "{}", said.stderr);
    here.finetop(&["compare", "99"]).exited(2);
    here.finetop(&["compare"]).exited(2);
}
