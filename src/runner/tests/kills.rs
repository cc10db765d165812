//! A runner that is killed at every step of everything that it writes, one after the other.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::record::NewRun;
use crate::record::life::{Cause, LifeEvent};

/// Puts runs into the store without a runner.
fn put(bench: &Bench, names: &[&str]) -> Vec<RunDir> {
    let queued =
        |name: String| LifeEvent::Queued { name, priority: 0, group: None, after: vec![], needs: Default::default() };
    let new = |NewExperiment { name, text, resolved, .. }| NewRun {
        life: vec![queued(name.clone())],
        name,
        experiment: text,
        resolved,
    };
    let runs: Vec<NewRun> = experiments(names).into_iter().map(new).collect();
    bench.store.create_runs(&runs).unwrap()
}

/// Whether the fault that the runner was started with has acted.
fn was_struck(bench: &Bench) -> bool {
    fs::read_to_string(bench.store.runner_log()).unwrap_or_default().contains("fault: ")
}

fn count(dir: &RunDir, event: &str) -> usize {
    let life = fs::read_to_string(dir.run_log()).unwrap();
    life.lines().filter(|line| line.contains(&format!("\"type\":\"{event}\""))).count()
}

/// Tries what happens when the runner is killed at its first step, its second and so on, until `try_step` says that it
/// came to its end before; at least `least` steps. Most of it is waiting, so several are tried at once.
fn at_every_step(least: u32, try_step: impl Fn(u32) -> bool + Sync) {
    let (next, first_survived) = (AtomicU32::new(1), AtomicU32::new(u32::MAX));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while first_survived.load(Ordering::Relaxed) == u32::MAX {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    assert!(n < 1000, "no runner came to its end");
                    if try_step(n) {
                        first_survived.fetch_min(n, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert!(first_survived.into_inner() > least);
}

#[test]
fn killed_at_any_step_it_loses_no_run_and_starts_none_twice() {
    at_every_step(15, |n| {
        let settings = Settings { idle_ms: 1, ..Settings::script("finish") };
        let bench = Bench::new(settings.clone());
        let dirs = put(&bench, &["a", "b"]);
        let _ = Client::connect_or_start(&bench.store, &bench.start_with_fault(n, "kill"));
        assert!(wait_until_gone(&bench.store, PATIENCE), "step {n}");
        let survived = !was_struck(&bench);
        bench.set(&Settings { idle_ms: 600_000, ..settings });
        bench.status();
        for dir in &dirs {
            let run = wait_over(dir);
            let end = (run.status(), run.cause());
            assert_eq!(end, (Status::Finished, Some(Cause::Completed)), "step {n}: {}", dir.name());
            assert_eq!((run.life.attempts, starts(dir).len()), (1, 1), "step {n}: {} was started once", dir.name());
            assert_eq!((count(dir, "started"), count(dir, "exited")), (1, 1), "step {n}: {}", dir.name());
        }
        survived
    });
}

/// What a runner promised, and what is asked of the store afterwards.
struct Promises {
    paused: bool,
    /// A run that started meanwhile is asked, and may finish first.
    cancelled: Option<Done>,
    added: Option<RunDir>,
}

/// Pauses a live run, cancels a waiting one and adds another, as far as the runner lives.
fn ask_all(bench: &Bench, dirs: &[RunDir]) -> Promises {
    let mut promises = Promises { paused: false, cancelled: None, added: None };
    let Ok(Some(mut client)) = Client::connect(&bench.store) else { return promises };
    let done = |response| match response {
        Ok(Response::Answers { answers }) => answers.into_iter().next()?.result.ok(),
        _ => None,
    };
    promises.paused = done(client.request(&Request::Pause { ids: vec![dirs[0].id()] })).is_some();
    promises.cancelled = done(client.request(&Request::Cancel { ids: vec![dirs[2].id()] }));
    let experiments = experiments(&["added"]);
    let add = Add { experiments, priority: 0, group: None, after: vec![], paused: false };
    if let Ok(Response::Added { runs }) = client.request(&Request::Add(add)) {
        promises.added = RunDir::at(&runs[0].path);
    }
    promises
}

#[test]
fn what_it_promised_before_it_was_killed_at_any_step_is_kept() {
    let script = r#"case $run in *-live) trap 'exit 75' TERM; : > "$run/ready"; until_told ;; esac; finish"#;
    at_every_step(20, |n| {
        let bench = Bench::new(Settings::script(script));
        let dirs = put(&bench, &["live", "next", "last"]);
        let _ = Client::connect_or_start(&bench.store, &bench.start_with_fault(n, "kill"));
        let is_gone = || lock::holder(&bench.store).is_none();
        wait_for("the trap", || (is_gone() || dirs[0].path().join("ready").exists()).then_some(()));
        let promises = ask_all(&bench, &dirs);
        let all_over = || dirs[1..].iter().chain(&promises.added).all(|dir| view::load_life(dir).status().is_over());
        wait_for("the queue's end", || (is_gone() || !promises.paused || all_over()).then_some(()));
        bench.end_runner();
        let survived = !was_struck(&bench);
        bench.status();
        if promises.paused {
            let live = wait_run(&dirs[0], "is paused", |run| run.status() == Status::Paused);
            assert_eq!(live.life.attempts, 1, "step {n}");
        } else {
            // It may have been written down all the same.
            go(&dirs[0]);
            let is_still = |run: &RunState| run.status() == Status::Paused || run.status().is_over();
            if wait_run(&dirs[0], "is still", is_still).status() == Status::Paused {
                assert_eq!(bench.answer(Request::Resume { ids: vec![dirs[0].id()] }), Ok(Done::Queued));
            }
            assert_eq!(wait_over(&dirs[0]).status(), Status::Finished, "step {n}");
        }
        assert_eq!(wait_over(&dirs[1]).status(), Status::Finished, "step {n}");
        let last = wait_over(&dirs[2]).status();
        assert!(last == Status::Cancelled || promises.cancelled != Some(Done::Cancelled), "step {n}");
        promises.added.iter().for_each(|added| assert_eq!(wait_over(added).status(), Status::Finished, "step {n}"));
        assert!(!survived || (promises.paused && promises.cancelled.is_some() && promises.added.is_some()));
        survived
    });
}
