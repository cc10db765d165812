//! An ssh server on the loopback address. On a machine without `sshd` a test says that it was skipped; with
//! `FINETOP_REQUIRE_REAL=1` a missing one is a failure.

#![allow(dead_code)] // every test binary uses another part

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard};

use crate::workplace::{PROGRAM, Workplace, skip, wait_for};

/// One server at a time: a free port that was found is free only until somebody else finds it.
static ONE: Mutex<()> = Mutex::new(());

/// An ssh server of this test alone.
pub struct Server {
    _alone: MutexGuard<'static, ()>,
    folder: PathBuf,
    pub port: u16,
    sshd: Child,
}

impl Server {
    /// Starts it, or says why not.
    pub fn start(folder: &Path) -> Option<Server> {
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

    /// What `ssh` needs to come in.
    pub fn arguments(&self) -> Vec<String> {
        self.arguments_by(self.port)
    }

    /// What `ssh` needs to come in by another port that leads here.
    pub fn arguments_by(&self, port: u16) -> Vec<String> {
        let mut arguments: Vec<String> =
            ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "BatchMode=yes"]
                .iter()
                .flat_map(|option| ["-o".to_owned(), (*option).to_owned()])
                .collect();
        arguments.extend(["-p".into(), port.to_string(), "-i".into(), self.folder.join("user").display().to_string()]);
        arguments
    }
}

impl Server {
    /// Kills the server's side of every connection: what `sshd` started that is `sshd` too, and not the shells in it.
    pub fn kill_sessions(&self) {
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

/// `command` of the program in a workplace, as a shell over there takes it.
pub fn remote(here: &Workplace, command: &str) -> String {
    format!(
        "cd {} && FINETOP_STORE={} LC_ALL=C.UTF-8 {PROGRAM} {command}",
        here.folder().display(),
        here.store().display()
    )
}
