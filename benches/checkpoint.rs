//! What a checkpoint costs the training: the steps of a ResNet18 that learns in all layers with Adam, while checkpoints of
//! it are written one after the other, beside the same steps without any; and the emoji experiment as it is shipped.
//!
//!     cargo bench --bench checkpoint
//!
//! Both kinds of rounds take turns in one process, and what counts is their difference: so the figures hold on a busy
//! machine, as medians.

#![allow(clippy::disallowed_methods)] // no file of a store is written here

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use finetop::experiment::{self, Experiment};
use finetop::record::event::{self, Event};
use finetop::train::{self, Job};

/// As the binary's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 5;
const EMOJI_ROUNDS: usize = 3;
const PICTURES: u32 = 320;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let folder = std::env::temp_dir().join(format!("finetop-checkpoint-bench-{}", std::process::id()));
    write_pictures(&folder)?;
    let result = resnet(&folder).and_then(|()| emoji(&folder));
    std::fs::remove_dir_all(&folder)?;
    result
}

/// What a run said of its steps and its checkpoints.
#[derive(Default)]
struct Heard {
    /// When each step was told.
    steps: Vec<Instant>,
    /// Each `last.safetensors` that was told of while there were steps to come.
    amid: Vec<event::Checkpoint>,
    all: Vec<event::Checkpoint>,
    seconds: f64,
}

impl Heard {
    /// Of a run that begins anew.
    fn of(experiment: &Experiment, run: &Path) -> Result<Heard, Failure> {
        if run.exists() {
            std::fs::remove_dir_all(run)?;
        }
        std::fs::create_dir_all(run)?;
        let mut heard = Heard::default();
        let steps = experiment.train.phases[0].epochs * (PICTURES / experiment.train.batch_size as u32);
        let mut emit = |event: Event| {
            match event {
                Event::Step(_) => heard.steps.push(Instant::now()),
                Event::Checkpoint(written) => {
                    if heard.steps.len() < steps as usize && written.file.ends_with("last.safetensors") {
                        heard.amid.push(written.clone());
                    }
                    heard.all.push(written);
                }
                Event::Finished(finished) => heard.seconds = finished.seconds,
                _ => {}
            }
            Ok(())
        };
        train::run(&Job { experiment, folder: run, attempt: 1 }, &mut emit, &AtomicBool::new(false))?;
        Ok(heard)
    }

    /// Seconds from one step to the next.
    fn between(&self) -> Vec<f64> {
        self.steps.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect()
    }
}

fn resnet(folder: &Path) -> Result<(), Failure> {
    let text = "name: bench
data: { train: pictures, val_split: 0.01, image_size: 64 }
model: { backbone: resnet18, weights: random }
train: { batch_size: 8, phases: [ { name: all, epochs: 1, trainable: all, optimizer: { adam: { lr: 1e-4 } } } ] }
";
    let path = folder.join("bench.yaml");
    std::fs::write(&path, text)?;
    let mut experiment = experiment::load(&path, &[]).map_err(|mistakes| mistakes.to_string())?.experiment;
    let default_minutes = experiment.train.checkpoint_minutes;
    let (mut costs, mut waits, mut shares, mut writings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut bytes = 0;
    for _ in 0..ROUNDS {
        experiment.train.checkpoint_minutes = 1e9;
        let without = Heard::of(&experiment, &folder.join("run"))?;
        experiment.train.checkpoint_minutes = 1e-9;
        let with = Heard::of(&experiment, &folder.join("run"))?;
        let (quiet, busy): (f64, f64) = (without.between().iter().sum(), with.between().iter().sum());
        let written = with.amid.len();
        costs.push((busy - quiet) / written as f64);
        shares.push(busy / quiet - 1.0);
        let longest = with.between().into_iter().fold(0.0, f64::max);
        waits.push(longest - median(without.between()));
        writings.extend(with.amid.iter().map(|written| written.seconds));
        bytes = with.amid.iter().map(|written| written.bytes).max().unwrap_or(bytes);
        println!(
            "{} steps: {quiet:6.2} s without, {busy:6.2} s with {written} checkpoints, one after the other",
            with.steps.len()
        );
    }
    let (cost, every) = (median(costs), default_minutes * 60.0);
    println!("ResNet18, all layers, Adam: a checkpoint of {:.0} MB, medians of {ROUNDS} rounds", bytes as f64 / 1e6);
    println!("  writing it, beside the training    {:8.0} ms", median(writings) * 1e3);
    println!("  longest step beyond the median one {:8.0} ms", median(waits) * 1e3);
    println!("  cost to the training, each         {:8.0} ms", cost * 1e3);
    println!("  without a pause between them       {:8.2} %", median(shares) * 100.0);
    println!("  every {default_minutes} minutes, the default         {:8.3} %", cost / every * 100.0);
    Ok(())
}

/// The share of its own checkpoints: how many there are, by what each costs, which shows where they are written one after
/// the other.
fn emoji(folder: &Path) -> Result<(), Failure> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/emoji.yaml");
    let mut experiment = experiment::load(&path, &[]).map_err(|mistakes| mistakes.to_string())?.experiment;
    let default_minutes = experiment.train.checkpoint_minutes;
    let (mut costs, mut shares) = (Vec::new(), Vec::new());
    println!("experiments/emoji.yaml");
    for _ in 0..EMOJI_ROUNDS {
        experiment.train.checkpoint_minutes = default_minutes;
        let shipped = Heard::of(&experiment, &folder.join("run"))?;
        experiment.train.checkpoint_minutes = 1e-9;
        let busy = Heard::of(&experiment, &folder.join("run"))?;
        let cost = (busy.seconds - shipped.seconds) / (busy.all.len() - shipped.all.len()) as f64;
        costs.push(cost);
        shares.push(cost * shipped.all.len() as f64 / shipped.seconds);
        println!(
            "  {:6.2} s with {} files as it is shipped, {:6.2} s with {}, one after the other",
            shipped.seconds,
            shipped.all.len(),
            busy.seconds,
            busy.all.len()
        );
    }
    println!("  cost to the training, each         {:8.1} ms", median(costs) * 1e3);
    println!("  all of them, as it is shipped      {:8.3} %", median(shares) * 100.0);
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn write_pictures(folder: &Path) -> Result<(), Failure> {
    for number in 0..PICTURES {
        let class = folder.join("pictures").join(if number % 2 == 0 { "even" } else { "odd" });
        std::fs::create_dir_all(&class)?;
        let picture = image::RgbImage::from_fn(64, 64, |x, y| image::Rgb([x as u8 * 3, y as u8 * 3, number as u8]));
        picture.save(class.join(format!("{number}.png")))?;
    }
    Ok(())
}
