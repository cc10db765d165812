//! Frames on their way to the terminal.
//!
//! Invariants: a thread of its own writes, so that a terminal that takes no bytes holds up nobody else; there is at most
//! one frame on its way, and the next is drawn from the newest state when that one has arrived, the later the longer the
//! terminal took for it. Two buffers take turns, and so do the bytes: no frame allocates what another has had.

mod encode;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::Notify;

use super::app::App;
use super::pacing::{self, Pacing};
use super::picture::hanging::Wall;
use super::terminal::write_frame;
use super::theme::Theme;
use super::view;
use crate::base::clock::Stopwatch;
use crate::base::text::printable;

/// A frame between these is shown at once by the terminals that know them.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
const CLEAR: &[u8] = b"\x1b[2J";
/// Longest time between two frames, however slow the terminal is.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The terminal's screen, as it was written last.
pub struct Output {
    pub theme: Theme,
    shown: Buffer,
    next: Buffer,
    /// The pictures beside its cells.
    wall: Wall,
    /// Whether the terminal was asked what it can do.
    asked: bool,
    /// The window's title as it was written last; None where it is left alone.
    title: Option<String>,
    /// Whether the terminal may show something else than `shown`.
    is_stale: bool,
    /// What goes before the next frame.
    ahead: Vec<u8>,
    /// What is on its way to the terminal, as far as it answers.
    pacing: Pacing,
    began: Stopwatch,
    frames: Sender<Vec<u8>>,
    spare: Receiver<Vec<u8>>,
    line: Arc<Line>,
}

/// The way to the terminal.
#[derive(Default)]
struct Line {
    /// Whether a frame is on its way.
    busy: AtomicBool,
    arrived: Notify,
    /// Microseconds that the terminal took for the last frame.
    took: AtomicU64,
}

impl Output {
    /// Starts the writing thread; `titled` says whether the terminal's window has a title.
    pub fn start(theme: Theme, titled: bool) -> Self {
        let (frames, waiting) = mpsc::channel::<Vec<u8>>();
        let (give_back, spare) = mpsc::channel();
        let line = Arc::new(Line::default());
        let end = Arc::clone(&line);
        std::thread::spawn(move || {
            while let Ok(mut frame) = waiting.recv() {
                let time = Stopwatch::start();
                // A terminal that is gone ends the program elsewhere.
                let _ = write_frame(&frame);
                end.took.store(u64::try_from(time.elapsed().as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
                frame.clear();
                let _ = give_back.send(frame);
                end.busy.store(false, Ordering::Release);
                end.arrived.notify_one();
            }
        });
        let (shown, next) = (Buffer::empty(Rect::ZERO), Buffer::empty(Rect::ZERO));
        let title = titled.then(String::new);
        let (wall, ahead) = (Wall::default(), Vec::new());
        let (pacing, began) = (Pacing::default(), Stopwatch::start());
        Output {
            theme,
            shown,
            next,
            wall,
            asked: false,
            title,
            is_stale: true,
            ahead,
            pacing,
            began,
            frames,
            spare,
            line,
        }
    }

    /// Whether the last frame has arrived.
    pub fn is_free(&self) -> bool {
        !self.line.busy.load(Ordering::Acquire)
    }

    /// Whether there is more to send than fitted into the last frame.
    pub fn is_unfinished(&self) -> bool {
        self.wall.unfinished
    }

    /// Waits until a frame has arrived.
    pub async fn arrived(&self) {
        self.line.arrived.notified().await;
    }

    /// Least time between the beginnings of two frames where `least` is the person's wish: a terminal that is slow to
    /// take the bytes has half of its time for other things.
    pub fn pause(&self, least: Duration) -> Duration {
        let took = Duration::from_micros(self.line.took.load(Ordering::Relaxed));
        least.max((2 * took).min(LONGEST_PAUSE))
    }

    /// How long the next frame waits for the answer to an earlier one, unless that comes.
    pub fn held_back(&mut self) -> Duration {
        self.pacing.wait(self.began.elapsed()).unwrap_or_default()
    }

    /// The terminal has answered: a frame has arrived.
    pub fn answered(&mut self) {
        self.pacing.answered();
    }

    /// How long to wait for the last answers.
    pub fn last_wait(&self) -> Duration {
        self.pacing.last_wait()
    }

    /// The terminal may show anything: the next frame is drawn whole.
    pub fn forget(&mut self) {
        self.is_stale = true;
    }

    /// Sends these bytes before the next frame; nothing from elsewhere may be in them that is not printable.
    pub fn send_ahead(&mut self, bytes: &[u8]) {
        self.ahead.extend_from_slice(bytes);
    }

    /// Sends what is different from what is shown; where nothing is, not a byte. Gives whether the terminal will answer.
    pub fn show(&mut self, app: &App) -> io::Result<bool> {
        let mut bytes = self.spare.try_recv().unwrap_or_default();
        let is_first = !self.asked;
        self.difference(app, &mut bytes)?;
        if bytes.is_empty() {
            return Ok(false);
        }
        if is_first && app.terminal.questions().is_empty() {
            self.pacing.never_ask();
        }
        let asks = self.pacing.asks(bytes.len());
        // The first frame has the question among others.
        if asks && !is_first {
            bytes.extend_from_slice(pacing::QUESTION);
        }
        self.pacing.sent(bytes.len(), asks, self.began.elapsed());
        self.line.busy.store(true, Ordering::Release);
        let _ = self.frames.send(bytes);
        Ok(asks && !is_first)
    }

    fn difference(&mut self, app: &App, bytes: &mut Vec<u8>) -> io::Result<()> {
        bytes.append(&mut self.ahead);
        self.retitle(app, bytes)?;
        let area = Rect { x: 0, y: 0, width: app.screen.size.width, height: app.screen.size.height };
        if self.next.area != area {
            self.next.resize(area);
        }
        self.next.reset();
        view::draw(app, &self.theme, &mut self.next);
        let before = bytes.len();
        bytes.extend_from_slice(BEGIN);
        if !std::mem::replace(&mut self.asked, true) {
            bytes.extend_from_slice(app.terminal.questions().as_bytes());
        }
        if std::mem::take(&mut self.is_stale) || self.shown.area != area {
            bytes.extend_from_slice(CLEAR);
            self.shown.resize(area);
            self.shown.reset();
            bytes.extend_from_slice(self.wall.clear().as_bytes());
        }
        let pictures = view::pictures(app);
        bytes.extend_from_slice(self.wall.take_down(&pictures, &mut self.shown).as_bytes());
        encode::difference(bytes, &self.shown, &self.next)?;
        // What is written over has to be known only where there is a picture.
        let changes = if pictures.is_empty() { Vec::new() } else { self.shown.diff(&self.next) };
        bytes.extend(self.wall.hang(&pictures, &changes));
        match bytes.len() == before + BEGIN.len() {
            true => bytes.truncate(before),
            false => bytes.extend_from_slice(END),
        }
        std::mem::swap(&mut self.shown, &mut self.next);
        encode::mark_halves(&mut self.shown);
        Ok(())
    }

    fn retitle(&mut self, app: &App, bytes: &mut Vec<u8>) -> io::Result<()> {
        let Some(title) = &mut self.title else { return Ok(()) };
        let wanted = title_of(app);
        if *title != wanted {
            write!(bytes, "\x1b]2;{}\x1b\\", printable(&wanted))?;
            *title = wanted;
        }
        Ok(())
    }
}

/// What the terminal's window is called: how many runs there are to wait for.
fn title_of(app: &App) -> String {
    let totals = app.runs.totals();
    match (totals.running, totals.queued) {
        (0, 0) => "finetop".to_owned(),
        (running, 0) => format!("finetop: {running} running"),
        (0, queued) => format!("finetop: {queued} queued"),
        (running, queued) => format!("finetop: {running} running, {queued} queued"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;
    use ratatui::layout::Size;

    fn bytes(output: &mut Output, app: &App) -> String {
        let mut bytes = Vec::new();
        output.difference(app, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_did_not_change_costs_no_byte() {
        let mut output = Output::start(fixtures::ASCII, false);
        let mut app = App::new(Size::new(80, 24), None);
        assert!(!bytes(&mut output, &app).is_empty());
        assert_eq!(bytes(&mut output, &app), "");
        app.clock = Some(crate::base::clock::Timestamp::from_millis(0));
        let clock = bytes(&mut output, &app);
        assert!(!clock.is_empty() && clock.len() < 100, "{} bytes for a clock", clock.len());
        app.screen.size = Size::new(100, 30);
        let whole = bytes(&mut output, &app);
        assert!(whole.len() > clock.len(), "a new size is drawn whole");
        output.forget();
        assert_eq!(bytes(&mut output, &app), whole);
        output.send_ahead(b"\x07");
        assert_eq!(bytes(&mut output, &app), "\x07");
    }

    #[test]
    fn the_title_is_written_when_it_changes() {
        let mut output = Output::start(fixtures::ASCII, true);
        let app = fixtures::app((80, 24), fixtures::store());
        let title = "\x1b]2;finetop: 1 running, 2 queued\x1b\\";
        assert!(bytes(&mut output, &app).starts_with(title));
        assert_eq!(bytes(&mut output, &app), "");
        let empty = fixtures::app((80, 24), Default::default());
        assert!(bytes(&mut output, &empty).starts_with("\x1b]2;finetop\x1b\\"));
    }

    #[test]
    fn a_slow_terminal_gets_fewer_frames() {
        let output = Output::start(fixtures::ASCII, false);
        let least = Duration::from_millis(33);
        for (took, pause) in [(1, 33), (100, 200), (60_000, 2000)] {
            output.line.took.store(took * 1000, Ordering::Relaxed);
            assert_eq!(output.pause(least), Duration::from_millis(pause), "{took} ms");
        }
    }
}
