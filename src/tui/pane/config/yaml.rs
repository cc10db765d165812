//! YAML in colours, line by line, and the keys of the lines that the program itself wrote.
//!
//! It is not parsed: a line that it does not understand is shown all the same, in fewer colours.

use crate::tui::styled::Styled;
use crate::tui::theme::{Role, Theme};

/// A line in its colours.
pub fn colored(line: &str, theme: &Theme) -> Styled {
    let mut styled = Styled::default();
    let mut put = |text: &str, role: Role| {
        styled.push(text, theme.style(role));
    };
    let (code, comment) = line.split_at(comment(line));
    let mut body = code.trim_start_matches(' ');
    while let Some(item) = body.strip_prefix("- ") {
        body = item;
    }
    let lead = &code[..code.len() - body.len()];
    put(lead, Role::Dim);
    let value = match key_end(body) {
        Some(end) => {
            put(&body[..end], Role::Accent);
            put(":", Role::Dim);
            &body[end + 1..]
        }
        None => body,
    };
    if value.trim_start().starts_with(['{', '[']) {
        flow(value, &mut put)
    } else {
        put(value, role(value))
    }
    put(comment, Role::Dim);
    styled
}

/// Where the comment begins; at the end where there is none.
fn comment(line: &str) -> usize {
    let mut quote = None;
    let mut before = ' ';
    for (at, letter) in line.char_indices() {
        match (quote, letter) {
            (None, '#') if before.is_whitespace() => return at,
            (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            _ => {}
        }
        before = letter;
    }
    line.len()
}

/// Where the colon behind the key stands, if `body` begins with a key.
fn key_end(body: &str) -> Option<usize> {
    if body.starts_with(['{', '[', '"', '\'', '|', '>']) {
        return None;
    }
    let mut colons = body.match_indices(':').map(|(at, _)| at);
    colons.find(|at| body[at + 1..].is_empty() || body[at + 1..].starts_with(' '))
}

/// Maps and lists between braces and brackets.
fn flow(text: &str, put: &mut impl FnMut(&str, Role)) {
    let mut rest = text;
    while !rest.is_empty() {
        let signs = rest.len() - rest.trim_start_matches(['{', '}', '[', ']', ',', ' ']).len();
        put(&rest[..signs], Role::Dim);
        rest = &rest[signs..];
        let quoted = rest.starts_with(['"', '\'']).then(|| rest[1..].find(&rest[..1]).map(|end| end + 2)).flatten();
        let end = quoted.or_else(|| rest.find(['{', '}', '[', ']', ','])).unwrap_or(rest.len());
        let word = &rest[..end];
        match key_end(word) {
            Some(colon) => {
                put(&word[..colon], Role::Accent);
                put(":", Role::Dim);
                rest = &rest[colon + 1..];
            }
            None => {
                put(word, role(word));
                rest = &rest[end..];
            }
        }
    }
}

/// What a value is.
fn role(value: &str) -> Role {
    match value.trim() {
        text if text.starts_with(['"', '\'']) => Role::Good,
        "true" | "false" | "null" | "~" => Role::Live,
        text if text.parse::<f64>().is_ok() => Role::Val,
        _ => Role::Plain,
    }
}

/// Where a line of a text that the program wrote stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// The dotted key: `train.phases.0.optimizer.adam.lr`; empty where there is none.
    pub key: String,
    /// The line of the map or list that it is in.
    pub parent: Option<usize>,
}

/// What a level of nesting is.
#[derive(Debug)]
enum Part {
    Key(String),
    Item(usize),
}

/// Where each line of a block of YAML stands, as `resolved.yaml` is written: a key or a scalar a line.
pub fn stands(text: &str) -> Vec<Stand> {
    // Each level with its indentation and its line.
    let mut levels: Vec<(usize, Part, usize)> = Vec::new();
    let mut stands = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut rest = line.trim_start_matches(' ');
        let mut indent = line.len() - rest.len();
        while let Some(item) = rest.strip_prefix("- ") {
            next_item(&mut levels, indent, number);
            indent += 2;
            rest = item;
        }
        if let Some(end) = key_end(rest) {
            levels.retain(|(other, ..)| *other < indent);
            levels.push((indent, Part::Key(rest[..end].to_owned()), number));
        }
        let parent = levels.iter().rev().map(|(.., line)| *line).find(|&line| line < number);
        stands.push(Stand { key: dotted(&levels), parent });
    }
    stands
}

/// A dash at `indent`: the next item of the list there, or the first.
fn next_item(levels: &mut Vec<(usize, Part, usize)>, indent: usize, line: usize) {
    levels.retain(|(other, ..)| *other <= indent);
    let count = levels.iter().rev().find_map(|(other, part, _)| match part {
        Part::Item(count) if *other == indent => Some(*count + 1),
        _ => None,
    });
    levels.retain(|(other, part, _)| *other < indent || matches!(part, Part::Key(_)));
    levels.push((indent, Part::Item(count.unwrap_or(0)), line));
}

fn dotted(levels: &[(usize, Part, usize)]) -> String {
    let parts = levels.iter().map(|(_, part, _)| match part {
        Part::Key(name) => name.clone(),
        Part::Item(number) => number.to_string(),
    });
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures::UNICODE;
    use proptest::prelude::*;

    /// A line as its parts, each with its role.
    fn parts(line: &str) -> Vec<(String, Role)> {
        let roles = [Role::Accent, Role::Dim, Role::Plain, Role::Val, Role::Good, Role::Live];
        let styled = colored(line, &UNICODE);
        styled
            .parts()
            .map(|(text, style)| {
                (text.to_owned(), roles.into_iter().find(|&role| UNICODE.style(role) == style).unwrap())
            })
            .collect()
    }

    #[test]
    fn keys_values_and_comments_have_their_colours() {
        use Role::{Accent, Dim, Good, Live, Plain, Val};
        for (line, expected) in [
            ("name: emoji", vec![("name", Accent), (":", Dim), (" emoji", Plain)]),
            ("  lr: 1e-3 # a rate", vec![("  ", Dim), ("lr", Accent), (":", Dim), (" 1e-3 ", Val), ("# a rate", Dim)]),
            ("- dropout: 0.3", vec![("- ", Dim), ("dropout", Accent), (":", Dim), (" 0.3", Val)]),
            ("- -5", vec![("- ", Dim), ("-5", Val)]),
            ("a: 'x # y'", vec![("a", Accent), (":", Dim), (" 'x # y'", Good)]),
            ("weights: hf:a/b", vec![("weights", Accent), (":", Dim), (" hf:a/b", Plain)]),
            ("url#x: it's # so", vec![("url#x", Accent), (":", Dim), (" it's ", Plain), ("# so", Dim)]),
            ("on: true", vec![("on", Accent), (":", Dim), (" true", Live)]),
            (
                "a: { b: 1, c: [x, 'y, z'] }",
                vec![
                    ("a", Accent),
                    (": { ", Dim),
                    ("b", Accent),
                    (": ", Dim),
                    ("1", Val),
                    (", ", Dim),
                    ("c", Accent),
                    (": [", Dim),
                    ("x", Plain),
                    (", ", Dim),
                    ("'y, z'", Good),
                    ("] }", Dim),
                ],
            ),
            ("# all of it", vec![("# all of it", Dim)]),
            ("", vec![]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(text, role)| (text.to_owned(), role)).collect();
            assert_eq!(parts(line), expected, "{line}");
        }
    }

    #[test]
    fn every_line_of_a_resolved_file_has_its_key() {
        let text = "name: a\ndata:\n  train: x\nmodel:\n  head:\n  - dropout: 0.3\n  - dense:\n      units: 2\ntrain:\n  phases:\n  \
            - name: p\n    trainable:\n      names:\n      - fire8*\n      - fire9*\n  - name: q\nseed: 1\n";
        let stands = stands(text);
        let keys: Vec<&str> = stands.iter().map(|stand| stand.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "name",
                "data",
                "data.train",
                "model",
                "model.head",
                "model.head.0.dropout",
                "model.head.1.dense",
                "model.head.1.dense.units",
                "train",
                "train.phases",
                "train.phases.0.name",
                "train.phases.0.trainable",
                "train.phases.0.trainable.names",
                "train.phases.0.trainable.names.0",
                "train.phases.0.trainable.names.1",
                "train.phases.1.name",
                "seed"
            ]
        );
        let parents: Vec<Option<usize>> = stands.iter().map(|stand| stand.parent).collect();
        assert_eq!(parents[2], Some(1));
        assert_eq!((parents[7], parents[11], parents[14], parents[16]), (Some(6), Some(10), Some(12), None));
    }

    proptest! {
        #[test]
        fn no_letter_of_any_line_is_lost(line in "[-a:#'\"{}\\[\\], 1é🍎]{0,30}") {
            let colored = colored(&line, &UNICODE);
            prop_assert_eq!(colored.text(), &line);
            stands(&line);
        }
    }
}
