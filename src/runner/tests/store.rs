//! Stores that are damaged, full or read-only, and numbers that are never given again.

use std::process::Command;

use super::*;

#[test]
fn a_number_is_never_given_again_and_a_live_run_never_removed_unasked() {
    let bench = Bench::new(Settings::script("case $run in *-live) until_told ;; esac; finish"));
    let dir = bench.add(&["x"]).remove(0);
    wait_over(&dir);
    let rm = |dir: &RunDir, force| bench.answer(Request::Rm { ids: vec![dir.id()], force });
    assert_eq!(rm(&dir, false), Ok(Done::Removed));
    assert!(!dir.path().exists());
    let live = bench.add(&["live"]).remove(0);
    assert_eq!(live.id(), RunId(2));
    let worker = process::identify(wait_started(&live)).unwrap();
    assert!(rm(&live, false).unwrap_err().hint.unwrap().contains("--force"));
    assert!(live.path().exists());
    assert_eq!(rm(&live, true), Ok(Done::Removing));
    wait_for("its folder is gone", || (!live.path().exists()).then_some(()));
    assert!(!process::is_alive(&worker));
    bench.kill_runner();
    assert_eq!(bench.add(&["z"])[0].id(), RunId(3));
    assert!(rm(&RunDir::new(bench.store.root(), RunId(2), "live"), false).is_err());
}

#[test]
fn several_runs_are_answered_one_by_one() {
    let bench = Bench::new(Settings::script("until_told; finish"));
    let dirs = bench.add(&["live", "a", "b"]);
    wait_started(&dirs[0]);
    let ids = vec![dirs[1].id(), RunId(9), dirs[2].id(), dirs[1].id()];
    let Response::Answers { answers } = bench.ask(Request::Cancel { ids }) else { panic!("no answers") };
    let fine: Vec<(u32, bool)> = answers.iter().map(|Answer { id, result }| (id.0, result.is_ok())).collect();
    assert_eq!(fine, [(2, true), (9, false), (3, true)]);
}

#[test]
fn experiments_are_queued_all_or_none() {
    let bench = Bench::new(Settings::script("finish"));
    let mut experiments = experiments(&["good", "bad"]);
    experiments[1].name = "../bad".into();
    let add = Add { experiments, priority: 0, group: None, after: Vec::new(), paused: false };
    let Response::Refused(refusal) = bench.ask(Request::Add(add)) else { panic!("it was taken") };
    assert_eq!(refusal.error, "`../bad` cannot be the name of a run");
    assert!(bench.store.runs().unwrap().is_empty());
}

#[test]
fn damaged_runs_are_left_aside() {
    let bench = Bench::new(Settings::script("finish"));
    let make = |name: &str| {
        let path = bench.store.root().join(name);
        fs::create_dir(&path).unwrap();
        path
    };
    make("0001-empty");
    fs::write(make("0002-garbage").join("run.jsonl"), b"\0\xff{\n[]\n{\"seq\":0}\n").unwrap();
    fs::create_dir(make("0003-odd").join("run.jsonl")).unwrap();
    let queued = "{\"seq\":0,\"time\":\"2025-11-25T04:41:07.120Z\",\"type\":\"queued\",\"name\":\"odd\",\"priority\":0,\"group\":null}\n";
    let odd_log = make("0004-odd-log");
    fs::write(odd_log.join("run.jsonl"), queued).unwrap();
    fs::create_dir(odd_log.join("log.txt")).unwrap();
    let good = &bench.add(&["good"])[0];
    assert_eq!((good.id(), wait_over(good).status()), (RunId(5), Status::Finished));
    let odd = RunDir::at(&odd_log).unwrap();
    assert_eq!(wait_over(&odd).cause(), Some(crate::record::life::Cause::Start));
    let log = fs::read_to_string(bench.store.runner_log()).unwrap();
    assert!(log.contains("0002-garbage has no readable run.jsonl"), "{log}");
}

/// A file system of `options` for one test; None, and a word about it, where this user may not mount one.
fn mounted(options: &str) -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", options, "none"]).arg(folder.path()).output();
    if mount.is_ok_and(|output| output.status.success()) {
        return Some(folder);
    }
    assert!(std::env::var_os("FINETOP_REQUIRE_REAL").is_none(), "mounting a tmpfs is required here");
    println!("skipped: this user may not mount a tmpfs");
    None
}

struct Unmount(PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn on_a_full_disk_nothing_is_half_made_and_the_message_says_so() {
    let Some(folder) = mounted("size=256k") else { return };
    let _unmount = Unmount(folder.path().to_owned());
    let store = Store::create(&folder.path().join("runs")).unwrap();
    fs::write(folder.path().join("settings.json"), serde_json::to_vec(&Settings::script("finish")).unwrap()).unwrap();
    let bench = Bench { folder, store };
    assert_eq!(wait_over(&bench.add(&["fits"])[0]).status(), Status::Finished);
    let mut experiments = experiments(&["small", "big"]);
    experiments[1].text = "x".repeat(400_000);
    let add = Add { experiments, priority: 0, group: None, after: Vec::new(), paused: false };
    let Response::Refused(refusal) = bench.ask(Request::Add(add)) else { panic!("it was taken") };
    assert!(refusal.hint.unwrap().contains("the disk is full"), "{}", refusal.error);
    let names: Vec<_> = fs::read_dir(bench.store.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("small")), "{names:?}");
    assert_eq!(wait_over(&bench.add(&["fits-again"])[0]).status(), Status::Finished, "the runner goes on");
    let fresh = Store::create(&bench.folder.path().join("fresh")).unwrap();
    let filled = fs::write(bench.folder.path().join("filler"), vec![0; 400_000]).unwrap_err();
    assert_eq!(filled.kind(), std::io::ErrorKind::StorageFull);
    let add =
        Add { experiments: super::experiments(&["x"]), priority: 0, group: None, after: Vec::new(), paused: false };
    let Response::Refused(refusal) = bench.ask(Request::Add(add)) else { panic!("it was taken") };
    assert!(refusal.hint.unwrap().contains("the disk is full"), "{}", refusal.error);
    let refused = Store::create(&bench.folder.path().join("fresher")).unwrap_err();
    assert!(refused.hint().unwrap().contains("the disk is full"), "{refused}");
    let error = Client::connect_or_start(&fresh, &bench.start_options()).unwrap_err();
    assert!(error.hint().unwrap().contains("the disk is full"), "{error}");
}

#[test]
fn a_read_only_store_is_refused_with_a_hint() {
    let Some(folder) = mounted("size=1m") else { return };
    let _unmount = Unmount(folder.path().to_owned());
    let store = Store::create(&folder.path().join("runs")).unwrap();
    fs::write(folder.path().join("settings.json"), serde_json::to_vec(&Settings::script("finish")).unwrap()).unwrap();
    assert!(Command::new("mount").args(["-o", "remount,ro"]).arg(folder.path()).status().unwrap().success());
    let bench = Bench { folder, store };
    let error = Client::connect_or_start(&bench.store, &bench.start_options()).unwrap_err();
    assert!(error.hint().unwrap().contains("read-only"), "{error}");
}
