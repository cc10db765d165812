//! What ends the dashboard from outside: signals, a panic in any thread, the end of the line.
//!
//! Invariant: each has a thread of its own that waits and does nothing else, so that no state of the loop, and no terminal
//! that takes no bytes, can keep a dashboard alive that nobody sees.

use std::io;
use std::panic;

use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

use super::terminal::{is_lent, restore};

/// Exit code after a panic, as Rust's own.
const PANICKED: i32 = 101;

/// Watches until the program's end.
pub fn watch() -> io::Result<()> {
    on_signals()?;
    on_panic();
    std::thread::spawn(on_hang_up);
    Ok(())
}

fn on_signals() -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    std::thread::spawn(move || {
        // Ctrl-C in an editor is the editor's.
        let is_ours = |signal: &i32| *signal != SIGINT || !is_lent();
        if let Some(signal) = signals.forever().find(is_ours) {
            restore();
            let _ = low_level::emulate_default_handler(signal);
            low_level::exit(128 + signal);
        }
    });
    Ok(())
}

/// The message would be lost in the screen, and a dashboard without one of its threads is none.
fn on_panic() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        restore();
        print(info);
        low_level::exit(PANICKED);
    }));
}

/// A terminal that is gone says so once, also to a program that ignores SIGHUP.
fn on_hang_up() {
    loop {
        let stdin = rustix::stdio::stdin();
        let mut terminal = [PollFd::new(&stdin, PollFlags::empty())];
        match poll(&mut terminal, None) {
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
            Ok(_) => break,
        }
    }
    restore();
    low_level::exit(128 + SIGHUP);
}
