//! Limits, retries and ends that come from outside, with scripts for workers.

use super::*;
use crate::record::life::{Cause, ExecutorKind, LifeEvent, Outcome, ProcessId};
use crate::runner::supervisor::append;

/// An experiment that can be read, with further keys at its top.
fn limited(name: &str, keys: &str) -> Add {
    let resolved = format!(
        "name: {name}\n{keys}\ndata: {{ train: data, val_split: 0.2 }}\nmodel: {{ backbone: squeezenet1_1, weights: random }}\n"
    );
    let experiment =
        NewExperiment { name: name.into(), text: resolved.clone(), resolved, needs: Default::default(), sweep: None };
    Add { experiments: vec![experiment], priority: 0, group: None, after: vec![], paused: false }
}

#[test]
fn retries_are_those_of_the_experiment() {
    let bench = Bench::new(Settings::script("exit 101"));
    for (name, keys, attempts) in [("none", "retries: 0", 1), ("four", "retries: 4", 5)] {
        let dir = &bench.add_all(limited(name, keys))[0];
        let run = wait_run(dir, "is over", |run| run.status() == Status::Failed && run.life.attempts == attempts);
        assert_eq!((run.cause(), run.life.tries.retries), (Some(Cause::Crashed), attempts - 1), "{name}");
        assert_eq!(starts(dir).len(), attempts as usize, "{name}");
    }
}

#[test]
fn a_run_has_its_time_over_all_its_attempts_and_as_much_again_when_a_person_retries_it() {
    let bench = Bench::new(Settings::script(
        r#"trap 'echo asked; exit 75' TERM
        : > "$run/ready"; [ "$(wc -l < "$run/starts")" = 1 ] && exit 101
        until_told; finish"#,
    ));
    let dir = &bench.add_all(limited("long", "time_limit_minutes: 0.02"))[0];
    let run = wait_run(dir, "reaches its limit", |run| run.status() == Status::Failed && run.life.attempts == 2);
    assert_eq!((run.cause(), run.life.exit.as_ref().unwrap().exit_code), (Some(Cause::TimeLimit), Some(75)));
    assert!(fs::read_to_string(dir.log_txt()).unwrap().contains("asked"), "it could write a checkpoint");
    let ran = run.life.tries.ran;
    assert!(ran >= Duration::from_millis(1200) && ran < PATIENCE, "{ran:?}");
    go(dir);
    assert_eq!(bench.answer(Request::Retry { ids: vec![dir.id()], fresh: false }), Ok(Done::Queued));
    assert_eq!(wait_over(dir).status(), Status::Finished);
}

#[test]
fn time_goes_on_while_no_runner_lives() {
    let bench = Bench::new(Settings::script(r#"trap 'exit 75' TERM; : > "$run/ready"; until_told; finish"#));
    let dir = &bench.add_all(limited("long", "time_limit_minutes: 0.02"))[0];
    wait_for("the trap", || dir.path().join("ready").exists().then_some(()));
    let started = wait_run(dir, "is written down", |run| run.life.started.is_some()).life.started.unwrap();
    bench.kill_runner();
    let limit = Duration::from_millis(1200);
    wait_for("the limit", || (crate::base::clock::now().since(started) > limit).then_some(()));
    bench.status();
    assert_eq!(wait_over(dir).cause(), Some(Cause::TimeLimit));
    assert_eq!(starts(dir).len(), 1);
}

#[test]
fn what_stops_a_worker_from_outside_preempts_it_and_it_goes_on_by_itself() {
    let bench = Bench::new(Settings {
        retry_ms: 1000,
        ..Settings::script(r#"trap 'exit 75' TERM; : > "$run/ready"; until_told; finish"#)
    });
    let dir = &bench.add_all(limited("x", "retries: 0"))[0];
    let ready = dir.path().join("ready");
    wait_for("the trap", || ready.exists().then_some(()));
    signal(*starts(dir).last().unwrap(), Signal::TERM);
    let waiting = wait_run(dir, "is preempted", |run| run.status() == Status::Queued && run.life.attempts == 1);
    assert_eq!((waiting.life.tries.preemptions, waiting.life.tries.retries), (1, 0));
    assert!(waiting.life.retry_at.is_some(), "not at once, or it could go round in circles");
    go(dir);
    let run = wait_over(dir);
    assert_eq!((run.status(), run.life.attempts), (Status::Finished, 2));
}

#[test]
fn a_worker_that_finds_no_space_says_so_with_its_exit_code() {
    let bench = Bench::new(Settings::script("exit 74"));
    let run = wait_over(&bench.add(&["x"])[0]);
    assert_eq!((run.status(), run.cause(), run.life.attempts), (Status::Failed, Some(Cause::DiskFull), 1));
}

/// Writes a start into the record of a paused run, as a runner would have that is gone, and lets a new runner find it.
fn forged(bench: &Bench, process: ProcessId) -> RunDir {
    let dir = bench.add_all(Add { paused: true, ..limited("forged", "retries: 1") }).remove(0);
    bench.kill_runner();
    let (executor, host) = (ExecutorKind::Local, lock::host());
    let started = LifeEvent::Started { attempt: 1, executor, process: Some(process), job_id: None, host, gpu: None };
    append(&dir, [LifeEvent::Resumed, started]).unwrap();
    bench.status();
    dir
}

fn first_exit(dir: &RunDir) -> String {
    let life = fs::read_to_string(dir.run_log()).unwrap();
    life.lines().find(|line| line.contains("\"exited\"")).unwrap().to_owned()
}

#[test]
fn a_stranger_with_a_workers_pid_is_never_signalled() {
    let bench = Bench::new(Settings::script("finish"));
    use std::os::unix::process::CommandExt;
    let mut stranger = std::process::Command::new("sleep").arg("1000").process_group(0).spawn().unwrap();
    let now = process::identify(stranger.id() as i32).unwrap();
    let dir = forged(&bench, ProcessId { start_ticks: now.start_ticks - 1, ..now.clone() });
    let run = wait_over(&dir);
    assert_eq!((run.status(), run.life.attempts), (Status::Finished, 2));
    assert!(first_exit(&dir).contains("\"outcome\":\"lost\",\"cause\":\"worker_gone\""));
    assert!(process::is_alive(&now), "the stranger lives");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn a_restart_of_the_machine_is_told_by_its_boot_id() {
    let bench = Bench::new(Settings::script("finish"));
    let own = process::own().unwrap();
    // The same pid and start time on another boot: this very process is no worker of it.
    let dir = forged(&bench, ProcessId { boot_id: "another".into(), ..own });
    let run = wait_over(&dir);
    assert_eq!((run.status(), run.life.attempts), (Status::Finished, 2));
    assert!(first_exit(&dir).contains("\"outcome\":\"lost\",\"cause\":\"host_restarted\""));
}

#[test]
fn what_was_asked_before_a_worker_was_started_is_done_by_the_next_runner() {
    let bench = Bench::new(Settings::script("finish"));
    let dirs: Vec<RunDir> = ["pause", "cancel"]
        .iter()
        .map(|name| bench.add_all(Add { paused: true, ..limited(name, "") }).remove(0))
        .collect();
    bench.kill_runner();
    append(&dirs[0], [LifeEvent::Resumed, LifeEvent::PauseRequested]).unwrap();
    append(&dirs[1], [LifeEvent::Resumed, LifeEvent::CancelRequested]).unwrap();
    assert_eq!(bench.status().runs.paused, [dirs[0].id()]);
    assert_eq!(view::load(&dirs[0]).status(), Status::Paused);
    let cancelled = view::load(&dirs[1]).life.exit.unwrap();
    assert_eq!((cancelled.outcome, cancelled.cause), (Outcome::Cancelled, Cause::User));
    assert!(starts(&dirs[0]).is_empty() && starts(&dirs[1]).is_empty());
}
