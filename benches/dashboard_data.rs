//! What the dashboard waits for when it reads a store: rows, whole runs, what one step more costs, and the spans of charts.
//!
//! `cargo bench --bench dashboard_data [FOLDER]`, where FOLDER is on the file system to be measured (default: that of
//! `target/`). Each store is opened by a process of its own, which says how much memory it came to.

#![allow(clippy::disallowed_methods)] // files of a measurement are not files of a store

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use finetop::base::clock::Timestamp;
use finetop::record::event::{Best, Callbacks, Epoch, Event, Line, Step};
use finetop::record::life::{Cause, ExecutorKind, Exited, LifeEvent, Outcome};
use finetop::record::series::Column;
use finetop::record::steps::spans;
use finetop::record::watch::Changes;
use finetop::record::{NewRun, RunDir, Store, StoreView, Writer, listing};

/// As the binary's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A chart's columns on a screen of 200.
const COLUMNS: usize = 186;
/// Lines that are written at once.
const BATCH: u32 = 10_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if let [mode, root] = &*arguments
        && mode == "open"
    {
        return open(Path::new(root));
    }
    let folder = arguments.first().cloned().unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").to_owned());
    let place = Path::new(&folder).join(format!("dashboard-data-bench-{}", std::process::id()));
    let measured = measure(&place);
    std::fs::remove_dir_all(&place)?;
    measured
}

fn measure(place: &Path) -> Result<()> {
    let long = Store::create(&place.join("thousand"))?;
    finished(&long, 1000, 1000)?;
    opened("1,000 runs of 1,000 epochs", &long)?;
    let many = Store::create(&place.join("many"))?;
    finished(&many, 10_000, 3)?;
    opened("10,000 runs", &many)?;
    ticks("10,000 runs", &many)?;
    let steps = Store::create(&place.join("steps"))?;
    let dir = runs(&steps, 1)?.remove(0);
    start(&dir)?;
    write_steps(&dir, 0, 1_000_000)?;
    opened("one live run of 1,000,000 steps", &steps)?;
    grows(&steps, &dir, 1_000_000)?;
    charts(100_000);
    charts(1_000_000);
    Ok(())
}

/// Opens a store several times, each in a new process.
fn opened(what: &str, store: &Store) -> Result<()> {
    listing::rows(store)?;
    let mut said = Vec::new();
    for _ in 0..7 {
        let output = Command::new(std::env::current_exe()?).arg("open").arg(store.root()).output()?;
        let text = String::from_utf8(output.stdout)?;
        let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        said.push(<[f64; 3]>::try_from(numbers).map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?);
    }
    let [rows, whole, memory] = [0, 1, 2].map(|n| middle(said.iter().map(|numbers| numbers[n]).collect()));
    println!("{what}: rows and live runs {rows:.1} ms, one whole {whole:.1} ms more, {memory:.1} MiB at most");
    Ok(())
}

/// What a new process does until it has the rows and the run that is chosen; in milliseconds, and MiB of memory at most.
fn open(root: &Path) -> Result<()> {
    let watch = Instant::now();
    let mut view = StoreView::new(Store::open(root)?);
    let delta = view.refresh(&Changes::default());
    let rows = watch.elapsed().as_secs_f64() * 1e3;
    let last = delta.rows.last().ok_or("there is a run")?.id;
    view.want(BTreeSet::from([last]));
    view.refresh(&Changes::default());
    let whole = watch.elapsed().as_secs_f64() * 1e3 - rows;
    if view.whole.len() != 1 {
        return Err("one is whole".into());
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("there is VmHWM")?;
    let kilobytes: f64 = peak.trim().trim_end_matches("kB").trim().parse()?;
    println!("{rows} {whole} {}", kilobytes / 1024.0);
    Ok(())
}

/// What looking at all runs costs, when nothing changed.
fn ticks(what: &str, store: &Store) -> Result<()> {
    let mut view = StoreView::new(store.clone());
    view.refresh(&Changes::default());
    let times = (0..21).map(|_| timed(|| view.refresh(&Changes::All).rows.len()));
    println!("{what}: all looked at again, nothing new: {:.2} ms", middle(times.collect()));
    let times = (0..21).map(|_| timed(|| view.refresh(&Changes::default()).rows.len()));
    println!("{what}: a wake about none of them: {:.3} ms", middle(times.collect()));
    Ok(())
}

/// What one step more costs, while somebody holds what was read before.
fn grows(store: &Store, dir: &RunDir, steps: u32) -> Result<()> {
    let mut view = StoreView::new(store.clone());
    view.refresh(&Changes::default());
    let changed = Changes::Runs(BTreeSet::from([dir.id()]));
    let mut writer = Writer::open(&dir.events())?;
    let mut times = Vec::new();
    let mut held = view.whole.clone();
    for n in 0..101 {
        writer.write_all_unsynced([Event::Step(step(steps + n))])?;
        times.push(timed(|| view.refresh(&changed).whole.len()));
        held.clone_from(&view.whole);
    }
    let len = held.get(&dir.id()).map_or(0, |run| run.training.steps.len());
    if len != (steps + 101) as usize {
        return Err(format!("{len} steps were read").into());
    }
    println!("one step more of {steps}: {:.3} ms", middle(times));
    Ok(())
}

/// The spans of four charts on one axis.
fn charts(points: usize) {
    let x: Column = (0..points).map(|n| n as f64 / 1000.0).collect();
    let y: Column = (0..points).map(|n| 1.0 / (n + 1) as f64 + (n * 7919 % 1000) as f64 * 1e-3).collect();
    let charts = || (0..4).map(|_| spans(&x, &y, (0.0, points as f64 / 1000.0), COLUMNS).flatten().count()).sum();
    println!("four charts of {points} points: {:.3} ms", middle((0..101).map(|_| timed(charts)).collect()));
    let mut column = y.clone();
    let times = (0..101).map(|n| {
        let held = column.clone();
        let time = timed(|| {
            column.push(f64::from(n));
            column.len()
        });
        drop(held);
        time
    });
    println!("one point more of {points} that somebody holds: {:.4} ms", middle(times.collect()));
}

fn timed(work: impl FnOnce() -> usize) -> f64 {
    let watch = Instant::now();
    std::hint::black_box(work());
    watch.elapsed().as_secs_f64() * 1e3
}

fn middle(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Fills a store with runs that are over, each of so many epochs; what they say is copied from one.
fn finished(store: &Store, count: usize, epochs: u32) -> Result<()> {
    let dirs = runs(store, count)?;
    let (first, others) = dirs.split_first().ok_or("there is a run")?;
    start(first)?;
    Writer::open(&first.events())?.write_all_unsynced((1..=epochs).flat_map(epoch))?;
    let (outcome, cause) = (Outcome::Finished, Cause::Completed);
    let exit = Exited { attempt: 1, outcome, cause, exit_code: Some(0), signal: None, message: None };
    Writer::open(&first.run_log())?.write(LifeEvent::Exited(exit))?;
    for dir in others {
        std::fs::copy(first.run_log(), dir.run_log())?;
        std::fs::copy(first.events(), dir.events())?;
    }
    Ok(())
}

fn runs(store: &Store, count: usize) -> Result<Vec<RunDir>> {
    let text = include_str!("../experiments/emoji.yaml");
    let queued = LifeEvent::Queued {
        name: "emoji-squeezenet".into(),
        priority: 0,
        group: Some("sweep".into()),
        after: Vec::new(),
        needs: Default::default(),
    };
    let run =
        NewRun { name: "emoji-squeezenet".into(), experiment: text.into(), resolved: text.into(), life: vec![queued] };
    Ok(store.create_runs(&vec![run; count])?)
}

fn start(dir: &RunDir) -> Result<()> {
    let (executor, host) = (ExecutorKind::Local, "lab".to_owned());
    let started = LifeEvent::Started { attempt: 1, executor, process: None, job_id: None, host, gpu: None };
    Ok(Writer::open(&dir.run_log())?.write(started)?)
}

/// An epoch's lines.
fn epoch(epoch: u32) -> [Event; 2] {
    let loss = 1.0 / f64::from(epoch) + 0.123_456_789_012_345_6 / f64::from(epoch % 7 + 1);
    let best = Event::Best(Best { epoch, monitor: "val_loss".into(), value: loss });
    let epoch = Epoch {
        phase: "head".into(),
        epoch,
        phase_epoch: epoch,
        phase_epochs: 1000,
        lr: 1e-3,
        loss,
        accuracy: 0.987_654_321,
        val_loss: loss,
        val_accuracy: 0.9,
        seconds: 1.25,
        samples_per_s: 389.123_456_789,
        callbacks: Callbacks::default(),
        metrics: Default::default(),
    };
    [Event::Epoch(epoch), best]
}

fn step(n: u32) -> Step {
    Step {
        phase: "head".into(),
        epoch: n / 1000 + 1,
        step: n % 1000 + 1,
        steps: 1000,
        loss: 1.0 / f64::from(n + 1) + f64::from(n * 7919 % 1000) * 1.234_567_89e-4,
        accuracy: f64::from(n % 33) / 32.0,
        lr: 1e-3,
        samples_per_s: 300.0 + f64::from(n % 97) / 3.0,
    }
}

/// Writes steps that were 10 ms apart.
fn write_steps(dir: &RunDir, from: u32, to: u32) -> Result<()> {
    let mut file = std::fs::File::options().append(true).create(true).open(dir.events())?;
    for first in (from..to).step_by(BATCH as usize) {
        let mut text = String::new();
        for n in first..(first + BATCH).min(to) {
            let time = Timestamp::from_millis(1_764_063_667_000 + 10 * i64::from(n));
            let line = Line { seq: u64::from(n), time, event: Event::Step(step(n)) };
            writeln!(text, "{}", serde_json::to_string(&line)?)?;
        }
        std::io::Write::write_all(&mut file, text.as_bytes())?;
    }
    Ok(())
}
