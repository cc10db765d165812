use std::fs;

use super::*;

const TIME: &str = "2025-11-25T04:41:07.120Z";

fn line(seq: u64, event: &str) -> String {
    format!("{{\"seq\":{seq},\"time\":\"{TIME}\",{event}}}\n")
}

fn started(seq: u64, resumed_from: &str) -> String {
    let rest = r#""device":"cpu","threads":2,"seed":1,"classes":[],"train_samples":8,"val_samples":8,"parameters":{"total":1,"trainable":1},"phases":[]"#;
    line(
        seq,
        &format!(r#""type":"run_started","attempt":1,"version":"0","host":"h",{rest},"resumed_from":{resumed_from}"#),
    )
}

fn step(seq: u64, epoch: u32, step: u32, loss: &str) -> String {
    let place = format!(r#""phase":"head","epoch":{epoch},"step":{step},"steps":2"#);
    line(seq, &format!(r#""type":"step",{place},"loss":{loss},"accuracy":0.5,"lr":0.001,"samples_per_s":310.5"#))
}

fn epoch(seq: u64, epoch: u32, loss: &str, further: &str) -> String {
    let place = format!(r#""phase":"head","epoch":{epoch},"phase_epoch":{epoch},"phase_epochs":3"#);
    let figures = r#""accuracy":0.5,"val_loss":0.30000000000000004,"val_accuracy":0.75,"seconds":2.5,"samples_per_s":100,"callbacks":{}"#;
    line(seq, &format!(r#""type":"epoch",{place},"lr":0.001,"loss":{loss},{figures}{further}"#))
}

/// A run whose `events.jsonl` has this text.
fn run(folder: &Path, id: u32, name: &str, events: &str) -> RunDir {
    let dir = RunDir::new(folder, RunId(id), name);
    fs::create_dir_all(dir.path()).unwrap();
    fs::write(dir.events(), events).unwrap();
    dir
}

fn text(runs: &[RunDir], what: What, format: Format) -> String {
    let mut out = Vec::new();
    write(runs, what, format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn two_runs(folder: &Path) -> Vec<RunDir> {
    let first = started(0, "null") + &step(1, 1, 1, "0.5") + &epoch(2, 1, "0.1", "") + &epoch(3, 2, "null", "");
    let second = started(0, "null") + &epoch(1, 1, "1e-7", r#","val_f1":0.25"#);
    vec![run(folder, 7, "a,b", &first), run(folder, 12, "other", &second), RunDir::new(folder, RunId(13), "queued")]
}

#[test]
fn epochs_as_csv_have_all_digits_and_nothing_for_what_is_no_number() {
    let folder = tempfile::tempdir().unwrap();
    let expected = format!(
        "run,name,time,phase,epoch,phase_epoch,lr,loss,accuracy,val_loss,val_accuracy,seconds,samples_per_s,val_f1\n\
         7,\"a,b\",{TIME},head,1,1,0.001,0.1,0.5,0.30000000000000004,0.75,2.5,100,\n\
         7,\"a,b\",{TIME},head,2,2,0.001,,0.5,0.30000000000000004,0.75,2.5,100,\n\
         12,other,{TIME},head,1,1,0.001,0.0000001,0.5,0.30000000000000004,0.75,2.5,100,0.25\n"
    );
    assert_eq!(text(&two_runs(folder.path()), What::Epochs, Format::Csv), expected);
}

#[test]
fn json_has_the_same_columns_in_the_same_order_and_null() {
    let folder = tempfile::tempdir().unwrap();
    let runs = two_runs(folder.path());
    let json = text(&runs, What::Epochs, Format::Json);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(rows.len(), 3);
    assert!(rows[1]["loss"].is_null() && rows[0]["val_f1"].is_null());
    assert_eq!((&rows[2]["run"], &rows[2]["val_f1"], &rows[0]["name"]), (&12.into(), &0.25.into(), &"a,b".into()));
    let first = json.lines().nth(1).unwrap();
    assert!(first.starts_with(r#"{"run":7,"name":"a,b","time":"2025-"#), "{first}");
    assert_eq!(text(&[], What::Epochs, Format::Json), "[\n]\n");
    let steps = text(&runs, What::Steps, Format::Csv);
    let expected = format!(
        "run,name,time,phase,epoch,step,steps,loss,accuracy,lr,samples_per_s\n\
         7,\"a,b\",{TIME},head,1,1,2,0.5,0.5,0.001,310.5\n"
    );
    assert_eq!(steps, expected);
}

#[test]
fn what_is_trained_again_is_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let first = started(0, "null") + &step(1, 1, 1, "1") + &step(2, 1, 2, "2") + &epoch(3, 1, "3", "");
    let beyond = step(4, 2, 1, "4") + &step(5, 2, 2, "5") + &epoch(6, 2, "6", "");
    let again = started(7, r#"{"epoch":1,"step":3,"epoch_steps":1}"#) + &step(8, 2, 2, "7") + &epoch(9, 2, "8", "");
    let torn = "{\"seq\":10,\"time\":";
    let runs = [run(folder.path(), 1, "x", &(first + &beyond + "garbage\n" + &again + torn))];
    let column = |what: What, name: &str| -> Vec<String> {
        let text = text(&runs, what, Format::Csv);
        let mut csv = csv::Reader::from_reader(text.as_bytes());
        let at = csv.headers().unwrap().iter().position(|column| column == name).unwrap();
        csv.records().map(|row| row.unwrap()[at].to_owned()).collect()
    };
    assert_eq!(column(What::Steps, "loss"), ["1", "2", "4", "7"]);
    assert_eq!(column(What::Epochs, "loss"), ["3", "8"]);
}

#[test]
fn a_file_is_there_whole_or_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    let runs = two_runs(folder.path());
    assert_eq!(to_file(&runs, What::Epochs, Format::of(&path), &path).unwrap(), Count { runs: 3, rows: 3 });
    assert_eq!(fs::read_to_string(&path).unwrap(), text(&runs, What::Epochs, Format::Csv));
    assert_eq!((Format::of(Path::new("a.JSON")), Format::of(Path::new("a"))), (Format::Json, Format::Csv));
    // A folder where the log should be.
    fs::create_dir_all(runs[2].events()).unwrap();
    let error = to_file(&runs, What::Epochs, Format::Json, &path).unwrap_err().to_string();
    assert!(error.contains("run 0013"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text(&runs[..2], What::Epochs, Format::Csv));
}
