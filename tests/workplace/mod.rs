//! A temporary folder with pictures, experiments and a store, and the program run in it.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store
#![allow(dead_code)] // every test binary uses another part

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_finetop");

/// Longest wait for anything; a busy machine is slow, a hang is longer.
pub const PATIENCE: Duration = Duration::from_secs(120);

pub struct Workplace {
    folder: tempfile::TempDir,
}

/// What a command left behind.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Workplace {
    /// An empty workplace.
    pub fn empty() -> Self {
        Workplace { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A workplace with `data/train` and `data/val`: three classes of coloured pictures that a small network can tell apart.
    pub fn with_pictures() -> Self {
        let workplace = Workplace::empty();
        for (split, count) in [("train", 8), ("val", 4)] {
            for (class, colour) in [("blue", [40, 60, 220]), ("green", [40, 200, 60]), ("red", [220, 50, 40])] {
                for index in 0..count {
                    let picture = coloured(colour, index + if split == "val" { 100 } else { 0 });
                    let path = workplace.path(&format!("data/{split}/{class}/{index}.png"));
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    picture.save(&path).expect("the picture is written");
                }
            }
        }
        workplace
    }

    /// A workplace with a handful of texts of two classes, and a BERT of a few hundred weights (see [`tiny_text`]).
    pub fn with_texts() -> Self {
        let here = Workplace::empty();
        let rows = (0..8).map(|_| "apple bread the,food\ntrain ship the,transport\n");
        here.write("train.csv", std::iter::once("text,label\n").chain(rows).collect::<String>());
        here.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\napple\nbread\ntrain\nship");
        here.write(
            "config.json",
            r#"{ "model_type": "bert", "vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1,
                 "num_attention_heads": 2, "intermediate_size": 8, "max_position_embeddings": 8 }"#,
        );
        here
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn store(&self) -> PathBuf {
        self.path("runs")
    }

    /// Writes a file and gives its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).expect("the file is written");
        path
    }

    /// Writes a tiny experiment on the coloured pictures: two phases of the given epochs each.
    pub fn experiment(&self, name: &str, epochs: u32) -> PathBuf {
        self.write(&format!("{name}.yaml"), tiny(name, epochs, "1e-3"))
    }

    /// The program with its store in this workplace, not yet started.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(self.folder()).env("FINETOP_STORE", self.store());
        command.env_remove("FINETOP_SLOTS").env("NO_COLOR", "1");
        command
    }

    /// Runs the program to its end.
    pub fn finetop<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Ended {
        Ended::from(self.command(arguments).stdin(Stdio::null()).output().expect("the program starts"))
    }

    /// Runs the program, which must succeed, and reads its JSON.
    pub fn json<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Value {
        let ended = self.finetop(arguments).succeeded();
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error} in {}", ended.stdout))
    }

    /// The lines of a file of JSON lines.
    pub fn lines(&self, path: &Path) -> Vec<Value> {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
    }

    /// The folder of a run.
    pub fn run_folder(&self, id: u32) -> PathBuf {
        let prefix = format!("{id:04}-");
        let entries = std::fs::read_dir(self.store()).expect("a store");
        let folder = entries
            .map(|entry| entry.unwrap().path())
            .find(|path| path.file_name().unwrap().to_string_lossy().starts_with(&prefix));
        folder.unwrap_or_else(|| panic!("run {id} has a folder"))
    }

    /// Waits until `condition` holds for `show ID --json`.
    pub fn wait_for_run(&self, id: u32, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        wait_for(what, || {
            let ended = self.finetop(&["show", &id.to_string(), "--json"]);
            last = serde_json::from_str(&ended.stdout).unwrap_or(Value::Null);
            condition(&last)
        });
        last
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        if self.store().is_dir() {
            let _ = self.finetop(&["runner", "stop", "--now"]);
        }
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ended {
    #[track_caller]
    pub fn succeeded(self) -> Self {
        self.exited(0)
    }

    #[track_caller]
    pub fn exited(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "«{text}» is not in\n{}", self.stderr);
        }
        self
    }
}

/// Waits for a condition; fails after [`PATIENCE`].
#[track_caller]
pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Copies a program so that it can be started at once. A process of its own writes it: what another thread's child holds
/// open to be written, between its fork and its exec, is a "text file busy".
pub fn copy_program(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg(from).arg(to).status().unwrap().success(), "cp {} {}", from.display(), to.display());
}

/// Says that a test was skipped, and why; a failure where nothing may be skipped.
pub fn skip(why: &str) {
    assert!(std::env::var_os("FINETOP_REQUIRE_REAL").is_none(), "required here: {why}");
    println!("skipped: {why}");
}

/// A tiny two-phase experiment with a network that starts from random weights.
pub fn tiny(name: &str, epochs: u32, lr: &str) -> String {
    format!(
        "name: {name}
seed: 7
data: {{ train: data/train, val: data/val, image_size: 32 }}
model:
  backbone: squeezenet1_1
  weights: random
  head:
    - dense: {{ units: 16, activation: relu }}
train:
  batch_size: 8
  phases:
    - {{ name: head, epochs: {epochs}, trainable: head, optimizer: {{ adam: {{ lr: {lr} }} }} }}
    - {{ name: fine_tune, epochs: {epochs}, trainable: {{ last_layers: 2 }}, optimizer: {{ adam: {{ lr: 1e-4 }} }} }}
"
    )
}

/// An experiment on the texts of [`Workplace::with_texts`]; two epochs take a twentieth of a second, processes included.
pub fn tiny_text(name: &str, epochs: u32) -> String {
    format!(
        "name: {name}
data: {{ train: train.csv, val_split: 0.5, max_length: 8 }}
model: {{ backbone: bert, weights: random, tokenizer: vocab.txt, pool: cls }}
train:
  batch_size: 4
  phases: [ {{ name: head, epochs: {epochs}, optimizer: {{ adam: {{ lr: 1e-2 }} }} }} ]
"
    )
}

/// A 32×32 picture of one colour with a pattern that differs by `index`.
fn coloured(colour: [u8; 3], index: u32) -> image::RgbImage {
    image::RgbImage::from_fn(32, 32, |x, y| {
        let change = ((x * (3 + index % 5) + y * (2 + index % 7) + index * 11) % 61) as u8;
        image::Rgb(colour.map(|channel: u8| channel.saturating_sub(change / 2).saturating_add(change / 4)))
    })
}
