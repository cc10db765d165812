//! Reads the source tree and fails when a rule of the house is broken, naming file, line and rule.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The rooms in their order: one may use those before it, never one after it.
const ROOMS: [&str; 10] = ["base", "experiment", "ops", "data", "model", "record", "train", "runner", "tui", "cli"];

/// Lines of a file without its tests; past this it is usually two things.
const LONGEST_FILE: usize = 400;

/// A word that may only stand in some places, and why.
struct Confined {
    words: &'static [&'static str],
    /// Path prefixes below `src/` where they may stand.
    allowed: &'static [&'static str],
    rule: &'static str,
}

const CONFINED: [Confined; 5] = [
    Confined {
        words: &["candle_core", "candle_nn"],
        allowed: &["ops/", "model/", "train/", "data/loader"],
        rule: "Candle stays in ops, model, train and the batching of data",
    },
    Confined { words: &["ratatui", "crossterm"], allowed: &["tui/"], rule: "the terminal is tui's affair" },
    Confined {
        words: &[
            "File::create",
            "OpenOptions",
            "fs::write",
            "fs::rename",
            "fs::create_dir",
            "fs::remove_",
            "File::options",
        ],
        allowed: &["base/durable"],
        rule: "files are written through base::durable",
    },
    Confined {
        words: &["SystemTime", "Instant::now", "jiff::"],
        allowed: &["base/clock.rs"],
        rule: "the time is read through base::clock",
    },
    Confined { words: &["println!", "print!(", "eprint!(", "dbg!("], allowed: &["cli/"], rule: "only cli prints" },
];

const PANICS: [&str; 7] =
    ["panic!(", ".unwrap()", ".expect(", "unreachable!(", "todo!(", "unimplemented!(", "assert!("];

#[derive(Debug, PartialEq, Eq)]
struct Broken {
    place: String,
    rule: String,
}

/// The file's lines that are code of the product, with their numbers: no comments, no string contents, no tests.
fn code(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut all = text.lines().enumerate().peekable();
    while let Some((index, line)) = all.next() {
        if line.trim() == "#[cfg(test)]"
            && all.peek().is_some_and(|(_, next)| next.trim_start().starts_with("mod tests"))
        {
            break;
        }
        let code = without_strings_and_comments(line);
        if !code.trim().is_empty() {
            lines.push((index + 1, code));
        }
    }
    lines
}

fn without_strings_and_comments(line: &str) -> String {
    let mut code = String::new();
    let mut chars = line.chars().peekable();
    let mut in_string = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' if in_string => drop(chars.next()),
            // A quote as a character literal opens no string.
            '\'' if !in_string && chars.peek() == Some(&'"') => drop(chars.next()),
            '"' => in_string = !in_string,
            '/' if !in_string && chars.peek() == Some(&'/') => break,
            c if !in_string => code.push(c),
            _ => {}
        }
    }
    code
}

fn check(path: &str, text: &str) -> Vec<Broken> {
    let lines = code(text);
    let mut broken = Vec::new();
    let mut say = |line: usize, rule: String| broken.push(Broken { place: format!("src/{path}:{line}"), rule });
    let room = ROOMS.iter().position(|room| path.starts_with(&format!("{room}/")));
    for (number, line) in &lines {
        if let Some(room) = room {
            for later in ROOMS.iter().skip(room + 1).filter(|later| uses_room(line, later)) {
                say(*number, format!("{} may not use {later}, which is above it", ROOMS[room]));
            }
        }
        for confined in &CONFINED {
            let here = confined.allowed.iter().any(|prefix| path.starts_with(prefix));
            if !here && confined.words.iter().any(|word| has_word(line, word)) {
                say(*number, confined.rule.to_owned());
            }
        }
        let may_panic = path.starts_with("cli/");
        if !may_panic && PANICS.iter().any(|word| line.contains(word)) && !line.contains("debug_assert") {
            say(*number, "nothing outside of tests and cli panics".to_owned());
        }
    }
    let length = lines.last().map_or(0, |&(number, _)| number);
    if length > LONGEST_FILE {
        say(length, format!("{length} lines without tests: past {LONGEST_FILE} look for the second thing"));
    }
    broken
}

fn uses_room(line: &str, room: &str) -> bool {
    line.contains(&format!("crate::{room}::")) || line.trim_end().ends_with(&format!("use crate::{room};"))
}

/// `word` not as the end of a longer one (`eprintln!` is no `println!`… but is confined by itself).
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') || word == "println!")
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Files of tests alone: those that say so themselves, those that a `#[cfg(test)] mod name;` brings in, and what is below.
fn test_only(files: &[(String, String)]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (path, text) in files {
        if text.contains("#![cfg(test)]") {
            names.insert(path.clone());
        }
        let mut previous = "";
        for line in text.lines().map(str::trim) {
            let module = line.trim_start_matches("pub").trim_start_matches("(crate)").trim_start().strip_prefix("mod ");
            if let (true, Some(module)) =
                (previous == "#[cfg(test)]", module.and_then(|module| module.strip_suffix(';')))
            {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let stem = path.rsplit('/').next().unwrap().trim_end_matches(".rs");
                let inside =
                    if matches!(stem, "mod" | "lib" | "main") { folder.to_owned() } else { format!("{folder}/{stem}") };
                let module = format!("{inside}/{module}");
                let is_below =
                    |path: &String| *path == format!("{module}.rs") || path.starts_with(&format!("{module}/"));
                names.extend(files.iter().map(|(path, _)| path).filter(|path| is_below(path)).cloned());
            }
            previous = line;
        }
    }
    names
}

#[test]
fn the_house_is_tidy() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    rust_files(&source, &mut paths);
    paths.sort();
    assert!(paths.len() > 30, "the source tree was found");
    let files: Vec<(String, String)> = paths
        .iter()
        .map(|path| (path.strip_prefix(&source).unwrap().display().to_string(), std::fs::read_to_string(path).unwrap()))
        .collect();
    let skipped = test_only(&files);
    let broken: Vec<Broken> =
        files.iter().filter(|(path, _)| !skipped.contains(path)).flat_map(|(path, text)| check(path, text)).collect();
    let list: Vec<String> = broken.iter().map(|broken| format!("{}: {}", broken.place, broken.rule)).collect();
    assert!(broken.is_empty(), "\n{}", list.join("\n"));
}

#[test]
fn every_rule_finds_its_breach() {
    for (path, text, rule) in [
        ("record/a.rs", "use crate::train::run;", "record may not use train"),
        ("base/a.rs", "let x = crate::record::event::Event::Unknown;", "base may not use record"),
        ("record/a.rs", "use candle_core::Tensor;", "Candle stays"),
        ("data/decode.rs", "use candle_core::Tensor;", "Candle stays"),
        ("train/a.rs", "ratatui::init();", "the terminal is tui's"),
        ("runner/a.rs", "std::fs::write(path, b\"\")?;", "base::durable"),
        ("runner/a.rs", "let t = Instant::now();", "base::clock"),
        ("train/a.rs", "    eprintln!(\"x\");", "only cli prints"),
        ("train/a.rs", "let x = y.unwrap();", "panics"),
    ] {
        let broken = check(path, text);
        assert!(broken.iter().any(|broken| broken.rule.contains(rule)), "{path}: {text}: {broken:?}");
        assert!(broken[0].place.ends_with(":1"));
    }
    assert!(check("ops/long.rs", &"let a = 1;\n".repeat(LONGEST_FILE + 1))[0].rule.contains("second thing"));
}

#[test]
fn what_is_allowed_is_let_through() {
    for (path, text) in [
        ("train/a.rs", "use crate::record::event::Event; // crate::tui::App"),
        ("train/a.rs", "let text = \"println!( panic!( crate::tui::x\";"),
        ("cli/ls.rs", "println!(\"{}\", x.unwrap());"),
        ("data/loader.rs", "use candle_core::Tensor;"),
        ("base/a.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { c().unwrap(); }\n}"),
        ("base/durable.rs", "std::fs::rename(a, b)?;"),
    ] {
        assert_eq!(check(path, text), vec![], "{path}: {text}");
    }
}
