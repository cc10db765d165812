//! Waits for the end of a process that is no child of ours.
//!
//! Invariant: only the identity counts; what the kernel tells through a pidfd is a reason to look at once.

use std::time::Duration;

use super::process;
use crate::record::life::ProcessId;

/// How often to look where the kernel does not tell.
const LOOK: Duration = Duration::from_millis(200);

/// Waits until `process` has ended. May be given up and called again.
pub async fn ended(process: &ProcessId) {
    #[cfg(target_os = "linux")]
    if let Some(watched) = watch(process)
        && process::is_alive(process)
    {
        // Opened before that look, it is of this very process and no later one.
        let _ = watched.readable().await;
    }
    while process::is_alive(process) {
        tokio::time::sleep(LOOK).await;
    }
}

/// Readable when the process has ended; None on kernels before 5.3, or where none with that pid lives.
#[cfg(target_os = "linux")]
fn watch(process: &ProcessId) -> Option<tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>> {
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    let pidfd = pidfd_open(Pid::from_raw(process.pid)?, PidfdFlags::empty()).ok()?;
    // SAFETY: an `OwnedFd` is open, and stays the same until it is dropped with the `AsyncFd` that owns it.
    unsafe { tokio::io::unix::AsyncFd::register_with_interest(pidfd, tokio::io::Interest::READABLE) }.ok()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::base::clock::Stopwatch;

    #[tokio::test]
    async fn an_end_is_noticed_at_once_and_a_strangers_never_waited_for() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let process = process::identify(child.id() as i32).unwrap();
        let stranger = ProcessId { start_ticks: process.start_ticks + 1, ..process.clone() };
        ended(&stranger).await;
        let mut waiting = tokio::spawn(async move { ended(&process).await });
        let early = tokio::time::timeout(Duration::from_millis(300), &mut waiting).await;
        assert!(early.is_err(), "it lives");
        child.kill().unwrap();
        let watch = Stopwatch::start();
        waiting.await.unwrap();
        assert!(watch.elapsed() < Duration::from_secs(20));
        child.wait().unwrap();
    }
}
