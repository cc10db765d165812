use std::fs;

use super::*;
use crate::base::clock::Stopwatch;
use crate::record::event::{Event, Log, Step};
use crate::record::life::{Cause, ExecutorKind, Exited, LifeEvent, Outcome};
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

fn start(dir: &RunDir, attempt: u32) {
    let (executor, host) = (ExecutorKind::Local, "here".to_owned());
    let started = LifeEvent::Started { attempt, executor, process: None, job_id: None, host, gpu: None };
    Writer::open(&dir.run_log()).unwrap().write(started).unwrap();
}

/// What is new, as numbers: rows, gone, whole.
fn news(delta: &Delta) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let numbers = |ids: Vec<RunId>| ids.into_iter().map(|id| id.0).collect();
    let rows = delta.rows.iter().map(|row| row.id).collect();
    (numbers(rows), numbers(delta.gone.clone()), numbers(delta.whole.iter().map(|run| run.id).collect()))
}

fn all(view: &mut StoreView) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    news(&view.refresh(&Changes::All))
}

fn of(ids: &[u32]) -> BTreeSet<RunId> {
    ids.iter().copied().map(RunId).collect()
}

const NOTHING: (Vec<u32>, Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new(), Vec::new());

#[test]
fn a_view_follows_what_is_written() {
    let (_folder, store) = store();
    let mut view = StoreView::new(store.clone());
    assert_eq!(all(&mut view), NOTHING);
    let dir = queue(&store, 7);
    assert_eq!(all(&mut view), (vec![7], vec![], vec![]));
    assert_eq!(all(&mut view), NOTHING);
    start(&dir, 1);
    assert_eq!(all(&mut view), (vec![7], vec![], vec![7]), "a live run is read whole");
    log(&dir, "a");
    assert_eq!(view.refresh(&Changes::Runs(of(&[8, 9]))).whole.len(), 0, "only what may have changed is looked at");
    assert_eq!(view.refresh(&Changes::Runs(of(&[7]))).whole.len(), 1);
    log(&dir, "b");
    end(&dir);
    let last = view.refresh(&Changes::All);
    assert_eq!((last.rows[0].state, last.whole[0].training.feed.len()), (Status::Finished, 2));
    assert_eq!(all(&mut view), NOTHING);
    assert!(view.whole.is_empty(), "it ended, and nobody asked for it");
    assert_eq!(load(&dir).training.feed.len(), 2);
    fs::remove_dir_all(dir.path()).unwrap();
    assert_eq!(all(&mut view), (vec![], vec![7], vec![]));
    assert!(view.rows.is_empty());
}

#[test]
fn what_is_asked_for_is_read_whole() {
    let (_folder, store) = store();
    for id in 1..=3 {
        let dir = queue(&store, id);
        log(&dir, "a");
        end(&dir);
    }
    let mut view = StoreView::new(store);
    assert_eq!(all(&mut view), (vec![1, 2, 3], vec![], vec![]));
    assert!(view.restless().is_none_or(|folders| folders.is_empty()));
    view.want(of(&[2, 99]));
    assert_eq!(news(&view.refresh(&Changes::default())), (vec![], vec![], vec![2]));
    assert_eq!(view.restless().map(|folders| folders.len()), Some(1));
    assert_eq!(view.restless(), None, "the same as before");
    assert_eq!(view.whole[&RunId(2)].training.feed.len(), 1);
    view.want(of(&[1]));
    assert_eq!(news(&view.refresh(&Changes::default())), (vec![], vec![], vec![1]));
    assert_eq!(view.whole.keys().map(|id| id.0).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_run_that_goes_on_after_its_end_is_followed_again() {
    let (_folder, store) = store();
    let dir = queue(&store, 1);
    end(&dir);
    let mut view = StoreView::new(store);
    assert_eq!(all(&mut view), (vec![1], vec![], vec![]));
    Writer::open(&dir.run_log()).unwrap().write(LifeEvent::Resumed).unwrap();
    start(&dir, 2);
    assert_eq!(all(&mut view), (vec![1], vec![], vec![1]));
    log(&dir, "again");
    assert_eq!(all(&mut view).2, [1]);
    assert_eq!(view.whole[&RunId(1)].training.feed.len(), 1);
}

#[test]
fn damaged_folders_and_a_store_that_goes_away_are_survived() {
    let (_folder, store) = store();
    fs::create_dir(store.root().join("0001-empty")).unwrap();
    fs::create_dir_all(store.root().join("0002-odd/run.jsonl")).unwrap();
    fs::create_dir(store.root().join("0003-garbage")).unwrap();
    fs::write(store.root().join("0003-garbage/run.jsonl"), b"\0\xff{\n[]\n").unwrap();
    let good = queue(&store, 4);
    let mut view = StoreView::new(store.clone());
    view.want(of(&[1, 2, 3, 4]));
    assert_eq!(all(&mut view), (vec![1, 2, 3, 4], vec![], vec![1, 2, 3, 4]));
    assert!(view.rows.values().all(|run| run.state == Status::Queued));
    let moved = store.root().with_extension("moved");
    fs::rename(store.root(), &moved).unwrap();
    let delta = view.refresh(&Changes::All);
    assert!(
        delta.listed.is_some_and(|listed| listed.is_err()) && view.problem.is_some() && view.rows.len() == 4,
        "what is known stays"
    );
    assert!(view.refresh(&Changes::All).is_empty());
    fs::rename(&moved, store.root()).unwrap();
    let mended = view.refresh(&Changes::All);
    assert!(
        mended.listed.is_some_and(|listed| listed.is_ok()) && mended.rows.is_empty(),
        "that it ended is news by itself"
    );
    end(&good);
    assert_eq!(all(&mut view).0, [4]);
    assert!(view.problem.is_none());
    assert_eq!(view.rows[&RunId(4)].state, Status::Finished);
}

#[test]
fn a_log_that_is_written_anew_is_folded_anew() {
    let (_folder, store) = store();
    let dir = queue(&store, 1);
    start(&dir, 1);
    log(&dir, "a");
    log(&dir, "b");
    let mut view = StoreView::new(store);
    assert_eq!(all(&mut view).2, [1]);
    fs::remove_file(dir.events()).unwrap();
    log(&dir, "c");
    assert_eq!(all(&mut view).2, [1]);
    assert_eq!(view.whole[&RunId(1)].training.feed.len(), 1);
    assert_eq!(view.whole[&RunId(1)].life.attempts, 1, "the life is as it was");
}

#[test]
fn what_was_given_away_stays_as_it_was_and_shares_what_grows() {
    let (_folder, store) = store();
    let dir = queue(&store, 1);
    start(&dir, 1);
    log(&dir, "a");
    let mut view = StoreView::new(store);
    let before = view.refresh(&Changes::All).whole.remove(0);
    Writer::open(&dir.events()).unwrap().write(Event::Step(step(1))).unwrap();
    let after = view.refresh(&Changes::All).whole.remove(0);
    assert_eq!((before.training.steps.len(), after.training.steps.len()), (0, 1));
    assert!(Arc::ptr_eq(&before.training.feed, &after.training.feed), "a step is in no feed");
}

fn step(n: u32) -> Step {
    Step {
        phase: "head".into(),
        epoch: n / 16 + 1,
        step: n % 16 + 1,
        steps: 16,
        loss: 0.5,
        accuracy: 0.5,
        lr: 1e-3,
        samples_per_s: 200.0,
    }
}

/// Looking again costs a `stat` a run; the bound is generous, the time is printed with `--nocapture`.
#[test]
fn a_thousand_runs_are_cheap_to_look_at_again() {
    let (_folder, store) = store();
    let first = queue(&store, 1);
    Writer::open(&first.events()).unwrap().write_all((0..300).map(step).map(Event::Step)).unwrap();
    end(&first);
    for id in 2..=1000 {
        let dir = RunDir::new(store.root(), RunId(id), "emoji");
        fs::create_dir(dir.path()).unwrap();
        fs::copy(first.run_log(), dir.run_log()).unwrap();
        fs::copy(first.events(), dir.events()).unwrap();
    }
    let opening = Stopwatch::start();
    let mut view = StoreView::new(store);
    assert_eq!(view.refresh(&Changes::default()).rows.len(), 1000);
    let opened = opening.seconds();
    let again = Stopwatch::start();
    (0..10).for_each(|_| assert!(view.refresh(&Changes::All).is_empty()));
    let refreshed = again.seconds() / 10.0;
    println!("1000 runs of 300 steps: opened in {opened:.3} s, looked at again in {:.2} ms", refreshed * 1e3);
    assert!(refreshed < 0.1, "{refreshed} s");
    view.want(of(&[1, 1000]));
    assert!(view.refresh(&Changes::default()).whole.iter().all(|run| run.training.steps.len() == 300));
}

#[test]
fn of_what_nobody_tells_some_is_looked_at_with_each_tick_and_all_in_turn() {
    let (_folder, store) = store();
    let last = u32::try_from(IN_TURN).unwrap() * 2;
    let first = queue(&store, 1);
    end(&first);
    let over: Vec<RunDir> = (2..=last).map(|id| RunDir::new(store.root(), RunId(id), "emoji")).collect();
    for dir in &over {
        fs::create_dir(dir.path()).unwrap();
        fs::copy(first.run_log(), dir.run_log()).unwrap();
    }
    let waiting = queue(&store, last + 1);
    let mut view = StoreView::new(store);
    view.refresh(&Changes::default());
    let tag = |dir: &RunDir| {
        Writer::open(&dir.run_log()).unwrap().write(LifeEvent::Tagged { tags: vec!["good".into()] }).unwrap();
    };
    let middle = &over[IN_TURN];
    [&first, middle, &over[over.len() - 1], &waiting].into_iter().for_each(tag);
    let tick = || Changes::Tick(BTreeSet::new());
    let found = news(&view.refresh(&tick())).0;
    assert_eq!(found, [1, last, last + 1], "the newest, and what may change, are looked at each time");
    assert_eq!(news(&view.refresh(&tick())).0, [middle.id().0]);
    Writer::open(&first.run_log()).unwrap().write(LifeEvent::Tagged { tags: Vec::new() }).unwrap();
    let found: Vec<u32> = (0..2).flat_map(|_| news(&view.refresh(&tick())).0).collect();
    assert_eq!(found, [1], "and then from the first on");
}

#[test]
fn what_the_runner_tells_of_is_looked_at_with_the_next_wake() {
    let (_folder, store) = store();
    let dirs: Vec<RunDir> = (1..=3).map(|id| queue(&store, id)).collect();
    dirs.iter().for_each(end);
    let mut view = StoreView::new(store.clone());
    view.refresh(&Changes::default());
    for dir in &dirs {
        Writer::open(&dir.run_log()).unwrap().write(LifeEvent::Tagged { tags: vec!["good".into()] }).unwrap();
    }
    assert!(view.refresh(&Changes::default()).is_empty(), "nobody told of it");
    fs::write(store.runner_log(), "2026-11-25T04:41:07.120Z tag 0001 0003\n").unwrap();
    assert_eq!(news(&view.refresh(&Changes::default())).0, [1, 3]);
    assert!(view.refresh(&Changes::default()).is_empty());
}
