//! How long a store of 10,000 runs takes to add to and to list: runs that wait, and runs that are over with 300 steps each.
//!
//! `cargo bench --bench store [FOLDER]`, where FOLDER is on the file system to be measured (default: that of `target/`).

#![allow(clippy::disallowed_methods)] // files of a measurement are not files of a store

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use finetop::record::event::{Best, Event, Step};
use finetop::record::life::{Cause, Exited, LifeEvent, Outcome};
use finetop::record::watch::Changes;
use finetop::record::{NewRun, RunDir, Store, StoreView, Writer, listing, summary};

/// As the binary's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RUNS: usize = 10_000;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let folder = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let folder = folder.unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").to_owned());
    let place = Path::new(&folder).join(format!("store-bench-{}", std::process::id()));
    let measured = waiting(&place.join("waiting")).and_then(|()| over(&place.join("over")));
    std::fs::remove_dir_all(&place)?;
    measured
}

fn waiting(root: &Path) -> Result<()> {
    let mut round = 0;
    median("200 new runs, in an empty store", 7, || {
        round += 1;
        Ok(Store::create(&root.with_extension(round.to_string()))?.create_runs(&runs(200))?.len())
    })?;
    let store = Store::create(root)?;
    median("10,000 new runs, in an empty store", 1, || Ok(store.create_runs(&runs(RUNS))?.len()))?;
    median("1 new run, in a store of 10,000", 7, || Ok(store.create_runs(&runs(1))?.len()))?;
    listed("10,000 runs that wait", &store)
}

/// Fewer files are made anew: what a run says is copied.
fn over(root: &Path) -> Result<()> {
    let store = Store::create(root)?;
    let dirs = store.create_runs(&runs(RUNS))?;
    let (first, others) = dirs.split_first().ok_or("there is a run")?;
    finish(first)?;
    for dir in others {
        std::fs::copy(first.run_log(), dir.run_log())?;
        std::fs::copy(first.events(), dir.events())?;
    }
    listed("10,000 runs that are over, without summaries", &store)?;
    dirs.iter().try_for_each(summary::save)?;
    std::fs::remove_file(root.join(".listing"))?;
    listed("10,000 runs that are over", &store)
}

fn listed(what: &str, store: &Store) -> Result<()> {
    median(&format!("{what}: listed for the first time"), 1, || Ok(listing::rows(store)?.len()))?;
    median(&format!("{what}: listed"), 21, || Ok(listing::rows(store)?.len()))?;
    median(&format!("{what}: `finetop ls`, the whole process"), 21, || program(store, &["ls"]))?;
    median(&format!("{what}: `finetop ls --json`, the whole process"), 21, || program(store, &["ls", "--json"]))?;
    median(&format!("{what}: opened by the dashboard"), 1, || {
        Ok(StoreView::new(store.clone()).refresh(&Changes::default()).rows.len())
    })?;
    Ok(())
}

fn program(store: &Store, arguments: &[&str]) -> Result<usize> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_finetop"));
    let ended = command.args(arguments).env("FINETOP_STORE", store.root()).stdout(Stdio::piped()).output()?;
    if !ended.status.success() {
        return Err(String::from_utf8_lossy(&ended.stderr).into());
    }
    Ok(ended.stdout.len())
}

fn runs(count: usize) -> Vec<NewRun> {
    let text = include_str!("../experiments/emoji.yaml");
    let queued = LifeEvent::Queued {
        name: "emoji-squeezenet".into(),
        priority: 0,
        group: Some("sweep".into()),
        after: Vec::new(),
        needs: Default::default(),
    };
    let run = NewRun {
        name: "emoji-squeezenet".into(),
        experiment: text.into(),
        resolved: text.into(),
        life: vec![queued, LifeEvent::Paused],
    };
    vec![run; count]
}

fn finish(dir: &RunDir) -> Result<()> {
    let step = Step {
        phase: "head".into(),
        epoch: 1,
        step: 1,
        steps: 300,
        loss: 0.5,
        accuracy: 0.5,
        lr: 1e-3,
        samples_per_s: 200.0,
    };
    let best = Event::Best(Best { epoch: 1, monitor: "val_loss".into(), value: 0.25 });
    Writer::open(&dir.events())?.write_all((0..300).map(|_| Event::Step(step.clone())).chain([best]))?;
    let (outcome, cause) = (Outcome::Finished, Cause::Completed);
    let exit = Exited { attempt: 1, outcome, cause, exit_code: Some(0), signal: None, message: None };
    Ok(Writer::open(&dir.run_log())?.write(LifeEvent::Exited(exit))?)
}

/// Prints the median and the shortest of `rounds` times.
fn median(what: &str, rounds: usize, mut work: impl FnMut() -> Result<usize>) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        if work()? == 0 {
            return Err("nothing was done".into());
        }
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!("{what}: median {:.1} ms, best {:.1} ms", times[rounds / 2], times[0]);
    Ok(())
}
