use std::fs;
use std::time::Duration;

use super::*;

const LONG: Duration = Duration::from_secs(20);

fn store() -> (tempfile::TempDir, StoreWatcher, Receiver<Changes>) {
    let folder = tempfile::tempdir().unwrap();
    let (sender, told) = mpsc::channel();
    let watcher = StoreWatcher::start(folder.path(), move |changes| sender.send(changes).unwrap_or_default());
    // Once it answers, it watches the store.
    fs::create_dir(folder.path().join("0099-first")).unwrap();
    watcher.watch(vec![folder.path().join("0099-first")]);
    until(&told, |changes| is_about(changes, 99));
    (folder, watcher, told)
}

fn is_about(changes: &Changes, id: u32) -> bool {
    matches!(changes, Changes::Runs(runs) if runs.contains(&RunId(id)))
}

/// Waits for what is told; nobody who only ticks would say which run it is.
fn until(told: &Receiver<Changes>, is_it: impl Fn(&Changes) -> bool) {
    while !is_it(&told.recv_timeout(LONG).unwrap()) {}
}

#[test]
fn it_tells_which_run_changed() {
    let (folder, watcher, told) = store();
    let run = folder.path().join("0007-a");
    fs::create_dir(&run).unwrap();
    until(&told, |changes| is_about(changes, 7));
    watcher.watch(vec![run.clone()]);
    until(&told, |changes| is_about(changes, 7));
    for file in ["events.jsonl", "run.jsonl"] {
        fs::write(run.join(file), "a\n").unwrap();
        until(&told, |changes| is_about(changes, 7));
    }
    fs::remove_dir_all(&run).unwrap();
    until(&told, |changes| is_about(changes, 7));
}

#[test]
fn what_is_not_watched_is_seen_by_a_tick() {
    let (folder, _watcher, told) = store();
    let since = Stopwatch::start();
    fs::write(folder.path().join("0099-first/run.jsonl"), "").unwrap();
    until(&told, |changes| matches!(changes, Changes::Tick(_)));
    assert!(since.elapsed() < TICK + LONG / 2);
}

#[test]
fn where_the_kernel_refuses_those_runs_are_looked_at_often() {
    let mut kernel = Kernel { notices: None, watched: BTreeMap::new(), refused: BTreeSet::new() };
    assert!(kernel.watch(vec!["/runs/0007-a".into(), "/runs/none".into()]).is_empty());
    assert_eq!(kernel.refused, BTreeSet::from([RunId(7)]));
    kernel.watch(Vec::new());
    assert!(kernel.refused.is_empty());
}

#[test]
fn of_a_store_only_some_paths_matter() {
    let root = Path::new("/runs");
    for (path, about) in [
        ("/runs", Some(None)),
        ("/runs/0007-a", Some(Some(7))),
        ("/runs/0007-a/events.jsonl", Some(Some(7))),
        ("/runs/0007-a/log.txt", None),
        ("/runs/.0008.adding", Some(None)),
        ("/runs/0007-a/summary.json", None),
        ("/runs/0007-a/checkpoints/last.safetensors", None),
        ("/runs/.listing", None),
        ("/runs/runner.log", Some(None)),
        ("/runs/runner.lock", None),
        ("/elsewhere/0007-a", None),
    ] {
        assert_eq!(run_of(Path::new(path), root), about.map(|run| run.map(RunId)), "{path}");
    }
}

#[test]
fn changes_add_up() {
    let runs = |ids: &[u32]| Changes::Runs(ids.iter().copied().map(RunId).collect());
    let mut changes = Changes::default();
    changes.add(runs(&[1]));
    changes.add(runs(&[2]));
    assert_eq!(changes, runs(&[1, 2]));
    changes.add(Changes::Tick(BTreeSet::from([RunId(4)])));
    changes.add(runs(&[5]));
    assert_eq!(changes, Changes::Tick([1, 2, 4, 5].map(RunId).into()));
    changes.add(Changes::All);
    changes.add(runs(&[3]));
    assert_eq!(changes, Changes::All);
}
