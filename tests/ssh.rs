//! Over a real ssh connection to a server on the loopback address. On a machine without `sshd` it says that it was
//! skipped; with `FINETOP_REQUIRE_REAL=1` a missing one is a failure.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod terminal;
mod workplace;

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard};

use finetop::base::clock::Stopwatch;
use terminal::Terminal;
use workplace::{PROGRAM, Workplace, skip, tiny_text, wait_for};

/// One server at a time: a free port that was found is free only until somebody else finds it.
static ONE: Mutex<()> = Mutex::new(());

/// An ssh server of this test alone.
struct Server {
    _alone: MutexGuard<'static, ()>,
    folder: PathBuf,
    port: u16,
    sshd: Child,
}

impl Server {
    /// Starts it, or says why not.
    fn start(folder: &Path) -> Option<Server> {
        let sshd =
            ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"].iter().find(|path| Path::new(path).exists());
        let client = Command::new("ssh").arg("-V").output().is_ok();
        let (Some(sshd), true) = (sshd, client) else {
            skip("sshd or ssh is not installed");
            return None;
        };
        let _alone = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let folder = folder.join("ssh");
        std::fs::create_dir(&folder).unwrap();
        for key in ["host", "user"] {
            let made =
                Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(folder.join(key)).status();
            assert!(made.unwrap().success());
        }
        std::fs::copy(folder.join("user.pub"), folder.join("authorized_keys")).unwrap();
        let _ = std::fs::create_dir_all("/run/sshd");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {0}/host\nAuthorizedKeysFile {0}/authorized_keys\nPidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\n",
            folder.display()
        );
        std::fs::write(folder.join("sshd_config"), config).unwrap();
        let log = std::fs::File::create(folder.join("sshd.log")).unwrap();
        let sshd = Command::new(sshd)
            .arg("-D")
            .arg("-e")
            .arg("-f")
            .arg(folder.join("sshd_config"))
            .stdin(Stdio::null())
            .stderr(log)
            .spawn();
        let mut server = Server { _alone, folder, port, sshd: sshd.unwrap() };
        wait_for("the ssh server", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        assert!(server.sshd.try_wait().unwrap().is_none(), "the server that answers is another one");
        Some(server)
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments: Vec<String> =
            ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "BatchMode=yes"]
                .iter()
                .flat_map(|option| ["-o".to_owned(), (*option).to_owned()])
                .collect();
        arguments.extend([
            "-p".into(),
            self.port.to_string(),
            "-i".into(),
            self.folder.join("user").display().to_string(),
        ]);
        arguments
    }
}

impl Server {
    /// Kills the server's side of every connection: what `sshd` started that is `sshd` too, and not the shells in it.
    fn kill_sessions(&self) {
        let mut family = vec![self.sshd.id()];
        let mut at = 0;
        while let Some(&parent) = family.get(at) {
            family.extend(children(parent).into_iter().filter(|&child| is_sshd(child)));
            at += 1;
        }
        assert!(family.len() > 1, "a connection has a process");
        for &session in &family[1..] {
            let session = rustix::process::Pid::from_raw(session as i32).unwrap();
            let _ = rustix::process::kill_process(session, rustix::process::Signal::KILL);
        }
    }
}

fn children(parent: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    children.split_whitespace().filter_map(|child| child.parse().ok()).collect()
}

fn is_sshd(process: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|name| name.starts_with("sshd"))
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.sshd.kill();
        let _ = self.sshd.wait();
    }
}

fn remote(here: &Workplace, command: &str) -> String {
    format!("cd {} && FINETOP_STORE={} {PROGRAM} {command}", here.folder().display(), here.store().display())
}

#[test]
fn add_over_ssh_returns_and_the_run_goes_on() {
    let here = Workplace::with_pictures();
    let Some(server) = Server::start(here.folder()) else { return };
    here.experiment("remote", 8);
    let added = Command::new("ssh")
        .args(server.arguments())
        .args(["127.0.0.1", &remote(&here, "add remote.yaml")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let shown = here.json(&["show", "1", "--json"]);
    assert_ne!(shown["state"], "finished", "ssh came back before the run's end");
    drop(server);
    here.finetop(&["wait", "1"]).succeeded();
}

#[test]
fn a_cut_connection_ends_the_dashboard_and_not_the_run() {
    let here = Workplace::with_pictures();
    let Some(server) = Server::start(here.folder()) else { return };
    here.experiment("remote", 8);
    let mut arguments = server.arguments();
    arguments.extend(["-tt".into(), "127.0.0.1".into(), remote(&here, "remote.yaml")]);
    let mut connection = Terminal::start("ssh", &arguments, (100, 30), here.folder(), &[]);
    connection.wait_for_text("remote");
    let dashboards = || dashboards_in(here.folder());
    wait_for("one dashboard", || dashboards().len() == 1);
    // The client dies as a closed laptop does: without a word.
    let client = rustix::process::Pid::from_raw(connection.process_id() as i32).unwrap();
    rustix::process::kill_process(client, rustix::process::Signal::KILL).unwrap();
    connection.wait();
    wait_for("the dashboard's end", || dashboards().is_empty());
    here.finetop(&["wait", "1"]).succeeded();
    assert_eq!(here.json(&["show", "1", "--json"])["attempts"], 1);
}

/// Each time a dashboard starts a run over a line of its own, and the server's side of the line is killed under it.
#[test]
fn twenty_cut_lines_leave_no_dashboard_and_every_run_finished() {
    const LINES: u32 = 20;
    let here = Workplace::with_texts();
    let Some(server) = Server::start(here.folder()) else { return };
    let (before, mut lived) = (Stopwatch::start(), 0);
    for line in 1..=LINES {
        let name = format!("line{line}");
        here.write(&format!("{name}.yaml"), tiny_text(&name, 200));
        let mut arguments = server.arguments();
        arguments.extend(["-tt".into(), "127.0.0.1".into(), remote(&here, &format!("{name}.yaml"))]);
        let mut connection = Terminal::start("ssh", &arguments, (100, 30), here.folder(), &[]);
        connection.wait_for_text(&name);
        wait_for("the dashboard", || dashboards_in(here.folder()).len() == 1);
        let is_live = here.json(&["show", &line.to_string(), "--json"])["ended"].is_null();
        lived += u32::from(is_live);
        let cut = Stopwatch::start();
        server.kill_sessions();
        wait_for("the dashboard's end", || dashboards_in(here.folder()).is_empty());
        assert!(cut.seconds() < 1.0, "line {line}: the dashboard was there for {} s", cut.seconds());
        connection.wait();
    }
    assert!(lived >= LINES / 2, "only {lived} runs lived when their line was cut");
    here.finetop(&["wait", "--all"]).succeeded();
    let runs = here.json(&["ls", "--json"]);
    let runs = runs.as_array().unwrap();
    assert_eq!(runs.len(), LINES as usize);
    assert!(runs.iter().all(|run| run["state"] == "finished" && run["attempts"] == 1), "{runs:?}");
    let (runner, used) = the_runner(&here);
    // It served twenty dashboards and ran twenty workers meanwhile.
    assert!(used < 0.05 * before.seconds(), "the runner used {used} s of {} s", before.seconds());
    assert_at_rest(&here, runner);
}

/// The runner's process, which is the only one that is left, and the CPU seconds that it has used.
fn the_runner(here: &Workplace) -> (u32, f64) {
    wait_for("nobody but the runner", || processes_in(here.folder()).len() == 1);
    let (process, line) = processes_in(here.folder()).pop().unwrap();
    assert!(line.contains("runner"), "{line}");
    (process, cpu_seconds(process))
}

/// Over two seconds by the kernel's clock it uses less than a hundredth of a core.
fn assert_at_rest(here: &Workplace, runner: u32) {
    const WINDOW: f64 = 2.0;
    let (watch, before) = (Stopwatch::start(), cpu_seconds(runner));
    wait_for("a window of rest", || watch.seconds() >= WINDOW);
    let used = cpu_seconds(runner) - before;
    assert!(used <= 0.01 * watch.seconds(), "the runner used {used} s of {} s", watch.seconds());
    assert_eq!(processes_in(here.folder()).len(), 1, "and nobody else is there");
}

/// Seconds that a process has computed (fields 14 and 15 of `/proc/PID/stat`, in hundredths).
fn cpu_seconds(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11..=12].iter().map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// Processes of this program in `folder` that are neither runner nor worker.
fn dashboards_in(folder: &Path) -> Vec<String> {
    let lines = processes_in(folder).into_iter().map(|(_, line)| line);
    lines.filter(|line| !line.contains("runner") && !line.contains("worker")).collect()
}

/// All processes of this program in `folder` and below, with their command lines.
fn processes_in(folder: &Path) -> Vec<(u32, String)> {
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok());
    let of_us = entries.filter_map(|entry| {
        let process = entry.file_name().to_str()?.parse().ok()?;
        let cwd = std::fs::read_link(entry.path().join("cwd")).ok()?;
        let line = String::from_utf8_lossy(&std::fs::read(entry.path().join("cmdline")).ok()?).replace('\0', " ");
        (cwd.starts_with(folder) && line.starts_with(PROGRAM)).then_some((process, line))
    });
    of_us.collect()
}
