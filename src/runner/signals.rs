//! The signals that ask a process to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::error::Error;

/// SIGTERM and SIGINT, and SIGHUP where a terminal's end is the process' own.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Taken in any case: by itself it would end the process at once.
    hangup: Signal,
}

impl Signals {
    /// Listens from now on.
    pub fn open() -> Result<Self, Error> {
        let open = |kind| signal(kind).map_err(Error::system("listen for signals"));
        Ok(Signals {
            terminate: open(SignalKind::terminate())?,
            interrupt: open(SignalKind::interrupt())?,
            hangup: open(SignalKind::hangup())?,
        })
    }

    /// Waits until the process is asked to end; a hang-up does not count.
    pub async fn asked_to_end(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Waits until the process is asked to end, or its terminal is gone.
    pub async fn asked_to_end_or_hung_up(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
