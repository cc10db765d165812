use super::*;

#[test]
fn a_file_is_replaced_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    write(&path, b"old").unwrap();
    let failure = write_with(&path, |file| {
        file.write_all(b"half")?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    });
    let failure = failure.unwrap_err();
    assert!(failure.is_full() && failure.hint().unwrap().contains("free some space"));
    assert_eq!(fs::read(&path).unwrap(), b"old");
    write(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
}

#[test]
fn the_file_before_stays_under_its_other_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let put = |content: &'static [u8]| write_keeping(&at("last"), &at("previous"), |file| file.write_all(content));
    put(b"one").unwrap();
    assert!(!at("previous").exists());
    put(b"two").unwrap();
    put(b"three").unwrap();
    let full = |_: &mut dyn Write| Err(io::Error::from(io::ErrorKind::StorageFull));
    assert!(write_keeping(&at("last"), &at("previous"), full).unwrap_err().is_full());
    assert_eq!((fs::read(at("last")).unwrap(), fs::read(at("previous")).unwrap()), (b"three".into(), b"two".into()));

    fs::write(at(".last.7.tmp"), b"half").unwrap();
    fs::write(at(".hidden"), b"").unwrap();
    remove_leftovers(folder.path()).unwrap();
    remove_leftovers(&at("nowhere")).unwrap();
    sync_file(&at("last")).unwrap();
    sync_file(&at("nowhere")).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn links_are_replaced_and_locks_exclude() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("a"), b"a").unwrap();
    fs::write(at("b"), b"b").unwrap();
    for target in ["a", "b"] {
        symlink(Path::new(target), &at("link")).unwrap();
        assert_eq!(fs::read_to_string(at("link")).unwrap(), target);
    }
    copy(&at("link"), &at("c")).unwrap();
    assert!(fs::symlink_metadata(at("c")).unwrap().is_file());
    let held = try_lock(&at("lock")).unwrap();
    assert!(held.is_some() && try_lock(&at("lock")).unwrap().is_none());
    drop(held);
    assert!(try_lock(&at("lock")).unwrap().is_some());
}

#[test]
fn a_folder_is_made_but_not_what_it_is_in() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("0001-a");
    assert!(ensure_dir(&run.join("checkpoints")).is_err() && !run.exists());
    for _ in 0..2 {
        ensure_dir(&run).unwrap();
    }
    assert!(run.is_dir());
}

#[test]
fn removing_a_folder_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("0001-a");
    create_dir(&run).unwrap();
    write(&run.join("x"), b"1").unwrap();
    assert!(create_dir(&run).is_err(), "an id is never taken twice");
    remove_dir_all(&run).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

type Operation = fn(&Path) -> Result<()>;

/// What can be done in a folder that has a file `old`, a log `log` and a folder `doomed`, and in how many steps.
const OPERATIONS: [(&str, usize, Operation); 14] = [
    ("write", 5, |at| write(&at.join("old"), b"new")),
    ("copy", 5, |at| copy(&at.join("log"), &at.join("old"))),
    ("write_keeping", 7, |at| write_keeping(&at.join("old"), &at.join("new"), |file| file.write_all(b"new"))),
    ("create_dir_all", 1, |at| create_dir_all(&at.join("a/b"))),
    ("create_dir", 2, |at| create_dir(&at.join("a"))),
    ("rename", 2, |at| rename(&at.join("old"), &at.join("new"))),
    ("remove_dir_all", 3, |at| remove_dir_all(&at.join("doomed"))),
    ("remove_file", 1, |at| remove_file(&at.join("old"))),
    ("open_log", 1, |at| open_log(&at.join("a")).map(drop)),
    ("symlink", 3, |at| symlink(Path::new("log"), &at.join("old"))),
    ("lock", 2, |at| lock(&at.join("a")).and_then(|mut file| refill(&mut file, &at.join("a"), b"me"))),
    ("append", 3, |at| Appender::open(&at.join("log")).and_then(|mut log| log.append_synced(b"three\n"))),
    ("begin a log", 4, |at| Appender::open(&at.join("a")).and_then(|mut log| log.append_synced(b"one\n"))),
    ("part", 5, |at| {
        let mut part = PartFile::open(&at.join("a"))?;
        part.append(b"all")?;
        part.finish(&at.join("old"))
    }),
];

#[test]
fn every_step_of_every_operation_may_fail() {
    use crate::base::fault::on_this_thread;
    let reasons =
        [("enospc", "full"), ("eio", "dmesg"), ("erofs", "read-only"), ("edquot", "quota"), ("short", "full")];
    for (name, steps, operation) in OPERATIONS {
        for (n, (action, hint)) in (1..=steps).flat_map(|n| reasons.map(|reason| (n, reason))) {
            let folder = tempfile::tempdir().unwrap();
            let at = folder.path();
            fs::write(at.join("old"), "old").unwrap();
            fs::write(at.join("log"), "one\ntwo\n").unwrap();
            fs::create_dir(at.join("doomed")).unwrap();
            let error = on_this_thread(&format!("*:*#{n}={action}"), || operation(at));
            let error = error.expect_err(&format!("{name}: step {n} of {steps}"));
            assert!(error.to_string().contains(&at.display().to_string()), "{error}");
            assert!(error.hint().is_some_and(|said| said.contains(hint)), "{name} {n} {action}: {error}");
            assert_eq!(fs::read_to_string(at.join("log")).unwrap(), "one\ntwo\n", "{name} {n} {action}");
            let old = fs::read_to_string(at.join("old")).or_else(|_| fs::read_to_string(at.join("new")));
            let is_gone = name == "remove_file" || old.as_ref().is_ok_and(|old| !old.is_empty());
            assert!(is_gone, "{name} {n} {action}: {old:?}");
            let names = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let left: Vec<String> = names.filter(|name| name.starts_with('.')).collect();
            assert!(left.is_empty() || name == "remove_dir_all", "{name} {n} {action}: {left:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("old"), "old").unwrap();
        fs::write(folder.path().join("log"), "one\n").unwrap();
        fs::create_dir(folder.path().join("doomed")).unwrap();
        on_this_thread(&format!("*:*#{}=eio", steps + 1), || operation(folder.path())).expect(name);
    }
}
