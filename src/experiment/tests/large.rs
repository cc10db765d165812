//! A megabyte of anything is answered at once: no text makes a parser slow, and thousands of mistakes are found together.

use super::{LEAST, read};
use crate::base::clock::Stopwatch;
use crate::experiment::file::MAX_BYTES;

/// Far above what was measured (under 0.15 s in an optimised test), for a machine that is busy.
const AT_ONCE: f64 = 5.0;

#[test]
fn a_megabyte_of_one_piece_is_answered_at_once() {
    let pieces = [
        "- ",
        "? ",
        "{",
        "[",
        "a: ",
        "a:\n",
        "- \n",
        "&a ",
        "*a ",
        "[,",
        "'",
        "\"",
        "|\n",
        ">\n ",
        "#",
        " ",
        "\n",
        "a b ",
        "- a\n",
        "{a: [",
        "é",
        "? - ",
        "!a ",
        "%a\n",
        "---\n",
        "\"\\x41",
        "<<: ",
        "[a, ",
        "-\n ",
        "\t",
        "x: &a b\n",
        "\r",
        "''",
        ": ",
        "[]: ",
        "{}: ",
        "`",
        "\u{feff}",
    ];
    for piece in pieces {
        for begin in ["", "a: [", "a: |\n  "] {
            let text = format!("{begin}{}", piece.repeat((MAX_BYTES as usize - begin.len()) / piece.len()));
            let time = Stopwatch::start();
            assert!(!read(&text).unwrap_err().to_string().is_empty());
            assert!(time.seconds() < AT_ONCE, "{begin:?}{piece:?}: {} s", time.seconds());
        }
    }
}

#[test]
fn thousands_of_mistakes_are_found_and_the_first_are_shown() {
    let space = " ".repeat(80);
    let keys: Vec<String> = (0..9_000).map(|number| format!("k{number}: {space}1")).collect();
    let patterns = "'[', ".repeat(15_000);
    for (text, mistakes) in [
        (format!("{{{}}}", keys.join(", ")), 9_002),
        (keys.join("\n"), 9_002),
        (format!("{LEAST}train: {{ phases: [{{ trainable: {{ names: [{patterns}] }} }}] }}"), 15_000),
    ] {
        let time = Stopwatch::start();
        let found = read(&text).unwrap_err();
        assert_eq!(found.iter().len(), mistakes);
        assert!(found.to_string().lines().count() < 1_000);
        assert!(time.seconds() < AT_ONCE, "{} s", time.seconds());
    }
}
