//! The runner's own life: alone in its store, gone when it should be, and nothing lost when it dies.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::record::life::Cause;

#[test]
fn a_second_runner_is_refused_and_told_by_whom() {
    let bench = Bench::new(Settings::script("finish"));
    let pid = bench.status().pid;
    let options = ServeOptions { detach: false, ..Settings::script("finish").options() };
    let refused = serve(&bench.store, options).unwrap_err();
    assert!(refused.to_string().contains(&format!("process {pid}")), "{refused}");
    assert_eq!(bench.status().pid, pid, "the first one goes on");
}

#[test]
fn clients_that_come_at_once_start_one_runner() {
    let bench = Bench::new(Settings::script("finish"));
    let pids: Vec<u32> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(|| bench.status().pid)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    assert!(pids.iter().all(|&pid| pid == pids[0]), "{pids:?}");
}

#[test]
fn a_worker_outlives_its_runner_and_is_taken_over_by_the_next() {
    let bench = Bench::new(Settings::script("until_told; finish"));
    let dir = &bench.add(&["x"])[0];
    let worker = wait_started(dir);
    wait_run(dir, "has its process written down", |run| run.life.process.is_some());
    bench.kill_runner();
    assert!(process::identify(worker).is_some());
    assert_eq!(bench.status().runs.live, [dir.id()]);
    go(dir);
    let run = wait_over(dir);
    assert_eq!((run.status(), run.life.attempts, starts(dir)), (Status::Finished, 1, vec![worker]));
}

#[test]
fn a_worker_is_found_whose_runner_died_before_it_wrote_it_down() {
    let bench = Bench::new(Settings::script("until_told; finish"));
    let dir = &bench.add(&["x"])[0];
    let worker = wait_started(dir);
    wait_run(dir, "has its process written down", |run| run.life.process.is_some());
    bench.kill_runner();
    let life = fs::read_to_string(dir.run_log()).unwrap();
    let without: Vec<&str> = life.lines().filter(|line| !line.contains("\"pid\"")).collect();
    assert_eq!(without.len() + 1, life.lines().count());
    fs::write(dir.run_log(), without.join("\n") + "\n").unwrap();
    assert_eq!(bench.status().runs.live, [dir.id()]);
    go(dir);
    let run = wait_over(dir);
    assert_eq!((run.status(), run.life.attempts, starts(dir)), (Status::Finished, 1, vec![worker]));
}

#[test]
fn what_ended_while_no_runner_lived_is_written_down_and_what_was_lost_goes_on() {
    let bench = Bench::new(Settings { slots: 2, ..Settings::script("until_told; finish") });
    let dirs = bench.add(&["ends", "dies"]);
    dirs.iter().for_each(|dir| drop(wait_run(dir, "lives", |run| run.life.process.is_some())));
    let workers: Vec<i32> = dirs.iter().map(wait_started).collect();
    bench.kill_runner();
    go(&dirs[0]);
    signal(workers[1], Signal::KILL);
    wait_for("both ended", || workers.iter().all(|&pid| process::identify(pid).is_none()).then_some(()));
    go(&dirs[1]);
    bench.status();
    let ended = wait_over(&dirs[0]);
    assert_eq!((ended.status(), ended.cause(), ended.life.attempts), (Status::Finished, Some(Cause::Completed), 1));
    let lost = wait_over(&dirs[1]);
    assert_eq!((lost.status(), lost.life.attempts, lost.life.tries.retries), (Status::Finished, 2, 1));
    assert!(fs::read_to_string(dirs[1].run_log()).unwrap().contains("\"outcome\":\"lost\",\"cause\":\"worker_gone\""));
}

#[test]
fn a_cancel_that_a_dead_runner_did_not_finish_is_finished() {
    let bench = Bench::new(Settings::script(r#"trap '' TERM; : > "$run/ready"; until_told; finish"#));
    let dir = &bench.add(&["deaf"])[0];
    wait_for("the trap", || dir.path().join("ready").exists().then_some(()));
    assert_eq!(bench.answer(Request::Cancel { ids: vec![dir.id()] }), Ok(Done::Cancelling));
    bench.kill_runner();
    bench.set(&Settings { grace_ms: 100, ..Settings::script("") });
    bench.status();
    assert_eq!(wait_over(dir).status(), Status::Cancelled);
}

#[test]
fn the_runner_is_in_a_session_of_its_own_and_survives_a_hangup() {
    let bench = Bench::new(Settings::script("finish"));
    let pid = i32::try_from(bench.status().pid).unwrap();
    assert_eq!(rustix::process::getsid(Pid::from_raw(pid)).unwrap().as_raw_nonzero().get(), pid);
    for stream in 0..=2 {
        let target = fs::read_link(format!("/proc/{pid}/fd/{stream}")).unwrap();
        let is_fine = target == std::path::Path::new("/dev/null") || target == bench.store.runner_log();
        assert!(is_fine, "stream {stream} is {}", target.display());
    }
    signal(pid, Signal::HUP);
    assert_eq!(bench.status().pid as i32, pid);
    assert_eq!(wait_over(&bench.add(&["x"])[0]).status(), Status::Finished);
}

#[test]
fn an_idle_runner_leaves_and_the_next_command_starts_another() {
    let bench = Bench::new(Settings { idle_ms: 100, ..Settings::script("finish") });
    let dir = &bench.add(&["x"])[0];
    assert_eq!(wait_over(dir).status(), Status::Finished);
    assert!(wait_until_gone(&bench.store, PATIENCE));
    assert!(Client::connect(&bench.store).unwrap().is_none());
    assert_eq!(wait_over(&bench.add(&["y"])[0]).status(), Status::Finished);
}

#[test]
fn a_runner_whose_store_was_removed_leaves() {
    let bench = Bench::new(Settings::script("until_told"));
    let dir = &bench.add(&["x"])[0];
    let worker = process::identify(wait_started(dir)).unwrap();
    let runner = process::identify(bench.holder().pid).unwrap();
    fs::rename(bench.store.root(), bench.folder.path().join("gone")).unwrap();
    wait_for("the runner is gone", || (!process::is_alive(&runner)).then_some(()));
    assert!(!process::is_alive(&worker));
}

#[test]
fn a_stop_waits_for_live_runs_and_starts_no_more() {
    let bench = Bench::new(Settings::script("until_told; finish"));
    let dirs = bench.add(&["live", "waiting"]);
    wait_started(&dirs[0]);
    assert_eq!(bench.ask(Request::Stop { now: false }), Response::Agreed);
    assert!(bench.status().stopping);
    let refused = bench.ask(Request::Add(Add {
        experiments: experiments(&["z"]),
        priority: 0,
        group: None,
        after: Vec::new(),
        paused: false,
    }));
    assert!(matches!(refused, Response::Refused(_)));
    go(&dirs[0]);
    assert!(wait_until_gone(&bench.store, PATIENCE));
    assert_eq!(view::load(&dirs[0]).status(), Status::Finished);
    assert_eq!(view::load(&dirs[1]).status(), Status::Queued);
    go(&dirs[1]);
    bench.status();
    assert_eq!(wait_over(&dirs[1]).status(), Status::Finished, "the next runner goes on");
}

#[test]
fn a_stop_now_or_a_sigterm_stops_workers_at_a_checkpoint_and_they_go_on_later() {
    let bench = Bench::new(Settings::script(r#"trap 'exit 75' TERM; : > "$run/ready"; until_told; finish"#));
    let dir = &bench.add(&["x"])[0];
    let ready = dir.path().join("ready");
    for attempt in 1..=3 {
        wait_run(dir, "is started", |run| run.life.attempts == attempt);
        wait_for("the trap", || ready.exists().then_some(()));
        fs::remove_file(&ready).unwrap();
        match attempt {
            1 => assert_eq!(bench.ask(Request::Stop { now: true }), Response::Agreed),
            _ => signal(bench.holder().pid, Signal::TERM),
        }
        assert!(wait_until_gone(&bench.store, PATIENCE));
        let run = view::load(dir);
        assert_eq!((run.status(), run.life.tries.retries), (Status::Queued, 0), "preempted, which is no failure");
        bench.status();
    }
    go(dir);
    assert_eq!(wait_over(dir).life.attempts, 4);
}

#[test]
fn the_socket_is_private_and_comes_back_when_its_folder_is_cleaned() {
    let bench = Bench::new(Settings::script("finish"));
    let before = bench.status();
    let socket = bench.holder().socket;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&socket), mode(socket.parent().unwrap())), (0o600, 0o700));
    fs::remove_file(&socket).unwrap();
    wait_for("the socket is back", || Client::connect(&bench.store).ok().flatten());
    assert_eq!(bench.status().since, before.since, "it is the same runner");
}

#[test]
fn a_runner_that_cannot_start_says_why() {
    let bench = Bench::new(Settings::script("finish"));
    let start = StartOptions {
        program: "/bin/sh".into(),
        arguments: ["-c", "echo 'all is lost' >&2; exit 3"].map(Into::into).to_vec(),
        patience: PATIENCE,
    };
    let error = Client::connect_or_start(&bench.store, &start).unwrap_err();
    assert_eq!(error.to_string(), "the runner did not start: all is lost");
    assert!(error.hint().unwrap().contains("runner.log"));
    let missing = StartOptions { program: "/nowhere/finetop".into(), ..start };
    assert!(Client::connect_or_start(&bench.store, &missing).unwrap_err().to_string().contains("/nowhere/finetop"));
}

#[test]
fn a_request_that_is_not_understood_is_answered_and_harms_nothing() {
    let bench = Bench::new(Settings::script("finish"));
    bench.status();
    let mut stream = std::os::unix::net::UnixStream::connect(bench.holder().socket).unwrap();
    stream.write_all(b"\"from_the_future\"\n\xff\n").unwrap();
    let mut answers = std::io::BufReader::new(stream);
    for _ in 0..2 {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut answers, &mut line).unwrap();
        assert!(matches!(serde_json::from_str(&line).unwrap(), Response::Refused(_)), "{line}");
    }
    assert_eq!(bench.ask(Request::Slots { slots: 4 }), Response::Agreed);
    assert!(matches!(bench.ask(Request::Slots { slots: 0 }), Response::Refused(_)));
    assert_eq!(bench.status().slots, 4);
}
