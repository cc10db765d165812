use std::fs;

use super::*;
use crate::base::clock::Stopwatch;
use crate::record::event::{Log, Step};
use crate::record::life::{Cause, Exited, Outcome};
use crate::record::state::Status;
use crate::record::writer::Writer;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    (folder, store)
}

fn queue(store: &Store, id: u32) -> RunDir {
    let dir = RunDir::new(store.root(), RunId(id), "emoji");
    fs::create_dir(dir.path()).unwrap();
    let queued =
        LifeEvent::Queued { name: "emoji".into(), priority: 0, group: None, after: vec![], needs: Default::default() };
    Writer::open(&dir.run_log()).unwrap().write(queued).unwrap();
    dir
}

fn end(dir: &RunDir) {
    let exit = Exited {
        attempt: 1,
        outcome: Outcome::Finished,
        cause: Cause::Completed,
        exit_code: Some(0),
        signal: None,
        message: None,
    };
    Writer::open(&dir.run_log()).unwrap().write(LifeEvent::Exited(exit)).unwrap();
}

fn log(dir: &RunDir, message: &str) {
    let log = Log { level: crate::record::event::Level::Info, message: message.into() };
    Writer::open(&dir.events()).unwrap().write(Event::Log(log)).unwrap();
}

#[test]
fn a_view_follows_what_is_written() {
    let (_folder, store) = store();
    let mut view = StoreView::open(store.clone());
    assert!(view.runs.is_empty() && !view.refresh());
    let dir = queue(&store, 7);
    assert!(view.refresh() && !view.refresh());
    log(&dir, "a");
    assert!(view.refresh());
    log(&dir, "b");
    end(&dir);
    assert!(view.refresh() && !view.refresh());
    let run = &view.runs[&RunId(7)];
    assert_eq!((run.status(), run.training.feed.len()), (Status::Finished, 2));
    assert_eq!(load(&dir).training.feed.len(), 2);
    fs::remove_dir_all(dir.path()).unwrap();
    assert!(view.refresh() && view.runs.is_empty());
}

#[test]
fn a_run_that_goes_on_after_its_end_is_followed_again() {
    let (_folder, store) = store();
    let dir = queue(&store, 1);
    end(&dir);
    let mut view = StoreView::open(store);
    Writer::open(&dir.run_log()).unwrap().write(LifeEvent::Resumed).unwrap();
    view.refresh();
    log(&dir, "again");
    assert!(view.refresh());
    assert_eq!(view.runs[&RunId(1)].training.feed.len(), 1);
}

#[test]
fn damaged_folders_and_a_store_that_goes_away_are_survived() {
    let (_folder, store) = store();
    fs::create_dir(store.root().join("0001-empty")).unwrap();
    fs::create_dir_all(store.root().join("0002-odd/run.jsonl")).unwrap();
    fs::create_dir(store.root().join("0003-garbage")).unwrap();
    fs::write(store.root().join("0003-garbage/run.jsonl"), b"\0\xff{\n[]\n").unwrap();
    let good = queue(&store, 4);
    let mut view = StoreView::open(store.clone());
    assert_eq!(view.runs.len(), 4);
    assert!(view.runs.values().all(|run| run.status() == Status::Queued));
    let moved = store.root().with_extension("moved");
    fs::rename(store.root(), &moved).unwrap();
    assert!(view.refresh() && view.problem.is_some() && view.runs.len() == 4, "what is known stays");
    assert!(!view.refresh());
    fs::rename(&moved, store.root()).unwrap();
    end(&good);
    assert!(view.refresh() && view.problem.is_none());
    assert_eq!(view.runs[&RunId(4)].status(), Status::Finished);
}

#[test]
fn a_log_that_is_written_anew_is_folded_anew() {
    let (_folder, store) = store();
    let dir = queue(&store, 1);
    log(&dir, "a");
    log(&dir, "b");
    let mut view = StoreView::open(store);
    fs::remove_file(dir.events()).unwrap();
    log(&dir, "c");
    assert!(view.refresh());
    assert_eq!(view.runs[&RunId(1)].training.feed.len(), 1);
    assert_eq!(view.runs[&RunId(1)].life.order, 1, "the life is as it was");
}

/// Reading again costs two `stat`s a run that lives; the bound is generous, the time is printed with `--nocapture`.
#[test]
fn a_thousand_runs_are_cheap_to_look_at_again() {
    let (_folder, store) = store();
    let step = |n: u32| {
        Event::Step(Step {
            phase: "head".into(),
            epoch: n / 16 + 1,
            step: n % 16 + 1,
            steps: 16,
            loss: 0.5,
            accuracy: 0.5,
            lr: 1e-3,
            samples_per_s: 200.0,
        })
    };
    let first = queue(&store, 1);
    Writer::open(&first.events()).unwrap().write_all((0..300).map(step)).unwrap();
    end(&first);
    for id in 2..=1000 {
        let dir = RunDir::new(store.root(), RunId(id), "emoji");
        fs::create_dir(dir.path()).unwrap();
        fs::copy(first.run_log(), dir.run_log()).unwrap();
        fs::copy(first.events(), dir.events()).unwrap();
    }
    let opening = Stopwatch::start();
    let mut view = StoreView::open(store);
    let opened = opening.seconds();
    let again = Stopwatch::start();
    (0..10).for_each(|_| assert!(!view.refresh()));
    let refreshed = again.seconds() / 10.0;
    println!("1000 runs of 300 steps: opened in {opened:.3} s, looked at again in {:.2} ms", refreshed * 1e3);
    assert!(refreshed < 0.1, "{refreshed} s");
    assert!(view.runs.values().all(|run| run.training.steps.len() == 300));
}
