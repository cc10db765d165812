//! Faults for one thread of a test.

use std::cell::RefCell;

use super::{Action, Asked};

thread_local! {
    static THREAD: RefCell<Asked> = RefCell::default();
}

/// Runs `act` with `faults`, written as in the environment, for this thread alone.
pub fn on_this_thread<T>(faults: &str, act: impl FnOnce() -> T) -> T {
    THREAD.set(Asked::parse(faults).unwrap_or_else(|| panic!("{faults} is not understood")));
    let done = act();
    THREAD.take();
    done
}

pub fn asked(point: &str) -> Option<Action> {
    THREAD.with_borrow(|asked| asked.at(point, None))
}
