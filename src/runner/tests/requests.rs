//! What can be asked of the runner: each request does what it says, once.

use super::*;
use crate::record::life::Needs;
use protocol::Place;

fn ids(dirs: &[&RunDir]) -> Vec<RunId> {
    dirs.iter().map(|dir| dir.id()).collect()
}

/// Asks, and asks again, which must be answered alike and leave no line.
fn twice(bench: &Bench, dir: &RunDir, request: Request) -> Result<Done, Refusal> {
    let first = bench.answer(request.clone());
    let written = fs::read(dir.run_log()).unwrap();
    assert_eq!(bench.answer(request.clone()), first, "{request:?}");
    assert_eq!(fs::read(dir.run_log()).unwrap(), written, "{request:?}");
    first
}

#[test]
fn asked_twice_nothing_happens_twice() {
    let bench = Bench::new(Settings::script(
        r#"trap 'until_told; exit 75' TERM; : > "$run/ready"; while :; do sleep 0.02; done"#,
    ));
    let dirs = bench.add(&["live", "a", "b"]);
    wait_for("the trap", || dirs[0].path().join("ready").exists().then_some(()));
    let (live, a, b) = (&dirs[0], &dirs[1], &dirs[2]);
    let of = |dir: &RunDir| vec![dir.id()];
    assert_eq!(twice(&bench, live, Request::Resume { ids: of(live) }), Ok(Done::Running));
    assert_eq!(twice(&bench, live, Request::Retry { ids: of(live), fresh: false }), Ok(Done::Running));
    assert!(twice(&bench, live, Request::Retry { ids: of(live), fresh: true }).is_err());
    assert_eq!(twice(&bench, live, Request::Pause { ids: of(live) }), Ok(Done::Pausing));
    assert!(twice(&bench, live, Request::Resume { ids: of(live) }).unwrap_err().hint.unwrap().contains("stopping"));
    assert_eq!(twice(&bench, live, Request::Cancel { ids: of(live) }), Ok(Done::Cancelling));
    assert!(twice(&bench, live, Request::Pause { ids: of(live) }).unwrap_err().unfit);
    assert_eq!(twice(&bench, a, Request::Pause { ids: of(a) }), Ok(Done::Paused));
    assert_eq!(twice(&bench, a, Request::Resume { ids: of(a) }), Ok(Done::Queued));
    assert_eq!(twice(&bench, a, Request::Priority { ids: of(a), priority: 3 }), Ok(Done::Prioritized));
    assert_eq!(twice(&bench, a, Request::Priority { ids: of(a), priority: 0 }), Ok(Done::Prioritized));
    for to in [Place::Last, Place::First, Place::Last, Place::Before(b.id())] {
        assert_eq!(twice(&bench, a, Request::Move { ids: of(a), to }), Ok(Done::Moved));
    }
    let tag = Request::Tag { ids: of(a), add: vec!["x".into()], remove: vec![] };
    assert_eq!(twice(&bench, a, tag), Ok(Done::Tagged));
    let (resolved, needs) = ("name: a # new\n".to_owned(), Needs { memory: 5, gpu: false });
    assert_eq!(twice(&bench, a, Request::Edit { id: a.id(), resolved, needs }), Ok(Done::Edited));
    assert_eq!(twice(&bench, a, Request::Cancel { ids: of(a) }), Ok(Done::Cancelled));
    assert_eq!(twice(&bench, a, Request::Retry { ids: of(a), fresh: false }), Ok(Done::Queued));
    assert_eq!(twice(&bench, a, Request::Retry { ids: of(a), fresh: true }), Ok(Done::Queued));
    go(live);
    assert_eq!(wait_over(live).status(), Status::Cancelled);
    let log = fs::read_to_string(bench.store.runner_log()).unwrap();
    let last = log.lines().rfind(|line| line.contains(" tag ")).unwrap_or_default();
    assert!(last.ends_with(&format!("tag {}", a.id())), "readers learn of it there: {last}");
}

#[test]
fn runs_are_moved_in_the_order_in_which_they_are_named() {
    let bench = Bench::new(Settings::script("until_told; finish"));
    let dirs = bench.add(&["live", "a", "b", "c", "d", "e"]);
    wait_started(&dirs[0]);
    let [live, a, b, c, d, e] = dirs.iter().collect::<Vec<_>>().try_into().unwrap();
    for (moved, to, expected) in [
        (vec![e, c], Place::First, [e, c, a, b, d]),
        (vec![a, e], Place::Last, [c, b, d, a, e]),
        (vec![e, a], Place::Before(b.id()), [c, e, a, b, d]),
        (vec![c], Place::Before(d.id()), [e, a, b, c, d]),
    ] {
        for _ in 0..2 {
            let Response::Answers { answers } = bench.ask(Request::Move { ids: ids(&moved), to }) else { panic!() };
            let answered: Vec<RunId> = answers.iter().map(|answer| answer.id).collect();
            assert_eq!(answered, ids(&moved));
            assert!(answers.iter().all(|answer| answer.result == Ok(Done::Moved)), "{answers:?}");
            assert_eq!(bench.status().runs.waiting, ids(&expected));
        }
    }
    bench.kill_runner();
    assert_eq!(bench.status().runs.waiting, ids(&[e, a, b, c, d]), "it is in the record");
    bench.answer(Request::Priority { ids: ids(&[a]), priority: 2 }).unwrap();
    for (before, error) in [
        (a, "run 0005 has priority 0 and run 0002 has 2"),
        (live, "run 0001 does not wait"),
        (d, "run 0005 cannot be moved before itself"),
    ] {
        let refused = bench.answer(Request::Move { ids: ids(&[d]), to: Place::Before(before.id()) }).unwrap_err();
        assert_eq!(refused.error, error);
    }
}

#[test]
fn tags_come_and_go_also_of_runs_that_are_over() {
    let bench = Bench::new(Settings::script("finish"));
    let dir = bench.add(&["x"]).remove(0);
    wait_over(&dir);
    let tag = |add: &[&str], remove: &[&str]| {
        let texts = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect();
        Request::Tag { ids: vec![dir.id()], add: texts(add), remove: texts(remove) }
    };
    for (add, remove, tags) in [
        (&["old", "best"][..], &[][..], vec!["best", "old"]),
        (&["new"], &["old", "none"], vec!["best", "new"]),
        (&[], &["best", "new"], vec![]),
    ] {
        assert_eq!(bench.answer(tag(add, remove)), Ok(Done::Tagged));
        assert_eq!(view::load(&dir).life.tags, tags);
    }
    let Response::Refused(refusal) = bench.ask(tag(&["fine", "not fine"], &[])) else { panic!("it was taken") };
    assert_eq!(refusal.error, "`not fine` cannot be a tag");
    let add =
        Add { experiments: experiments(&["y"]), priority: 0, group: Some("a,b".into()), after: vec![], paused: false };
    assert!(matches!(bench.ask(Request::Add(add)), Response::Refused(_)), "nor a group");
}

#[test]
fn a_run_that_waits_is_edited_and_no_other() {
    let bench = Bench::new(Settings { slots: 1, memory: Some(10), ..Settings::script("until_told; finish") });
    let dirs = bench.add(&["live", "waiting"]);
    wait_started(&dirs[0]);
    let edit = |dir: &RunDir| {
        let (resolved, needs) = ("name: waiting # new\n".to_owned(), Needs { memory: 9, gpu: false });
        bench.answer(Request::Edit { id: dir.id(), resolved, needs })
    };
    assert!(edit(&dirs[0]).unwrap_err().unfit);
    assert_eq!(fs::read_to_string(dirs[0].resolved_yaml()).unwrap(), "name: live\n");
    assert_eq!(edit(&dirs[1]), Ok(Done::Edited));
    assert_eq!(fs::read_to_string(dirs[1].resolved_yaml()).unwrap(), "name: waiting # new\n");
    assert_eq!(fs::read_to_string(dirs[1].experiment_yaml()).unwrap(), "name: waiting # mine\n", "as it was typed");
    bench.kill_runner();
    bench.status();
    go(&dirs[0]);
    wait_started(&dirs[1]);
    assert_eq!(bench.status().machine.memory_kept, 9);
    go(&dirs[1]);
    wait_over(&dirs[1]);
}

#[test]
fn a_fresh_retry_has_nothing_to_go_on_from() {
    let bench = Bench::new(Settings::script(
        r#"ls "$run" > "$run/found"; [ -e "$run/go" ] && finish
        mkdir "$run/checkpoints" "$run/model"; : > "$run/checkpoints/last.safetensors"
        say '"type":"failed","cause":"experiment","error":"no","causes":[],"hint":null'; exit 1"#,
    ));
    let dir = bench.add(&["x"]).remove(0);
    assert_eq!(wait_over(&dir).status(), Status::Failed);
    go(&dir);
    let found = || fs::read_to_string(dir.path().join("found")).unwrap();
    assert_eq!(bench.answer(Request::Retry { ids: vec![dir.id()], fresh: true }), Ok(Done::Queued));
    assert_eq!(wait_run(&dir, "finishes", |run| run.status() == Status::Finished).life.attempts, 2);
    assert!(!found().contains("checkpoints") && !found().contains("model"), "{}", found());
    assert!(!dir.checkpoints().exists() && !dir.model().exists());
}

#[test]
fn many_runs_are_changed_with_one_wait_for_the_disk() {
    let bench = Bench::new(Settings::script("until_told; finish"));
    let names: Vec<String> = (0..60).map(|n| format!("e{n}")).collect();
    let experiments = experiments(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let add = Add { experiments, priority: 0, group: None, after: vec![], paused: true };
    let dirs = bench.add_all(add);
    let all = ids(&dirs.iter().collect::<Vec<_>>());
    let done = |request| match bench.ask(request) {
        Response::Answers { answers } => answers.into_iter().map(|answer| answer.result.unwrap()).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(done(Request::Priority { ids: all.clone(), priority: 7 }), [Done::Prioritized; 60]);
    let half = all[..30].to_vec();
    assert_eq!(done(Request::Move { ids: half.clone(), to: Place::Last }), [Done::Moved; 30]);
    assert_eq!(done(Request::Cancel { ids: half.clone() }), [Done::Cancelled; 30]);
    bench.kill_runner();
    let status = bench.status();
    assert_eq!(status.runs.paused, all[30..]);
    assert!(dirs.iter().all(|dir| view::load(dir).life.priority == 7));
    assert_eq!(done(Request::Rm { ids: half, force: false }), [Done::Removed; 30]);
    assert_eq!(bench.store.runs().unwrap(), dirs[30..]);
}

#[test]
fn a_run_that_another_program_made_is_found() {
    let bench = Bench::new(Settings::script("finish"));
    bench.status();
    let from = bench.folder.path().join("other");
    let other = Store::create(&from).unwrap();
    let queued = crate::record::life::LifeEvent::Queued {
        name: "copied".into(),
        priority: 0,
        group: None,
        after: vec![],
        needs: Needs::default(),
    };
    let made = crate::record::NewRun {
        name: "copied".into(),
        experiment: String::new(),
        resolved: String::new(),
        life: vec![queued],
    };
    let made = other.create_runs(&[made]).unwrap().remove(0);
    let here = bench.store.root().join("0041-copied");
    fs::rename(made.path(), &here).unwrap();
    let tag = Request::Tag { ids: vec![RunId(41)], add: vec!["x".into()], remove: vec![] };
    assert_eq!(bench.answer(tag), Ok(Done::Tagged));
    assert_eq!(view::load(&RunDir::at(&here).unwrap()).life.tags, ["x"]);
}
