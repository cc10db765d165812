//! Makes the pictures of the README and of docs/dashboard.md from real runs: `cargo run --release --example pictures`.
//!
//! In a temporary folder with the experiments of this repository it trains a sweep, a run that fails, one on texts, one
//! that is watched, and the article's pitfalls, opens the dashboard in a pseudo-terminal, presses keys, and writes the screens
//! as SVG into `docs/pictures/`, cell by cell as they are. It takes some minutes. A program that is built already may be
//! named as the argument, and after it the scenes that are wanted (`runs`, `pitfalls`); `FINETOP_REAL` may say where
//! `tests/real/fetch.sh` has put the weights of the texts' network, which are fetched from the hub otherwise.

#![allow(clippy::disallowed_methods)] // no file of a store is written here

mod glyph;
mod pitfalls;
mod scenes;
mod svg;
#[path = "../../tests/terminal/mod.rs"]
mod terminal;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use terminal::Terminal;

/// Columns and rows: as wide as a page of the README.
const SIZE: (u16, u16) = (120, 36);

/// Where the folder may be, which is seen in pictures. The first needs a right.
const PLACES: [&str; 2] = ["/data/finetop", "/tmp/finetop"];

/// GitHub shows no larger ones at once.
const LARGEST: usize = 150_000;

type Scene = fn(&Studio);

/// By their names; each begins with an empty store.
const SCENES: [(&str, Scene); 2] = [("runs", scenes::runs), ("pitfalls", pitfalls::pitfalls)];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().map_or_else(|| built(root), PathBuf::from);
    let program = std::path::absolute(program).expect("a path");
    let wanted: Vec<_> = arguments.collect();
    for (name, scene) in SCENES {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            scene(&Studio::new(root, program.clone()));
        }
    }
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
        let folder = PLACES.map(PathBuf::from).into_iter().find(|folder| std::fs::create_dir_all(folder).is_ok());
        let folder = folder.expect("a place for a folder");
        assert!(std::fs::read_dir(&folder).expect("a folder").next().is_none(), "{} is in use", folder.display());
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

    fn command(&self, line: &[&str]) -> Command {
        println!("finetop {}", line.join(" "));
        let mut command = Command::new(&self.program);
        command.args(line).current_dir(&self.folder).env("FINETOP_STORE", "runs").env_remove("FINETOP_SLOTS");
        command
    }

    /// Runs a command of finetop, and gives its exit code.
    fn finetop(&self, line: &[&str]) -> Option<i32> {
        self.command(line).status().expect("finetop runs").code()
    }

    /// Queues experiments, and gives the ids of their runs as they are shown.
    fn add(&self, line: &[&str]) -> Vec<String> {
        let added = self.command(&[&["add"], line].concat()).stderr(Stdio::inherit()).output().expect("finetop runs");
        assert!(added.status.success(), "it is queued");
        let said = String::from_utf8(added.stdout).expect("UTF-8");
        said.lines().filter_map(|line| line.split_whitespace().nth(1)).map(str::to_owned).collect()
    }

    /// Waits for runs, all of which must end well.
    fn wait(&self, runs: &[&str]) {
        assert_eq!(self.finetop(&[&["wait"], runs].concat()), Some(0), "they end well");
    }

    fn dashboard(&self) -> Dashboard<'_> {
        let program = self.program.to_str().expect("a path in UTF-8");
        let environment = [("FINETOP_STORE", "runs"), ("FINETOP_PICTURES", "blocks")];
        let terminal = Terminal::start::<&str>(program, &[], SIZE, &self.folder, &environment);
        terminal.answer();
        terminal.wait_for_text("Queue");
        let dashboard = Dashboard { terminal, studio: self };
        dashboard.settle();
        dashboard
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
            self.key(key.encode_utf8(&mut [0; 4]));
        }
    }

    /// Presses one key, as a terminal sends it.
    fn key(&mut self, key: &str) {
        self.terminal.type_keys(key);
        self.settle();
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
