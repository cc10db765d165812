//! A real pseudo-terminal with the program in it, and what its screen shows.

#![allow(dead_code)] // every test binary uses another part

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::fd::{BorrowedFd, RawFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, SlavePty, native_pty_system};

/// Longest wait for anything; a busy machine is slow, a hang is longer.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What the reading thread has seen of the program's output.
struct Seen {
    parser: vt100::Parser,
    /// The beginning of a frame, which is shown when it is whole, as terminals do that know mode 2026.
    begun: Vec<u8>,
    bytes: u64,
    /// Frames that ended.
    frames: u64,
    /// The end of the output, which may be the beginning of the end of a frame.
    ending: Vec<u8>,
    /// The end of the output, which may be the beginning of a question.
    asked: Vec<u8>,
    /// All of the output, where it is to be looked at afterwards.
    kept: Option<Vec<u8>>,
    ended: bool,
}

const BEGIN_FRAME: &[u8] = b"\x1b[?2026h";
const END_FRAME: &[u8] = b"\x1b[?2026l";

impl Seen {
    /// Shows what came, but no part of a frame.
    fn take(&mut self, bytes: &[u8]) {
        self.begun.extend_from_slice(bytes);
        let last = |what: &[u8]| self.begun.windows(what.len()).rposition(|window| window == what);
        let whole = match (last(BEGIN_FRAME), last(END_FRAME)) {
            (Some(begin), end) if end.is_none_or(|end| end < begin) => begin,
            _ => self.begun.len() - beginning_of(BEGIN_FRAME, &self.begun),
        };
        let whole: Vec<u8> = self.begun.drain(..whole).collect();
        self.parser.process(&whole);
    }

    /// No more comes.
    fn end(&mut self) {
        self.parser.process(&std::mem::take(&mut self.begun));
        self.ended = true;
    }
}

/// How many of the last bytes may be the beginning of `what`.
fn beginning_of(what: &[u8], bytes: &[u8]) -> usize {
    (1..what.len()).rev().find(|&length| bytes.ends_with(&what[..length])).unwrap_or(0)
}

type Keyboard = Arc<Mutex<Box<dyn Write + Send>>>;

pub struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    /// Kept open, as a shell would, so that the settings after the end can be read.
    slave: Option<Box<dyn SlavePty + Send>>,
    keyboard: Option<Keyboard>,
    /// Whether it answers when it is asked for its background colour, as most do.
    answers: Arc<AtomicBool>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    settings_before: String,
    /// Reads the output until it is told to stop.
    reading: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn nonzero(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).expect("a terminal has rows and columns")
}

impl Terminal {
    /// Starts `program` in a terminal of the given size.
    pub fn start<A: AsRef<OsStr>>(
        program: &str,
        arguments: &[A],
        (columns, rows): (u16, u16),
        folder: &Path,
        environment: &[(&str, &str)],
    ) -> Terminal {
        let pair = native_pty_system().openpty(size(columns, rows)).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.cwd(folder);
        command.env_remove("NO_COLOR");
        for (key, value) in
            [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8"), ("COLORTERM", "truecolor")]
        {
            command.env(key, value);
        }
        // What a person keeps and wishes is not a test's.
        command.env("XDG_STATE_HOME", folder.join(".state"));
        command.env("XDG_CONFIG_HOME", folder.join(".config"));
        environment.iter().for_each(|(key, value)| command.env(key, value));
        let settings_before = format!("{:?}", pair.master.get_termios());
        let mut output = pair.master.try_clone_reader().expect("the terminal's output");
        let keyboard = Arc::new(Mutex::new(pair.master.take_writer().expect("the terminal's keyboard")));
        let (answers, answering) = (Arc::new(AtomicBool::new(false)), Arc::clone(&keyboard));
        let is_to_answer = Arc::clone(&answers);
        let child = pair.slave.spawn_command(command).expect("the program starts");
        let parser = vt100::Parser::new(nonzero(rows), nonzero(columns), 0);
        let seen = Arc::new((
            Mutex::new(Seen {
                parser,
                begun: Vec::new(),
                bytes: 0,
                frames: 0,
                ending: Vec::new(),
                asked: Vec::new(),
                kept: None,
                ended: false,
            }),
            Condvar::new(),
        ));
        let shared = Arc::clone(&seen);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let fd = pair.master.as_raw_fd().expect("a terminal has a file");
        let reading = std::thread::spawn(move || {
            let mut block = [0u8; 65536];
            while !stopped.load(Ordering::Relaxed) {
                if !has_output(fd) {
                    continue;
                }
                let Ok(n @ 1..) = output.read(&mut block) else { break };
                let mut seen = shared.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                seen.take(&block[..n]);
                seen.asked.extend_from_slice(&block[..n]);
                let questions = take_all(QUESTION, &mut seen.asked);
                seen.ending.extend_from_slice(&block[..n]);
                let frames = take_all(END_FRAME, &mut seen.ending);
                if is_to_answer.load(Ordering::Relaxed) {
                    let mut keyboard = answering.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                    let _ = keyboard.write_all(&ANSWER.repeat(questions)).and_then(|()| keyboard.flush());
                }
                seen.bytes += n as u64;
                seen.frames += frames as u64;
                if let Some(kept) = &mut seen.kept {
                    kept.extend_from_slice(&block[..n]);
                }
                shared.1.notify_all();
            }
            shared.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).end();
            shared.1.notify_all();
        });
        Terminal {
            master: Some(pair.master),
            slave: Some(pair.slave),
            keyboard: Some(keyboard),
            answers,
            child,
            seen,
            settings_before,
            reading: Some((stop, reading)),
        }
    }

    /// Takes no more of the program's output, as a stalled line does.
    pub fn stall(&mut self) {
        if let Some((stop, reading)) = self.reading.take() {
            stop.store(true, Ordering::Relaxed);
            let _ = reading.join();
        }
    }

    /// Answers from now on when it is asked for its background colour.
    pub fn answer(&self) {
        self.answers.store(true, Ordering::Relaxed);
    }

    /// Keeps the output from now on.
    pub fn keep_output(&self) {
        self.seen.0.lock().unwrap().kept = Some(Vec::new());
    }

    /// The output since it is kept.
    pub fn kept_output(&self) -> Vec<u8> {
        self.seen.0.lock().unwrap().kept.clone().unwrap_or_default()
    }

    /// Types `keys`.
    pub fn type_keys(&mut self, keys: &str) {
        let mut keyboard = self.keyboard.as_ref().expect("an open keyboard").lock().unwrap();
        keyboard.write_all(keys.as_bytes()).and_then(|()| keyboard.flush()).expect("keys are taken");
    }

    /// Waits until the screen satisfies `condition`, and gives its text.
    pub fn wait_for(&self, what: &str, condition: impl Fn(&str) -> bool) -> String {
        self.wait_for_screen(what, |screen| condition(&screen.contents()));
        self.text()
    }

    /// Waits until `text` stands on the screen.
    pub fn wait_for_text(&self, text: &str) -> String {
        self.wait_for(text, |screen| screen.contains(text))
    }

    /// Waits until the screen, with its modes, satisfies `condition`.
    pub fn wait_for_screen(&self, what: &str, condition: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.seen.0.lock().unwrap();
        while !condition(seen.parser.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !seen.ended, "waited for {what} on\n{}", seen.parser.screen().contents());
            seen = self.seen.1.wait_timeout(seen, left).unwrap().0;
        }
    }

    /// The screen's text now.
    pub fn text(&self) -> String {
        self.seen.0.lock().unwrap().parser.screen().contents()
    }

    /// Frames so far.
    pub fn frames(&self) -> u64 {
        self.seen.0.lock().unwrap().frames
    }

    /// Waits until there were more frames than `before`.
    pub fn wait_for_frame(&self, before: u64) {
        let mut seen = self.seen.0.lock().unwrap();
        while seen.frames <= before {
            assert!(!seen.ended, "waited for a frame after\n{}", seen.parser.screen().contents());
            seen = self.seen.1.wait_timeout(seen, PATIENCE).unwrap().0;
        }
    }

    /// Runs `look` on the screen as it is.
    pub fn with_screen<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.seen.0.lock().unwrap().parser.screen())
    }

    /// Writes onto the screen as another program would.
    pub fn write_over(&self, bytes: &str) {
        self.seen.0.lock().unwrap().parser.process(bytes.as_bytes());
    }

    /// Bytes that the program has written so far.
    pub fn bytes(&self) -> u64 {
        self.seen.0.lock().unwrap().bytes
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.seen.0.lock().unwrap().parser.set_size(nonzero(rows), nonzero(columns));
        self.master.as_ref().expect("an open terminal").resize(size(columns, rows)).expect("resize");
    }

    pub fn process_id(&self) -> u32 {
        self.child.process_id().expect("a running program")
    }

    /// Waits for the program's end.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("the child's state") {
                return status;
            }
            assert!(Instant::now() < deadline, "the program does not end; its screen:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether the terminal is as it was before the program: settings, screen, cursor, mouse, paste.
    pub fn assert_restored(&self) {
        self.wait_for_screen("the terminal's modes to be reset", |screen| {
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        });
        let settings = format!("{:?}", self.master.as_ref().expect("an open terminal").get_termios());
        assert_eq!(settings, self.settings_before, "echo, line mode and the like");
    }

    /// Closes the terminal under the program, as a dropped line does.
    pub fn hang_up(&mut self) {
        self.keyboard = None;
        self.slave = None;
        if let Some((stop, reading)) = self.reading.take() {
            stop.store(true, Ordering::Relaxed);
            reading.join().expect("the reading thread ends");
        }
        self.master = None;
    }
}

/// What is highlighted, row by row: the dashboard's colour behind a chosen row, or reversed letters.
pub fn highlighted(screen: &vt100::Screen) -> String {
    let (rows, columns) = screen.size();
    let behind = vt100::Color::Rgb(0x2a, 0x33, 0x44);
    let row = |row: u16| -> String {
        let cells = (0..columns.get()).filter_map(|column| screen.cell(row, column));
        let cells = cells.filter(|cell| cell.bgcolor() == behind || cell.inverse());
        cells.map(|cell| if cell.has_contents() { cell.contents().to_owned() } else { " ".to_owned() }).collect()
    };
    (0..rows.get()).map(row).filter(|row| !row.is_empty()).map(|row| row + "\n").collect()
}

const QUESTION: &[u8] = b"\x1b]11;?";
const ANSWER: &[u8] = b"\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\";

/// Takes each `what` out of what came, and leaves what may be the beginning of another; how many there were.
fn take_all(what: &[u8], bytes: &mut Vec<u8>) -> usize {
    let count = bytes.windows(what.len()).filter(|window| *window == what).count();
    let last = bytes.windows(what.len()).rposition(|window| window == what);
    let rest = last.map_or(0, |at| at + what.len()).max(bytes.len().saturating_sub(what.len() - 1));
    bytes.drain(..rest.min(bytes.len()));
    count
}

/// Waits a moment for output.
fn has_output(fd: RawFd) -> bool {
    // SAFETY: the file is open as long as the terminal is, and `hang_up` waits for the reading thread before it closes it.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    let mut wanted = [PollFd::new(&fd, PollFlags::IN)];
    let moment = rustix::time::Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
    rustix::event::poll(&mut wanted, Some(&moment)).is_ok_and(|ready| ready > 0)
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.hang_up();
    }
}
