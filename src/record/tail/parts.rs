//! A stretch of a log in parts of whole lines, which are read and parsed at once.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use rayon::prelude::*;

/// Bytes of a part; small enough that what is read does not leave the cache before it is parsed.
const PART: u64 = 512 * 1024;
/// Bytes that are looked at for the end of a line.
const GLANCE: u64 = 4096;

thread_local! {
    /// What a thread reads into: new memory for each part would cost as much as reading it.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Gives what `parse` makes of the whole lines in `range`, part after part, to `take`; how far it came, and why no further.
/// What comes next is parsed while `take` is busy.
pub fn read<T: Send>(
    file: &File,
    range: Range<u64>,
    parse: impl Fn(&[u8]) -> T + Sync,
    mut take: impl FnMut(T) + Send,
) -> (u64, io::Result<()>) {
    let mut done = range.start;
    let result = last_line_end(file, range.clone()).and_then(|end| {
        let end = end.unwrap_or(range.start);
        let mut next = parts(file, range.start..end)?;
        let mut parsed = parse_all(file, &next, &parse);
        while let Some(last) = next.last() {
            next = parts(file, last.end..end)?;
            let now = std::mem::take(&mut parsed);
            let fold = || take_all(now, &mut take, &mut done);
            if next.is_empty() {
                fold()?;
            } else {
                let (taken, more) = rayon::join(fold, || parse_all(file, &next, &parse));
                taken?;
                parsed = more;
            }
        }
        Ok(())
    });
    (done, result)
}

/// What was parsed of a part, and where that ends.
type Parsed<T> = io::Result<(u64, T)>;

fn take_all<T>(parsed: Vec<Parsed<T>>, take: &mut impl FnMut(T), done: &mut u64) -> io::Result<()> {
    for part in parsed {
        let (end, parsed) = part?;
        take(parsed);
        *done = end;
    }
    Ok(())
}

fn parse_all<T: Send>(file: &File, parts: &[Range<u64>], parse: &(impl Fn(&[u8]) -> T + Sync)) -> Vec<Parsed<T>> {
    match parts.len() {
        // Not worth another thread.
        0 | 1 => parts.iter().map(|part| parse_one(file, part, parse)).collect(),
        _ => parts.par_iter().map(|part| parse_one(file, part, parse)).collect(),
    }
}

fn parse_one<T>(file: &File, part: &Range<u64>, parse: &impl Fn(&[u8]) -> T) -> Parsed<T> {
    let mut buffer = BUFFER.take();
    let length = usize::try_from(part.end - part.start).map_err(io::Error::other)?;
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    let bytes = &mut buffer[..length];
    file.read_exact_at(bytes, part.start)?;
    let parsed = parse(bytes);
    // One line that was longer than a part is no reason to keep so much.
    if length <= 2 * PART as usize {
        BUFFER.set(buffer);
    }
    Ok((part.end, parsed))
}

/// The next parts of `range`, which ends with a line; so many that all threads have work, and no more, for their memory.
fn parts(file: &File, range: Range<u64>) -> io::Result<Vec<Range<u64>>> {
    let most = 4 * rayon::current_num_threads();
    let mut parts = Vec::new();
    let mut begin = range.start;
    while begin < range.end && parts.len() < most {
        let end = if range.end - begin <= PART { range.end } else { line_end(file, begin + PART..range.end)? };
        parts.push(begin..end);
        begin = end;
    }
    Ok(parts)
}

/// Behind the first newline in `range`; its end where there is none.
fn line_end(file: &File, range: Range<u64>) -> io::Result<u64> {
    let mut buffer = [0; GLANCE as usize];
    let mut at = range.start;
    while at < range.end {
        let read = file.read_at(&mut buffer, at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(newline) = buffer[..read].iter().position(|&byte| byte == b'\n') {
            return Ok((at + newline as u64 + 1).min(range.end));
        }
        at += read as u64;
    }
    Ok(range.end)
}

/// Behind the last newline in `range`, if there is one.
fn last_line_end(file: &File, range: Range<u64>) -> io::Result<Option<u64>> {
    let mut buffer = [0; GLANCE as usize];
    let mut end = range.end;
    while end > range.start {
        let begin = end.saturating_sub(GLANCE).max(range.start);
        let bytes = &mut buffer[..(end - begin) as usize];
        file.read_exact_at(bytes, begin)?;
        if let Some(newline) = bytes.iter().rposition(|&byte| byte == b'\n') {
            return Ok(Some(begin + newline as u64 + 1));
        }
        end = begin;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(text: &str, from: u64) -> (Vec<u8>, u64, io::Result<()>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, text).unwrap();
        let file = File::open(&path).unwrap();
        let mut all = Vec::new();
        let (done, result) = read(&file, from..text.len() as u64, <[u8]>::to_vec, |part| {
            assert!(part.ends_with(b"\n"), "whole lines only");
            all.extend(part);
        });
        (all, done, result)
    }

    #[test]
    fn every_whole_line_is_read_once_and_in_order() {
        let long: String = (0..300_000).map(|n| format!("line {n} {}\n", "x".repeat(n % 97))).collect();
        let one = "y".repeat(3 * PART as usize) + "\n";
        for whole in ["", "a\n", "\n\n", &long, &one, &format!("{one}{long}{one}")] {
            for torn in ["", "torn", &"z".repeat(2 * GLANCE as usize)] {
                let text = format!("{whole}{torn}");
                let (all, done, result) = lines_of(&text, 0);
                assert!(result.is_ok() && done == whole.len() as u64);
                assert!(all == whole.as_bytes(), "{} bytes and {} torn", whole.len(), torn.len());
            }
        }
        let (all, done, _) = lines_of("a\nb\nc", 2);
        assert_eq!((all.as_slice(), done), (&b"b\n"[..], 4));
    }

    #[test]
    fn a_file_that_shrinks_meanwhile_is_read_as_far_as_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "a\nb\n").unwrap();
        let file = File::open(&path).unwrap();
        let (done, result) = read(&file, 0..99, <[u8]>::len, drop);
        assert!(result.is_err() && done == 0);
    }
}
