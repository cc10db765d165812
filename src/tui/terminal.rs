//! The terminal as the dashboard needs it, and as it was before.
//!
//! Invariants: it is restored exactly once, whoever is first: the end of the loop, a panic in any thread, a signal, the
//! end of the line. From then on no frame is written. Restoring never waits long for a terminal that takes no bytes, and
//! its errors are nobody's concern.

use std::io;
use std::sync::mpsc;
use std::sync::{Mutex, Once};
use std::time::Duration;

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::queue;
use crossterm::style::{Attribute, Print, ResetColor, SetAttribute};
use crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

/// How long a terminal may take for the last few bytes.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Buttons and the wheel as events (modes 1000 and 1006), but not every move of the mouse, which crossterm's command asks
/// for too: over a slow line that is a stream of bytes that nobody looks at.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1000l";

/// Whose the screen is; locked while it is written to.
static SCREEN: Mutex<Screen> = Mutex::new(Screen::Ours);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Screen {
    Ours,
    /// Another program shows itself for a while.
    Lent,
    GivenBack,
}

/// Whether another program has the terminal, and is who Ctrl-C is for.
pub fn is_lent() -> bool {
    *SCREEN.lock().unwrap_or_else(|e| e.into_inner()) == Screen::Lent
}

/// Lets another program have the terminal, as it was before, while `work` goes on. Frames are not written meanwhile.
pub fn lent<T>(work: impl FnOnce() -> T) -> T {
    if switch(Screen::Ours, Screen::Lent, all_off) {
        let _ = disable_raw_mode();
    }
    let done = work();
    // Raw first: what is typed now is for us, and not to be shown.
    if is_lent() && enable_raw_mode().is_ok() {
        switch(Screen::Lent, Screen::Ours, all_on);
    }
    done
}

/// Writes what makes of the one the other; not if somebody else was there first.
fn switch(from: Screen, to: Screen, bytes: fn() -> io::Result<Vec<u8>>) -> bool {
    let mut screen = SCREEN.lock().unwrap_or_else(|e| e.into_inner());
    if *screen != from {
        return false;
    }
    *screen = to;
    bytes().and_then(|bytes| write_all(&bytes)).is_ok()
}

/// A terminal that is restored when it is dropped.
pub struct Guard(());

impl Guard {
    /// Makes the terminal ready: no echo, a screen of our own, mouse and paste as events.
    pub fn open() -> io::Result<Guard> {
        enable_raw_mode()?;
        let guard = Guard(());
        write_all(&all_on()?)?;
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Makes the terminal as it was before. Later calls wait for the first and do nothing.
pub fn restore() {
    static RESTORED: Once = Once::new();
    RESTORED.call_once(|| {
        // What a stalled terminal has not taken yet is of no use any more, and would hold up what follows.
        let _ = rustix::termios::tcflush(io::stdout(), rustix::termios::QueueSelector::OFlush);
        let (done, waiting) = mpsc::channel();
        std::thread::spawn(move || {
            let _ = done.send(write_all_off());
        });
        let _ = waiting.recv_timeout(LAST_WORDS);
        let _ = disable_raw_mode();
    });
}

fn all_on() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    queue!(bytes, EnterAlternateScreen, Hide, Print(MOUSE_ON), EnableBracketedPaste)?;
    Ok(bytes)
}

fn all_off() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    queue!(bytes, EndSynchronizedUpdate, DisableBracketedPaste, Print(MOUSE_OFF))?;
    queue!(bytes, ResetColor, SetAttribute(Attribute::Reset), LeaveAlternateScreen, Show)?;
    Ok(bytes)
}

/// Past the locks of `stdout`, which a writer that is stuck may hold.
fn write_all_off() -> io::Result<()> {
    let bytes = all_off()?;
    let mut screen = SCREEN.lock().unwrap_or_else(|e| e.into_inner());
    *screen = Screen::GivenBack;
    write_all(&bytes)
}

/// Writes a frame, unless the screen is not ours any more: a panic elsewhere must not be drawn over.
pub fn write_frame(frame: &[u8]) -> io::Result<()> {
    let screen = SCREEN.lock().unwrap_or_else(|e| e.into_inner());
    match *screen {
        Screen::Ours => write_all(frame),
        Screen::Lent | Screen::GivenBack => Ok(()),
    }
}

/// Writes past the lock and the buffer of `stdout`.
fn write_all(mut rest: &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        match rustix::io::write(rustix::stdio::stdout(), rest) {
            Ok(written) => rest = &rest[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
