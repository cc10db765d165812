use crate::runner::daemon::Daemon;
use crate::runner::protocol::Response;

impl Daemon {
    /// Ends the runner: when its live runs have ended, or with them stopped at a checkpoint `now`.
    pub(super) fn stop(&mut self, now: bool) -> Response {
        self.stop_runs(now);
        Response::Agreed
    }
}
