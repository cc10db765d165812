//! Changes of a file as bad disks, other programs and bad people make them.

use proptest::prelude::*;
use proptest::sample::Index;

#[derive(Debug, Clone)]
pub enum Change {
    Set(Index, u8),
    Cut(Index),
    Remove(Index, usize),
    Repeat(Index, usize),
    Insert(Index, Vec<u8>),
    SwapLines(Index, Index),
    RepeatLine(Index),
    DropLine(Index),
    /// Replaces a number by what is hardly one.
    Number(Index, &'static str),
}

const ODD_NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "1e999",
    "18446744073709551616",
    "4294967296",
    "0.5",
    "-0.0",
    "1e-320",
    "null",
    "\"x\"",
    "[[]]",
    "99999999",
];

/// A few changes of any kind.
pub fn changes() -> impl Strategy<Value = Vec<Change>> {
    let index = any::<Index>;
    let change = prop_oneof![
        4 => (index(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        1 => index().prop_map(Change::Cut),
        2 => (index(), 1..64usize).prop_map(|(at, length)| Change::Remove(at, length)),
        2 => (index(), 1..64usize).prop_map(|(at, length)| Change::Repeat(at, length)),
        2 => (index(), prop::collection::vec(any::<u8>(), 1..16)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        3 => (index(), index()).prop_map(|(one, other)| Change::SwapLines(one, other)),
        3 => index().prop_map(Change::RepeatLine),
        2 => index().prop_map(Change::DropLine),
        4 => (index(), prop::sample::select(ODD_NUMBERS.to_vec())).prop_map(|(at, odd)| Change::Number(at, odd)),
    ];
    prop::collection::vec(change, 1..6)
}

/// `bytes` after all of `changes`.
pub fn changed(bytes: &[u8], changes: &[Change]) -> Vec<u8> {
    changes.iter().fold(bytes.to_vec(), |bytes, change| apply(bytes, change))
}

fn apply(mut bytes: Vec<u8>, change: &Change) -> Vec<u8> {
    if bytes.is_empty() {
        return bytes;
    }
    let length = bytes.len();
    match change {
        Change::Set(at, byte) => bytes[at.index(length)] = *byte,
        Change::Cut(at) => bytes.truncate(at.index(length)),
        Change::Remove(at, count) => {
            let at = at.index(length);
            bytes.drain(at..length.min(at + count));
        }
        Change::Repeat(at, count) => {
            let at = at.index(length);
            let again = bytes[at..length.min(at + count)].to_vec();
            bytes.splice(at..at, again);
        }
        Change::Insert(at, new) => {
            let at = at.index(length);
            bytes.splice(at..at, new.iter().copied());
        }
        Change::SwapLines(one, other) => {
            return of_lines(&bytes, |lines| {
                let (one, other) = (one.index(lines.len()), other.index(lines.len()));
                lines.swap(one, other);
            });
        }
        Change::RepeatLine(at) => {
            return of_lines(&bytes, |lines| lines.push(lines[at.index(lines.len())]));
        }
        Change::DropLine(at) => {
            return of_lines(&bytes, |lines| {
                lines.remove(at.index(lines.len()));
            });
        }
        Change::Number(at, odd) => {
            let starts: Vec<usize> = (0..length).filter(|&at| is_start_of_number(&bytes, at)).collect();
            if !starts.is_empty() {
                let start = starts[at.index(starts.len())];
                let end = (start..length).find(|&at| !bytes[at].is_ascii_digit()).unwrap_or(length);
                bytes.splice(start..end, odd.bytes());
            }
        }
    }
    bytes
}

fn is_start_of_number(bytes: &[u8], at: usize) -> bool {
    bytes[at].is_ascii_digit() && (at == 0 || !bytes[at - 1].is_ascii_digit())
}

fn of_lines(bytes: &[u8], act: impl FnOnce(&mut Vec<&[u8]>)) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
    act(&mut lines);
    lines.concat()
}
