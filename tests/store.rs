//! A store from outside: who can read it, what a link in it shows, which formats are read, what `gc`, `doctor` and `ls` do,
//! and that new runs are made all or none when their maker is killed at any step.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod workplace;

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use finetop::record::life::{Cause, Exited, LifeEvent, Outcome};
use finetop::record::{NewRun, RunDir, Store, Writer, view};
use workplace::{Ended, Workplace, tiny_text};

/// A workplace with `tiny.yaml`, a run of a twentieth of a second.
fn texts() -> Workplace {
    let here = Workplace::with_texts();
    here.write("tiny.yaml", tiny_text("tiny", 2));
    here
}

fn new_run(name: &str, group: Option<&str>) -> NewRun {
    let queued = LifeEvent::Queued {
        name: name.into(),
        priority: 0,
        group: group.map(str::to_owned),
        after: Vec::new(),
        needs: Default::default(),
    };
    let text = tiny_text("tiny", 2);
    NewRun { name: name.into(), experiment: text.clone(), resolved: text, life: vec![queued, LifeEvent::Paused] }
}

fn append(dir: &RunDir, event: LifeEvent) {
    Writer::open(&dir.run_log()).unwrap().write(event).unwrap();
}

fn end(dir: &RunDir, outcome: Outcome) {
    let cause = Cause::Completed;
    append(dir, LifeEvent::Exited(Exited { attempt: 1, outcome, cause, exit_code: None, signal: None, message: None }));
}

fn everything_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        found.push(entry.path());
        if entry.file_type().unwrap().is_dir() {
            found.extend(everything_in(&entry.path()));
        }
    }
    found
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

fn with_umask(here: &Workplace, umask: &str, command: &str) -> Ended {
    let mut shell = std::process::Command::new("sh");
    let script = format!("umask {umask}; exec '{}' {command}", workplace::PROGRAM);
    shell.args(["-c", &script]).current_dir(here.folder()).env("FINETOP_STORE", here.store()).env("NO_COLOR", "1");
    Ended::from(shell.output().unwrap())
}

#[test]
fn what_is_made_is_for_nobody_else_unless_the_umask_asks_for_it() {
    for (umask, folder, file) in
        [("022", 0o700, 0o600), ("077", 0o700, 0o600), ("007", 0o770, 0o660), ("002", 0o770, 0o660)]
    {
        let here = texts();
        with_umask(&here, umask, "run tiny.yaml").succeeded();
        // The runner and its worker inherit it.
        with_umask(&here, umask, "add tiny.yaml").succeeded();
        with_umask(&here, umask, "wait 2").succeeded();
        with_umask(&here, umask, "ls").succeeded();
        let made = everything_in(&here.store());
        for name in ["model.safetensors", "last.safetensors", "events.jsonl", "log.txt", "runner.log", ".listing"] {
            assert!(made.iter().any(|path| path.ends_with(name)), "{name}");
        }
        assert_eq!(mode(&here.store()), folder, "{umask}");
        for path in made {
            let expected = if path.is_dir() { folder } else { file };
            assert_eq!(mode(&path), expected, "{umask}: {}", path.display());
        }
        with_umask(&here, umask, "doctor").succeeded();
    }
}

#[test]
fn a_folder_that_is_there_keeps_its_mode() {
    let here = texts();
    std::fs::create_dir(here.store()).unwrap();
    std::fs::set_permissions(here.store(), std::fs::Permissions::from_mode(0o750)).unwrap();
    here.finetop(&["run", "tiny.yaml"]).succeeded();
    assert_eq!((mode(&here.store()), mode(&here.run_folder(1))), (0o750, 0o700));
    here.finetop(&["doctor"]).succeeded();
}

#[test]
fn links_out_of_the_store_are_neither_read_nor_written() {
    let here = texts();
    here.finetop(&["run", "tiny.yaml"]).succeeded();
    let run = here.run_folder(1);
    let secret = here.write("secret", "{\"secret\":1}\nsecret text\n");
    for name in ["log.txt", "events.jsonl"] {
        std::fs::remove_file(run.join(name)).unwrap();
        symlink(&secret, run.join(name)).unwrap();
    }
    for (command, code) in [
        (&["logs", "1"][..], 0),
        (&["events", "1"], 1),
        (&["events", "1", "--json"], 1),
        (&["show", "1"], 0),
        (&["ls"], 0),
    ] {
        let ended = here.finetop(command).exited(code);
        assert!(code == 0 || ended.stderr.contains("it is a symbolic link"), "{command:?}: {}", ended.stderr);
        assert!(!ended.stdout.contains("secret") && !ended.stderr.contains("secret text"), "{command:?}");
    }
    let worker = here.finetop(&["worker".as_ref(), run.as_os_str()]).exited(1);
    assert!(worker.stderr.contains("events.jsonl") && worker.stderr.contains("symbolic link"), "{}", worker.stderr);
    here.finetop(&["predict", "1", "train.csv"]).exited(1).says(&["symbolic link"]);
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), "{\"secret\":1}\nsecret text\n");
    let said = here.finetop(&["doctor"]).exited(1).stdout;
    assert!(said.contains("0001-tiny/events.jsonl: a symbolic link"), "{said}");

    // A run that is a link is none, and `rm` of the run removes no more than the link that is in it.
    symlink(here.path("elsewhere"), here.store().join("0002-link")).unwrap();
    std::fs::create_dir(here.path("elsewhere")).unwrap();
    here.finetop(&["show", "2"]).exited(2);
    std::fs::remove_dir_all(run.join("checkpoints")).unwrap();
    symlink(here.path("elsewhere"), run.join("checkpoints")).unwrap();
    here.write("elsewhere/kept", "");
    here.finetop(&["gc", "--keep", "0", "--all"]).succeeded().says(&["no old checkpoints"]);
    here.finetop(&["rm", "1"]).succeeded();
    assert!(!run.exists() && here.path("elsewhere/kept").exists() && secret.exists());
}

#[test]
fn a_store_of_a_newer_format_is_refused_by_every_command() {
    let here = texts();
    here.finetop(&["run", "tiny.yaml"]).succeeded();
    let header = std::fs::read_to_string(here.store().join("store.json")).unwrap();
    assert!(header.contains("\"format\":1"), "{header}");
    std::fs::write(here.store().join("store.json"), r#"{"format":2,"version":"7.0.0"}"#).unwrap();
    let before = everything_in(&here.store()).len();
    let run = here.run_folder(1).display().to_string();
    for command in [
        &["ls"][..],
        &["ls", "--json"],
        &["show", "1"],
        &["logs", "1"],
        &["events", "1"],
        &["wait", "1"],
        &["run", "tiny.yaml"],
        &["add", "tiny.yaml"],
        &["cancel", "1"],
        &["pause", "1"],
        &["resume", "1"],
        &["retry", "1"],
        &["rm", "1"],
        &["gc"],
        &["doctor"],
        &["doctor", "--fix"],
        &["predict", "1", "train.csv"],
        &["runner", "serve"],
        &["runner", "status"],
        &["worker", &run],
        &["tiny.yaml"],
    ] {
        let ended = here.finetop(command);
        assert_eq!(ended.code, 1, "{command:?}: {}", ended.stderr);
        assert!(
            ended.stderr.contains("this one is 2") && ended.stderr.contains("upgrade finetop"),
            "{command:?}: {}",
            ended.stderr
        );
    }
    assert_eq!(everything_in(&here.store()).len(), before, "nothing was made");
    std::fs::remove_file(here.store().join("store.json")).unwrap();
    assert_eq!(here.json(&["ls", "--json"])[0]["state"], "finished", "stores had no such file before");
}

/// A file system without `flock`, as far as the program sees: its calls do what `body` says.
fn with_flock(here: &Workplace, body: &str, arguments: &[&str]) -> Option<Ended> {
    let source =
        here.write("flock.c", format!("#include <errno.h>\nint flock(int f, int o) {{ (void)f; (void)o; {body} }}\n"));
    let shim = here.path("flock.so");
    let made = std::process::Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&shim).arg(&source).status();
    if !made.is_ok_and(|status| status.success()) {
        workplace::skip("there is no C compiler");
        return None;
    }
    Some(Ended::from(here.command(arguments).env("LD_PRELOAD", shim).output().unwrap()))
}

#[test]
#[cfg(target_os = "linux")] // where LD_PRELOAD is
fn a_file_system_without_locks_is_said_and_refused() {
    for body in ["return 0;", "errno = ENOLCK; return -1;", "errno = EOPNOTSUPP; return -1;"] {
        let here = texts();
        for arguments in [&["run", "tiny.yaml"][..], &["runner", "serve"], &["add", "tiny.yaml"]] {
            let Some(ended) = with_flock(&here, body, arguments) else { return };
            ended.exited(1).says(&["has no working locks", "--store"]);
        }
        assert!(Store::open(&here.store()).unwrap().runs().unwrap().is_empty());
    }
}

#[test]
fn ls_filters_by_group_and_state() {
    let here = Workplace::empty();
    let store = Store::create(&here.store()).unwrap();
    let runs = [new_run("a", Some("g")), new_run("b", Some("g")), new_run("c", None)];
    let dirs = store.create_runs(&runs).unwrap();
    end(&dirs[1], Outcome::Failed);
    let ids = |arguments: &[&str]| {
        let rows = here.json(&[&["ls", "--json"], arguments].concat());
        rows.as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&[]), [1, 2, 3]);
    assert_eq!(ids(&["--group", "g"]), [1, 2]);
    assert_eq!(ids(&["--state", "paused"]), [1, 3]);
    assert_eq!(ids(&["--state", "paused", "--state", "failed", "--group", "g"]), [1, 2]);
    assert_eq!(ids(&["--group", "none"]), [0; 0]);
    here.finetop(&["ls", "--group", "none"]).succeeded().says(&["no such runs"]);
    here.finetop(&["ls", "--state", "asleep"]).exited(2).says(&["asleep", "queued"]);
    assert_eq!(here.finetop(&["ls", "--state", "failed"]).succeeded().stdout.lines().count(), 2, "a head and a run");
}

#[test]
fn gc_says_what_it_frees_and_frees_it() {
    let here = texts();
    here.finetop(&["run", "tiny.yaml"]).succeeded();
    let checkpoints = here.run_folder(1).join("checkpoints");
    let store = Store::open(&here.store()).unwrap();
    let failed = store.create_runs(&[new_run("failed", None)]).unwrap().remove(0);
    end(&failed, Outcome::Failed);
    std::fs::create_dir(failed.checkpoints()).unwrap();
    std::fs::write(failed.checkpoints().join("last.safetensors"), [0; 2048]).unwrap();

    here.finetop(&["gc"]).succeeded().says(&["no old checkpoints"]);
    here.finetop(&["gc", "--keep", "1", "--keep-days", "1"]).succeeded().says(&["no old checkpoints"]);
    let dry = here.finetop(&["gc", "--keep", "0", "--dry-run"]).succeeded().stdout;
    assert!(
        dry.starts_with("0001-tiny  finished") && dry.contains("would free") && dry.ends_with("of 1 runs\n"),
        "{dry}"
    );
    assert!(checkpoints.is_dir());
    let done = here.finetop(&["gc", "--keep", "0"]).succeeded().stdout;
    assert!(done.contains("freed"), "{done}");
    assert!(!checkpoints.exists() && failed.checkpoints().exists());
    assert!(here.run_folder(1).join("model/model.safetensors").is_file());
    here.finetop(&["predict", "1", "train.csv"]).succeeded();
    let all = here.finetop(&["gc", "--keep-days", "0", "--all"]).succeeded().stdout;
    assert!(all.contains("0002-failed  failed") && all.contains("freed 2.0 KiB of 1 runs"), "{all}");
    assert!(!failed.checkpoints().exists());
}

#[test]
fn doctor_finds_and_mends_and_leaves_a_runner_alone() {
    let here = texts();
    here.finetop(&["run", "tiny.yaml"]).succeeded();
    assert_eq!(here.finetop(&["doctor"]).succeeded().stdout, "nothing is wrong\n");
    let run = here.run_folder(1);
    let torn = [std::fs::read(run.join("events.jsonl")).unwrap(), b"{\"seq\":".to_vec()].concat();
    std::fs::write(run.join("events.jsonl"), torn).unwrap();
    std::fs::create_dir_all(here.store().join(".new/0002-x")).unwrap();
    std::fs::create_dir(here.store().join("0007-empty")).unwrap();
    let found = here.finetop(&["doctor"]).exited(1).says(&["doctor --fix"]).stdout;
    for said in
        ["0001-tiny/events.jsonl: its last line is torn (7 bytes)", ".new: new runs", "0007-empty: named as a run"]
    {
        assert!(found.contains(said), "{said} in {found}");
    }

    let store = Store::open(&here.store()).unwrap();
    let queued = store.create_runs(&[new_run("later", None)]).unwrap().remove(0);
    std::fs::create_dir_all(here.store().join(".new/0009-x")).unwrap();
    let mut runner = here.command(&["runner", "serve"]).spawn().unwrap();
    workplace::wait_for("the runner", || here.json(&["runner", "status", "--json"])["running"] == true);
    here.finetop(&["doctor", "--fix"]).exited(1).says(&["nothing was mended", "finetop runner stop"]);
    assert!(std::fs::read(run.join("events.jsonl")).unwrap().ends_with(b"{\"seq\":"));
    here.finetop(&["runner", "stop", "--now"]).succeeded();
    runner.wait().unwrap();

    let fixed = here.finetop(&["doctor", "--fix"]).succeeded().stdout;
    assert!(fixed.ends_with("all of it is mended\n"), "{fixed}");
    assert_eq!(here.finetop(&["doctor"]).succeeded().stdout, "nothing is wrong\n");
    assert_eq!(here.json(&["show", "1", "--json"])["state"], "finished");
    assert!(here.store().join("lost/0007-empty").is_dir());
    assert_eq!(view::load(&queued).status(), finetop::record::state::Status::Paused);
}

/// Not a test: makes three runs in the store that the environment names.
#[test]
#[ignore = "it is the process that another test kills"]
fn makes_three_runs() {
    let Some(store) = std::env::var_os("STORE_OF_THE_KILLED") else { return };
    let store = Store::open(Path::new(&store)).unwrap();
    store.create_runs(&["c", "d", "e"].map(|name| new_run(name, None))).unwrap();
}

/// What a maker leaves that ends at its n-th step by `action`; false when it has no so many steps.
fn made_with_a_fault_at(step: usize, action: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    let names = || store.runs().unwrap().iter().map(RunDir::folder_name).collect::<Vec<_>>();
    store.create_runs(&["a", "b"].map(|name| new_run(name, None))).unwrap();
    let maker = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["makes_three_runs", "--exact", "--ignored", "--nocapture"])
        .env("STORE_OF_THE_KILLED", folder.path())
        .env("FINETOP_FAULT", format!("*:*#{step}={action}"))
        .output()
        .unwrap();
    let was_hit = String::from_utf8_lossy(&maker.stderr).contains("fault: ");
    assert_eq!(maker.status.success(), !was_hit, "{}", String::from_utf8_lossy(&maker.stderr));
    let count = names().len();
    assert!(count == 2 || count == 5, "half of them are there: {:?}", names());
    assert!(was_hit || count == 5);
    assert!(action == "kill" || !was_hit || count == 2, "they were refused, and are there");
    let last = store.create_runs(&[new_run("f", None)]).unwrap().remove(0);
    let after = names();
    assert!(after.len() == 3 || after.len() == 6, "{after:?}");
    assert!(count == 2 || after.len() == 6, "what was there is there: {after:?}");
    assert!([3, 6].contains(&last.id().0), "{last:?}");
    assert!(
        store.runs().unwrap().iter().all(|dir| view::load(dir).life.queued.is_some() && dir.resolved_yaml().is_file())
    );
    let hidden = everything_in(folder.path())
        .into_iter()
        .filter(|path| path.is_dir())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with('.'));
    assert!(action != "kill" || hidden.count() <= 1, "no more than what was being removed");
    was_hit
}

#[test]
#[cfg(debug_assertions)] // without them there are no faults
fn of_new_runs_all_are_there_or_none_wherever_their_maker_is_killed() {
    let steps = (1..).take_while(|&step| made_with_a_fault_at(step, "kill")).count();
    println!("killed at each of {steps} steps");
    assert!(steps > 20, "{steps}");
}

#[test]
#[cfg(debug_assertions)]
fn of_new_runs_none_is_there_wherever_the_disk_fails() {
    let steps =
        (1..).take_while(|&step| made_with_a_fault_at(step, if step % 2 == 0 { "enospc" } else { "short" })).count();
    println!("failed at each of {steps} steps");
    assert!(steps > 20, "{steps}");
}
