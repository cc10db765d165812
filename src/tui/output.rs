//! Frames on their way to the terminal.
//!
//! Invariants: a thread of its own writes, so that a terminal that takes no bytes holds up nobody else; there is at most
//! one frame on its way, and the next is drawn from the newest state when that one has arrived.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};

use crossterm::queue;
use crossterm::style::Print;
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::Notify;

use super::app::App;
use super::picture::hanging::Wall;
use super::terminal::write_frame;
use super::theme::Theme;
use super::view;

/// The terminal's screen, as it was written last.
pub struct Output {
    theme: Theme,
    shown: Buffer,
    /// The pictures beside its cells.
    wall: Wall,
    /// Whether the terminal was asked what it can do.
    asked: bool,
    frames: Sender<Vec<u8>>,
    line: Arc<Line>,
}

/// Whether a frame is on its way.
#[derive(Default)]
struct Line {
    busy: AtomicBool,
    arrived: Notify,
}

impl Output {
    /// Starts the writing thread.
    pub fn start(theme: Theme) -> Self {
        let (frames, waiting) = mpsc::channel::<Vec<u8>>();
        let line = Arc::new(Line::default());
        let end = Arc::clone(&line);
        std::thread::spawn(move || {
            while let Ok(frame) = waiting.recv() {
                // A terminal that is gone ends the program elsewhere.
                let _ = write_frame(&frame);
                end.busy.store(false, Ordering::Release);
                end.arrived.notify_one();
            }
        });
        Output { theme, shown: Buffer::empty(Rect::ZERO), wall: Wall::default(), asked: false, frames, line }
    }

    /// Whether the last frame has arrived.
    pub fn is_free(&self) -> bool {
        !self.line.busy.load(Ordering::Acquire)
    }

    /// Whether there is more to send than fitted into the last frame.
    pub fn is_unfinished(&self) -> bool {
        self.wall.unfinished
    }

    /// Another program has drawn on the screen: the next frame is drawn whole.
    pub fn forget(&mut self) {
        self.shown = Buffer::empty(Rect::ZERO);
    }

    /// Waits until a frame has arrived.
    pub async fn arrived(&self) {
        self.line.arrived.notified().await;
    }

    /// Sends what is different from what is shown; where nothing is, not a byte.
    pub fn show(&mut self, app: &App) -> io::Result<()> {
        let bytes = self.difference(app)?;
        if !bytes.is_empty() {
            self.line.busy.store(true, Ordering::Release);
            let _ = self.frames.send(bytes);
        }
        Ok(())
    }

    fn difference(&mut self, app: &App) -> io::Result<Vec<u8>> {
        let size = app.screen.size;
        let area = Rect::new(0, 0, size.width, size.height);
        let mut next = Buffer::empty(area);
        view::draw(app, &self.theme, &mut next);
        let resized = self.shown.area != area;
        let mut gone = String::new();
        if resized {
            self.shown = Buffer::empty(area);
            gone += self.wall.clear();
        }
        let pictures = view::pictures(app);
        gone += &self.wall.take_down(&pictures, &mut self.shown);
        let changes = self.shown.diff(&next);
        let hung = self.wall.hang(&pictures, &changes);
        if changes.is_empty() && gone.is_empty() && hung.is_empty() && !resized {
            return Ok(Vec::new());
        }
        let mut bytes = Vec::new();
        queue!(bytes, BeginSynchronizedUpdate)?;
        if !std::mem::replace(&mut self.asked, true) {
            queue!(bytes, Print(app.terminal.questions()))?;
        }
        if resized {
            queue!(bytes, Clear(ClearType::All))?;
        }
        bytes.extend(gone.into_bytes());
        CrosstermBackend::new(&mut bytes).draw(changes.into_iter())?;
        bytes.extend(hung);
        queue!(bytes, EndSynchronizedUpdate)?;
        self.shown = next;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::Colors;
    use ratatui::layout::Size;

    #[test]
    fn what_did_not_change_costs_no_byte() {
        let mut output = Output::start(Theme { colors: Colors::None, ascii: true });
        let mut app = App::new(Size::new(80, 24), None);
        assert!(!output.difference(&app).unwrap().is_empty());
        assert!(output.difference(&app).unwrap().is_empty());
        app.clock = Some(crate::base::clock::Timestamp::from_millis(0));
        let clock = output.difference(&app).unwrap();
        assert!(!clock.is_empty() && clock.len() < 100, "{} bytes for a clock", clock.len());
        app.screen.size = Size::new(100, 30);
        assert!(output.difference(&app).unwrap().len() > clock.len(), "a new size is drawn whole");
    }
}
