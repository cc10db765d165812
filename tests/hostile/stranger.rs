//! Another user of the machine: neither the files of a store nor its runner are theirs. Needs root, to become another user.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

use finetop::record::Store;
use finetop::runner::lock;

use crate::workplace::{Workplace, copy_program, skip, tiny_text};

/// `nobody` of every system.
const NOBODY: u32 = 65534;

/// Whether `command` succeeds as another user.
fn as_nobody(command: &mut Command) -> (bool, String) {
    let output = command.uid(NOBODY).gid(NOBODY).current_dir("/").output().expect("the command starts");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn another_user_reads_no_store_and_speaks_to_no_runner() {
    if !rustix::process::getuid().is_root() {
        return skip("only root can be another user");
    }
    let here = Workplace::with_texts();
    // What keeps others out must be the store's own doing.
    std::fs::set_permissions(here.folder(), PermissionsExt::from_mode(0o755)).unwrap();
    here.write("secret.yaml", tiny_text("secret", 2));
    here.finetop(&["add", "secret.yaml"]).succeeded();
    here.finetop(&["wait", "1"]).succeeded();
    let run = here.run_folder(1);
    assert!(as_nobody(Command::new("cat").arg(here.path("secret.yaml"))).0, "others get as far as the store");

    for name in ["run.jsonl", "events.jsonl", "log.txt", "resolved.yaml", "experiment.yaml", "model/model.safetensors"]
    {
        let (read, said) = as_nobody(Command::new("cat").arg(run.join(name)));
        assert!(!read && said.contains("Permission denied"), "{name}: {said}");
    }
    let (listed, said) = as_nobody(Command::new("ls").arg(here.store()));
    assert!(!listed && said.contains("Permission denied"), "{said}");
    let (wrote, _) = as_nobody(Command::new("touch").arg(here.store().join("new")));
    assert!(!wrote);

    let store = Store::open(&here.store()).unwrap();
    let socket = lock::holder(&store).expect("a runner").socket;
    let (found, said) = as_nobody(Command::new("ls").arg(&socket));
    assert!(!found && said.contains("Permission denied"), "{said}");
    // Even with a way to the socket: who speaks is looked at.
    let folder = socket.parent().unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions();
    let (of_folder, of_socket) = (mode(folder), mode(&socket));
    assert_eq!((of_folder.mode() & 0o077, of_socket.mode() & 0o077), (0, 0));
}

/// The other side of the test below, as another user.
#[test]
#[ignore = "run by `a_runner_looks_who_speaks`"]
fn speak_as_another_user() {
    let Some(socket) = std::env::var_os("FINETOP_TEST_SOCKET") else { return };
    let mut stream = UnixStream::connect(socket).expect("the socket is open to all");
    let _ = stream.write_all(b"\"status\"\n");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert_eq!(answer, "", "a stranger is not answered");
}

#[test]
fn a_runner_looks_who_speaks() {
    if !rustix::process::getuid().is_root() {
        return skip("only root can be another user");
    }
    let here = Workplace::with_texts();
    // Its socket's folder is the test's own, so that it can be opened to all.
    let session = here.path("session");
    std::fs::create_dir(&session).unwrap();
    here.write("kept.yaml", tiny_text("kept", 2));
    let added = here.command(&["add", "--paused", "kept.yaml"]).env("XDG_RUNTIME_DIR", &session).output().unwrap();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let store = Store::open(&here.store()).unwrap();
    let socket = lock::holder(&store).expect("a runner").socket;
    assert!(socket.starts_with(&session));
    for path in [here.folder(), &session, socket.parent().unwrap(), &socket] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
    }
    // The test's own program may lie where others cannot go; its file is handed over as a copy.
    let program = here.path("stranger");
    copy_program(&std::env::current_exe().unwrap(), &program);
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let mut stranger = Command::new(&program);
    stranger.args(["--exact", "stranger::speak_as_another_user", "--ignored"]);
    stranger.env("FINETOP_TEST_SOCKET", &socket);
    let output = stranger.uid(NOBODY).gid(NOBODY).current_dir("/").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    std::fs::set_permissions(socket.parent().unwrap(), PermissionsExt::from_mode(0o700)).unwrap();
    assert_eq!(here.json(&["runner", "status", "--json"])["running"], true);
}
