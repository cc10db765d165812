//! `finetop export`, from outside: what it writes is what `show --json` and the record say.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod workplace;

use serde_json::Value;
use workplace::Workplace;

/// A store with two runs of a group and one of none, which only waits.
fn with_runs() -> Workplace {
    let here = Workplace::with_pictures();
    for (name, epochs) in [("first", 2), ("second", 1), ("waiting", 1)] {
        here.experiment(name, epochs);
    }
    here.finetop(&["add", "first.yaml", "second.yaml", "--group", "night"]).succeeded();
    here.finetop(&["wait", "--group", "night"]).succeeded();
    here.finetop(&["add", "--paused", "waiting.yaml"]).succeeded();
    here
}

fn csv(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    (head, rows)
}

#[test]
fn figures_come_out_with_all_their_digits() {
    let here = with_runs();
    let (head, rows) = csv(&here.finetop(&["export", "--group", "night"]).succeeded().stdout);
    let at = |name: &str| head.iter().position(|column| column == name).unwrap_or_else(|| panic!("{name} in {head:?}"));
    assert_eq!(head[..6], ["run", "name", "time", "phase", "epoch", "phase_epoch"]);
    assert_eq!(rows.len(), 4 + 2, "two phases each");
    for (id, name) in [(1, "first"), (2, "second")] {
        let shown = here.json(&["show", name, "--json"]);
        let epochs = shown["epochs"].as_array().unwrap();
        let of_run: Vec<&Vec<String>> = rows.iter().filter(|row| row[0] == id.to_string()).collect();
        assert_eq!((of_run.len(), of_run[0][1].as_str()), (epochs.len(), name));
        for (row, epoch) in of_run.iter().zip(epochs) {
            for column in ["epoch", "lr", "loss", "accuracy", "val_loss", "val_accuracy", "samples_per_s"] {
                assert_eq!(
                    row[at(column)].parse::<f64>().unwrap(),
                    epoch[column].as_f64().unwrap(),
                    "{column} of {name}"
                );
            }
            assert_eq!(row[at("phase")], epoch["phase"].as_str().unwrap());
        }
    }
    let json: Value = here.json(&["export", "1-3", "--format", "json"]);
    let rows_of_json = json.as_array().unwrap();
    assert_eq!(rows_of_json.len(), rows.len(), "the run that waits has no rows");
    assert_eq!(rows_of_json[0]["loss"].as_f64().unwrap(), rows[0][at("loss")].parse::<f64>().unwrap());
    let steps = here.lines(&here.run_folder(2).join("events.jsonl"));
    let steps: Vec<&Value> = steps.iter().filter(|line| line["type"] == "step").collect();
    let (head, rows) = csv(&here.finetop(&["export", "second", "--steps"]).succeeded().stdout);
    assert_eq!(
        head,
        ["run", "name", "time", "phase", "epoch", "step", "steps", "loss", "accuracy", "lr", "samples_per_s"]
    );
    assert_eq!(rows.len(), steps.len());
    for (row, step) in rows.iter().zip(steps) {
        assert_eq!(row[7].parse::<f64>().unwrap(), step["loss"].as_f64().unwrap());
        assert_eq!(row[2], step["time"].as_str().unwrap());
    }
}

#[test]
fn it_goes_into_a_file_whose_ending_says_how() {
    let here = with_runs();
    let ended = here.finetop(&["export", "1", "3", "--out", "table.json"]).succeeded();
    let ended = ended.says(&["note: 4 epochs of 2 runs are in table.json"]);
    assert_eq!(ended.stdout, "");
    let text = std::fs::read_to_string(here.path("table.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap().as_array().unwrap().len(), 4);
    here.finetop(&["export", "1", "--out", "table.json", "--format", "csv"]).succeeded();
    assert!(std::fs::read_to_string(here.path("table.json")).unwrap().starts_with("run,name,time,"));
    here.finetop(&["export", "1", "--out", "no/such/table.csv"]).exited(1).says(&["no/such/table.csv"]);
    here.finetop(&["export", "99"]).exited(2).says(&["there is no run `99`"]);
    here.finetop(&["export"]).exited(2);
    here.finetop(&["export", "1", "--format", "xml"]).exited(2).says(&["csv"]);
}
