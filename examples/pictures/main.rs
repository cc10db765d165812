//! Makes the pictures of the README and of docs/dashboard.md from real runs: `cargo run --release --example pictures`.
//!
//! In a temporary folder with the experiments of this repository it trains a sweep, a run that fails, one on texts and one
//! that is watched, opens the dashboard in a pseudo-terminal, presses keys, and writes the screens as SVG into
//! `docs/pictures/`, cell by cell as they are. It takes a few minutes. A program that is built already may be named as the
//! argument; `FINETOP_REAL` may say where `tests/real/fetch.sh` has put the weights of the texts' network, which are
//! fetched from the hub otherwise.

#![allow(clippy::disallowed_methods)] // no file of a store is written here

mod glyph;
mod svg;
#[path = "../../tests/terminal/mod.rs"]
mod terminal;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use terminal::Terminal;

/// Columns and rows: as wide as a page of the README.
const SIZE: (u16, u16) = (120, 36);

/// GitHub shows no larger ones at once.
const LARGEST: usize = 150_000;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = std::env::args_os().nth(1).map_or_else(|| built(root), PathBuf::from);
    let studio = Studio::new(root, std::path::absolute(program).expect("a path"));
    studio.sweep();
    studio.failure();
    studio.texts();
    studio.live();
    studio.ended();
}

fn built(root: &Path) -> PathBuf {
    let status = Command::new(env!("CARGO")).args(["build", "--release"]).current_dir(root).status();
    assert!(status.expect("cargo runs").success(), "the program is built");
    root.join("target/release/finetop")
}

/// A folder with the experiments and a store, whose name says nothing about the machine: it is seen in pictures.
struct Studio {
    program: PathBuf,
    folder: PathBuf,
    pictures: PathBuf,
    /// What no picture may show.
    private: Vec<String>,
    /// A file of weights of the texts' network, where it need not be fetched.
    mini_lm: Option<PathBuf>,
}

impl Studio {
    fn new(root: &Path, program: PathBuf) -> Studio {
        let folder = PathBuf::from("/tmp/finetop");
        std::fs::create_dir(&folder).unwrap_or_else(|error| panic!("{}, which must be new: {error}", folder.display()));
        let copied = Command::new("cp").arg("-r").arg(root.join("experiments")).arg(&folder).status();
        assert!(copied.expect("cp runs").success(), "the experiments are copied");
        let real = std::env::var_os("FINETOP_REAL").map_or(root.join("target/real"), PathBuf::from);
        let mini_lm = real.join("sentence-transformers/all-MiniLM-L6-v2/model.safetensors");
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let private = [Some(host), std::env::var("USER").ok(), std::env::var("HOME").ok()];
        Studio {
            program,
            folder,
            pictures: root.join("docs/pictures"),
            private: private.into_iter().flatten().filter(|word| !word.is_empty()).collect(),
            mini_lm: mini_lm.is_file().then_some(mini_lm),
        }
    }

    /// Runs a command of finetop, and gives its exit code.
    fn finetop(&self, line: &[&str]) -> Option<i32> {
        println!("finetop {}", line.join(" "));
        let mut command = Command::new(&self.program);
        command.args(line).current_dir(&self.folder).env("FINETOP_STORE", "runs").env_remove("FINETOP_SLOTS");
        command.status().expect("finetop runs").code()
    }

    fn add(&self, line: &[&str]) {
        assert_eq!(self.finetop(&[&["add"], line].concat()), Some(0), "it is queued");
    }

    fn dashboard(&self) -> Dashboard<'_> {
        let program = self.program.to_str().expect("a path in UTF-8");
        let environment = [("FINETOP_STORE", "runs"), ("FINETOP_PICTURES", "blocks")];
        let terminal = Terminal::start::<&str>(program, &[], SIZE, &self.folder, &environment);
        terminal.answer();
        terminal.wait_for_text("Queue");
        Dashboard { terminal, studio: self }
    }

    /// Eight runs of one file, two at a time.
    fn sweep(&self) {
        let smaller = ["--set", "data.image_size=96", "--set", "train.phases.0.epochs=16"];
        self.add(&[&["experiments/emoji-sweep.yaml", "--slots", "2"], &smaller[..]].concat());
        let mut dashboard = self.dashboard();
        dashboard.press("5");
        dashboard.wait_long("the first epochs of two runs", |screen| {
            screen.contains("2 running") && screen.contains("2 done") && screen.contains(" threads  read ")
        });
        // The lines of the meters become longer every two seconds.
        std::thread::sleep(Duration::from_secs(4));
        dashboard.picture("system", "The machine while two runs train");
        dashboard.leave();
        assert_eq!(self.finetop(&["wait", "--group", "emoji-sweep"]), Some(0), "the sweep ends well");
    }

    /// A run with a learning rate that is too high for the whole network.
    fn failure(&self) {
        let phase =
            "train.phases.0={ name: all, epochs: 5, trainable: all, optimizer: { sgd: { lr: 1, momentum: 0.9 } } }";
        let name = ["--set", "name=emoji-sgd", "--set", "data.image_size=96"];
        self.add(&[&["experiments/emoji.yaml", "--set", phase], &name[..]].concat());
    }

    fn texts(&self) {
        let weights = self.mini_lm.as_ref().map(|path| format!("model.weights={}", path.display()));
        let weights = weights.as_ref().map_or(vec![], |weights| vec!["--set", weights.as_str()]);
        self.add(&[&["experiments/bert-emoji-names.yaml"], &weights[..]].concat());
        assert_eq!(self.finetop(&["wait", "7-8"]), Some(1), "one of the two fails");
    }

    /// The experiment of the README, watched.
    fn live(&self) {
        assert_eq!(self.finetop(&["slots", "1"]), Some(0));
        self.add(&["experiments/emoji.yaml", "experiments/emoji-overfit.yaml", "experiments/emoji-lr-1e-2.yaml"]);
        let mut dashboard = self.dashboard();
        dashboard.choose("0009 emoji");
        dashboard.press("1");
        dashboard.wait_long("the third epoch of the last layers", |screen| screen.contains("fine_tune 3/10"));
        dashboard.picture("dashboard", "The dashboard while an experiment trains");
        dashboard.leave();
        assert_eq!(self.finetop(&["cancel", "10-11"]), Some(0));
        assert_eq!(self.finetop(&["wait", "9"]), Some(0), "it ends well");
    }

    /// What there is to see of runs that are over.
    fn ended(&self) {
        let mut dashboard = self.dashboard();
        dashboard.choose("0009 emoji");
        dashboard.press("4z");
        dashboard.wait_for("macro F1");
        dashboard.rows(24);
        dashboard.picture("confusion", "The confusion matrix, and the pictures of one of its cells");
        dashboard.rows(SIZE.1);
        dashboard.press("]");
        dashboard.picture("misclassified", "Pictures that were taken for something else");
        dashboard.press("]");
        dashboard.rows(28);
        dashboard.picture("augmented", "Pictures as they were augmented for training");
        dashboard.rows(SIZE.1);
        dashboard.press("z2z/no better\r");
        dashboard.wait_for("/no better");
        dashboard.picture("log", "The log, searched");
        dashboard.press("\x1bz");

        dashboard.choose("0007 emoji-sgd");
        dashboard.press("2");
        dashboard.picture("failed", "A run that failed: why, and what to do");
        dashboard.choose("0008 bert-emoji-names");
        dashboard.press("4z");
        dashboard.rows(16);
        dashboard.picture("texts", "Texts that were taken for something else");
        dashboard.rows(SIZE.1);
        dashboard.press("z");

        dashboard.choose("emoji-sweep");
        dashboard.press("C");
        dashboard.wait_for("6 runs of lr");
        dashboard.press("z");
        dashboard.picture("compare", "A sweep: its curves over each other, and what came out");
        dashboard.press("v");
        dashboard.rows(20);
        dashboard.picture("values", "A sweep: which value of which key does best");
        dashboard.rows(SIZE.1);
        dashboard.press("vz\x1b");

        dashboard.press("a/sweep\r");
        dashboard.wait_for("a sweep of 6 runs");
        dashboard.picture("add", "An experiment is chosen, with what it would do");
        dashboard.press("\x1b\x1b?");
        dashboard.wait_for("In the panes");
        dashboard.picture("help", "The keys");
        dashboard.press("\x1b");
        dashboard.leave();
    }
}

impl Drop for Studio {
    fn drop(&mut self) {
        self.finetop(&["runner", "stop", "--now"]);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

struct Dashboard<'a> {
    terminal: Terminal,
    studio: &'a Studio,
}

impl Dashboard<'_> {
    fn wait_for(&self, text: &str) {
        self.terminal.wait_for_text(text);
    }

    /// Waits for what training takes, which on a busy machine is long.
    fn wait_long(&self, what: &str, condition: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(600);
        while !condition(&self.terminal.text()) {
            assert!(Instant::now() < deadline, "waited for {what} on\n{}", self.terminal.text());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Presses keys one after the other, each when the screen shows what the one before did.
    fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            self.terminal.type_keys(key.encode_utf8(&mut [0; 4]));
            self.settle();
        }
    }

    fn rows(&mut self, rows: u16) {
        self.terminal.resize(SIZE.0, rows);
        self.settle();
    }

    /// Goes down the queue until the pane at its right is about this run or group.
    fn choose(&mut self, title: &str) {
        self.press("\x1b\x1bg");
        for _ in 0..20 {
            if self.terminal.text().lines().take(2).any(|line| line.contains(title)) {
                return;
            }
            self.press("j");
        }
        panic!("«{title}» is chosen nowhere, at last on\n{}", self.terminal.text());
    }

    /// Waits until nothing is written for a while, but not for the end of a run.
    fn settle(&self) {
        let mut before = None;
        for _ in 0..10 {
            if before == Some(self.terminal.bytes()) {
                return;
            }
            before = Some(self.terminal.bytes());
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn picture(&self, name: &str, title: &str) {
        let text = self.terminal.text();
        for word in &self.studio.private {
            let shown = text.split(|c: char| !c.is_alphanumeric() && c != '-').any(|shown| shown == word);
            assert!(!(shown || word.contains('/') && text.contains(word)), "«{word}» is private:\n{text}");
        }
        let path = self.studio.pictures.join(name).with_extension("svg");
        let svg = self.terminal.with_screen(|screen| svg::svg(screen, title));
        assert!(svg.len() < LARGEST, "{}: {} bytes", path.display(), svg.len());
        std::fs::write(&path, svg).expect("the picture is written");
        println!("{}", path.display());
    }

    fn leave(mut self) {
        self.terminal.type_keys("q");
        self.terminal.wait();
    }
}
