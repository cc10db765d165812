use crate::runner::daemon::Daemon;
use crate::runner::protocol::{Refusal, Response};

impl Daemon {
    /// Changes how many runs may be live at once; those that are live stay so.
    pub(super) fn slots(&mut self, slots: usize) -> Response {
        if slots == 0 {
            return Response::Refused(Refusal::new(
                "there must be at least one slot",
                "`finetop pause` keeps runs back",
            ));
        }
        self.queue.set_slots(slots);
        Response::Agreed
    }
}
