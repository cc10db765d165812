use std::fs;

use super::*;
use crate::base::clock::Stopwatch;
use crate::record::NewRun;
use crate::record::event::{Event, Step};
use crate::record::life::{ExecutorKind, Exited, LifeEvent, Outcome};
use crate::record::view;
use crate::record::writer::Writer;

fn store_of(count: usize) -> (tempfile::TempDir, Store, Vec<RunDir>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("runs")).unwrap();
    let dirs = store.create_runs(&vec![queued(); count]).unwrap();
    (folder, store, dirs)
}

fn queued() -> NewRun {
    let life = LifeEvent::Queued {
        name: "emoji".into(),
        priority: 3,
        group: Some("g".into()),
        after: Vec::new(),
        needs: Default::default(),
    };
    NewRun { name: "emoji".into(), experiment: "a".into(), resolved: "b".into(), life: vec![life] }
}

fn started() -> LifeEvent {
    let executor = ExecutorKind::Local;
    LifeEvent::Started { attempt: 1, executor, process: None, job_id: None, host: "here".into(), gpu: None }
}

fn exited() -> LifeEvent {
    let (outcome, cause) = (Outcome::Finished, Cause::Completed);
    LifeEvent::Exited(Exited { attempt: 1, outcome, cause, exit_code: Some(0), signal: None, message: None })
}

fn live(dir: &RunDir, event: LifeEvent) {
    Writer::open(&dir.run_log()).unwrap().write(event).unwrap();
}

fn best(dir: &RunDir, epoch: u32) {
    let best = Best { epoch, monitor: "val_loss".into(), value: 0.5 };
    Writer::open(&dir.events()).unwrap().write(Event::Best(best)).unwrap();
}

/// What the logs say, without any cache; the time that a live run takes is the clock's.
fn truth(store: &Store) -> Vec<Row> {
    let dirs = store.runs().unwrap();
    timeless(dirs.iter().map(|dir| Row::new(&view::load(dir), dir.path())).collect())
}

fn timeless(mut rows: Vec<Row>) -> Vec<Row> {
    rows.iter_mut().filter(|row| row.state.is_live()).for_each(|row| row.times.seconds = None);
    rows
}

fn listed(store: &Store) -> Vec<Row> {
    timeless(rows(store).unwrap())
}

#[test]
fn the_listing_says_what_the_logs_say_at_every_moment() {
    let (_folder, store, dirs) = store_of(3);
    let check = || assert_eq!(listed(&store), truth(&store));
    let states = || listed(&store).iter().map(|row| row.state).collect::<Vec<_>>();
    check();
    assert!(cache_file(&store).is_file());
    live(&dirs[0], started());
    check();
    best(&dirs[0], 1);
    check();
    best(&dirs[0], 2);
    check();
    live(&dirs[0], exited());
    check();
    assert_eq!(states(), [Status::Finished, Status::Queued, Status::Queued]);
    assert_eq!(listed(&store)[0].best.as_ref().unwrap().epoch, 2);
    live(&dirs[0], LifeEvent::Tagged { tags: vec!["good".into()] });
    check();
    live(&dirs[0], LifeEvent::Resumed);
    check();
    assert_eq!(states()[0], Status::Queued);
    durable::remove_dir_all(dirs[1].path()).unwrap();
    check();
    fs::rename(dirs[2].path(), store.root().join("0009-other")).unwrap();
    check();
}

#[test]
fn a_cache_that_is_damaged_old_or_a_lie_is_not_believed() {
    let (_folder, store, dirs) = store_of(2);
    live(&dirs[0], started());
    best(&dirs[0], 1);
    live(&dirs[0], exited());
    rows(&store).unwrap();
    let good = fs::read(cache_file(&store)).unwrap();
    let cut = good.len() / 2;
    for bytes in [&b""[..], b"\xff\0garbage\n{}\n", &good[..cut], &[b"finetop 0.0.1 listing 1\n", &good[..]].concat()] {
        fs::write(cache_file(&store), bytes).unwrap();
        assert_eq!(listed(&store), truth(&store));
        assert_eq!(fs::read(cache_file(&store)).unwrap(), good, "it is written anew");
    }
    let summary = fs::read_to_string(dirs[0].summary_json()).unwrap();
    for text in ["", "{", &summary.replace("finished", "failed").replace("\"run\": ", "\"run\": 1")] {
        fs::write(dirs[0].summary_json(), text).unwrap();
        fs::remove_file(cache_file(&store)).unwrap();
        assert_eq!(listed(&store), truth(&store), "{text}");
        assert_eq!(fs::read_to_string(dirs[0].summary_json()).unwrap(), summary, "it is made again");
    }
    fs::remove_file(dirs[0].summary_json()).unwrap();
    fs::remove_file(cache_file(&store)).unwrap();
    listed(&store);
    assert_eq!(fs::read_to_string(dirs[0].summary_json()).unwrap(), summary);
}

#[test]
fn a_summary_spares_the_events_and_is_older_than_none_of_them() {
    let (_folder, store, dirs) = store_of(1);
    let dir = &dirs[0];
    live(dir, started());
    best(dir, 1);
    live(dir, exited());
    summary::save(dir).unwrap();
    assert_eq!(summary::load_row(dir).map(|row| row.state), Some(Status::Finished));
    live(dir, LifeEvent::Resumed);
    assert_eq!(summary::load_row(dir), None);
    summary::save(dir).unwrap();
    assert_eq!(summary::load_row(dir), None, "only what is over has one that counts");
    live(dir, exited());
    summary::save(dir).unwrap();
    let touched = fs::File::options().append(true).open(dir.events()).unwrap();
    let later = fs::metadata(dir.summary_json()).unwrap().modified().unwrap() + std::time::Duration::from_secs(1);
    touched.set_modified(later).unwrap();
    assert_eq!(summary::load_row(dir), None, "older than its source");
    assert_eq!(listed(&store), truth(&store));
}

#[test]
fn a_link_is_no_run_and_what_it_says_is_not_shown() {
    let (folder, store, dirs) = store_of(1);
    let (_other, _, others) = store_of(1);
    std::os::unix::fs::symlink(others[0].path(), store.root().join("0002-link")).unwrap();
    assert_eq!(listed(&store).len(), 1);
    fs::rename(dirs[0].run_log(), folder.path().join("outside")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("outside"), dirs[0].run_log()).unwrap();
    assert_eq!(listed(&store)[0].times.queued, None);
}

/// The bound is generous, for a busy machine without optimisation; `benches/store.rs` measures.
#[test]
fn a_listing_reads_only_what_changed() {
    let (_folder, store, dirs) = store_of(300);
    let step = Step {
        phase: "head".into(),
        epoch: 1,
        step: 1,
        steps: 1,
        loss: 0.5,
        accuracy: 0.5,
        lr: 1e-3,
        samples_per_s: 200.0,
    };
    for dir in &dirs[..150] {
        live(dir, started());
        Writer::open(&dir.events()).unwrap().write_all((0..300).map(|_| Event::Step(step.clone()))).unwrap();
        live(dir, exited());
    }
    let time = || {
        let watch = Stopwatch::start();
        rows(&store).unwrap();
        watch.seconds()
    };
    let (cold, warm) = (time(), time());
    fs::remove_file(cache_file(&store)).unwrap();
    let summaries = time();
    println!("300 runs: {:.1} ms, from summaries {:.1} ms, again {:.1} ms", cold * 1e3, summaries * 1e3, warm * 1e3);
    assert!(warm < cold / 2.0 && summaries < cold, "{cold} {summaries} {warm}");
}
