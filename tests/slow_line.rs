//! The dashboard over a line that is slow and far: 300 milliseconds each way, five kilobytes a second.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod server;
mod terminal;
mod workplace;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::num::NonZeroU16;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use server::{Server, remote};
use terminal::Terminal;
use workplace::{Workplace, tiny_text};

const DELAY: Duration = Duration::from_millis(300);
/// Bytes a second that come from the far side.
const SPEED: usize = 5_000;
/// Bytes that are on the line at once; more than that waits at the far side, as behind a modem.
const BURST: usize = 1024;

/// A line to `port` on this machine; gives the port of its near end.
fn slow_line(port: u16) -> u16 {
    let near = TcpListener::bind("127.0.0.1:0").unwrap();
    let near_port = near.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for near in near.incoming().flatten() {
            let far = TcpStream::connect(("127.0.0.1", port)).unwrap();
            carry(near.try_clone().unwrap(), far.try_clone().unwrap(), None);
            carry(far, near, Some(SPEED));
        }
    });
    near_port
}

/// Carries bytes from one end to the other: each block arrives `DELAY` after it was sent, and no faster than `speed`.
fn carry(mut from: TcpStream, mut to: TcpStream, speed: Option<usize>) {
    // As much as the line itself holds; what is sent beyond waits with its sender.
    let (on_the_line, arriving) = mpsc::sync_channel::<(Instant, Vec<u8>)>(4);
    std::thread::spawn(move || {
        let mut block = [0; BURST];
        while let Ok(n @ 1..) = from.read(&mut block) {
            let sent = block[..n].to_vec();
            if on_the_line.send((Instant::now() + DELAY, sent)).is_err() {
                return;
            }
            if let Some(speed) = speed {
                std::thread::sleep(Duration::from_secs_f64(n as f64 / speed as f64));
            }
        }
    });
    std::thread::spawn(move || {
        while let Ok((arrives, bytes)) = arriving.recv() {
            std::thread::sleep(arrives.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// Replays what came over the line, and gives the screen after each frame; what is outside of frames draws nothing.
fn frames(mut output: &[u8], (columns, rows): (u16, u16)) -> Vec<String> {
    let size = |n| NonZeroU16::new(n).unwrap();
    let mut parser = vt100::Parser::new(size(rows), size(columns), 0);
    let mut frames = Vec::new();
    while let Some(begin) = find(output, BEGIN) {
        let before = parser.screen().contents();
        parser.process(&output[..begin]);
        assert!(frames.is_empty() || parser.screen().contents() == before, "something was drawn outside of a frame");
        let Some(end) = find(output, END) else { break };
        parser.process(&output[begin..end + END.len()]);
        frames.push(parser.screen().contents());
        output = &output[end + END.len()..];
    }
    frames
}

/// A frame with all of its corners, and the head line that every frame has.
fn is_whole(frame: &str) -> bool {
    let count = |corners: [char; 2]| frame.matches(corners).count();
    let [panes, right, below] = [['┌', '┏'], ['┐', '┓'], ['┘', '┛']].map(count);
    // The axes of the charts have a corner too.
    frame.starts_with(" finetop") && panes > 0 && panes == right && panes == below && count(['└', '┗']) >= panes
}

#[test]
fn it_stays_answerable_and_no_frame_is_torn() {
    const SIZE: (u16, u16) = (100, 30);
    const MOST: usize = 80_000;
    let here = Workplace::with_texts();
    let Some(server) = Server::start(here.folder()) else { return };
    for n in 1..=30 {
        here.write(&format!("run{n}.yaml"), tiny_text(&format!("run{n}"), 400));
    }
    let mut arguments = server.arguments_by(slow_line(server.port));
    arguments.extend(["-tt".into(), "127.0.0.1".into(), remote(&here, "run*.yaml")]);
    let mut far = Terminal::start("ssh", &arguments, SIZE, here.folder(), &[]);
    far.keep_output();
    far.answer();
    far.wait_for_text("0030");
    // Somebody holds a key down: what could be drawn for it is far more than the line takes meanwhile.
    for _ in 0..40 {
        far.type_keys("z");
        std::thread::sleep(Duration::from_millis(40));
    }
    far.type_keys("?");
    let asked = Instant::now();
    far.wait_for_text("In the panes");
    let (answered, bytes) = (asked.elapsed(), far.kept_output().len());
    println!("the help page came after {answered:?} and {bytes} bytes");
    // Without waiting for the terminal's answers it is four times as much, all of which the line has to carry first.
    assert!(bytes < MOST, "{bytes} bytes were on their way before the help page");
    far.type_keys("\x1b");
    far.wait_for("the panes", |screen| !screen.contains("In the panes"));
    let frames = frames(&far.kept_output(), SIZE);
    assert!(frames.len() > 3, "{} frames", frames.len());
    for (n, frame) in frames.iter().enumerate() {
        assert!(is_whole(frame), "frame {n} is torn:\n{frame}");
    }
    far.type_keys("q");
    assert!(far.wait().success());
}
