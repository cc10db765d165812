use super::*;
use crate::record::store::Store;
use crate::record::view;

/// What a worker and a runner wrote of a run that stopped early, shortened.
const LIFE: &str = r#"
{"seq":0,"time":"2025-11-25T04:41:00.000Z","type":"queued","name":"emoji","priority":2,"group":"sweep"}
{"seq":1,"time":"2025-11-25T04:41:01.000Z","type":"started","attempt":1,"executor":"local","process":null,"job_id":null,"host":"here"}
{"seq":2,"time":"2025-11-25T04:42:01.500Z","type":"exited","attempt":1,"outcome":"finished","cause":"early_stopped","exit_code":0,"signal":null,"message":null}
"#;
const EVENTS: &str = r#"
{"seq":0,"time":"2025-11-25T04:41:02.000Z","type":"run_started","attempt":1,"version":"0.1.0","host":"here","device":"cpu","threads":2,"seed":42,"classes":["a","b"],"train_samples":4,"val_samples":2,"parameters":{"total":10,"trainable":4},"phases":[{"name":"head","epochs":20}],"resumed_from":null}
{"seq":1,"time":"2025-11-25T04:41:03.000Z","type":"phase_started","phase":"head","index":0,"epochs":20,"trainable":[],"trainable_parameters":4,"optimizer":"adam","lr":1e-3}
{"seq":2,"time":"2025-11-25T04:41:04.000Z","type":"epoch","phase":"head","epoch":1,"phase_epoch":1,"phase_epochs":20,"lr":1e-3,"loss":null,"accuracy":0.5,"val_loss":0.7,"val_accuracy":0.5,"seconds":1.0,"samples_per_s":4.0,"callbacks":{},"val_f1":0.25}
{"seq":3,"time":"2025-11-25T04:41:04.000Z","type":"best","epoch":1,"monitor":"val_loss","value":0.7}
{"seq":4,"time":"2025-11-25T04:41:05.000Z","type":"lr_changed","epoch":1,"from":1e-3,"to":3e-4,"reason":"reduce_lr_on_plateau"}
{"seq":5,"time":"2025-11-25T04:41:06.000Z","type":"early_stopped","epoch":1,"phase":"head","monitor":"val_loss","best":0.7,"best_epoch":1,"waited":5,"restored":true}
"#;

#[test]
fn show_and_ls_have_what_scripts_rely_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    let dir = RunDir::new(store.root(), RunId(7), "emoji");
    std::fs::create_dir(dir.path()).unwrap();
    std::fs::write(dir.run_log(), LIFE).unwrap();
    std::fs::write(dir.events(), EVENTS).unwrap();
    let run = view::load(&dir);
    save(&dir).unwrap();
    let show: serde_json::Value = serde_json::from_slice(&std::fs::read(dir.summary_json()).unwrap()).unwrap();
    for (field, value) in [
        ("id", serde_json::json!(7)),
        ("name", "emoji".into()),
        ("state", "finished".into()),
        ("reason", "early_stopped".into()),
        ("cause", "early stopping".into()),
        ("best", serde_json::json!({"epoch": 1, "monitor": "val_loss", "value": 0.7})),
        ("early_stopped", true.into()),
        ("attempts", 1.into()),
        ("seconds", 60.5.into()),
        ("group", "sweep".into()),
        ("priority", 2.into()),
        ("epoch", 1.into()),
        ("planned_epochs", 20.into()),
        ("advice", serde_json::json!([])),
        ("classes", serde_json::json!(["a", "b"])),
        ("path", dir.path().to_str().unwrap().into()),
        ("queued", "2025-11-25T04:41:00.000Z".into()),
    ] {
        assert_eq!(show[field], value, "{field}");
    }
    assert_eq!(show["lr_changes"][0]["to"], 3e-4);
    assert_eq!(show["epochs"][0]["val_f1"], 0.25);
    assert!(show["epochs"][0]["loss"].is_null(), "a NaN is a null");
    let row = serde_json::to_value(Row::new(&run, dir.path())).unwrap();
    for (field, value) in row.as_object().unwrap() {
        assert_eq!(&show[field], value, "ls and show say the same of {field}");
    }
}

#[test]
fn a_run_without_a_word_is_shown_too() {
    let run = RunState::new(RunId(1), "new".into());
    let show = serde_json::to_value(Summary::new(&run, Path::new("/runs/0001-new"))).unwrap();
    assert_eq!((&show["state"], &show["early_stopped"]), (&"queued".into(), &false.into()));
    for field in ["reason", "best", "seconds", "exit", "error", "started"] {
        assert!(show[field].is_null(), "{field}");
    }
}
