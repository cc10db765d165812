//! Stores for measurements of the dashboard, and the processor time that a process takes for them.

#![allow(dead_code)] // every measurement uses another part

use std::fmt::Write as _;
use std::time::Duration;

use finetop::base::clock::Timestamp;
use finetop::record::event::{
    Best, Callbacks, Epoch, Event, Line, Parameters, PhasePlan, PhaseStarted, RunStarted, Step,
};
use finetop::record::life::{Cause, ExecutorKind, Exited, LifeEvent, Outcome};
use finetop::record::{NewRun, RunDir, Store, Writer};

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Lines that are written at once.
const BATCH: u32 = 10_000;

/// Processor time of the threads of a process that live.
pub fn processor(process: u32) -> Result<Duration> {
    let mut all = 0;
    for thread in std::fs::read_dir(format!("/proc/{process}/task"))? {
        // One that has ended meanwhile has none.
        let text = std::fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        all += text.split_whitespace().next().map_or(Ok(0), str::parse::<u64>)?;
    }
    Ok(Duration::from_nanos(all))
}

/// Fills a store with runs that are over, each of so many epochs; what they say is copied from one.
pub fn finished(store: &Store, count: usize, epochs: u32) -> Result<()> {
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

/// New runs, of which two of three are in sweeps of twenty.
pub fn runs(store: &Store, count: usize) -> Result<Vec<RunDir>> {
    let text = include_str!("../../experiments/emoji.yaml");
    let run = |n: usize| {
        let name = format!("emoji-lr={}e-4", n % 97);
        let group = (!n.is_multiple_of(3)).then(|| format!("sweep-{}", n / 20));
        let (after, needs) = (Vec::new(), Default::default());
        let queued = LifeEvent::Queued { name: name.clone(), priority: 0, group, after, needs };
        NewRun { name, experiment: text.into(), resolved: text.into(), life: vec![queued] }
    };
    Ok(store.create_runs(&(0..count).map(run).collect::<Vec<_>>())?)
}

pub fn start(dir: &RunDir) -> Result<()> {
    let (executor, host) = (ExecutorKind::Local, "lab".to_owned());
    let started = LifeEvent::Started { attempt: 1, executor, process: None, job_id: None, host, gpu: None };
    Ok(Writer::open(&dir.run_log())?.write(started)?)
}

/// What a training of so many epochs begins with.
pub fn begin(epochs: u32) -> [Event; 2] {
    let parameters = Parameters { total: 1_235_496, trainable: 512_000 };
    let started = RunStarted {
        attempt: 1,
        version: "0".into(),
        host: "lab".into(),
        device: "cpu".into(),
        threads: 2,
        seed: 1,
        classes: ["animals", "food", "transport"].map(str::to_owned).to_vec(),
        train_samples: 488,
        val_samples: 164,
        parameters,
        phases: vec![PhasePlan { name: "head".into(), epochs }],
        resumed_from: None,
    };
    let phase = PhaseStarted {
        phase: "head".into(),
        index: 0,
        epochs,
        trainable: vec!["head".into()],
        trainable_parameters: parameters.trainable,
        optimizer: "adam".into(),
        lr: 1e-3,
    };
    [Event::RunStarted(started), Event::PhaseStarted(phase)]
}

/// An epoch's lines.
pub fn epoch(epoch: u32) -> [Event; 2] {
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

/// The step of this number, from 0, where an epoch has so many.
pub fn step(n: u32, steps: u32) -> Step {
    Step {
        phase: "head".into(),
        epoch: n / steps + 1,
        step: n % steps + 1,
        steps,
        loss: 1.0 / f64::from(n + 1) + f64::from(n * 7919 % 1000) * 1.234_567_89e-4,
        accuracy: f64::from(n % 33) / 32.0,
        lr: 1e-3,
        samples_per_s: 300.0 + f64::from(n % 97) / 3.0,
    }
}

/// Writes steps that were 10 ms apart, a thousand in an epoch.
pub fn write_steps(dir: &RunDir, from: u32, to: u32) -> Result<()> {
    let mut file = std::fs::File::options().append(true).create(true).open(dir.events())?;
    for first in (from..to).step_by(BATCH as usize) {
        let mut text = String::new();
        for n in first..(first + BATCH).min(to) {
            let time = Timestamp::from_millis(1_764_063_667_000 + 10 * i64::from(n));
            let line = Line { seq: u64::from(n), time, event: Event::Step(step(n, 1000)) };
            writeln!(text, "{}", serde_json::to_string(&line)?)?;
        }
        std::io::Write::write_all(&mut file, text.as_bytes())?;
    }
    Ok(())
}
