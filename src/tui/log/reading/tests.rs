use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};

use super::*;
use crate::base::clock::Timestamp;
use crate::tui::log::window::{BLOCK, Window};
use crate::tui::search::{Pattern, Way};

/// The most that is read to open any log, or to go anywhere in it.
const LITTLE: u64 = 12 * BLOCK;

struct Log {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Log {
    fn with(bytes: &[u8]) -> Log {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.txt");
        fs::write(&path, bytes).unwrap();
        Log { _folder: folder, path }
    }

    /// A hole of so many bytes, and `end` behind it.
    fn sparse(hole: u64, end: &[u8]) -> Log {
        let log = Log::with(b"");
        let mut file = OpenOptions::new().write(true).open(&log.path).unwrap();
        file.seek(SeekFrom::Start(hole)).unwrap();
        file.write_all(end).unwrap();
        log
    }

    fn append(&self, bytes: &[u8]) {
        OpenOptions::new().append(true).open(&self.path).unwrap().write_all(bytes).unwrap();
    }

    fn reading(&self) -> Reading {
        Reading::new(self.path.clone())
    }
}

fn window(heard: Option<Heard>) -> Window {
    match heard {
        Some(Heard::Window { window, .. }) => window,
        heard => panic!("{heard:?} is no window"),
    }
}

fn last(window: &Window) -> String {
    String::from_utf8_lossy(window.line(window.lines() - 1)).into_owned()
}

fn line_at(window: &Window, offset: u64) -> String {
    String::from_utf8_lossy(window.line(window.line_at(offset).unwrap())).into_owned()
}

fn numbered(lines: std::ops::Range<usize>) -> String {
    lines.map(|n| format!("line {n:09}, which is as long as lines of a log are on the average, or so\n")).collect()
}

#[test]
fn a_large_log_opens_at_its_end_and_anywhere_with_little_reading() {
    let hole = 100 << 20;
    let log = Log::sparse(hole, format!("\n{}", numbered(0..1000)).as_bytes());
    let mut reading = log.reading();
    let end = window(reading.refresh());
    assert!(end.has_last() && end.lines() >= 200 && last(&end).starts_with("line 000000999,"));
    assert!(reading.read() <= LITTLE, "{} bytes were read", reading.read());
    for place in [Place::Line(0), Place::Line(hole / 2), Place::Around(hole + 1), Place::End] {
        let before = reading.read();
        assert!(reading.show(place).is_some());
        // A hole is one line without an end: more of it is read to have enough pieces.
        assert!(reading.read() - before <= 2 * (256 + 2) * BLOCK * 2, "{place:?}");
    }
}

#[test]
fn what_is_held_is_little_whatever_the_log() {
    let log = Log::with(&numbered(0..200_000).into_bytes());
    let mut reading = log.reading();
    reading.refresh();
    for offset in [0, 1, 1_000_000, 9_999_999, u64::MAX] {
        let before = reading.read();
        let window = window(reading.show(Place::Line(offset)));
        assert!(window.lines() >= 200);
        assert!(reading.read() - before <= LITTLE, "{offset}");
        let beyond = offset >= window.length;
        assert!(beyond || line_at(&window, offset).starts_with("line "));
    }
}

#[test]
fn a_log_that_grows_is_read_on_where_its_end_is_seen() {
    let log = Log::with(b"a\nhal");
    let mut reading = log.reading();
    assert_eq!(last(&window(reading.refresh())), "hal");
    assert_eq!(reading.refresh(), None);
    log.append(b"f\nnext");
    assert_eq!(last(&window(reading.refresh())), "next");
    log.append(numbered(0..20_000).as_bytes());
    reading.refresh();
    let top = window(reading.show(Place::Line(0)));
    assert!(!top.has_last());
    log.append(b"more\n");
    let length = fs::metadata(&log.path).unwrap().len();
    assert_eq!(reading.refresh(), Some(Heard::Length(length)), "the end is out of sight");
    assert_eq!(last(&window(reading.show(Place::End))), "more");
}

#[test]
fn a_log_that_is_cut_replaced_or_gone_is_another() {
    let log = Log::with(b"a\nb\n");
    let mut reading = log.reading();
    reading.refresh();
    fs::write(&log.path, b"x\n").unwrap();
    assert_eq!(last(&window(reading.refresh())), "x");
    let other = log.path.with_extension("new");
    fs::write(&other, b"y\nz\n").unwrap();
    fs::rename(&other, &log.path).unwrap();
    assert_eq!(last(&window(reading.refresh())), "z");
    fs::remove_file(&log.path).unwrap();
    assert_eq!(reading.refresh(), Some(Heard::Gone));
    assert_eq!(reading.refresh(), None);
    assert_eq!(reading.show(Place::End), None);
    fs::write(&log.path, b"back\n").unwrap();
    assert_eq!(last(&window(reading.refresh())), "back");
}

#[test]
fn a_log_that_shrank_unseen_is_read_as_far_as_it_goes() {
    let log = Log::with(numbered(0..50_000).as_bytes());
    let mut reading = log.reading();
    reading.refresh();
    fs::write(&log.path, b"short\n").unwrap();
    let window = window(reading.show(Place::Line(0)));
    assert_eq!((last(&window), window.has_last()), ("short".into(), true));
}

fn search(reading: &mut Reading, typed: &str, way: Way, from: u64, inclusive: bool) -> (Option<String>, usize) {
    reading.find(Find { pattern: Pattern::new(typed).unwrap(), way, from, inclusive });
    let mut steps = 0;
    while reading.is_searching() {
        steps += 1;
        match reading.step() {
            Some(Heard::Found { window, offset }) => return (Some(line_at(&window, offset)), steps),
            Some(Heard::Nothing) => return (None, steps),
            Some(Heard::Searching(percent)) => assert!(percent < 100),
            Some(heard) => panic!("{heard:?} is no answer to a search"),
            None => {}
        }
    }
    panic!("the search for {typed} did not end")
}

#[test]
fn a_search_goes_through_all_of_it_in_steps_and_round() {
    let text =
        numbered(0..100_000).replace("line 000000005,", "five").replace("line 000099990,", "\x1b[31mni\x1b[0mne");
    let log = Log::with(text.as_bytes());
    let mut reading = log.reading();
    reading.refresh();
    let middle = text.find("line 000050000,").unwrap() as u64;
    for (typed, way, from, found) in [
        ("five", Way::Forward, 0, Some("five")),
        ("five", Way::Forward, middle, Some("five")),
        ("five", Way::Backward, middle, Some("five")),
        ("nine", Way::Backward, middle, Some("\x1b[31mni\x1b[0mne")),
        ("nine", Way::Forward, middle, Some("\x1b[31mni\x1b[0mne")),
        ("line 000050000", Way::Forward, middle, Some("line 000050000,")),
        ("line 000050000", Way::Backward, middle, Some("line 000050000,")),
        ("which is", Way::Forward, middle, Some("line 000050001,")),
        ("which is", Way::Backward, middle, Some("line 000049999,")),
        ("nowhere", Way::Forward, middle, None),
        ("nowhere", Way::Backward, middle, None),
    ] {
        let (line, steps) = search(&mut reading, typed, way, from, false);
        let begins = line.as_deref().zip(found).map(|(line, found)| line.starts_with(found));
        assert!(begins.unwrap_or(line.is_none() && found.is_none()), "{typed} {way:?}: {line:?}");
        assert!(found.is_some() || steps >= 7, "{steps} steps for {} bytes", text.len());
    }
    let (line, _) = search(&mut reading, "which is", Way::Forward, middle, true);
    assert!(line.unwrap().starts_with("line 000050000,"));
    let (line, _) = search(&mut reading, "which is", Way::Backward, middle, true);
    assert!(line.unwrap().starts_with("line 000050000,"));
}

#[test]
fn a_search_can_be_given_up_and_ends_with_its_log() {
    let log = Log::with(numbered(0..100_000).as_bytes());
    let find = Find { pattern: Pattern::new("nowhere").unwrap(), way: Way::Forward, from: 0, inclusive: true };
    let mut reading = log.reading();
    reading.refresh();
    reading.find(find.clone());
    assert!(matches!(reading.step(), Some(Heard::Searching(_))));
    reading.stop();
    assert_eq!((reading.is_searching(), reading.step()), (false, None));
    reading.find(find);
    fs::write(&log.path, b"x\n").unwrap();
    assert!(reading.refresh().is_some() && !reading.is_searching());
    for bytes in [&b""[..], b"\n", b"a", &[0; 100_000]] {
        let log = Log::with(bytes);
        let mut reading = log.reading();
        reading.refresh();
        for way in [Way::Forward, Way::Backward] {
            for (from, inclusive) in [(0, false), (0, true), (99_999, true), (u64::MAX / 2, false)] {
                assert_eq!(search(&mut reading, "nowhere", way, from, inclusive).0, None);
            }
        }
    }
}

#[test]
fn a_time_is_found_by_halving() {
    let time = |second: i64| Timestamp::from_millis(1_764_063_667_000 + 1000 * second);
    let line = |second: i64| format!("{}  epoch   epoch {second}\n  no time in this one\n", time(second));
    let text: String = (0..60_000).map(|n| line(2 * n)).collect();
    let log = Log::with(text.as_bytes());
    let mut reading = log.reading();
    reading.refresh();
    for (second, epoch) in [(-5, 0), (0, 0), (1, 2), (2, 2), (59_999, 60_000), (100_001, 100_002), (119_998, 119_998)] {
        let before = reading.read();
        let Some(Heard::Window { window, go: Some(Place::Line(offset)) }) = reading.show(Place::Time(time(second)))
        else {
            panic!("second {second} has a place");
        };
        assert!(line_at(&window, offset).ends_with(&format!("epoch {epoch}")), "{second}");
        assert!(reading.read() - before < text.len() as u64 / 2, "{} bytes", reading.read() - before);
    }
    let beyond = reading.show(Place::Time(time(119_999)));
    assert!(matches!(beyond, Some(Heard::Window { go: Some(Place::End), .. })));
    let timeless = Log::with(numbered(0..1000).as_bytes());
    let mut reading = timeless.reading();
    reading.refresh();
    assert_eq!(reading.show(Place::Time(time(0))), Some(Heard::Timeless));
}
