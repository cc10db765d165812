//! What becomes of runs: every end with its cause, each started as often as it should be.

use super::*;
use crate::record::life::{Cause, Outcome};

#[test]
fn every_end_is_written_with_its_cause() {
    let bench = Bench::new(Settings {
        slots: 2,
        ..Settings::script(
            r#"
            echo "threads $RAYON_NUM_THREADS"; echo "to stderr" >&2
            case $run in
            *-good) finish ;;
            *-early) say '"type":"finished","reason":"early_stopped","epochs":1,"seconds":1.5,"best":null' ;;
            *-diverged) say '"type":"failed","cause":"diverged","error":"the loss is NaN","causes":[],"hint":null'; exit 1 ;;
            *-panics) echo "thread main panicked" >&2; exit 101 ;;
            *-killed) kill -KILL $$ ;;
            *-silent) exit 0 ;;
            *-second) [ "$(wc -l < "$run/starts")" -ge 2 ] && finish; exit 101 ;;
            esac"#,
        )
    });
    let names = ["good", "early", "diverged", "panics", "killed", "silent", "second"];
    let dirs = bench.add(&names);
    for (dir, (status, cause, attempts)) in dirs.iter().zip([
        (Status::Finished, Cause::Completed, 1),
        (Status::Finished, Cause::EarlyStopped, 1),
        (Status::Failed, Cause::Diverged, 1),
        (Status::Failed, Cause::Crashed, 3),
        (Status::Failed, Cause::Crashed, 3),
        (Status::Failed, Cause::Crashed, 3),
        (Status::Finished, Cause::Completed, 2),
    ]) {
        let run = wait_run(dir, "has its last end", |run| run.status().is_over() && run.life.attempts == attempts);
        assert_eq!((run.status(), run.cause(), run.life.attempts), (status, Some(cause), attempts), "{}", dir.name());
        assert_eq!(starts(dir).len(), attempts as usize, "{}", dir.name());
        wait_for("its summary", || dir.summary_json().exists().then_some(()));
    }
    let log = fs::read_to_string(dirs[0].log_txt()).unwrap();
    assert_eq!(log, "finetop: attempt 1\nthreads 4\nto stderr\n");
    let exit = view::load(&dirs[3]).life.exit.unwrap();
    assert_eq!((exit.exit_code, exit.signal), (Some(101), None));
    assert!(exit.message.unwrap().ends_with("thread main panicked"));
    assert_eq!(view::load(&dirs[4]).life.exit.unwrap().signal, Some(9));
}

#[test]
fn a_worker_that_cannot_be_started_is_a_failure_that_is_written_down() {
    let bench = Bench::new(Settings { program: "/nowhere/finetop".into(), ..Settings::script("") });
    let dir = &bench.add(&["x"])[0];
    let run = wait_over(dir);
    assert_eq!((run.status(), run.cause(), run.life.attempts), (Status::Failed, Some(Cause::Start), 1));
    assert!(run.life.exit.unwrap().message.unwrap().contains("/nowhere/finetop"));
    assert!(fs::read_to_string(dir.log_txt()).unwrap().contains("could not start /nowhere/finetop"));
}

#[test]
fn priority_and_place_decide_who_is_next() {
    let bench = Bench::new(Settings::script(r#"echo "${run##*/}" >> "$run/../../order"; until_told; finish"#));
    let first = &bench.add(&["first"])[0];
    wait_started(first);
    let add = |name: &str, priority, paused| {
        let add = Add { experiments: experiments(&[name]), priority, group: Some("g".into()), after: vec![], paused };
        bench.add_all(add).remove(0)
    };
    let (a, b, c, d) = (add("a", 0, false), add("b", 0, false), add("c", 5, false), add("d", 0, true));
    assert_eq!(view::load(&d).status(), Status::Paused);
    let status = bench.status();
    assert_eq!(status.runs.waiting, [c.id(), a.id(), b.id()]);
    assert_eq!((status.runs.live, status.runs.paused), (vec![first.id()], vec![d.id()]));
    let moved = bench.answer(Request::Move { ids: vec![b.id()], to: protocol::Place::First });
    assert_eq!(moved, Ok(Done::Moved));
    assert_eq!(bench.answer(Request::Resume { ids: vec![d.id()] }), Ok(Done::Queued));
    assert_eq!(bench.answer(Request::Priority { ids: vec![d.id()], priority: 9 }), Ok(Done::Prioritized));
    assert!(bench.answer(Request::Move { ids: vec![first.id()], to: protocol::Place::Last }).is_err());
    // Another runner reads the same queue from the files.
    bench.kill_runner();
    assert_eq!(bench.status().runs.waiting, [d.id(), c.id(), b.id(), a.id()]);
    for dir in [first, &a, &b, &c, &d] {
        go(dir);
    }
    for dir in [first, &a, &b, &c, &d] {
        assert_eq!(wait_over(dir).status(), Status::Finished);
    }
    let order = fs::read_to_string(bench.folder.path().join("order")).unwrap();
    assert_eq!(order.lines().collect::<Vec<_>>(), ["0001-first", "0005-d", "0004-c", "0003-b", "0002-a"]);
    assert_eq!(view::load(&a).life.group.as_deref(), Some("g"));
}

#[test]
fn a_waiting_run_is_cancelled_at_once_and_a_live_one_asked() {
    let bench = Bench::new(Settings::script(r#"trap 'echo asked; exit 75' TERM; : > "$run/ready"; until_told"#));
    let dirs = bench.add(&["live", "waiting"]);
    wait_for("the trap", || dirs[0].path().join("ready").exists().then_some(()));
    let cancel = |dir: &RunDir| bench.answer(Request::Cancel { ids: vec![dir.id()] });
    assert_eq!(cancel(&dirs[1]), Ok(Done::Cancelled));
    let waiting = view::load(&dirs[1]);
    assert_eq!((waiting.status(), waiting.cause(), waiting.life.attempts), (Status::Cancelled, Some(Cause::User), 0));
    assert!(starts(&dirs[1]).is_empty());
    wait_for("its summary", || dirs[1].summary_json().exists().then_some(()));
    assert_eq!(cancel(&dirs[0]), Ok(Done::Cancelling));
    let live = wait_over(&dirs[0]);
    assert_eq!((live.status(), live.cause(), live.life.attempts), (Status::Cancelled, Some(Cause::User), 1));
    assert_eq!(live.life.exit.unwrap().exit_code, Some(75));
    assert!(fs::read_to_string(dirs[0].log_txt()).unwrap().contains("asked"));
    let before = fs::read(dirs[0].run_log()).unwrap();
    assert_eq!(cancel(&dirs[0]), Ok(Done::Cancelled), "asked twice");
    assert_eq!(fs::read(dirs[0].run_log()).unwrap(), before, "nothing happens twice");
    let missing = bench.answer(Request::Cancel { ids: vec![RunId(99)] }).unwrap_err();
    assert_eq!(missing.error, "there is no run 0099");
}

#[test]
fn a_worker_that_does_not_listen_is_killed_with_its_children() {
    let script =
        r#"trap '' TERM; sh -c 'while :; do sleep 0.05; done' & echo $! > "$run/child"; : > "$run/ready"; until_told"#;
    let bench = Bench::new(Settings { grace_ms: 200, ..Settings::script(script) });
    let dir = &bench.add(&["deaf"])[0];
    wait_for("the trap", || dir.path().join("ready").exists().then_some(()));
    let child: i32 = fs::read_to_string(dir.path().join("child")).unwrap().trim().parse().unwrap();
    let child = process::identify(child).unwrap();
    assert_eq!(bench.answer(Request::Cancel { ids: vec![dir.id()] }), Ok(Done::Cancelling));
    let run = wait_over(dir);
    let exit = run.life.exit.unwrap();
    assert_eq!((exit.outcome, exit.cause, exit.signal), (Outcome::Cancelled, Cause::User, Some(9)));
    wait_for("its child is gone", || (!process::is_alive(&child)).then_some(()));
}

#[test]
fn what_a_worker_leaves_behind_goes_with_it() {
    let bench = Bench::new(Settings::script(r#"sleep 1000 & echo $! > "$run/child"; finish"#));
    let dir = &bench.add(&["x"])[0];
    assert_eq!(wait_over(dir).status(), Status::Finished);
    let child = fs::read_to_string(dir.path().join("child")).unwrap().trim().parse().unwrap();
    wait_for("its child is gone", || process::identify(child).is_none().then_some(()));
}

#[test]
fn a_live_run_is_paused_and_resumed_and_a_failed_one_retried() {
    let bench = Bench::new(Settings::script(
        r#"trap 'exit 75' TERM
        case $run in *-bad)
            [ -e "$run/go" ] && finish
            say '"type":"failed","cause":"experiment","error":"no","causes":[],"hint":null'; exit 1 ;;
        esac
        : > "$run/ready"; until_told; finish"#,
    ));
    let dirs = bench.add(&["slow", "bad"]);
    wait_for("the trap", || dirs[0].path().join("ready").exists().then_some(()));
    assert_eq!(bench.answer(Request::Pause { ids: vec![dirs[0].id()] }), Ok(Done::Pausing));
    let paused = wait_run(&dirs[0], "is paused", |run| run.status() == Status::Paused);
    assert_eq!(paused.cause(), Some(Cause::User));
    assert_eq!(wait_over(&dirs[1]).cause(), Some(Cause::Experiment), "the slot is free for others");
    go(&dirs[0]);
    assert_eq!(bench.answer(Request::Resume { ids: vec![dirs[0].id()] }), Ok(Done::Queued));
    let run = wait_over(&dirs[0]);
    assert_eq!((run.status(), run.life.attempts), (Status::Finished, 2));
    assert!(bench.answer(Request::Retry { ids: vec![dirs[0].id()], fresh: false }).is_err());
    go(&dirs[1]);
    assert_eq!(bench.answer(Request::Retry { ids: vec![dirs[1].id()], fresh: false }), Ok(Done::Queued));
    let again = wait_run(&dirs[1], "is over again", |run| run.life.attempts == 2 && run.status().is_over());
    assert_eq!(again.status(), Status::Finished);
}
