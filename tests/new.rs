//! `finetop new` and `finetop schema`: what is written for each kind of data is checked, and runs as it is.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod workplace;

use workplace::{Ended, Workplace};

/// Epochs that a test has the patience for.
const SHORT: [&str; 4] = ["--set", "train.phases.0.epochs=1", "--set", "train.phases.1.epochs=2"];

/// `new` with these arguments, then `check`, then a short `run`.
fn written_checked_and_run(here: &Workplace, arguments: &[&str], file: &str) -> (String, Ended) {
    let new = here.finetop(&[&["new"], arguments].concat()).succeeded();
    let text = std::fs::read_to_string(here.path(file)).expect("the experiment is written");
    assert!(text.starts_with("# yaml-language-server: $schema=.finetop-schema.json\n"), "{text}");
    here.finetop(&["check", file]).succeeded();
    here.finetop(&[&["run", file][..], &SHORT].concat()).succeeded();
    (text, new)
}

#[test]
fn for_pictures_on_two_sides() {
    let here = Workplace::with_pictures();
    let (text, new) = written_checked_and_run(&here, &["data", "-o", "colours.yaml"], "colours.yaml");
    for piece in ["train: data/train  # blue 8, green 8, red 8", "val: data/val", "image_size: 64", "weights: imagenet"]
    {
        assert!(text.contains(piece), "{piece} in {text}");
    }
    assert!(new.stdout.contains("24 pictures of 3 classes") && !text.contains("class_weight"), "{}", new.stdout);
    assert!(new.stderr.contains("finetop check colours.yaml"), "{}", new.stderr);
    let schema = std::fs::read_to_string(here.path(".finetop-schema.json")).unwrap();
    assert_eq!(here.finetop(&["schema"]).succeeded().stdout, schema);
    let read: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(read["$schema"], "https://json-schema.org/draft/2020-12/schema");

    let before = std::fs::read(here.path("colours.yaml")).unwrap();
    here.finetop(&["new", "data", "-o", "colours.yaml"]).exited(2).says(&["colours.yaml is there already", "-o"]);
    assert_eq!(std::fs::read(here.path("colours.yaml")).unwrap(), before);
}

#[test]
fn for_one_folder_of_classes_of_different_sizes() {
    let here = Workplace::with_pictures();
    for picture in 2..8 {
        std::fs::remove_file(here.path(&format!("data/train/red/{picture}.png"))).unwrap();
    }
    std::fs::rename(here.path("data/train"), here.path("my colours")).unwrap();
    let (text, new) = written_checked_and_run(&here, &["my colours"], "my-colours.yaml");
    for piece in ["train: \"my colours\"", "val_split: 0.2", "class_weight: balanced"] {
        assert!(text.contains(piece), "{piece} in {text}");
    }
    assert!(new.stdout.contains("4.0 times"), "{}", new.stdout);
}

const OF_TEXTS: [&str; 6] = ["--weights", "random", "--tokenizer", "vocab.txt", "--backbone", "bert"];

#[test]
fn for_tables() {
    let here = Workplace::with_texts();
    let (text, _) = written_checked_and_run(&here, &[&["train.csv", "-o", "a.yaml"][..], &OF_TEXTS].concat(), "a.yaml");
    for piece in ["text_column: text", "label_column: label", "max_length: 16", "tokenizer: vocab.txt", "food 8"] {
        assert!(text.contains(piece), "{piece} in {text}");
    }
    let rows = |review: &str, class: &str| format!("{{\"stars\": \"{class}\", \"review\": \"{review}\", \"id\": 1}}\n");
    let lines = (rows("apple bread", "food") + &rows("train ship", "transport")).repeat(6);
    here.write("r/train.jsonl", &lines);
    here.write("r/valid.jsonl", &lines);
    let asked = [&["r", "--label", "stars", "-o", "b.yaml"][..], &OF_TEXTS].concat();
    let (text, _) = written_checked_and_run(&here, &asked, "b.yaml");
    for piece in ["train: r/train.jsonl", "val: r/valid.jsonl", "text_column: review", "label_column: stars"] {
        assert!(text.contains(piece), "{piece} in {text}");
    }
    // weights with a name are known without a network
    here.finetop(&["new", "train.csv", "-o", "known.yaml"]).succeeded();
    let known = here.command(&["check", "known.yaml"]).env("HF_HOME", here.path("hub")).output().unwrap();
    Ended::from(known).succeeded();
}

#[test]
fn for_folders_of_texts() {
    let here = Workplace::with_texts();
    for at in 0..5 {
        here.write(&format!("texts/food/{at}.txt"), "apple bread");
        here.write(&format!("texts/transport/{at}.txt"), "train ship");
    }
    let (text, _) = written_checked_and_run(&here, &[&["texts"][..], &OF_TEXTS].concat(), "texts.yaml");
    assert!(text.contains("train: texts  # food 5, transport 5") && !text.contains("column"), "{text}");
}

#[test]
fn what_cannot_be_learned_from_is_refused_with_one_message() {
    let here = Workplace::with_pictures();
    std::fs::create_dir(here.path("empty")).unwrap();
    here.write("one/cat/1.png", "x");
    here.write("lonely/a/1.txt", "x");
    here.write("lonely/b/1.txt", "x");
    here.write("one.csv", "text,label\na,x\nb,x\n");
    here.write("odd.csv", "a,b\n1,2\n");
    here.write("empty.csv", "");
    here.write("notes.md", "x");
    for (arguments, says) in [
        (&["nowhere"][..], "nowhere: "),
        (&["empty"], "no class folders in"),
        (&["one"], "only one class, `cat`"),
        (&["lonely"], "the class `a` has only one sample"),
        (&["one.csv"], "only one class, `x`"),
        (&["odd.csv"], "which column is the text? The columns are `a`, `b`"),
        (&["odd.csv", "--text", "c"], "there is no column `c`; the columns are `a`, `b`"),
        (&["odd.csv", "--text", "a", "--label", "a"], "`a` cannot be the text and its class"),
        (&["empty.csv"], "is empty"),
        (&["notes.md"], "is no table that can be read"),
        (&["data", "--backbone", "bert"], "the data are pictures, which bert does not take"),
        (&["data", "--backbone", "resnet"], "expected `squeezenet1_1`"),
        (&["data", "--weights", "nonsense"], "no experiment was written"),
        (&["data", "--text", "a"], "and this is a folder"),
        (&["data", "-o", "no/such/a.yaml"], "no/such"),
    ] {
        let ended = here.finetop(&[&["new"], arguments].concat()).exited(2).says(&[says]);
        assert_eq!(ended.stdout, "", "{arguments:?}");
    }
    let written = std::fs::read_dir(here.folder()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!written.into_iter().any(|name| name.to_string_lossy().ends_with(".yaml")), "nothing was written");
}
