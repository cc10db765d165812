//! `extends`: files that start from others.

use std::fs;
use std::path::{Path, PathBuf};

use crate::experiment::{Experiment, Mistakes, load_all};

/// A folder with files, the first of which is read.
fn load_files(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Vec<Experiment>, Mistakes>) {
    let folder = tempfile::tempdir().unwrap();
    for made in ["data", "shared/data", "other"] {
        fs::create_dir_all(folder.path().join(made)).unwrap();
    }
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let loaded = load_all(&folder.path().join(files[0].0), &[]);
    let runs = loaded.map(|runs| {
        assert!(runs.iter().all(|run| run.text == files[0].1), "the text is that of the file itself");
        runs.into_iter().map(|run| run.experiment).collect()
    });
    (folder, runs)
}

fn shown(files: &[(&str, &str)]) -> String {
    let (folder, runs) = load_files(files);
    runs.unwrap_err().to_string().replace(&folder.path().display().to_string(), "TMP")
}

const BASE: &str = "\
name: base
seed: 7
data: { train: data, val_split: 0.2, augment: { rotation: 20, zoom: 0.2 } }
model: { backbone: squeezenet1_1, weights: random, head: [dense: 8, dropout: 0.5] }
train:
  batch_size: 16
  phases: [{ name: head, epochs: 3 }, { name: rest, epochs: 2, trainable: all }]
  early_stopping: { patience: 3 }
";

#[test]
fn maps_are_merged_and_the_rest_replaced() {
    let child = "\
extends: shared/base.yaml
data: { augment: { zoom: 0.1, horizontal_flip: true } }
model: { head: [dropout: 0.1] }
train: { phases: [{ name: only }], early_stopping: }
";
    let (folder, runs) = load_files(&[("child.yaml", child), ("shared/base.yaml", BASE)]);
    let runs = runs.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let [run] = &*runs else { panic!("one run") };
    assert_eq!((&*run.name, run.seed, run.train.batch_size), ("child", 7, 16), "a base gives no name");
    let augment = run.data.augment();
    assert_eq!((augment.rotation, augment.zoom, augment.horizontal_flip), (20.0, 0.1, true));
    assert_eq!((run.model.head.len(), run.train.phases.len()), (1, 1), "lists are replaced");
    assert_eq!(run.train.early_stopping, None, "nothing turns off what the base has");
    assert_eq!(run.data.train, folder.path().join("shared/data"), "paths are relative to the file that they stand in");
}

#[test]
fn bases_have_bases_and_matrices() {
    let middle = "extends: ../base.yaml\nname: middle\nmatrix: { seed: [1, 2], train.batch_size: [8] }\ndata: { val: data, val_split: }\n";
    let child = "extends: shared/middle.yaml\nmatrix: { train.batch_size: [8, 16] }\nname: child\n";
    let (folder, runs) = load_files(&[("child.yaml", child), ("shared/middle.yaml", middle), ("base.yaml", BASE)]);
    let runs = runs.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let seen: Vec<_> = runs.iter().map(|run| (&*run.name, run.seed, run.train.batch_size)).collect();
    assert_eq!(
        seen,
        [
            ("child-seed-1-batch_size-8", 1, 8),
            ("child-seed-1-batch_size-16", 1, 16),
            ("child-seed-2-batch_size-8", 2, 8),
            ("child-seed-2-batch_size-16", 2, 16)
        ]
    );
    assert_eq!(runs[0].data.train, folder.path().join("data"));
    assert_eq!(runs[0].data.val.as_deref(), Some(&*folder.path().join("shared/data")));
    let (_folder, runs) = load_files(&[
        ("child.yaml", "extends: shared/middle.yaml\nmatrix:\n"),
        ("shared/middle.yaml", middle),
        ("base.yaml", BASE),
    ]);
    assert_eq!(runs.unwrap().len(), 1, "a matrix can be turned off");
}

#[test]
fn a_path_of_a_matrix_is_relative_to_the_file_that_it_stands_in() {
    let middle = "extends: ../base.yaml\nmatrix: { data.train: [data, ../other] }\n";
    let (folder, runs) =
        load_files(&[("a.yaml", "extends: shared/m.yaml\n"), ("shared/m.yaml", middle), ("base.yaml", BASE)]);
    let trains: Vec<PathBuf> = runs.unwrap().into_iter().map(|run| run.data.train).collect();
    assert_eq!(trains, [folder.path().join("shared/data"), folder.path().join("other")]);
}

#[test]
fn mistakes_are_in_the_file_that_has_them() {
    let base = BASE.replace("batch_size: 16", "batch_size: 0").replace("train: data", "train: dat");
    let child = "extends: shared/base.yaml\nseed: -1\ndata: { image_size: 3, val: data }\n";
    let files = [("a.yaml", child), ("shared/base.yaml", &*base)];
    insta::assert_snapshot!("extends_mistakes", shown(&files));
    let (folder, runs) = load_files(&files);
    let places: Vec<_> = runs.unwrap_err().iter().map(|m| (m.base.clone(), m.line, m.column)).collect();
    let of_base = Some(folder.path().join("shared/base.yaml").display().to_string());
    assert_eq!(
        places,
        [(None, 2, 7), (None, 3, 21), (of_base.clone(), 3, 16), (of_base.clone(), 3, 21), (of_base, 6, 15)]
    );
}

#[test]
fn what_cannot_be_extended_is_said_where_it_is_named() {
    let long: Vec<(String, String)> =
        (0..17).map(|n| (format!("{n}.yaml"), format!("extends: {}.yaml\n", n + 1))).collect();
    let long: Vec<(&str, &str)> = long.iter().map(|(name, text)| (&**name, &**text)).collect();
    let one = |extends: &'static str| vec![("a.yaml", extends), ("base.yaml", BASE)];
    let with = |text: &'static str| vec![("a.yaml", "seed: 1\nextends: b.yaml\n"), ("b.yaml", text)];
    let cases: Vec<(&str, Vec<(&str, &str)>)> = vec![
        ("extends_missing", one("extends: bas.yaml\n")),
        ("extends_a_folder", one("extends: data\n")),
        ("extends_a_list", one("extends: [base.yaml]\n")),
        ("extends_empty", one("extends: ''\n")),
        ("extends_itself", one("extends: ./a.yaml\n")),
        ("extends_in_a_circle", vec![("a.yaml", "extends: b.yaml\n"), ("b.yaml", "extends: shared/../a.yaml\n")]),
        ("extends_too_many", long),
        ("extends_an_empty_file", with("# nothing\n")),
        ("extends_a_file_that_is_a_list", with("- a\n")),
        ("extends_no_yaml", with("data: {\n")),
        ("extends_duplicates", with("seed: 1\nseed: 2\n")),
    ];
    for (name, files) in cases {
        insta::assert_snapshot!(name, shown(&files));
    }
    let said = crate::experiment::parse("extends: a.yaml\n", &super::origin(), &[]).unwrap_err().to_string();
    assert!(said.contains("`extends` cannot be followed here"), "{said}");
}

#[test]
fn a_base_is_named_as_one_would_type_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), "extends: b.yaml\n").unwrap();
    fs::write(folder.path().join("b.yaml"), "seed: -1\n").unwrap();
    let relative = pathdiff(folder.path());
    let said = load_all(&relative.join("a.yaml"), &[]).unwrap_err().to_string();
    assert!(said.contains(&format!("--> {}:1:7", relative.join("b.yaml").display())), "{said}");
}

/// `path` from the working folder.
fn pathdiff(path: &Path) -> PathBuf {
    let up = std::env::current_dir().unwrap().components().count() - 1;
    let ups: PathBuf = std::iter::repeat_n("..", up).collect();
    ups.join(path.strip_prefix("/").unwrap())
}
