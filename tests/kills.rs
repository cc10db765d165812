//! The worker killed at any moment, and what it left damaged: resumed, a run comes to the bytes that it would have had.
//!
//! Random kills are drawn from a seed that is printed; `FINETOP_SEED=N` draws them again. A thousand of them:
//!
//!     cargo test --test kills -- --ignored --nocapture

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod workplace;

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use finetop::base::random::{Purpose, Stream};
use finetop::experiment::{self, Origin};
use finetop::record::event::{Epoch, Event, Level, Line, ResumedFrom};
use finetop::record::{RunDir, RunState, Tail};
use finetop::runner::exit_code;
use workplace::{PATIENCE, PROGRAM, Workplace, wait_for};

/// A BERT of a few thousand weights with dropout, in two phases that each restore their best weights. Checkpoints are
/// asked for all the time: while one is written the training goes on, and then comes the next.
fn busy(epochs: u32) -> String {
    format!(
        "name: tiny
data: {{ train: train.csv, val_split: 0.3, max_length: 10 }}
model: {{ backbone: bert, weights: random, tokenizer: vocab.txt, pool: cls, head: [ {{ dropout: 0.2 }} ] }}
train:
  batch_size: 1
  checkpoint_minutes: 1e-6
  clip_norm: 1.0
  phases:
    - {{ name: head, epochs: {epochs}, optimizer: {{ adam: {{ lr: 1e-2 }} }} }}
    - {{ name: fine_tune, epochs: {epochs}, trainable: {{ last_layers: 2 }}, optimizer: {{ adamw: {{ lr: 1e-3 }} }} }}
  early_stopping: {{ patience: 999, restore_best_weights: true }}
  reduce_lr_on_plateau: {{ patience: 3, factor: 0.9 }}
"
    )
}

/// The same with checkpoints at the end of the first epoch and of each phase alone: always the same ones.
fn calm() -> String {
    busy(1).replacen("epochs: 1", "epochs: 2", 1).replace("checkpoint_minutes: 1e-6", "checkpoint_minutes: 99")
}

fn texts() -> Workplace {
    let here = Workplace::empty();
    let mut draw = Stream::new(3, Purpose::Augment, 0, 0);
    let mut table = String::from("text,label\n");
    for number in 0..40 {
        let (class, words) = if number % 2 == 0 {
            ("food", ["apple", "bread", "rice"])
        } else {
            ("transport", ["train", "ship", "bus"])
        };
        let text: Vec<&str> =
            (0..1 + draw.below(6)).map(|_| *["the", words[draw.below(3)]].get(draw.below(2)).unwrap()).collect();
        table.push_str(&format!("\"{} {}\",{class}\n", text.join(" "), words[number % 3]));
    }
    here.write("train.csv", table);
    here.write("vocab.txt", "[PAD] [UNK] [CLS] [SEP] the apple bread rice train ship bus".replace(' ', "\n"));
    here.write(
        "config.json",
        r#"{ "model_type": "bert", "vocab_size": 11, "hidden_size": 16, "num_hidden_layers": 2,
             "num_attention_heads": 2, "intermediate_size": 24, "max_position_embeddings": 10 }"#,
    );
    here
}

/// A run with nobody who looks after it.
struct Run {
    folder: PathBuf,
    attempts: u32,
}

/// What a run came to: the model's bytes, and every epoch's figures and counters.
#[derive(PartialEq)]
struct CameTo {
    model: Vec<u8>,
    epochs: Vec<String>,
}

impl Run {
    fn new(here: &Workplace, name: &str, text: &str) -> Run {
        let origin = Origin { shown: "tiny.yaml".into(), folder: here.folder().to_owned(), stem: "tiny".into() };
        let experiment = experiment::parse(text, &origin, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let path = here.write(&format!("runs/{name}/resolved.yaml"), experiment.to_yaml());
        Run { folder: path.parent().unwrap().to_owned(), attempts: 0 }
    }

    fn at(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    fn worker(&mut self) -> Command {
        self.attempts += 1;
        let mut command = Command::new(PROGRAM);
        command.arg("worker").arg(&self.folder).args(["--attempt", &self.attempts.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Trains to the end.
    fn finish(&mut self) -> CameTo {
        let ended = self.worker().output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(exit_code::FINISHED), "attempt {}: {said}", self.attempts);
        let hidden = std::fs::read_dir(self.at("checkpoints")).unwrap().flatten();
        let hidden = hidden.filter(|entry| entry.file_name().to_string_lossy().starts_with('.'));
        assert_eq!(hidden.count(), 0, "nothing half-written stays");
        self.came_to()
    }

    fn came_to(&self) -> CameTo {
        let training = self.folded().training;
        let numbers: Vec<u32> = training.epochs.iter().map(|epoch| epoch.epoch).collect();
        assert_eq!(numbers, (1..=training.planned_epochs()).collect::<Vec<_>>(), "each epoch once, none missing");
        let figures = |epoch: &Epoch| format!("{:?}", Epoch { seconds: 0.0, samples_per_s: 0.0, ..epoch.clone() });
        let model = std::fs::read(self.at("model/model.safetensors")).unwrap();
        CameTo { model, epochs: training.epochs.iter().map(|epoch| figures(epoch)).collect() }
    }

    fn folded(&self) -> RunState {
        let dir = RunDir::at(&self.folder).unwrap();
        let mut state = RunState::new(dir.id(), "tiny".into());
        self.lines().into_iter().for_each(|line| state.training.take(line));
        state
    }

    fn lines(&self) -> Vec<Line<Event>> {
        Tail::<Event>::new(self.at("events.jsonl")).read().unwrap().lines
    }

    /// Where each attempt that said so began.
    fn beginnings(&self) -> Vec<Option<ResumedFrom>> {
        let beginning = |line: Line<Event>| match line.event {
            Event::RunStarted(started) => Some(started.resumed_from),
            _ => None,
        };
        self.lines().into_iter().filter_map(beginning).collect()
    }

    fn warnings(&self) -> Vec<String> {
        let warning = |line: Line<Event>| match line.event {
            Event::Log(log) if log.level == Level::Warning => Some(log.message),
            _ => None,
        };
        self.lines().into_iter().filter_map(warning).collect()
    }

    fn length(&self) -> u64 {
        std::fs::metadata(self.at("events.jsonl")).map_or(0, |metadata| metadata.len())
    }

    /// Trains until `is_enough`, and kills it. None if it was through before.
    fn kill_when(&mut self, is_enough: impl FnMut(&Run) -> bool) -> Option<()> {
        self.stop_and_kill_when(is_enough, None)
    }

    /// The same; given `grace`, it is asked to stop first, and killed when that time is over, wherever it then is.
    fn stop_and_kill_when(&mut self, mut is_enough: impl FnMut(&Run) -> bool, grace: Option<Duration>) -> Option<()> {
        let mut worker = self.worker().spawn().unwrap();
        wait_at_most(&mut worker, "the moment to kill", || is_enough(self));
        if let Some(grace) = grace {
            ask_to_stop(&worker);
            let asked = Instant::now();
            wait_at_most(&mut worker, "the end of the grace", || asked.elapsed() >= grace);
        }
        worker.kill().unwrap();
        let status = worker.wait().unwrap();
        let is_stopped = grace.is_some() && status.code() == Some(exit_code::STOPPED);
        if status.signal() == Some(9) || is_stopped {
            return Some(());
        }
        assert_eq!(status.code(), Some(exit_code::FINISHED));
        None
    }

    /// Trains until the events have grown by some bytes, or a checkpoint is told of, and some moments more, and kills it.
    fn kill_at_random(&mut self, draw: &mut Stream) -> Option<()> {
        let (before, grown, told) = (self.length(), draw.below(3000) as u64, self.checkpoints());
        // The first of an attempt is of where it began.
        let more = [None, Some(1), Some(2), Some(3)][draw.below(4)];
        let moments = Duration::from_micros(draw.below(3000) as u64);
        let grace = (draw.below(3) == 0).then(|| Duration::from_micros(draw.below(200_000) as u64));
        let mut spoken: Option<Instant> = None;
        let is_enough = |run: &Run| {
            let has_spoken = match more {
                Some(more) => run.checkpoints() >= told + more,
                None => run.length() >= before + grown,
            };
            if spoken.is_none() && has_spoken {
                spoken = Some(Instant::now());
            }
            spoken.is_some_and(|spoken| spoken.elapsed() >= moments)
        };
        self.stop_and_kill_when(is_enough, grace)
    }

    /// How many last ones were told of.
    fn checkpoints(&self) -> usize {
        std::fs::read_to_string(self.at("events.jsonl")).map_or(0, |text| text.matches(LAST).count())
    }

    fn assert_is(&mut self, expected: &CameTo, what: &str) {
        let came_to = self.finish();
        assert_eq!(came_to.epochs, expected.epochs, "{what}");
        assert!(came_to.model == expected.model, "{what}: the bytes of the model differ");
    }
}

fn ask_to_stop(worker: &Child) {
    let pid = rustix::process::Pid::from_child(worker);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
}

/// Looks for `condition`, quickly, while the worker lives.
fn wait_at_most(worker: &mut Child, what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while worker.try_wait().unwrap().is_none() && !condition() {
        assert!(begun.elapsed() < PATIENCE, "waited for {what}");
        std::thread::sleep(Duration::from_micros(100));
    }
}

fn seed() -> u64 {
    let given = std::env::var("FINETOP_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        now.as_nanos() as u64 ^ u64::from(std::process::id())
    });
    println!("FINETOP_SEED={seed}");
    seed
}

/// Of each of the two phases: more than are trained between 25 kills. Every epoch waits for the disk once, a checkpoint
/// some eight times, so that this does not depend on the disk.
const EPOCHS: u32 = 150;

/// Kills one run `kills` times and lets it finish; how many attempts went on amid an epoch.
fn killed_at_random(kills: usize, seed: u64, here: &Workplace, number: u32, expected: &CameTo) -> usize {
    let mut draw = Stream::new(seed, Purpose::Shuffle, 0, u64::from(number));
    let mut run = Run::new(here, &format!("{number:04}-killed"), &busy(EPOCHS));
    for kill in 1..=kills {
        assert!(run.kill_at_random(&mut draw).is_some(), "FINETOP_SEED={seed}: through before the kill {kill}");
    }
    run.assert_is(expected, &format!("FINETOP_SEED={seed}"));

    let beginnings = run.beginnings();
    let steps: Vec<u64> = beginnings.iter().map(|from| from.map_or(0, |from| from.step)).collect();
    assert!(steps.is_sorted(), "FINETOP_SEED={seed}: no attempt begins before the one before it: {steps:?}");
    let damage: Vec<String> = run.warnings().into_iter().filter(|said| said.contains("damaged")).collect();
    assert!(damage.is_empty(), "FINETOP_SEED={seed}: {damage:?}");
    println!("run {number}: attempts went on from the steps {steps:?}");
    beginnings.into_iter().flatten().filter(|from| from.epoch_steps > 0).count()
}

#[test]
fn killed_25_times_at_random_a_run_comes_to_the_same_bytes() {
    let (seed, here) = (seed(), texts());
    let expected = Run::new(&here, "0001-whole", &busy(EPOCHS)).finish();
    killed_at_random(25, seed, &here, 2, &expected);
}

#[test]
#[ignore = "minutes"]
fn killed_1000_times_at_random_every_run_comes_to_the_same_bytes() {
    let (seed, here) = (seed(), texts());
    let expected = Run::new(&here, "0001-whole", &busy(EPOCHS)).finish();
    let amid: usize = (2..42).map(|number| killed_at_random(25, seed, &here, number, &expected)).sum();
    println!("{amid} of the attempts went on amid an epoch");
    assert!(amid > 0, "FINETOP_SEED={seed}: none went on amid an epoch");
}

#[cfg(debug_assertions)] // without them there are no faults
mod at_every_step_of_writing {
    use super::*;

    /// Whether the fault came to act.
    fn faulty(run: &mut Run, fault: &str) -> (bool, ExitStatus) {
        let ended = run.worker().env("FINETOP_FAULT", format!("worker:{fault}")).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        (said.contains("fault: "), ended.status)
    }

    /// Kills at the first, the second … time of a point, until a run is through before; how often it was killed.
    fn every_time_of(point: &str, action: &str) -> usize {
        let here = texts();
        let expected = Run::new(&here, "0001-whole", &calm()).finish();
        for n in 1.. {
            let mut run = Run::new(&here, &format!("{:04}-killed", n + 1), &calm());
            let fault = format!("{point}#{n}={action}");
            let (has_acted, status) = faulty(&mut run, &fault);
            if !has_acted {
                assert_eq!(status.code(), Some(exit_code::FINISHED));
                return n - 1;
            }
            assert_eq!(status.signal(), Some(9), "{fault}");
            run.assert_is(&expected, &fault);
            assert!(run.warnings().iter().all(|said| said.contains("missing")), "{fault}: {:?}", run.warnings());
        }
        unreachable!()
    }

    // There are checkpoints at the end of the first epoch and of both phases: three times `last.safetensors`, at least
    // once `best.safetensors`; then comes the model, with five files more.

    #[test]
    fn of_the_content() {
        assert!(every_time_of("create", "kill") >= 3 + 1 + 5);
        assert!(every_time_of("write", "kill") >= 3 + 1 + 5);
        assert!(every_time_of("write", "tear") >= 3 + 1 + 5);
    }

    #[test]
    fn of_making_it_durable() {
        assert!(every_time_of("sync", "kill") >= 3 * 2 + 1 + 5);
        assert!(every_time_of("sync_folder", "kill") >= 3 + 2 + 1 + 5);
    }

    #[test]
    fn of_the_names() {
        // The last one twice gives its name to the one before.
        assert!(every_time_of("rename", "kill") >= 3 + 2 + 1 + 5);
        assert!(every_time_of("folder", "kill") >= 5);
    }

    #[test]
    fn what_cannot_be_written_ends_the_run_with_its_cause_and_can_be_gone_on_from() {
        let here = texts();
        let expected = Run::new(&here, "0001-whole", &calm()).finish();
        for (number, fault) in (2..).zip(["create#2=enospc", "write#2=short", "sync#5=edquot", "rename#3=enospc"]) {
            let mut run = Run::new(&here, &format!("{number:04}-full"), &calm());
            let (has_acted, status) = faulty(&mut run, fault);
            assert!(
                has_acted && status.code() != Some(exit_code::FINISHED) && status.signal().is_none(),
                "{fault}: {status}"
            );
            let failed = run.folded().training.failed.unwrap_or_else(|| panic!("{fault}: it is said"));
            assert_eq!(failed.cause, finetop::record::life::Cause::DiskFull, "{fault}: {failed:?}");
            assert!(failed.error.contains("could not write") && failed.hint.is_some(), "{failed:?}");
            run.assert_is(&expected, fault);
        }
    }
}

/// A copy of a run as it was when it was killed with two checkpoints there.
fn copy(here: &Workplace, of: &Run, name: &str) -> Run {
    let folder = here.path(&format!("runs/{name}"));
    for file in ["resolved.yaml", "events.jsonl", LAST, PREVIOUS] {
        let to = folder.join(file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(of.at(file), to).unwrap();
    }
    Run { folder, attempts: of.attempts }
}

const LAST: &str = "checkpoints/last.safetensors";
const PREVIOUS: &str = "checkpoints/previous.safetensors";

/// Whether there is a checkpoint before the last one, of some epoch.
fn is_under_way(run: &Run) -> bool {
    run.at(PREVIOUS).exists() && run.at(LAST).exists() && run.folded().training.epochs.len() >= 3
}

fn flip(bit: usize) -> impl Fn(&Path) {
    move |path| {
        let mut bytes = std::fs::read(path).unwrap();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(path, bytes).unwrap();
    }
}

fn cut(length: usize) -> impl Fn(&Path) {
    move |path| {
        let bytes = std::fs::read(path).unwrap();
        std::fs::write(path, &bytes[..length.min(bytes.len() - 1)]).unwrap();
    }
}

#[test]
fn a_damaged_checkpoint_is_noticed_and_the_one_before_it_leads_to_the_same_bytes() {
    let here = texts();
    let expected = Run::new(&here, "0001-whole", &busy(20)).finish();
    let mut killed = Run::new(&here, "0002-killed", &busy(20));
    killed.kill_when(is_under_way).expect("it is killed amid its training");

    // What the one before the last leads to, without any damage.
    let mut before = copy(&here, &killed, "0003-before");
    std::fs::rename(before.at(PREVIOUS), before.at(LAST)).unwrap();
    before.assert_is(&expected, "the one before");
    let begins = before.beginnings().pop().unwrap();
    assert!(begins.is_some());

    let length = std::fs::metadata(killed.at(LAST)).unwrap().len() as usize;
    let header = {
        let bytes = std::fs::read(killed.at(LAST)).unwrap();
        u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize
    };
    type Damage = Box<dyn Fn(&Path)>;
    let damages: [(&str, Damage); 9] = [
        ("empty", Box::new(cut(0))),
        ("cut in the header", Box::new(cut(header / 2))),
        ("cut in the tensors", Box::new(cut((header + length) / 2))),
        ("cut by a byte", Box::new(cut(usize::MAX))),
        ("a bit of the header's length", Box::new(flip(3))),
        ("a bit of the note", Box::new(flip(8 * 60 + 1))),
        ("a bit of the tensors", Box::new(flip(4 * (header + length)))),
        ("a bit of the hash", Box::new(flip(8 * length - 1))),
        ("gone", Box::new(|path: &Path| std::fs::remove_file(path).unwrap())),
    ];
    for (number, (what, damage)) in (4..).zip(&damages) {
        let mut run = copy(&here, &killed, &format!("{number:04}-damaged"));
        damage(&run.at(LAST));
        run.assert_is(&expected, what);
        assert_eq!(run.beginnings().pop().unwrap(), begins, "{what}");
        let said = run.warnings().join("\n");
        let how = if *what == "gone" { "is missing" } else { "is damaged" };
        assert!(said.contains(&format!("{LAST} {how}")) && said.contains("the checkpoint before it"), "{what}: {said}");
    }

    let mut both = copy(&here, &killed, "0020-both");
    for file in [LAST, PREVIOUS] {
        // They need not be of one length.
        cut(usize::MAX)(&both.at(file));
    }
    both.assert_is(&expected, "both");
    assert_eq!(both.beginnings().pop().unwrap(), None);
    assert!(both.warnings().join("\n").contains("training begins anew"), "{:?}", both.warnings());
}

/// Grey pictures, all alike: what counts is how long they take.
fn pictures(here: &Workplace, train: u32, val: u32) {
    for (side, count) in [("train", train), ("val", val)] {
        for class in ["one", "two"] {
            for number in 0..count {
                let path = here.path(&format!("data/{side}/{class}/{number}.png"));
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                image::RgbImage::from_pixel(8, 8, image::Rgb([number as u8; 3])).save(path).unwrap();
            }
        }
    }
}

#[test]
fn asked_to_stop_while_features_are_computed_or_it_validates_it_does() {
    let here = Workplace::empty();
    pictures(&here, 4, 150);
    for (number, (stage, trainable)) in [("features", "head"), ("validation", "all")].into_iter().enumerate() {
        let text = format!(
            "name: tiny
data: {{ train: data/train, val: data/val, image_size: 160 }}
model: {{ backbone: squeezenet1_1, weights: random }}
train: {{ batch_size: 8, phases: [ {{ name: head, epochs: 1, trainable: {trainable} }} ] }}
"
        );
        let mut run = Run::new(&here, &format!("{:04}-{stage}", number + 1), &text);
        let mut worker = run.worker().spawn().unwrap();
        let told = |run: &Run| {
            let stages = run.lines().into_iter().filter_map(|line| match line.event {
                Event::Stage(of) if of.name == stage && of.total > 100 => Some(of),
                _ => None,
            });
            stages.max_by_key(|stage| stage.done)
        };
        wait_for(stage, || told(&run).is_some());
        ask_to_stop(&worker);
        let status = worker.wait().unwrap();
        assert_eq!(status.code(), Some(exit_code::STOPPED), "{stage}");
        let told = told(&run).unwrap();
        assert!(told.done < told.total, "{stage}: it left at {} of {}", told.done, told.total);
        let written = run.lines().into_iter().filter(|line| matches!(line.event, Event::Checkpoint(_))).count();
        assert!(written > 0 && run.at(LAST).exists(), "{stage}");
        // The steps before the validation are not trained again.
        run.finish();
        let steps = run.lines().into_iter().filter(|line| matches!(line.event, Event::Step(_))).count();
        assert_eq!(steps, 1, "{stage}");
    }
}
