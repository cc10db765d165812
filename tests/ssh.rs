//! Over a real ssh connection to a server on the loopback address. On a machine without `sshd` it says that it was
//! skipped; with `FINETOP_REQUIRE_REAL=1` a missing one is a failure.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod terminal;
mod workplace;

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard};

use terminal::Terminal;
use workplace::{PROGRAM, Workplace, skip, wait_for};

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

/// Processes of this program in `folder` that are neither runner nor worker.
fn dashboards_in(folder: &Path) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok());
    processes
        .filter(|process| std::fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == folder))
        .filter_map(|process| std::fs::read(process.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.starts_with(PROGRAM) && !line.contains("runner") && !line.contains("worker"))
        .collect()
}
