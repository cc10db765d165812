//! Tables as people write them, and every defect with its message.

use super::*;
use proptest::prelude::*;
use std::fs;

fn texts(text_column: &str, label_column: &str) -> Texts {
    Texts { text_column: text_column.into(), label_column: label_column.into(), max_length: 128 }
}

fn read_as(name: &str, content: &[u8]) -> Result<Table, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    read(&path, &texts("text", "label")).map(|mut table| {
        for skipped in &mut table.skipped {
            skipped.source = skipped.source.replace(&format!("{}/", folder.path().display()), "");
        }
        table
    })
}

/// `line text|label` of each row.
fn rows(table: &Table) -> Vec<String> {
    table.rows.iter().map(|Row { line, text, label }| format!("{line} {text}|{label}")).collect()
}

/// `place: reason` of each row that was skipped.
fn skipped(table: &Table) -> Vec<String> {
    table.skipped.iter().map(|Skipped { source, reason }| format!("{source}: {reason}")).collect()
}

#[test]
fn csv_has_quotes_line_breaks_and_line_numbers() {
    for (name, content, expected) in [
        ("a.csv", "text,label\nred apple,food\nant,animals\n", &["2 red apple|food", "3 ant|animals"][..]),
        ("a.csv", "text,label\r\nred apple,food\r\nant,animals", &["2 red apple|food", "3 ant|animals"]),
        ("a.csv", "\u{FEFF}text,label\nant,animals\n", &["2 ant|animals"]),
        ("a.csv", "\u{FEFF}\"text\",\"label\"\nant,animals\n", &["2 ant|animals"]),
        ("a.CSV", "id,label, text ,x\n1, food ,red apple,y\n", &["2 red apple|food"]),
        ("a.csv", "text,label\n\"a, \"\"b\"\"\",food\n", &["2 a, \"b\"|food"]),
        ("a.csv", "text,label\n\"one\ntwo\r\n\",food\nant,animals\n", &["2 one\ntwo\r\n|food", "5 ant|animals"]),
        ("a.csv", "\n\ntext,label\n\r\n\nant,animals\n\n\nbee,animals\n\n", &["6 ant|animals", "9 bee|animals"]),
        ("a.csv", "text,label\n5\" pipe,food\n a ,1\n", &["2 5\" pipe|food", "3  a |1"]),
        ("a.tsv", "text\tlabel\nred, apple\tfood\n\"a\tb\"\tc\n", &["2 red, apple|food", "3 a\tb|c"]),
    ] {
        let table = read_as(name, content.as_bytes()).unwrap();
        assert_eq!(rows(&table), expected, "{content:?}");
        assert!(table.skipped.is_empty(), "{content:?}");
    }
}

#[test]
fn json_lines_have_texts_numbers_and_booleans() {
    let content = "\u{FEFF}{\"text\": \"a\\nb \\ud83c\\udf4e\", \"label\": 1, \"id\": [1]}\r\n\r\n\
                   {\"label\": true, \"text\": \"c\u{2028}\"}\n{\"text\":2.5,\"label\":\" x \"}";
    for name in ["a.jsonl", "a.ndjson"] {
        let table = read_as(name, content.as_bytes()).unwrap();
        assert_eq!(rows(&table), ["1 a\nb 🍎|1", "3 c\u{2028}|true", "4 2.5|x"]);
        assert!(table.skipped.is_empty());
    }
}

#[test]
fn rows_that_cannot_be_used_are_skipped_with_place_and_reason() {
    let csv =
        "text,label\nok,a\nno label\nred, apple,food\n  ,food\nant,\" \"\n\"a\" b,food\n\"\n\",\"\n\"\n,\nlast,b\n";
    let table = read_as("names.csv", csv.as_bytes()).unwrap();
    assert_eq!(rows(&table), ["2 ok|a", "12 last|b"]);
    assert_eq!(
        skipped(&table),
        [
            "names.csv:3: 1 field, but the header has 2",
            "names.csv:4: 3 fields, but the header has 2",
            "names.csv:5: the text is empty",
            "names.csv:6: the label is empty",
            "names.csv:7: there is text behind a closing quote",
            "names.csv:8: the text is empty",
            "names.csv:11: the text is empty",
        ]
    );
    let json = r#"{"text":"ok","label":"a"}
{"text":"ok"}
{"label":"a"}
{"text":"","label":"a"}
{"text":"ok","label":null}
{"text":["ok"],"label":"a"}
{"text":"ok","label":{"is":"a"}}
["ok","a"]
7
null
{"text":"ok","label":"a"
{"text":"ok" "label":"a"}
{"text":"\ud83c","label":"a"}
{"text":"ok","label":"a"} {}"#;
    let table = read_as("names.jsonl", json.as_bytes()).unwrap();
    assert_eq!(rows(&table), ["1 ok|a"]);
    assert_eq!(
        skipped(&table),
        [
            "names.jsonl:2: there is no `label`",
            "names.jsonl:3: there is no `text`",
            "names.jsonl:4: the text is empty",
            "names.jsonl:5: the label is empty",
            "names.jsonl:6: `text` is a list, not a text",
            "names.jsonl:7: `label` is an object, not a text",
            "names.jsonl:8: a list where an object belongs",
            "names.jsonl:9: a number where an object belongs",
            "names.jsonl:10: null where an object belongs",
            "names.jsonl:11: not JSON at column 24: EOF while parsing an object",
            "names.jsonl:12: not JSON at column 14: expected `,` or `}`",
            "names.jsonl:13: not JSON at column 16: unexpected end of hex escape",
            "names.jsonl:14: not JSON at column 27: trailing characters",
        ]
    );
}

#[test]
fn what_is_no_table_is_refused_with_a_hint() {
    for (name, content, words, hint) in [
        (
            "a.txt",
            &b"text,label\n"[..],
            "DIR/a.txt is no table that can be read: .csv, .tsv, .jsonl and .ndjson are",
            "one folder of .txt files per class",
        ),
        ("a.csv", b"", "DIR/a.csv is empty", "the first line"),
        ("a.csv", b"\xEF\xBB\xBF\r\n\n", "DIR/a.csv is empty", "the first line"),
        ("a.jsonl", b"\n \n", "DIR/a.jsonl is empty", "an object in each line"),
        ("a.csv", b"text,label\n", "there is no usable row in DIR/a.csv", "the first line"),
        (
            "a.jsonl",
            b"[\n{\"text\":\"a\",\"label\":\"b\"},\n]\n",
            "there is no usable row in DIR/a.jsonl: all 3 were skipped, the first being DIR/a.jsonl:1 (not JSON at column 1: EOF while parsing a list)",
            "an object in each line",
        ),
        (
            "a.csv",
            b"text,label\n\n,a\nb\n",
            "there is no usable row in DIR/a.csv: all 2 were skipped, the first being DIR/a.csv:3 (the text is empty)",
            "the first line",
        ),
        (
            "a.csv",
            b"txt,id,Label\na,1,b\n",
            "there is no column `text` in DIR/a.csv; its columns are `txt`, `id`, `Label` (did you mean `txt`?)",
            "data.text_column",
        ),
        (
            "a.csv",
            b"text,id,Label\na,1,b\n",
            "there is no column `label` in DIR/a.csv; its columns are `text`, `id`, `Label` (did you mean `Label`?)",
            "data.label_column",
        ),
        (
            "a.csv",
            b"text;label\na;b\n",
            "there is no column `text` in DIR/a.csv; its only one is `text;label`",
            "commas between them",
        ),
        (
            "a.jsonl",
            b"{\"text\":1}\n{\"text\":2}\n",
            "there is no column `label` in DIR/a.jsonl; its only one is `text`",
            "data.label_column",
        ),
        ("a.jsonl", b"{}\n", "there is no column `text` in DIR/a.jsonl; it has none", "data.text_column"),
        (
            "a.tsv",
            b"label\ttext\tlabel\n",
            "the column `label` is there more than once in DIR/a.tsv",
            "a name of its own",
        ),
        (
            "a.csv",
            b"text,label\r\nok,a\r\n\r\nodd,\"b\r\nc,d\r\n",
            "the quote that opens in line 4 of DIR/a.csv is never closed",
            "RFC 4180",
        ),
        (
            "a.csv",
            b"text,label\n\"a\nb\",\"c\n",
            "the quote that opens in line 3 of DIR/a.csv is never closed",
            "RFC 4180",
        ),
        ("a.csv", b"text,label\nok,a\nm\xE4rz,b\n", "could not read DIR/a.csv: line 3 is not UTF-8", "UTF-8"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), content).unwrap();
        let error = read(&folder.path().join(name), &texts("text", "label")).unwrap_err();
        assert_eq!(error.to_string().replace(&*folder.path().to_string_lossy(), "DIR"), words);
        assert!(error.hint().unwrap().contains(hint), "{words}: {:?}", error.hint());
    }
    let folder = tempfile::tempdir().unwrap();
    let said = |name: &str| read(&folder.path().join(name), &texts("text", "label")).unwrap_err().to_string();
    fs::create_dir(folder.path().join("folder.csv")).unwrap();
    assert_eq!(said("none.csv"), format!("the file {}/none.csv does not exist", folder.path().display()));
    assert_eq!(
        said("folder.csv"),
        format!("could not read {}/folder.csv: not a regular file", folder.path().display())
    );
}

#[test]
fn of_many_columns_some_are_listed() {
    let header = (1..=25).map(|n| format!("c{n}")).collect::<Vec<_>>().join(",");
    let said = read_as("a.csv", header.as_bytes()).unwrap_err().to_string();
    assert!(said.ends_with("`c19`, `c20` and 5 more"), "{said}");
}

#[test]
fn columns_go_by_the_names_that_were_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    fs::write(&path, "sentence,label,Class\nant,1,animals\n").unwrap();
    let table = read(&path, &texts("sentence", "Class")).unwrap();
    assert_eq!(rows(&table), ["2 ant|animals"]);
}

#[test]
fn the_emoji_names_are_split_as_the_pictures_are() {
    let experiments = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
    for (side, count) in [("train", 244), ("val", 82)] {
        let table = read(&experiments.join(format!("emoji-names/{side}.csv")), &texts("text", "label")).unwrap();
        assert_eq!((table.rows.len(), table.skipped.len()), (count, 0));
        for class in ["animals", "food", "transport"] {
            let pictures = fs::read_dir(experiments.join("emoji").join(side).join(class)).unwrap().count();
            let names = table.rows.iter().filter(|row| row.label == class).count();
            assert_eq!(2 * names, pictures, "{side} {class}");
        }
    }
}

/// Strings out of what CSV and JSON are made of, and anything else.
fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\"".to_owned()),
        Just("\"\"".to_owned()),
        Just(",".to_owned()),
        Just("\t".to_owned()),
        Just("\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("\\".to_owned()),
        Just(" ".to_owned()),
        Just("🍎".to_owned()),
        "\\PC{0,5}",
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn separated(samples: &[(String, String)], delimiter: u8) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    writer.write_record(["text", "label"]).unwrap();
    samples.iter().for_each(|(text, label)| writer.write_record([text, label]).unwrap());
    writer.into_inner().unwrap()
}

fn json_lines(samples: &[(String, String)]) -> Vec<u8> {
    let line = |(text, label): &(String, String)| format!("{}\n", serde_json::json!({"label": label, "text": text}));
    samples.iter().map(line).collect::<String>().into_bytes()
}

proptest! {
    #[test]
    fn any_strings_come_back(mut samples in proptest::collection::vec((string(), string()), 0..8)) {
        samples.push(("a text".into(), "a label".into()));
        let usable: Vec<_> = samples.iter().filter(|(text, label)| !text.trim().is_empty() && !label.trim().is_empty()).collect();
        for (name, content) in [
            ("a.csv", separated(&samples, b',')), ("a.tsv", separated(&samples, b'\t')), ("a.jsonl", json_lines(&samples)),
        ] {
            let table = read_as(name, &content).unwrap();
            prop_assert_eq!(table.rows.len() + table.skipped.len(), samples.len());
            prop_assert_eq!(table.rows.len(), usable.len());
            for (row, (text, label)) in table.rows.iter().zip(&usable) {
                prop_assert_eq!((&*row.text, &*row.label), (&**text, label.trim()));
            }
            prop_assert_eq!(table.rows.last().unwrap().line, file::newlines(&content), "{}", name);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(content in proptest::collection::vec(
        prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), Just(b'{'), Just(b'}'), Just(b':'), Just(b'a'), any::<u8>()], 0..60,
    ), headed: bool) {
        let content = if headed { [&b"text,label\n"[..], &content].concat() } else { content };
        for name in ["a.csv", "a.tsv", "a.jsonl"] {
            if let Ok(table) = read_as(name, &content) {
                prop_assert!(table.rows.iter().all(|row| row.line >= 1 && row.line <= 1 + file::newlines(&content)));
                prop_assert!(table.rows.windows(2).all(|pair| pair[0].line <= pair[1].line));
            }
        }
    }
}
