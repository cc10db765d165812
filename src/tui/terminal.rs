//! The terminal as the dashboard needs it, and as it was before.
//!
//! Invariants: it is restored exactly once, whoever is first: the end of the loop, a panic in any thread, a signal, the
//! end of the line. From then on no frame is written, and none while it is lent to somebody else. Restoring never waits
//! long for a terminal that takes no bytes, and its errors are nobody's concern.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Mutex, MutexGuard, Once};
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

/// Buttons, moves while one is held, and the wheel as events (modes 1002 and 1006), but not every move of the mouse, which
/// crossterm's command asks for too: over a slow line that is a stream of bytes that nobody looks at.
const MOUSE_ON: &str = "\x1b[?1002h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1002l";

/// The window's title is kept by the terminal meanwhile.
const KEEP_TITLE: &str = "\x1b[22;0t";
const OLD_TITLE: &str = "\x1b[23;0t";

/// Whose the screen is; locked while it is written to.
static SCREEN: Mutex<Screen> = Mutex::new(Screen::GivenBack);
/// Whether the mouse is ours as well.
static MOUSE: AtomicBool = AtomicBool::new(true);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Screen {
    Ours,
    /// Somebody else's for a while, as it was before.
    Lent,
    /// For good.
    GivenBack,
}

fn screen() -> MutexGuard<'static, Screen> {
    SCREEN.lock().unwrap_or_else(|e| e.into_inner())
}

/// A terminal that is restored when it is dropped.
pub struct Guard(());

impl Guard {
    /// Makes the terminal ready: no echo, a screen of our own, paste and, where wanted, the mouse as events.
    pub fn open(mouse: bool) -> io::Result<Guard> {
        MOUSE.store(mouse, Ordering::Relaxed);
        *screen() = Screen::Lent;
        let guard = Guard(());
        take()?;
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Makes the terminal as it was before, for a while: for an editor, or a shell.
pub fn lend() -> io::Result<()> {
    let mut screen = screen();
    if *screen == Screen::Ours {
        write_all(&off()?)?;
        disable_raw_mode()?;
        *screen = Screen::Lent;
    }
    Ok(())
}

/// Makes the terminal ready again, also where somebody changed it behind our back; the next frame has to be a whole one.
pub fn take() -> io::Result<()> {
    let mut screen = screen();
    if *screen == Screen::GivenBack {
        return Ok(());
    }
    // What is raw already would be left as it is, whatever a shell did to it meanwhile.
    disable_raw_mode()?;
    enable_raw_mode()?;
    write_all(&on(*screen == Screen::Lent)?)?;
    *screen = Screen::Ours;
    Ok(())
}

/// Lets another program have the terminal while `work` goes on.
pub fn lent<T>(work: impl FnOnce() -> T) -> T {
    let _ = lend();
    let done = work();
    let _ = take();
    done
}

/// Whether another program has the terminal, and is who Ctrl-C is for.
pub fn is_lent() -> bool {
    *screen() == Screen::Lent
}

fn on(keep_title: bool) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    queue!(bytes, Print(if keep_title { KEEP_TITLE } else { "" }), EnterAlternateScreen, Hide)?;
    queue!(bytes, Print(if MOUSE.load(Ordering::Relaxed) { MOUSE_ON } else { "" }), EnableBracketedPaste)?;
    Ok(bytes)
}

fn off() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    queue!(bytes, EndSynchronizedUpdate, DisableBracketedPaste, Print(MOUSE_OFF), Print(OLD_TITLE))?;
    queue!(bytes, ResetColor, SetAttribute(Attribute::Reset), LeaveAlternateScreen, Show)?;
    Ok(bytes)
}

/// Makes the terminal as it was before, for good. Later calls wait for the first and do nothing.
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

/// Past the locks of `stdout`, which a writer that is stuck may hold.
fn write_all_off() -> io::Result<()> {
    let bytes = off()?;
    let mut screen = screen();
    let was = std::mem::replace(&mut *screen, Screen::GivenBack);
    if was == Screen::Ours { write_all(&bytes) } else { Ok(()) }
}

/// Writes a frame, unless the screen is not ours any more: a panic elsewhere must not be drawn over.
pub fn write_frame(frame: &[u8]) -> io::Result<()> {
    let screen = screen();
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
