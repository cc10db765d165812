//! What the dashboard waits for when it reads a store: rows, whole runs, what one step more costs, and the spans of charts.
//!
//! `cargo bench --bench dashboard_data [FOLDER]`, where FOLDER is on the file system to be measured (default: that of
//! `target/`). Each store is opened by a process of its own, which says how much memory it came to.

#![allow(clippy::disallowed_methods)] // files of a measurement are not files of a store

mod stores;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use finetop::record::event::Event;
use finetop::record::series::Column;
use finetop::record::steps::spans;
use finetop::record::watch::Changes;
use finetop::record::{RunDir, Store, StoreView, Writer, listing};
use stores::{Result, finished, processor, runs, start, step, write_steps};

/// As the binary's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A chart's columns on a screen of 200.
const COLUMNS: usize = 186;

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
        said.push(<[f64; 4]>::try_from(numbers).map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?);
    }
    let [rows, whole, spent, memory] = [0, 1, 2, 3].map(|n| middle(said.iter().map(|numbers| numbers[n]).collect()));
    println!("{what}: rows and live runs {rows:.1} ms, one whole {whole:.1} ms more");
    println!("{what}: {spent:.1} ms of a processor for both, {memory:.1} MiB at most");
    Ok(())
}

/// What a new process does until it has the rows and the run that is chosen; in milliseconds of the clock, of a processor,
/// and MiB of memory at most.
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
    let spent = processor(std::process::id())?.as_secs_f64() * 1e3;
    println!("{rows} {whole} {spent} {}", kilobytes / 1024.0);
    Ok(())
}

/// What looking at all runs costs, when nothing changed.
fn ticks(what: &str, store: &Store) -> Result<()> {
    let mut view = StoreView::new(store.clone());
    view.refresh(&Changes::default());
    let looks = [
        ("all looked at again", Changes::All),
        ("a tick, once in two seconds", Changes::Tick(BTreeSet::new())),
        ("a wake about none of them", Changes::default()),
    ];
    for (how, changes) in looks {
        const TIMES: u32 = 40;
        let before = processor(std::process::id())?;
        let times = (0..TIMES).map(|_| timed(|| view.refresh(&changes).rows.len())).collect();
        let spent = (processor(std::process::id())? - before).as_secs_f64() * 1e3 / f64::from(TIMES);
        println!("{what}: {how}, nothing new: {:.3} ms, {spent:.3} ms of a processor", middle(times));
    }
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
        writer.write_all_unsynced([Event::Step(step(steps + n, 1000))])?;
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
