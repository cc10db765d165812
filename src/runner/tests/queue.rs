//! What starts when: dependencies, memory, GPUs and slots.

use super::*;
use crate::record::life::{Cause, Needs};

/// One experiment of this name, after those runs.
fn after(name: &str, dirs: &[&RunDir]) -> Add {
    let after = dirs.iter().map(|dir| dir.id()).collect();
    Add { experiments: experiments(&[name]), priority: 0, group: None, after, paused: false }
}

fn needing(names: &[&str], needs: Needs) -> Add {
    let mut experiments = experiments(names);
    experiments.iter_mut().for_each(|experiment| experiment.needs = needs);
    Add { experiments, priority: 0, group: None, after: Vec::new(), paused: false }
}

/// Finishes when told to, or fails for good.
const TOLD: &str = r#"
    until_told
    [ -e "$run/fail" ] && { say '"type":"failed","cause":"experiment","error":"no","causes":[],"hint":null'; exit 1; }
    finish"#;

fn fail(dir: &RunDir) {
    fs::write(dir.path().join("fail"), "").unwrap();
    go(dir);
}

#[test]
fn a_run_starts_when_all_that_it_waits_for_have_finished() {
    let bench = Bench::new(Settings { slots: 9, ..Settings::script(TOLD) });
    let dirs = bench.add(&["a", "b"]);
    let last = bench.add_all(after("last", &[&dirs[0], &dirs[1]])).remove(0);
    for dir in &dirs {
        wait_started(dir);
    }
    go(&dirs[1]);
    wait_over(&dirs[1]);
    bench.kill_runner();
    assert_eq!(bench.status().runs.waiting, [last.id()], "the next runner knows it too");
    assert!(starts(&last).is_empty());
    go(&dirs[0]);
    wait_started(&last);
    let later = bench.add_all(after("later", &[&dirs[0]])).remove(0);
    wait_started(&later);
    go(&last);
    assert_eq!(wait_over(&last).status(), Status::Finished);
}

#[test]
fn those_after_a_run_that_did_not_finish_are_cancelled_and_can_be_tried_again_together() {
    let bench = Bench::new(Settings { slots: 9, ..Settings::script(TOLD) });
    let a = bench.add(&["a"]).remove(0);
    let b = bench.add_all(after("b", &[&a])).remove(0);
    let c = bench.add_all(Add { paused: true, ..after("c", &[&b]) }).remove(0);
    wait_started(&a);
    fail(&a);
    for (dir, awaited) in [(&b, &a), (&c, &b)] {
        let run = wait_over(dir);
        assert_eq!((run.status(), run.cause(), run.life.attempts), (Status::Cancelled, Some(Cause::Dependency), 0));
        assert_eq!(run.life.exit.unwrap().message.unwrap(), format!("run {} did not finish", awaited.id()));
        wait_for("its summary", || dir.summary_json().exists().then_some(()));
    }
    for (awaited, why) in [(&a, "has ended: failed"), (&b, "has ended: cancelled")] {
        let Response::Refused(refusal) = bench.ask(Request::Add(after("d", &[awaited]))) else {
            panic!("it was taken")
        };
        assert!(refusal.error.contains(why), "{}", refusal.error);
    }
    let retry = |ids| Request::Retry { ids, fresh: false };
    let refused = bench.answer(retry(vec![c.id()])).unwrap_err();
    assert_eq!(refused.error, "run 0002 has ended: cancelled, so nothing can start after it");
    fs::remove_file(a.path().join("fail")).unwrap();
    [&b, &c].into_iter().for_each(go);
    // Named in any order, each comes after what it waits for.
    let Response::Answers { answers } = bench.ask(retry(vec![c.id(), b.id(), a.id()])) else { panic!("no answers") };
    let answers: Vec<_> = answers.into_iter().map(|answer| (answer.id, answer.result)).collect();
    assert_eq!(answers, [&c, &b, &a].map(|dir| (dir.id(), Ok(Done::Queued))));
    for dir in [&a, &b, &c] {
        wait_run(dir, "finishes", |run| run.status() == Status::Finished);
    }
}

#[test]
fn the_next_runner_ends_what_waits_for_a_run_that_is_gone() {
    let bench = Bench::new(Settings::script(TOLD));
    let a = bench.add(&["a"]).remove(0);
    let b = bench.add_all(after("b", &[&a])).remove(0);
    let worker = process::identify(wait_started(&a)).unwrap();
    bench.kill_runner();
    process::signal_group(&worker, Signal::KILL);
    fs::remove_dir_all(a.path()).unwrap();
    bench.status();
    assert_eq!(wait_over(&b).cause(), Some(Cause::Dependency));
    let missing = Add { after: vec![RunId(77)], ..after("x", &[]) };
    let Response::Refused(refusal) = bench.ask(Request::Add(missing)) else { panic!("it was taken") };
    assert!(refusal.error.contains("no run 0077"), "{}", refusal.error);
}

#[test]
fn a_run_that_others_wait_for_is_removed_with_them_or_by_force() {
    let bench = Bench::new(Settings::script(TOLD));
    let rm = |dirs: &[&RunDir], force| Request::Rm { ids: dirs.iter().map(|dir| dir.id()).collect(), force };
    let a = bench.add_all(Add { paused: true, ..after("a", &[]) }).remove(0);
    let b = bench.add_all(after("b", &[&a])).remove(0);
    assert_eq!(bench.answer(rm(&[&a], false)).unwrap_err().error, "run 0002 is to start after run 0001");
    let Response::Answers { answers } = bench.ask(rm(&[&a, &b], false)) else { panic!("no answers") };
    assert!(answers.iter().all(|answer| answer.result == Ok(Done::Removed)), "{answers:?}");
    let a = bench.add_all(Add { paused: true, ..after("a", &[]) }).remove(0);
    let b = bench.add_all(after("b", &[&a])).remove(0);
    assert_eq!(bench.answer(rm(&[&a], true)), Ok(Done::Removed));
    assert_eq!(wait_over(&b).cause(), Some(Cause::Dependency));
}

#[test]
fn runs_that_do_not_fit_into_memory_together_do_not_live_together() {
    let script = r#"echo "has $FINETOP_MEMORY"; until_told; finish"#;
    let bench = Bench::new(Settings { slots: 3, memory: Some(10_000), ..Settings::script(script) });
    let needs = |memory| Needs { memory, gpu: false };
    let mut dirs = bench.add_all(needing(&["a", "b"], needs(6_000)));
    dirs.extend(bench.add_all(needing(&["small"], needs(1))));
    wait_started(&dirs[0]);
    let status = bench.status();
    assert_eq!((status.machine.memory_budget, status.machine.memory_kept), (Some(10_000), 6_000));
    assert_eq!(status.runs.waiting, [dirs[1].id(), dirs[2].id()], "nor does a small one overtake");
    bench.kill_runner();
    assert_eq!(bench.status().machine.memory_kept, 6_000, "what is taken over counts");
    go(&dirs[0]);
    wait_started(&dirs[1]);
    wait_started(&dirs[2]);
    assert_eq!(bench.status().machine.memory_kept, 6_001);
    wait_for("the log", || fs::read_to_string(dirs[1].log_txt()).ok().filter(|log| log.ends_with("\nhas 6000\n")));
    dirs.iter().for_each(go);
    let huge = bench.add_all(needing(&["huge"], needs(u64::MAX))).remove(0);
    wait_started(&huge);
    go(&huge);
    assert_eq!(wait_over(&huge).status(), Status::Finished, "what never fits runs alone");
}

#[test]
fn each_gpu_has_one_run_and_the_next_runner_knows_which() {
    let script = r#"echo "on $CUDA_VISIBLE_DEVICES"; until_told; finish"#;
    let gpus = vec!["3".to_owned(), "GPU-7".to_owned()];
    let bench = Bench::new(Settings { slots: 4, gpus: gpus.clone(), ..Settings::script(script) });
    let dirs = bench.add_all(needing(&["a", "b", "c"], Needs { memory: 0, gpu: true }));
    let cpu = bench.add_all(needing(&["cpu"], Needs::default())).remove(0);
    let on = |dir: &RunDir| view::load_life(dir).life.gpu;
    wait_started(&cpu);
    for (dir, gpu) in dirs.iter().zip(&gpus) {
        wait_run(dir, "is written down", |run| run.life.process.is_some());
        assert_eq!(on(dir).as_ref(), Some(gpu));
        wait_for("the log", || {
            fs::read_to_string(dir.log_txt()).ok().filter(|log| log.ends_with(&format!("\non {gpu}\n")))
        });
    }
    bench.kill_runner();
    let status = bench.status();
    assert_eq!((status.runs.waiting, status.machine.gpus), (vec![dirs[2].id()], gpus));
    go(&dirs[1]);
    wait_started(&dirs[2]);
    wait_run(&dirs[2], "is written down", |run| run.life.gpu.as_deref() == Some("GPU-7"));
    dirs.iter().chain([&cpu]).for_each(go);
    dirs.iter().for_each(|dir| assert_eq!(wait_over(dir).status(), Status::Finished));
}

#[test]
fn slots_can_be_changed_while_it_runs() {
    let bench = Bench::new(Settings::script("until_told; finish"));
    let dirs = bench.add(&["a", "b", "c", "d"]);
    wait_started(&dirs[0]);
    assert_eq!(bench.ask(Request::Slots { slots: 3 }), Response::Agreed);
    for dir in &dirs[..3] {
        wait_started(dir);
    }
    assert_eq!(bench.ask(Request::Slots { slots: 1 }), Response::Agreed);
    let status = bench.status();
    assert_eq!((status.slots, status.runs.live.len(), status.machine.threads), (1, 3, 8));
    go(&dirs[0]);
    go(&dirs[1]);
    wait_over(&dirs[0]);
    wait_over(&dirs[1]);
    assert_eq!(bench.status().runs.waiting, [dirs[3].id()], "one is live, and there is one slot");
    go(&dirs[2]);
    wait_started(&dirs[3]);
}
