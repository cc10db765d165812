//! Files as they lie on a disk: what cannot be read, what is too much, and paths that lead nowhere.

use std::fs;
use std::path::Path;

use super::{EXAMPLE, LEAST, absolute, read, read_with};
use crate::base::clock::Stopwatch;
use crate::experiment::{Activation, AdamVariant, HeadLayer, Mistakes, Mode, Optimizer, Trainable, Weights, load};

fn messages(mistakes: &Mistakes) -> Vec<String> {
    let text = |hint: &Option<String>| hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
    mistakes.iter().map(|mistake| format!("{}{}", mistake.message, text(&mistake.hint))).collect()
}

#[test]
fn the_example_of_the_design_is_read_as_it_is_meant() {
    let experiment = read(EXAMPLE).unwrap();
    assert_eq!(experiment.name, "emoji-squeezenet");
    assert_eq!(experiment.data.train, absolute("data/train"));
    assert_eq!(experiment.data.val, Some(absolute("data/val")));
    assert_eq!(experiment.model.weights, Weights::File(absolute("weights/squeezenet1_1.safetensors")));
    let dense = HeadLayer::Dense { units: 256, activation: Activation::Relu, l2: None };
    assert_eq!(experiment.model.head, [dense, HeadLayer::Dropout(0.5)]);
    let [head, fine_tune] = &*experiment.train.phases else { panic!("two phases") };
    assert_eq!((head.optimizer.lr(), fine_tune.optimizer.lr()), (1e-3, 1e-5));
    assert_eq!((head.epochs, &fine_tune.trainable), (20, &Trainable::LastLayers(4)));
    assert_eq!(experiment.train.early_stopping.unwrap().patience, 5);
    assert_eq!(experiment.train.reduce_lr_on_plateau.unwrap().factor, 0.3);
    assert_eq!(read(EXAMPLE).unwrap().notes(), Vec::<String>::new());
}

#[test]
fn what_is_not_given_is_as_keras_has_it() {
    let experiment = read(&format!("{LEAST}train: {{ early_stopping: {{}}, reduce_lr_on_plateau: {{}} }}\n")).unwrap();
    insta::assert_snapshot!("defaults", experiment.to_yaml());
    let [phase] = &*experiment.train.phases else { panic!("one phase") };
    assert_eq!(
        phase.optimizer,
        Optimizer::Adam { lr: 1e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, variant: AdamVariant::Keras }
    );
}

#[test]
fn short_and_long_forms_mean_the_same() {
    let phases =
        |text: &str| read(&format!("{LEAST}train:\n  phases:\n    - {text}\n")).unwrap().train.phases.remove(0);
    for same in
        ["{}", "optimizer: adam", "optimizer: { adam: }", "optimizer: { adam: {} }", "trainable: head", "epochs: 10"]
    {
        assert_eq!(phases(same), phases("name: phase_1"), "{same}");
    }
    let head = |text: &str| read(&LEAST.replace("random", &format!("random, head: [{text}]"))).unwrap().model.head;
    assert_eq!(head("dense: 8"), head("dense: { units: 8, activation: linear }"));
    for lr in ["1e-3", "1.e-3", "0.001", ".001", "1.0E-3", "+1e-3"] {
        assert_eq!(phases(&format!("optimizer: {{ adam: {{ lr: {lr} }} }}")).optimizer.lr(), 1e-3, "{lr}");
    }
}

#[test]
fn modes_follow_from_the_metric() {
    let watch = |text: &str| read(&format!("{LEAST}train: {{ {text} }}\n")).unwrap().train.watch;
    for (text, monitor, mode) in [
        ("", "val_loss", Mode::Min),
        ("monitor: val_accuracy", "val_accuracy", Mode::Max),
        ("monitor: accuracy, mode: auto", "accuracy", Mode::Max),
        ("monitor: val_accuracy, mode: min", "val_accuracy", Mode::Min),
        ("early_stopping: { monitor: val_accuracy }", "val_accuracy", Mode::Max),
        ("early_stopping: { monitor: val_accuracy }, monitor: loss", "loss", Mode::Min),
        ("early_stopping: { monitor: val_accuracy }, mode: min", "val_accuracy", Mode::Min),
        ("monitor: val_ece", "val_ece", Mode::Min),
        ("early_stopping: { monitor: val_top_3 }", "val_top_3", Mode::Max),
        ("monitor: val_recall/a loss", "val_recall/a loss", Mode::Max),
        ("monitor: val_ece, mode: max", "val_ece", Mode::Max),
    ] {
        let watch = watch(text);
        assert_eq!((&*watch.monitor.name(), watch.mode), (monitor, mode), "{text}");
    }
}

#[test]
fn what_is_watched_is_computed_too() {
    let metrics = |text: &str| {
        let metrics = read(&format!("{LEAST}train: {{ {text} }}\n")).unwrap().train.metrics;
        metrics.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(metrics("monitor: val_loss, early_stopping: { monitor: accuracy }").is_empty());
    assert_eq!(metrics("metrics: [top_3, f1_per_class]"), ["top_3", "f1_per_class"]);
    assert_eq!(metrics("metrics: [f1], monitor: val_f1"), ["f1"]);
    let all = "metrics: [auroc, recall_per_class], monitor: val_recall/a, early_stopping: { monitor: val_ece }, \
               reduce_lr_on_plateau: { monitor: val_precision/a }";
    assert_eq!(metrics(all), ["auroc", "recall_per_class", "ece", "precision/a"]);
}

#[test]
fn anchors_and_merges_work_and_keep_their_places() {
    let text = format!(
        "{LEAST}train:\n  phases:\n    - &head\n      name: head\n      epochs: 3\n      optimizer: &fast {{ adam: {{ lr: 1e-2 }} }}\n    \
         - <<: *head\n      name: more\n      optimizer: *fast\n    - <<: [{{ epochs: 7 }}, *head]\n      name: last\n"
    );
    let phases = read(&text).unwrap().train.phases;
    let seen: Vec<_> = phases.iter().map(|p| (&*p.name, p.epochs, p.optimizer.lr())).collect();
    assert_eq!(seen, [("head", 3, 1e-2), ("more", 3, 1e-2), ("last", 7, 1e-2)]);

    let mistakes = read(&text.replace("epochs: 3", "epochs: 0")).unwrap_err();
    let places: Vec<_> = mistakes.iter().map(|mistake| (mistake.line, mistake.column)).collect();
    assert_eq!(places, [(7, 15)], "said once, where it was typed");
}

#[test]
fn merges_of_merges_work() {
    let text = format!(
        "{LEAST}train:\n  phases:\n    - &a {{ epochs: 3 }}\n    - &b {{ <<: *a, trainable: all }}\n    - {{ <<: *b, name: c }}\n"
    );
    let last = read(&text).unwrap().train.phases.remove(2);
    assert_eq!((last.epochs, last.trainable), (3, Trainable::All));
}

#[test]
fn overrides_replace_add_and_remove() {
    let experiment = read_with(
        EXAMPLE,
        &[
            "train.batch_size=64",
            "train.phases.1.epochs=3",
            "data.val=",
            "data.val_split=0.25",
            "threads=2",
            "train.phases.0.trainable.last_layers=2",
            "train.early_stopping=null",
            "model.head=[dropout: 0.25]",
            "name=a b",
        ],
    )
    .unwrap();
    assert_eq!((experiment.train.batch_size, experiment.train.phases[1].epochs, experiment.threads), (64, 3, 2));
    assert_eq!((experiment.data.val, experiment.data.val_split), (None, Some(0.25)));
    assert_eq!(experiment.train.phases[0].trainable, Trainable::LastLayers(2));
    assert_eq!(experiment.train.early_stopping, None);
    assert_eq!(experiment.model.head, [HeadLayer::Dropout(0.25)]);
    assert_eq!(experiment.name, "a b");
    for wrong in ["train.batch_size", "=3", "a..b=3", ".a=3", ""] {
        assert!(wrong.parse::<crate::experiment::Override>().is_err(), "{wrong}");
    }
}

#[test]
fn what_is_no_text_of_an_experiment_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |content: &[u8]| {
        let path = folder.path().join("a.yaml");
        fs::write(&path, content).unwrap();
        messages(&load(&path, &[]).unwrap_err()).join("; ")
    };
    assert!(refused(b"\x7fELF\x02\x01\x00\x00").starts_with("the file is binary, expected YAML text in UTF-8"));
    assert!(refused(b"name: a\nb: \xff\n").starts_with("the file is not UTF-8: line 2"));
    assert!(refused("n\0a\0m\0e\0".as_bytes()).starts_with("the file is binary"));
    assert!(refused(b"").starts_with("the file is empty"));
    let large = refused(&vec![b'#'; 2 << 20]);
    assert!(large.starts_with("the file has 2.0 MiB, an experiment has at most 1.0 MiB"), "{large}");
}

#[test]
fn what_cannot_be_read_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let shown = load(&folder.path().join("no.yaml"), &[]).unwrap_err().to_string();
    assert!(shown.contains("could not read the file") && shown.contains("no.yaml"), "{shown}");
    let shown = load(folder.path(), &[]).unwrap_err().to_string();
    assert!(shown.contains("this is a folder, expected an experiment file"), "{shown}");
}

/// A bomb is refused at once, and so is what nests too deeply.
#[test]
fn documents_that_explode_are_refused_at_once() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let alias = format!("*a{}", level - 1);
        bomb += &format!("a{level}: &a{level} [{}]\n", [&*alias; 9].join(", "));
    }
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), ["*a"; 1_000].join(", "));
    let merges = (1..30).fold("a0: &a0 { k: [1, 2, 3, 4, 5, 6] }\n".to_owned(), |text, level| {
        let before = level - 1;
        text + &format!("a{level}: &a{level} {{ x{level}: *a{before}, y{level}: *a{before}, <<: *a{before} }}\n")
    });
    for text in [bomb, long, merges, format!("a: [{}]\n", "1, ".repeat(300_000))] {
        let time = Stopwatch::start();
        let shown = read(&text).unwrap_err().to_string();
        assert!(shown.contains("the file grows beyond 20000 values"), "{shown:.300}");
        assert!(time.seconds() < 20.0, "{} s", time.seconds());
    }
}

#[test]
fn what_nests_too_deeply_is_refused() {
    let deep = |levels: usize| format!("a: {}{}\n", "[".repeat(levels), "]".repeat(levels));
    assert!(!read(&deep(63)).unwrap_err().to_string().contains("deeper"));
    let through_aliases = format!("a: &a {0}{1}\nb: {0}*a{1}\n", "[".repeat(40), "]".repeat(40));
    let keys: String = (0..100).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    for text in [deep(64), deep(500_000), through_aliases, keys] {
        let shown = read(&text).unwrap_err().to_string();
        assert!(shown.contains("the file is nested deeper than 64 levels"), "{shown:.300}");
    }
}

#[test]
fn paths_are_relative_to_the_file_and_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let write = |text: &str| {
        let path = folder.path().join("experiments/a.yaml");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        load(&path, &[])
    };
    let text = |train: &str, val: &str, weights: &str| {
        format!("data:\n  train: {train}\n  val: {val}\nmodel: {{ backbone: squeezenet1_1, weights: {weights} }}\n")
    };
    fs::create_dir_all(folder.path().join("pictures/train")).unwrap();
    fs::create_dir_all(folder.path().join("pictures/val")).unwrap();
    fs::write(folder.path().join("squeeze.safetensors"), "x").unwrap();

    let loaded = write(&text("../pictures/train", "./../pictures/./val/", "../squeeze.safetensors")).unwrap();
    assert_eq!(loaded.experiment.data.train, folder.path().join("pictures/train"));
    assert_eq!(loaded.experiment.data.val.as_deref(), Some(&*folder.path().join("pictures/val")));
    assert_eq!(loaded.experiment.model.weights, Weights::File(folder.path().join("squeeze.safetensors")));
    assert_eq!(loaded.experiment.name, "a");
    assert_eq!(loaded.text, text("../pictures/train", "./../pictures/./val/", "../squeeze.safetensors"));

    let mistakes =
        write(&text("../picturs/train", "../pictures/vla", "../squeeze.safetensor.safetensors")).unwrap_err();
    let said = messages(&mistakes).join("\n").replace(&folder.path().display().to_string(), "TMP");
    insta::assert_snapshot!("paths", said);
    let places: Vec<_> = mistakes.iter().map(|mistake| (mistake.line, mistake.column)).collect();
    assert_eq!(places, [(2, 10), (3, 8), (4, 44)]);

    let mistakes = write(&text("../squeeze.safetensors", "~/val", "nowhere/x.safetensors")).unwrap_err();
    let said = messages(&mistakes).join("\n").replace(&folder.path().display().to_string(), "TMP");
    insta::assert_snapshot!("more_paths", said);

    let mistakes = write(&format!("seed: -1\n{}", text("../picturs/train", "../pictures/val", "random"))).unwrap_err();
    assert_eq!(mistakes.iter().len(), 2, "a wrong path and a wrong value are said at once");
}

#[test]
fn the_name_follows_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("train")).unwrap();
    let named = |file: &str| {
        let path = folder.path().join(file);
        fs::write(&path, LEAST).unwrap();
        load(&path, &[]).map(|loaded| loaded.experiment.name)
    };
    assert_eq!(named("emoji.yaml").unwrap(), "emoji");
    assert_eq!(named("emoji.v2.yml").unwrap(), "emoji.v2");
    let said = messages(&named(".yaml").unwrap_err()).join("\n");
    assert!(said.contains("the file's name `.yaml` cannot name the run: it starts with a dash or a dot"), "{said}");
    assert!(named(&format!("{}.yaml", "x".repeat(80))).is_err());
}

#[test]
fn bytes_in_front_of_a_windows_file_are_no_mistake() {
    let text = format!("\u{feff}{}", LEAST.replace('\n', "\r\n"));
    assert_eq!(read(&text).unwrap(), read(LEAST).unwrap());
    let mistakes = read(&format!("\u{feff}seed: -1\n{LEAST}")).unwrap_err();
    let first = mistakes.iter().next().map(|mistake| (mistake.line, mistake.column));
    assert_eq!(first, Some((1, 8)), "the mark itself counts as a character of the file");
}

#[test]
fn what_acts_in_another_way_than_it_looks_is_noted() {
    let notes = |text: &str| read(text).unwrap().notes();
    assert_eq!(notes(LEAST), ["model.weights is random and the backbone never learns: its features stay noise"]);
    let all = "\
data: { train: train, val_split: 0.2, augment: { views: 4 } }
model: { backbone: squeezenet1_1, weights: random, head: [dense: 8] }
train:
  phases:
    - { epochs: 4, trainable: none }
    - { epochs: 5, trainable: all }
  early_stopping: { monitor: accuracy, mode: min, start_from_epoch: 5 }
  reduce_lr_on_plateau: { patience: 0, cooldown: 1, min_lr: 1 }
";
    insta::assert_snapshot!("notes", notes(all).join("\n"));
    let earlier = "train: { early_stopping: { patience: 3 }, reduce_lr_on_plateau: { patience: 3 } }\n";
    let said = notes(&format!("{}{earlier}", LEAST.replace("random", "a.safetensors")));
    assert_eq!(
        said,
        ["train.reduce_lr_on_plateau.patience: early stopping (patience 3) ends a phase before the rate drops"]
    );
}

#[test]
fn an_experiment_lies_anywhere() {
    let written = read(EXAMPLE).unwrap().to_yaml();
    let elsewhere =
        crate::experiment::Origin { shown: "r".into(), folder: Path::new("/").into(), stem: "resolved".into() };
    assert_eq!(crate::experiment::parse(&written, &elsewhere, &[]).unwrap(), read(EXAMPLE).unwrap());
}
