//! What holds for any text and any experiment.

use proptest::prelude::*;

use super::generated::experiments;
use super::{LEAST, origin, read};
use crate::experiment::mistakes::Findings;
use crate::experiment::tree::{self, Kind, Node, Scalar, ScalarValue};
use crate::experiment::*;

/// What serde_yaml alone makes of a text, merges applied.
fn by_serde(text: &str) -> Option<serde_yaml::Value> {
    let mut value: serde_yaml::Value = serde_yaml::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    value.apply_merge().ok()?;
    Some(value)
}

fn as_serde(node: &Node) -> serde_yaml::Value {
    match &node.kind {
        Kind::Null => serde_yaml::Value::Null,
        Kind::Scalar(Scalar { typed, value }) => match *value {
            ScalarValue::Text => typed.as_str().into(),
            ScalarValue::Bool(value) => value.into(),
            ScalarValue::Number(value) => value.into(),
            ScalarValue::Whole(value) => i64::try_from(value).map_or_else(|_| (value as u64).into(), Into::into),
        },
        Kind::List(items) => items.iter().map(as_serde).collect(),
        Kind::Map(entries) => {
            let map = entries.iter().map(|entry| (entry.key.as_str().into(), as_serde(&entry.value)));
            serde_yaml::Value::Mapping(map.collect())
        }
    }
}

/// Every place must hold what was typed: for plain scalars of one line that can be seen. (Blocks begin at their text.)
fn places_hold_what_was_typed(node: &Node, text: &str) {
    let typed_at = |start: usize, end: usize| text[start..end].trim_end();
    match &node.kind {
        Kind::Scalar(Scalar { typed, .. }) => {
            let there = typed_at(node.place.start, node.place.end);
            let is_plain = !there.starts_with(['"', '\'', '*', '&']) && !text.contains(['|', '>']);
            assert!(!is_plain || there.contains('\n') || there == typed, "{typed:?} is at {there:?} of {text:?}");
        }
        Kind::Null => {}
        Kind::List(items) => items.iter().for_each(|item| places_hold_what_was_typed(item, text)),
        Kind::Map(entries) => entries.iter().for_each(|entry| places_hold_what_was_typed(&entry.value, text)),
    }
}

/// Holds the two readings together on one text.
fn readings_agree(text: &str) {
    let findings = Findings::default();
    let Ok(node) = tree::read(text, 0, 0, &findings) else { return };
    places_hold_what_was_typed(&node, text);
    if let (Ok(node), Some(value)) = (findings.into_result(Vec::new(), Some(node)), by_serde(text)) {
        assert_eq!(as_serde(&node), value, "{text:?}");
    }
}

#[test]
fn the_two_readings_agree_on_these() {
    for text in [
        super::EXAMPLE,
        LEAST,
        "a: 1\nb: [x, 'y', \"z\\n\", ~, null, '', true, False, 0x1f, 0o17, -3, 1e-3, .5, .inf, 1_0, 010, yes]\n",
        "? a\n: b\nc: |\n  lines\n  of text\nd: >-\n  folded\n  text\n",
        "a: &a {b: 1}\nc: *a\nd:\n  <<: *a\n  e: 2\nf: [*a, *a]\n",
        "é: ü # ö\nlist:\n- a\n-\n  - b\n- {c: d, 'e': f}\n- [g, h: i]\n",
        "plain: a text\n  of two lines\nquoted: 'it''s'\n\"k\": \"\\u00e9 \\x41\"\n",
        "--- \na: b\n...\n",
        "%YAML 1.2\n---\na: b\n",
        "a:\r\n  - b\r\n  - c: d\r\n",
        "model: {\n  pool: avg\n}\nhead: [\n  {a: 1},\n  b,\n]\n",
        "a:   # note\n  b: c#d   # note\n\n\n# end",
        "a: {b: [c, {d: e}], \"f\":g}\n",
        "url: http://a:80/b?c=d&e\npath: ../a b/c\ntime: 12:30\n",
        "{}",
        "[]",
        "big: 18446744073709551615\nneg: -9223372036854775808\n",
    ] {
        assert!(by_serde(text).is_some(), "{text:?}");
        assert!(tree::read(text, 0, 0, &Findings::default()).is_ok(), "{text:?}");
        readings_agree(text);
    }
}

/// Either an experiment, or at least one mistake, each within the lines of the text; and showing them never fails.
fn is_understood(text: &str) {
    if let Err(mistakes) = read(text) {
        assert!(mistakes.iter().len() > 0);
        let lines = text.matches('\n').count() + 1;
        for mistake in mistakes.iter() {
            assert!((1..=lines).contains(&mistake.line) && mistake.column >= 1, "{mistake:?} of {text:?}");
        }
        let shown = mistakes.to_string();
        assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
    }
}

/// Texts out of the pieces that YAML is made of.
fn yaml_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => Just("\n".to_owned()),
        2 => Just("\n  ".to_owned()),
        2 => Just("\n    ".to_owned()),
        1 => Just("\r\n".to_owned()),
        3 => Just(": ".to_owned()),
        2 => Just("- ".to_owned()),
        2 => prop::sample::select(vec!["{", "}", "[", "]", ", ", "? ", "'", "\"", "|", ">", "#", " #", "---", "...", "\t", "%", "!", "!!str ", "@", "`", "\\", " "]).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["&a ", "*a", "&b ", "*b", "<<: ", "<<: *a", "<<: [*a, *b]"]).prop_map(str::to_owned),
        4 => prop::sample::select(KEYS.iter().map(Key::name).collect::<Vec<_>>()).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["1", "-1", "0.5", "1e-3", ".nan", ".inf", "true", "null", "~", "adam", "head", "squeezenet1_1", "random", "é", "🍎", "\u{85}", "\u{2028}", "\u{feff}", "\u{7f}"]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A right experiment with pieces replaced.
fn almost_right() -> impl Strategy<Value = String> {
    (any::<prop::sample::Index>(), any::<prop::sample::Index>(), yaml_like(), any::<bool>()).prop_map(
        |(from, to, new, long)| {
            let text = if long { super::EXAMPLE } else { LEAST };
            let (from, to) = (from.index(text.len()), to.index(text.len()));
            format!("{}{new}{}", &text[..from.min(to)], &text[from.max(to)..])
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_understood(text in any::<String>()) {
        is_understood(&text);
    }

    #[test]
    fn any_bytes_are_understood(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        std::fs::write(&path, bytes).unwrap();
        if let Err(mistakes) = load(&path, &[]) {
            prop_assert!(!mistakes.to_string().is_empty());
        }
    }

    #[test]
    fn what_looks_like_yaml_is_understood(text in yaml_like()) {
        is_understood(&text);
        readings_agree(&text);
    }

    #[test]
    fn what_is_almost_right_is_understood(text in almost_right()) {
        is_understood(&text);
        readings_agree(&text);
    }

    #[test]
    fn any_override_is_understood(key in "[a-z.0-9\\[\\]éx]{1,20}", value in yaml_like()) {
        if let Ok(set) = format!("{key}={value}").parse::<Override>()
            && let Err(mistakes) = parse(super::EXAMPLE, &origin(), &[set])
        {
            prop_assert!(!mistakes.to_string().is_empty());
        }
    }

    #[test]
    fn what_is_written_reads_back_equal(experiment in experiments()) {
        let written = experiment.to_yaml();
        let read = parse(&written, &origin(), &[]);
        prop_assert!(read.is_ok(), "{}\n{written}", read.unwrap_err());
        prop_assert_eq!(read.unwrap(), experiment);
    }
}
