use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::base::durable;
use crate::record::life::{Cause, ExecutorKind, Exited, LifeEvent, Outcome};
use crate::record::{NewRun, RunDir, Writer, summary};

const MASK: u32 = 0o077;

/// A store with runs `0001-a` to `0003-a`: finished, live and queued; nothing is wrong in it.
fn store() -> (tempfile::TempDir, Store, Vec<RunDir>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("runs")).unwrap();
    let life =
        LifeEvent::Queued { name: "a".into(), priority: 0, group: None, after: Vec::new(), needs: Default::default() };
    let run = NewRun { name: "a".into(), experiment: "x".into(), resolved: "y".into(), life: vec![life] };
    let dirs = store.create_runs(&vec![run; 3]).unwrap();
    let (outcome, cause) = (Outcome::Finished, Cause::Completed);
    append(
        &dirs[0],
        LifeEvent::Exited(Exited { attempt: 1, outcome, cause, exit_code: None, signal: None, message: None }),
    );
    summary::save(&dirs[0]).unwrap();
    let executor = ExecutorKind::Local;
    append(
        &dirs[1],
        LifeEvent::Started { attempt: 1, executor, process: None, job_id: None, host: "here".into(), gpu: None },
    );
    close(store.root());
    (folder, store, dirs)
}

/// As files are under the umask that finetop has.
fn close(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let is_dir = entry.file_type().unwrap().is_dir();
        chmod(&entry.path(), if is_dir { 0o700 } else { 0o600 });
        if is_dir {
            close(&entry.path());
        }
    }
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn append(dir: &RunDir, event: LifeEvent) {
    Writer::open(&dir.run_log()).unwrap().write(event).unwrap();
}

fn tear(path: &Path) {
    fs::write(path, [fs::read(path).unwrap_or_default(), b"{\"seq\":9,".to_vec()].concat()).unwrap();
    chmod(path, 0o600);
}

/// What is found, with places relative to the store.
fn found(store: &Store) -> Vec<(String, Fault)> {
    let relative =
        |finding: Finding| (finding.place.strip_prefix(store.root()).unwrap().display().to_string(), finding.fault);
    checkup(store, MASK).unwrap().into_iter().map(relative).collect()
}

/// Mends all; what is left.
fn mended(store: &Store) -> Vec<(String, Fault)> {
    for finding in checkup(store, MASK).unwrap() {
        let mends = finding.mend(store, MASK).unwrap_or_else(|error| panic!("{finding:?}: {error}"));
        assert_eq!(mends, finding.fault.remedy().is_some(), "{finding:?}");
    }
    found(store)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A number that no process has.
fn dead() -> i32 {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    i32::try_from(child.id()).unwrap()
}

#[test]
fn a_store_that_is_well_has_no_findings_and_looking_changes_nothing() {
    let (_folder, store, _) = store();
    let before = names(store.root());
    assert_eq!(found(&store), []);
    assert_eq!(names(store.root()), before);
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(found(&Store::open(empty.path()).unwrap()), []);
    assert_eq!(names(empty.path()), [""; 0]);
}

#[test]
fn torn_logs_are_cut_and_summaries_made_again() {
    let (_folder, store, dirs) = store();
    tear(&dirs[0].run_log());
    tear(&dirs[0].events());
    tear(&dirs[2].run_log());
    let torn = Fault::TornTail { bytes: 9 };
    let place = |name: &str| name.to_owned();
    assert_eq!(
        found(&store),
        [
            (place("0001-a/run.jsonl"), torn.clone()),
            (place("0001-a/events.jsonl"), torn.clone()),
            (place("0001-a/summary.json"), Fault::StaleSummary),
            (place("0003-a/run.jsonl"), torn),
        ]
    );
    for finding in checkup(&store, MASK).unwrap() {
        finding.mend(&store, MASK).unwrap();
    }
    close(store.root());
    assert_eq!(found(&store), []);
    assert!(fs::read(dirs[2].run_log()).unwrap().ends_with(b"}\n"));
    assert!(summary::load_row(&dirs[0]).is_some());
}

#[test]
fn what_dead_processes_left_is_removed_and_what_live_ones_write_is_not() {
    let (_folder, store, dirs) = store();
    let (dead, alive) = (dead(), std::process::id());
    for (pid, count) in [(alive, 0), (u32::try_from(dead).unwrap(), 4)] {
        fs::create_dir(store.root().join(format!(".0009-gone.{pid}.tmp"))).unwrap();
        for path in [
            store.root().join(format!("..next_id.{pid}.tmp")),
            dirs[0].path().join(format!(".summary.json.{pid}.tmp")),
            dirs[2].path().join(format!(".log.{pid}.tmp")),
        ] {
            fs::write(&path, "").unwrap();
            chmod(&path, 0o600);
        }
        let found = found(&store);
        assert_eq!(found.len(), count, "{found:?}");
        assert!(found.iter().all(|(_, fault)| *fault == Fault::Temporary));
    }
    assert_eq!(mended(&store), []);
    assert_eq!(names(dirs[2].path()).len(), 4, "the live one's is there");
}

#[test]
fn half_made_runs_go_and_whole_ones_come() {
    let (_folder, store, dirs) = store();
    fs::create_dir_all(store.root().join(".new/0004-x")).unwrap();
    fs::create_dir(store.root().join(".0007-old.new")).unwrap();
    fs::create_dir(store.root().join(".0003.adding")).unwrap();
    fs::rename(dirs[2].path(), store.root().join(".0003.adding/0003-a")).unwrap();
    {
        let _maker = store.lock_numbers().unwrap();
        assert_eq!(found(&store), [], "somebody is at it");
    }
    let faults: Vec<Fault> = found(&store).into_iter().map(|(_, fault)| fault).collect();
    assert_eq!(faults, [Fault::OnTheirWay, Fault::HalfMade, Fault::HalfMade]);
    assert_eq!(mended(&store), []);
    assert_eq!(store.runs().unwrap().len(), 3);
    assert!(names(store.root()).iter().all(|name| !name.ends_with(".new") && !name.ends_with(".adding")));
}

#[test]
fn folders_without_a_life_are_put_aside_and_numbers_told_apart() {
    let (_folder, store, dirs) = store();
    let orphan = store.root().join("0002-orphan/checkpoints");
    fs::create_dir_all(&orphan).unwrap();
    fs::write(orphan.join("last.safetensors"), "x").unwrap();
    let copy = store.root().join("0003-copy");
    fs::create_dir(&copy).unwrap();
    fs::copy(dirs[2].run_log(), copy.join("run.jsonl")).unwrap();
    fs::write(store.next_id(), "2\n").unwrap();
    close(store.root());
    assert_eq!(
        found(&store),
        [
            (".next_id".to_owned(), Fault::Counter),
            ("0002-orphan".to_owned(), Fault::NoLife),
            ("0003-copy".to_owned(), Fault::SameNumber),
        ]
    );
    mended(&store);
    close(store.root());
    assert_eq!(found(&store), []);
    assert!(store.root().join("lost/0002-orphan/checkpoints/last.safetensors").is_file());
    assert_eq!(store.find("4").unwrap().folder_name(), "0004-copy");
    assert_eq!(fs::read_to_string(store.next_id()).unwrap(), "5\n");
}

#[test]
fn modes_are_as_the_umask_asks() {
    let (_folder, store, dirs) = store();
    chmod(store.root(), 0o755);
    chmod(dirs[0].path(), 0o755);
    chmod(&dirs[0].run_log(), 0o644);
    chmod(&dirs[0].resolved_yaml(), 0o660);
    chmod(&store.next_id(), 0o200);
    let place = |name: &str| name.to_owned();
    let expected = [
        (place(".next_id"), Fault::Locked { mode: 0o200 }),
        (place("0001-a"), Fault::TooOpen { mode: 0o755 }),
        (place("0001-a/resolved.yaml"), Fault::TooOpen { mode: 0o660 }),
        (place("0001-a/run.jsonl"), Fault::TooOpen { mode: 0o644 }),
    ];
    let found = found(&store);
    // Root reads what has no permission to be read; others do not learn the number then.
    assert!(expected.iter().all(|finding| found.contains(finding)), "{found:?}");
    assert!(checkup(&store, 0o007).unwrap().iter().all(|finding| !finding.place.ends_with("resolved.yaml")));
    assert_eq!(mended(&store), []);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(dirs[0].path()), mode(&dirs[0].run_log()), mode(&store.next_id())), (0o700, 0o600, 0o600));
    assert_eq!(mode(store.root()), 0o755, "that of the store itself is its owner's affair");
}

#[test]
fn links_are_said_and_left_to_a_person() {
    let (folder, store, dirs) = store();
    let outside = folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "mine").unwrap();
    symlink(&outside, dirs[0].checkpoints()).unwrap();
    symlink(outside.join("file"), dirs[2].events()).unwrap();
    symlink(&outside, store.root().join("0009-link")).unwrap();
    symlink(outside.join("file"), store.runner_log()).unwrap();
    fs::write(store.root().join("0008-file"), "").unwrap();
    fs::write(store.next_id(), "10\n").unwrap();
    chmod(&outside.join("file"), 0o666);
    let left = found(&store);
    let places: Vec<&str> = left.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["0008-file", "0009-link", "runner.log", "0001-a/checkpoints", "0003-a/events.jsonl"]);
    assert_eq!(mended(&store), left);
    assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "mine");
    assert_eq!(fs::metadata(outside.join("file")).unwrap().permissions().mode() & 0o777, 0o666);
}

#[test]
fn a_run_with_a_worker_is_not_touched() {
    let (_folder, store, dirs) = store();
    tear(&dirs[1].run_log());
    tear(&dirs[1].events());
    chmod(dirs[1].path(), 0o755);
    fs::write(dirs[1].path().join(format!(".x.{}.tmp", dead())), "").unwrap();
    let before = fs::read(dirs[1].run_log()).unwrap();
    assert_eq!(found(&store), []);
    assert_eq!(mended(&store), []);
    assert_eq!(fs::read(dirs[1].run_log()).unwrap(), before);
    durable::refuse_link(dirs[1].path()).unwrap();
}
